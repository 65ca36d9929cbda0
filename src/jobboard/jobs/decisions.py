"""What moderators decide about jobs: approve, reject, remove, and take a decision back.

Each decision stands in the job's history and in the audit log, and the company hears of it.
"""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor
from jobboard.audit import service as audit
from jobboard.audit.models import Action, Subject
from jobboard.clock import now
from jobboard.companies import queries as companies
from jobboard.errors import require_version
from jobboard.jobs import featuring, lifecycle, queries
from jobboard.jobs.lifecycle import Party, Step
from jobboard.jobs.models import Job, JobReport, JobStatus
from jobboard.jobs.steps import take
from jobboard.notifications.service import notify
from jobboard.settings import Settings

DECISIONS = {
    Step.APPROVE: Action.JOB_APPROVED,
    Step.REJECT: Action.JOB_REJECTED,
    Step.REMOVE: Action.JOB_REMOVED,
    Step.RESTORE: Action.JOB_RESTORED,
}


async def approve(
    session: AsyncSession,
    actor: Actor,
    job_id: UUID,
    settings: Settings,
    *,
    version: int | None = None,
) -> Job:
    """Publish a pending job, as the moderator read it. The first publication date stays."""
    job = await _for_moderator(session, actor, job_id)
    require_version(job.version, version, "this job")
    lifecycle.require(Step.APPROVE, job.status, Party.ADMIN)
    moment = now()
    job.approved_at = moment
    job.published_at = job.published_at or moment
    job.expires_at = moment + timedelta(days=settings.job_days)
    return await _decide(session, actor, job, Step.APPROVE)


async def reject(
    session: AsyncSession, actor: Actor, job_id: UUID, reason: str, *, version: int | None = None
) -> Job:
    """Send a pending job back with the reason; the company can mend and submit it again."""
    job = await _for_moderator(session, actor, job_id)
    require_version(job.version, version, "this job")
    return await _decide(session, actor, job, Step.REJECT, reason)


async def remove(
    session: AsyncSession, actor: Actor, job_id: UUID, reason: str, *, version: int | None = None
) -> Job:
    """Take a job off the board; only a moderator can bring it back."""
    job = await _for_moderator(session, actor, job_id)
    require_version(job.version, version, "this job")
    return await _decide(session, actor, job, Step.REMOVE, reason)


async def remove_all(
    session: AsyncSession, actor: Actor, company_ids: Collection[UUID], reason: str
) -> int:
    """Take down what these companies have on the board or in the queue; how many jobs."""
    shown = (JobStatus.PUBLISHED, JobStatus.PENDING)
    found = await session.scalars(
        select(Job)
        .where(Job.company_id.in_(company_ids), Job.status.in_(shown))
        .order_by(Job.id)
        .with_for_update()
    )
    jobs = found.all()
    for job in jobs:
        await _decide(session, actor, job, Step.REMOVE, reason)
    return len(jobs)


async def restore(
    session: AsyncSession, actor: Actor, job_id: UUID, *, version: int | None = None
) -> Job:
    """Undo a rejection or a removal: the job waits for a decision once more, at its old place."""
    job = await _for_moderator(session, actor, job_id)
    require_version(job.version, version, "this job")
    return await _decide(session, actor, job, Step.RESTORE)


async def _for_moderator(session: AsyncSession, actor: Actor, job_id: UUID) -> Job:
    require(actor, Right.MODERATE)
    job, _ = await queries.get(session, actor, job_id)
    await session.refresh(job, with_for_update=True)  # nobody pays for it to be featured meanwhile
    return job


async def _decide(
    session: AsyncSession, actor: Actor, job: Job, step: Step, reason: str | None = None
) -> Job:
    """A moderator's step: it answers open reports too, and the company hears of it."""
    before = job.status
    await take(session, actor, job, step, reason)
    await _close_reports(session, actor, job.id)
    if step in (Step.REMOVE, Step.REJECT):
        await featuring.end(session, actor, job)
    about = (Subject.JOB, job.id)
    details = {"from": before, "version": job.version}
    audit.record(session, DECISIONS[step], person_id=actor.id, subject=about, details=details)
    news = {"title": job.title, "slug": job.slug, "job_id": str(job.id), "reason": reason}
    for person_id in await companies.member_ids(session, job.company_id):
        notify(session, person_id, f"job_{job.status}", news)
    return job


async def dismiss_reports(session: AsyncSession, actor: Actor, job_id: UUID) -> None:
    """A moderator looked and found nothing wrong."""
    await _for_moderator(session, actor, job_id)
    if closed := await _close_reports(session, actor, job_id):
        audit.record(
            session,
            Action.JOB_REPORTS_DISMISSED,
            person_id=actor.id,
            subject=(Subject.JOB, job_id),
            details={"reports": closed},
        )


async def _close_reports(session: AsyncSession, actor: Actor, job_id: UUID) -> int:
    """How many were open."""
    closed = await session.scalars(
        update(JobReport)
        .where(JobReport.job_id == job_id, JobReport.resolved_at.is_(None))
        .values(resolved_at=now(), resolved_by=actor.id)
        .returning(JobReport.id)
    )
    return len(closed.all())
