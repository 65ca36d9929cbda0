"""Lever postings: GET https://api.lever.co/v0/postings/NAME?mode=json"""

from collections.abc import Iterator
from typing import Any

from jobboard.jobs.importing.jsontext import inner, load, objects
from jobboard.jobs.importing.model import RawJob, Reading, Rejected, not_this_kind, read, text


def read_all(data: bytes, company: str | None) -> Iterator[Reading]:
    """Every posting of an answer; Lever never names the company. Raises Invalid for others'."""
    jobs = load(data, "Lever")
    if not isinstance(jobs, list):
        raise not_this_kind("Lever", "a list of postings")
    for row, job in enumerate(jobs, 1):
        yield _read(row, job, company)


def _read(row: int, job: Any, company: str | None) -> Reading:
    if not isinstance(job, dict):
        return Rejected(row, "it is not an object", job)
    categories = job.get("categories")
    raw = RawJob(
        source="lever",
        row=row,
        raw=job,
        id=job.get("id"),
        title=job.get("text"),
        location=_location(job),
        description=_description(job),
        salary=_salary(job),
        employment_type=inner(categories, "commitment"),
        remote=_workplace(job.get("workplaceType")),
        posted=job.get("createdAt"),
        url=job.get("applyUrl") or job.get("hostedUrl"),
        tags=[inner(categories, "department"), inner(categories, "team")],
    )
    return read(raw, company)


def _workplace(value: Any) -> Any:
    return None if value == "unspecified" else value


def _location(job: dict[str, Any]) -> str:
    """All its places, the main one first; the country where the places leave it out."""
    main, country = text(inner(job, "categories", "location")), text(job.get("country"))
    others = inner(job, "categories", "allLocations")
    places = [main, *(text(other) for other in others if other != main)] if isinstance(
        others, list
    ) else [main]  # fmt: skip
    return " | ".join(place for place in places if place) or country


def _description(job: dict[str, Any]) -> str:
    """The opening, the titled lists and the closing, as one document."""
    start = text(job.get("description")) or text(job.get("opening")) + text(
        job.get("descriptionBody")
    )
    parts = [start or text(job.get("descriptionPlain"))]
    for part in objects(job.get("lists")):
        parts.append(f"<h3>{text(part.get('text'))}</h3><ul>{text(part.get('content'))}</ul>")
    return "\n".join([*parts, text(job.get("additional")) or text(job.get("additionalPlain"))])


def _salary(job: dict[str, Any]) -> str:
    """ "USD 90000 - 120000 per year", or what the employer wrote about pay."""
    pay = job.get("salaryRange")
    low, high = inner(pay, "min"), inner(pay, "max")
    if low is None and high is None:
        return text(job.get("salaryDescriptionPlain"))
    ends = " - ".join(text(end) for end in (low, high) if end is not None)
    interval = text(inner(pay, "interval")).replace("-", " ")
    return f"{text(inner(pay, 'currency'))} {ends} {interval}"
