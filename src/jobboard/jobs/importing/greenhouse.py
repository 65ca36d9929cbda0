"""Greenhouse job boards: GET https://boards-api.greenhouse.io/v1/boards/NAME/jobs?content=true"""

from collections.abc import Iterator
from typing import Any

from jobboard.jobs.importing.jsontext import inner, load, objects
from jobboard.jobs.importing.model import RawJob, Reading, Rejected, not_this_kind, read, text


def read_all(data: bytes, company: str | None) -> Iterator[Reading]:
    """Every posting of an answer. Raises Invalid if it is none of Greenhouse's."""
    answer = load(data, "Greenhouse")
    jobs = inner(answer, "jobs")
    if not isinstance(jobs, list):
        raise not_this_kind("Greenhouse", 'an object with a list "jobs"')
    for row, job in enumerate(jobs, 1):
        yield _read(row, job, company)


def _read(row: int, job: Any, company: str | None) -> Reading:
    if not isinstance(job, dict):
        return Rejected(row, "it is not an object", job)
    if "internal_job_id" in job and job["internal_job_id"] is None:
        return Rejected(row, "it is a prospect post: a call for applications without a job", job)
    raw = RawJob(
        source="greenhouse",
        row=row,
        raw=job,
        id=job.get("id"),
        title=job.get("title"),
        company=job.get("company_name"),
        location=job.get("location"),
        description=job.get("content"),
        salary=_salary(job),
        employment_type=_metadata(job, "employment type", "time type", "job type"),
        remote=_metadata(job, "workplace type", "location type", "remote"),
        posted=job.get("first_published") or job.get("updated_at"),
        url=job.get("absolute_url"),
        tags=[department.get("name") for department in objects(job.get("departments"))],
    )
    return read(raw, company)


def _metadata(job: dict[str, Any], *names: str) -> Any:
    """A custom field that companies tend to call so."""
    for field in objects(job.get("metadata")):
        if text(field.get("name")).strip().lower() in names:
            return field.get("value")
    return None


def _salary(job: dict[str, Any]) -> str:
    """The first pay range, cents as money: "USD 90000.00 - 120000.00"."""
    for pay in objects(job.get("pay_input_ranges")):
        ends = [pay.get("min_cents"), pay.get("max_cents")]
        cents = [end for end in ends if isinstance(end, int) and 0 <= end < 10**15]
        if len(cents) == 2:
            low, high = (f"{end / 100:.2f}" for end in cents)
            words = f"{text(pay.get('title'))} {text(pay.get('blurb'))}".lower()
            per = " per hour" if "hour" in words else ""
            return f"{text(pay.get('currency_type'))} {low} - {high}{per}"
    return ""
