"""Companies that moderators should look at: their names changed while their ads were live."""

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor
from jobboard.admin.schemas import RenamedCompany
from jobboard.companies.models import Company
from jobboard.jobs.models import Job, JobStatus
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor


async def renamed(
    session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int
) -> Page[RenamedCompany]:
    """Companies with live ads whose new name nobody has looked at, longest waiting first."""
    require(actor, Right.MODERATE)
    statement = _renamed().order_by(Company.renamed_at, Company.id).limit(limit + 1)
    if after := read_moment_cursor(cursor):
        statement = statement.where(func.row(Company.renamed_at, Company.id) > func.row(*after))
    items, more = cut(
        [RenamedCompany(**row._mapping) for row in await session.execute(statement)], limit
    )
    last = items[-1] if more else None
    return Page(
        items=list(items),
        next_cursor=moment_cursor(last.renamed_at, last.id) if last else None,
    )


async def renamed_count(session: AsyncSession) -> int:
    """How many wait."""
    return await session.scalar(select(func.count()).select_from(_renamed().subquery())) or 0


def _renamed() -> Select:
    """Where nothing is live there is nothing to see: the next ad is read before it is."""
    live = (
        select(Job.company_id, func.count().label("live_jobs"))
        .where(Job.status == JobStatus.PUBLISHED, Job.company_id == Company.id)
        .group_by(Job.company_id)
        .lateral()
    )
    return (
        select(
            Company.id,
            Company.name,
            Company.slug,
            Company.former_name,
            Company.renamed_at,
            live.c.live_jobs,
        )
        .join(live, live.c.company_id == Company.id)
        .where(Company.renamed_at.is_not(None))
    )
