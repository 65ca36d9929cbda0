"""What the webhooks of a company are told about applications: which, at which job, and the stage.

Nothing of the candidate: who receives it asks the API, with a key that may read applications.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.applications.models import Application, Stage
from jobboard.jobs.models import Job
from jobboard.webhooks.events import Event, Occurrence, emit


async def tell(session: AsyncSession, event: Event, application: Application, job: Job) -> None:
    """Tell of an application as it stands now."""
    told = _data(application.id, application.stage, job)
    await emit(session, [Occurrence(job.company_id, event, told)])


async def tell_moved(
    session: AsyncSession, application: Application, job: Job, before: Stage
) -> None:
    """Tell of a step, from `before` to where it stands now."""
    withdrawn = application.stage is Stage.WITHDRAWN
    event = Event.APPLICATION_WITHDRAWN if withdrawn else Event.APPLICATION_STAGE_CHANGED
    told = _data(application.id, application.stage, job)
    told["application"]["previous_stage"] = before
    await emit(session, [Occurrence(job.company_id, event, told)])


async def tell_withdrawn(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Tell of many that were withdrawn at once: their candidate is erased."""
    if not ids:
        return
    rows = await session.execute(
        select(Application.id, Job)
        .join(Job, Job.id == Application.job_id)
        .where(Application.id.in_(ids))
    )
    event = Event.APPLICATION_WITHDRAWN
    await emit(
        session,
        [
            Occurrence(job.company_id, event, _data(row_id, Stage.WITHDRAWN, job))
            for row_id, job in rows
        ],
    )


def _data(application_id: UUID, stage: Stage, job: Job) -> dict[str, Any]:
    return {
        "application": {"id": str(application_id), "stage": stage},
        "job": {"id": str(job.id), "slug": job.slug, "title": job.title},
    }
