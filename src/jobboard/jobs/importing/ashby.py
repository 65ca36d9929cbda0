"""Ashby job boards:
GET https://api.ashbyhq.com/posting-api/job-board/NAME?includeCompensation=true"""

from collections.abc import Iterator
from typing import Any

from jobboard.jobs.importing.jsontext import inner, load, objects
from jobboard.jobs.importing.model import RawJob, Reading, Rejected, not_this_kind, read, text


def read_all(data: bytes, company: str | None) -> Iterator[Reading]:
    """Every listed posting; Ashby never names the company. Raises Invalid for others' answers."""
    jobs = inner(load(data, "Ashby"), "jobs")
    if not isinstance(jobs, list):
        raise not_this_kind("Ashby", 'an object with a list "jobs"')
    for row, job in enumerate(jobs, 1):
        yield _read(row, job, company)


def _read(row: int, job: Any, company: str | None) -> Reading:
    if not isinstance(job, dict):
        return Rejected(row, "it is not an object", job)
    if job.get("isListed") is False:
        return Rejected(row, "it is not listed: the company does not show it on its board", job)
    raw = RawJob(
        source="ashby",
        row=row,
        raw=job,
        id=job.get("id"),
        title=job.get("title"),
        location=_locations(job),
        description=job.get("descriptionHtml") or job.get("descriptionPlain"),
        salary=_salary(job),
        employment_type=job.get("employmentType"),
        remote=job.get("workplaceType") or job.get("isRemote"),
        posted=job.get("publishedAt"),
        url=job.get("applyUrl") or job.get("jobUrl"),
        tags=[job.get("department"), job.get("team")],
    )
    return read(raw, company)


def _locations(job: dict[str, Any]) -> str:
    places = [job, *objects(job.get("secondaryLocations"))]
    return " | ".join(found for place in places if (found := _location(place)))


def _location(place: dict[str, Any]) -> str:
    """ "Toronto, Ontario" with the country that stands in the address beside it."""
    name, address = text(place.get("location")), inner(place, "address", "postalAddress")
    country = text(inner(address, "addressCountry")).strip()
    if not name:
        keys = ("addressLocality", "addressRegion")
        name = ", ".join(found for key in keys if (found := text(inner(address, key))))
    return ", ".join(
        part for part in (name, country if country.lower() not in name.lower() else "") if part
    )


def _salary(job: dict[str, Any]) -> str:
    """ "CAD 102800 - 137000 per year", or the summary, if the employer shows pay at all."""
    if job.get("shouldDisplayCompensationOnJobPostings") is False:
        return ""
    for tier in objects(inner(job, "compensation", "compensationTiers")):
        for part in objects(tier.get("components")):
            ends = [part.get("minValue"), part.get("maxValue")]
            if part.get("compensationType") == "Salary" and any(end is not None for end in ends):
                money = " - ".join(text(end) for end in ends if end is not None)
                period = text(part.get("interval")).removeprefix("1 ").lower()
                per = "" if period in ("", "none") else f" per {period}"
                return f"{text(part.get('currencyCode'))} {money}{per}"
    return text(inner(job, "compensation", "compensationTierSummary"))
