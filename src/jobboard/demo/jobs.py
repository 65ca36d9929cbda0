"""Writes ads into the tables: rows in bulk, with all that the product derives from an ad."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.demo.lives import REASON, Life
from jobboard.demo.market import Ad
from jobboard.infra import freshness
from jobboard.infra.richtext import html_and_text
from jobboard.infra.slugs import ALPHABET, slugify
from jobboard.jobs.language import language_of
from jobboard.jobs.lifecycle import Party, Step
from jobboard.jobs.models import Job, JobEvent
from jobboard.jobs.places import parse_location
from jobboard.jobs.points import written
from jobboard.jobs.salary import yearly
from jobboard.jobs.schemas import SalaryInput

SOURCE = "demo"


@dataclass(frozen=True, slots=True)
class Posting:
    """An ad with its life, and the people who moved it on (None: nobody with an account)."""

    ad: Ad
    life: Life
    company_name: str
    employer_id: UUID | None
    admin_id: UUID
    seed: int

    @property
    def external_id(self) -> str:
        """What makes a second run of the same seed find that the job is there."""
        return f"{self.seed}-{self.ad.number}"


async def write(session: AsyncSession, postings: list[Posting]) -> list[tuple[UUID, Posting]]:
    """Insert those that are not there yet, with their history. Returns what is new, in order."""
    statement = insert(Job).on_conflict_do_nothing().returning(Job.external_id, Job.id)
    rows = await session.execute(statement, [_row(posting) for posting in postings])
    ids = dict(rows.all())
    new = [(ids[one.external_id], one) for one in postings if one.external_id in ids]
    events = [event for job_id, one in new for event in _events(job_id, one)]
    if events:
        await session.execute(insert(JobEvent), events)
        freshness.outdate(session, freshness.JOBS, freshness.PAGES)
    return new


def _row(posting: Posting) -> dict[str, object]:
    data, life = posting.ad.data, posting.life
    html, plain = html_and_text(data.description)
    place = parse_location(data.location)
    return {
        "slug": _slug(posting),
        "company_id": data.company_id,
        "company_name": posting.company_name,
        "created_by": posting.employer_id,
        "title": data.title,
        "description": data.description,
        "description_html": html,
        "description_text": plain,
        "language": language_of(data.title, plain),
        "location": data.location,
        "city": place.city,
        "region": place.region,
        "country": place.country,
        "places": written(place),
        "remote": data.remote,
        "employment_type": data.employment_type,
        "experience": data.experience,
        "tags": data.tags,
        "apply_url": data.apply_url,
        **pay_of(data.salary),
        "status": life.status,
        "status_reason": REASON if life.at(Step.REJECT) else None,
        "created_at": life.created_at,
        "updated_at": life.updated_at,
        "submitted_at": life.at(Step.SUBMIT),
        "approved_at": life.at(Step.APPROVE),
        "published_at": life.at(Step.APPROVE),
        "expires_at": life.expires_at,
        "source": SOURCE,
        "external_id": posting.external_id,
    }


def _slug(posting: Posting) -> str:
    """As infra/slugs.py makes them, but the same again for the same seed and number."""
    tail = Random(posting.external_id).choices(ALPHABET, k=8)
    return f"{slugify(posting.ad.data.title, posting.company_name)}-{''.join(tail)}"


def pay_of(salary: SalaryInput | None) -> dict[str, object]:
    """The columns of a job's pay."""
    if salary is None:
        return dict.fromkeys(PAY_COLUMNS)
    values = (salary.min, salary.max, salary.currency, salary.period)
    per_year = yearly(salary.min, salary.max, salary.period.value)
    return dict(zip(PAY_COLUMNS, (*values, *per_year), strict=True))


PAY_COLUMNS = (
    "salary_min",
    "salary_max",
    "currency",
    "salary_period",
    "yearly_min",
    "yearly_max",
)


def _events(job_id: UUID, posting: Posting) -> Iterator[dict[str, object]]:
    by = {
        Party.MEMBER: posting.employer_id,
        Party.ADMIN: posting.admin_id,
        Party.CLOCK: None,
    }
    for taken in posting.life.taken:
        yield {
            "job_id": job_id,
            "step": taken.step,
            "status": taken.status,
            "person_id": by[taken.party],
            "reason": REASON if taken.step is Step.REJECT else None,
            "at": taken.at,
        }
