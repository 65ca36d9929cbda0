"""What waits for a moderator."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies.models import Company
from jobboard.jobs.models import Job, JobReport, JobStatus


def jobs_with(
    status: JobStatus, *, after: tuple[datetime, UUID] | None, limit: int
) -> Select[Job, Company]:
    """Jobs of one status, longest waiting first, one more than the page."""
    waited = func.coalesce(Job.submitted_at, Job.created_at)
    statement = (
        select(Job, Company)
        .join(Company, Company.id == Job.company_id)
        .where(Job.status == status)
        .order_by(waited, Job.id)
        .limit(limit + 1)
    )
    return statement.where(func.row(waited, Job.id) > func.row(*after)) if after else statement


async def approved_counts(session: AsyncSession, company_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many jobs of each company were ever published."""
    rows = await session.execute(
        select(Job.company_id, func.count())
        .where(Job.company_id.in_(company_ids), Job.published_at.is_not(None))
        .group_by(Job.company_id)
    )
    return dict(rows.all())


async def report_counts(session: AsyncSession, job_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many open reports each job has."""
    rows = await session.execute(
        select(JobReport.job_id, func.count())
        .where(JobReport.job_id.in_(job_ids), JobReport.resolved_at.is_(None))
        .group_by(JobReport.job_id)
    )
    return dict(rows.all())


def reports(*, after: tuple[datetime, UUID] | None, limit: int) -> Select:
    """Open reports, oldest first, one more than the page."""
    statement = (
        select(
            JobReport.id,
            JobReport.job_id,
            Job.title.label("job_title"),
            Job.slug.label("job_slug"),
            Job.company_name,
            JobReport.reason,
            JobReport.note,
            JobReport.created_at,
        )
        .join(Job, Job.id == JobReport.job_id)
        .where(JobReport.resolved_at.is_(None))
        .order_by(JobReport.created_at, JobReport.id)
        .limit(limit + 1)
    )
    if after:
        statement = statement.where(func.row(JobReport.created_at, JobReport.id) > func.row(*after))
    return statement


async def pending_count(session: AsyncSession) -> int:
    """How many jobs wait."""
    count = await session.scalar(
        select(func.count()).select_from(Job).where(Job.status == JobStatus.PENDING)
    )
    return count or 0


async def open_report_count(session: AsyncSession) -> int:
    """How many reports nobody has decided yet."""
    count = await session.scalar(
        select(func.count()).select_from(JobReport).where(JobReport.resolved_at.is_(None))
    )
    return count or 0
