"""Jobs in any state."""

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.jobs import service
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.schemas import JobCreate
from tests.factories.people import User

WORDS = "You bake bread and rolls, from the first dough at three to the counter at seven. "


async def make_job(
    session: AsyncSession,
    owner: User,
    company: Company,
    *,
    status: JobStatus = JobStatus.PUBLISHED,
    **fields: Any,
) -> Job:
    """A job of this company, in this state as if it had come there. Committed.

    `fields` are those of JobCreate; `published_at` and `expires_at` are set as given.
    """
    dates = {name: fields.pop(name) for name in ("published_at", "expires_at") if name in fields}
    values: dict[str, Any] = {"title": "Baker", "description": WORDS * 4} | fields
    job = await service.create(session, owner.actor, JobCreate(company_id=company.id, **values))
    job.status = status
    if status is not JobStatus.DRAFT:
        job.submitted_at = now()
    if status not in {JobStatus.DRAFT, JobStatus.PENDING, JobStatus.REJECTED}:
        job.approved_at = job.published_at = dates.get("published_at", now())
        job.expires_at = dates.get("expires_at", now() + timedelta(days=30))
    await session.commit()
    return job
