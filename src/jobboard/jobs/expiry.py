"""The end of a job's time: it leaves the search, and its company hears of it."""

from collections import defaultdict
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.companies import news
from jobboard.jobs import lifecycle
from jobboard.jobs.lifecycle import Party, Step
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.steps import occurrence, record
from jobboard.webhooks.events import emit

BATCH = 500


async def expire_due(session: AsyncSession) -> int:
    """Mark published jobs whose time is over; how many. The worker calls this on its schedule.

    A company whose jobs end together gets one mail about them all.
    """
    due = await session.scalars(
        select(Job)
        .where(Job.status == JobStatus.PUBLISHED, Job.expires_at <= now())
        .order_by(Job.expires_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    ended: dict[UUID, list[Job]] = defaultdict(list)
    for job in due:
        job.status = lifecycle.require(Step.EXPIRE, job.status, Party.CLOCK)
        record(session, job, Step.EXPIRE, None)
        ended[job.company_id].append(job)
    for company_id, jobs in ended.items():
        told = [{"id": str(job.id), "title": job.title} for job in jobs]
        news.tell(session, company_id, "job_expired", {"jobs": told})
    await session.flush()
    over = [occurrence(job) for jobs in ended.values() for job in jobs]
    await emit(session, over)
    return len(over)
