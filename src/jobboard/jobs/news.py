"""That jobs came to the board, or changed there: the workers tell whom it concerns."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.queue import enqueue

PUBLISHED = "jobs.published"  # the message's kind; its payload: {job_ids}
BATCH = 100  # jobs of one message


def published(session: AsyncSession, job_ids: Sequence[UUID]) -> None:
    """Everyone can find these jobs, for the first time or as they are now."""
    for start in range(0, len(job_ids), BATCH):
        told = [str(job_id) for job_id in job_ids[start : start + BATCH]]
        enqueue(session, PUBLISHED, {"job_ids": told})
