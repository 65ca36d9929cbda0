"""A step in a job's life, taken and written down; the verbs of `service` and `decisions` do."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.clock import now
from jobboard.jobs import lifecycle, news
from jobboard.jobs.lifecycle import Party, Step
from jobboard.jobs.models import Job, JobEvent, JobStatus
from jobboard.webhooks.events import Event, Occurrence, emit


def party_of(actor: Actor) -> Party:
    """The side that `actor` takes steps for."""
    return Party.ADMIN if actor.is_admin else Party.MEMBER


def occurrence(job: Job, reason: str | None = None) -> Occurrence:
    """What webhooks are told of where a job stands now."""
    told = {"id": str(job.id), "slug": job.slug, "title": job.title, "status": job.status}
    data: dict[str, Any] = {"job": told}
    if reason is not None:
        data["reason"] = reason
    return Occurrence(job.company_id, Event(f"job.{job.status}"), data)


def record(
    session: AsyncSession, job: Job, step: Step, actor: Actor | None, reason: str | None = None
) -> None:
    """Write down the step that led to where the job stands now; nobody is the clock."""
    session.add(
        JobEvent(
            job_id=job.id,
            step=step,
            status=job.status,
            person_id=actor.person_id if actor else None,
            reason=reason,
        )
    )


async def take(
    session: AsyncSession, actor: Actor, job: Job, step: Step, reason: str | None = None
) -> Job:
    """Take a step where the table allows it. Raises Conflict."""
    target = lifecycle.require(step, job.status, party_of(actor))
    return await move(session, actor, job, step, target, reason)


async def move(
    session: AsyncSession,
    actor: Actor,
    job: Job,
    step: Step,
    target: JobStatus,
    reason: str | None = None,
) -> Job:
    """The same to a `target` that is decided already."""
    job.status = target
    job.status_reason = reason
    job.updated_at = now()
    record(session, job, step, actor, reason)
    if target is JobStatus.PUBLISHED:
        news.published(session, [job.id])
    await session.flush()
    await emit(session, [occurrence(job, reason)])
    return job
