"""What everybody sees of jobs, as questions for the cache (`infra/cache.py`).

Nothing here knows who asks. A change of a job or of a company outdates what is kept of it, by the
tags that `models` names. What changes with time alone ends by itself: a search with the first of
its jobs that expires, and all else within a minute.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.companies.schemas import CompanyBrief, CompanyFacts
from jobboard.infra.cache import Answer, Question
from jobboard.infra.freshness import JOBS, PAGES
from jobboard.jobs import corrections, featuring, queries, schemas
from jobboard.jobs.criteria import JobSearch
from jobboard.jobs.exchange.translation import Translated, in_usual_currency
from jobboard.jobs.models import Job, page_tag
from jobboard.jobs.relaxing import relaxed
from jobboard.jobs.schemas import JobCard, JobRead
from jobboard.jobs.search import JobSearchResult, Total
from jobboard.jobs.similar import similar
from jobboard.pagination import Page

SUMMARY = 155  # characters of a description that search engines show


class Employer(CompanyBrief):
    """The company beside its job."""

    website: str | None


class Posting(BaseModel):
    """A job as its page tells it to everybody."""

    job: JobRead
    company: Employer
    summary: str
    about: Translated | None = None  # its pay in the board's usual currency


class Counted(BaseModel):
    """What is read of a search to count it."""

    total: Total


def posting_of(job: Job, company: Company) -> Posting:
    """The same of a row, which need not be public."""
    return Posting(
        job=schemas.read(job, CompanyFacts.model_validate(company)),
        company=Employer.model_validate(company),
        summary=" ".join(job.description_text.split())[:SUMMARY],
    )


def posting(slug: str) -> Question:
    """A public job, as JSON of a Posting. Raises NotFound."""

    async def load(session: AsyncSession) -> Answer:
        job, company = await queries.get_by_slug(session, None, slug)
        about = await in_usual_currency(session, job)
        found = posting_of(job, company).model_copy(update={"about": about})
        return Answer(found.model_dump_json().encode())

    return Question(f"job:{_shape(Posting)}:{slug}", (PAGES, page_tag(slug)), load)


def alike(job_id: UUID) -> Question:
    """What is like a public job, as JSON of a Page. Raises NotFound."""

    async def load(session: AsyncSession) -> Answer:
        await queries.get(session, None, job_id)
        page = Page(items=await similar(session, job_id))
        return Answer(page.model_dump_json().encode(), _end(page.items))

    return Question(f"similar:{_shape(JobCard)}:{job_id}", (JOBS,), load)


def first_page(data: JobSearch) -> Question | None:
    """A page of a search, as JSON of a JobSearchResult. None for later pages, which hardly anybody
    else asks for."""
    if data.cursor is not None:
        return None

    async def load(session: AsyncSession) -> Answer:
        result = await relaxed(session, data, await corrections.search(session, data))
        late = result.next_cursor is not None and len(result.items) < data.limit
        # What was cut short for lack of time is whole when it is asked again.
        return Answer(result.model_dump_json().encode(), now() if late else _first_end(result))

    asked = data.model_dump_json(exclude_defaults=True)
    key = f"search:{_shape(JobSearchResult)}:{featuring.turn()}:{asked}"
    return Question(key, (JOBS,), load)


@cache
def _shape(model: type[BaseModel]) -> str:
    """Stands for what an answer looks like: two releases at once do not read each other's."""
    schema = json.dumps(model.model_json_schema(mode="serialization"), sort_keys=True)
    return hashlib.sha256(schema.encode()).hexdigest()[:8]


def _first_end(result: JobSearchResult) -> datetime | None:
    """Until when each of these jobs may be found."""
    return _end(result.items)


def _end(cards: Iterable[JobCard]) -> datetime | None:
    return min((card.expires_at for card in cards if card.expires_at), default=None)
