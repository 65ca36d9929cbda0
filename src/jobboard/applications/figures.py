"""How companies answer: the figures that stand on their pages, kept so that no page reckons them.

An answer is the company's first step to an interview, an offer or a no. Counted are applications
of the last PERIOD that were sent more than two weeks ago: answered, or left without one until their
two weeks were over, withdrawn later or not. What is younger, answered or not, or was withdrawn
before its time was over, says nothing about the company yet: to count only the answers among the
young would flatter, the more so the shorter the period. Fewer than FEWEST say nothing either.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Integer, Select, and_, case, cast, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.applications.lifecycle import OVERDUE_AFTER
from jobboard.applications.models import Application, Stage
from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.infra.freshness import PAGES, outdate
from jobboard.jobs.models import Job
from jobboard.settings import Settings

PERIOD = timedelta(days=180)
FEWEST = 5
BATCH = 500
FIRST = UUID(int=0)


async def keep(session: AsyncSession, settings: Settings, *, after: UUID = FIRST) -> UUID | None:
    """Write the figures of the next BATCH companies where they changed; the last of them, None
    after all. Other writers of a company are not disturbed: its version stays."""
    ids = select(Company.id).where(Company.id > after).order_by(Company.id).limit(BATCH)
    batch = (await session.scalars(ids)).all()
    if not batch:
        return None
    # Refused ones are deleted after a while: counting for longer would count them as unanswered.
    period = min(PERIOD, timedelta(days=settings.rejected_days))
    found = _figures(batch, period).subquery("found")
    columns = (Company.applications_counted, Company.applications_answered, Company.answer_seconds)
    names = [column.key for column in columns]
    each = (
        select(Company.id, *(found.c[name] for name in names))
        .outerjoin(found, found.c.company_id == Company.id)
        .where(Company.id.in_(batch))
        .subquery("each")
    )
    written = await session.scalars(
        update(Company)
        .where(
            Company.id == each.c.id,
            or_(*(getattr(Company, name).is_distinct_from(each.c[name]) for name in names)),
        )
        .values({name: each.c[name] for name in names})
        .returning(Company.id)
        .execution_options(synchronize_session=False)
    )
    if written.all():
        outdate(session, PAGES)
    return batch[-1]


def _figures(batch: Sequence[UUID], period: timedelta) -> Select:
    moment = now()
    # Withdrawn is final: `updated_at` is when.
    ended = case((Application.stage == Stage.WITHDRAWN, Application.updated_at), else_=moment)
    waited = and_(Application.answered_at.is_(None), ended - Application.created_at > OVERDUE_AFTER)
    answered = func.count(Application.answered_at)
    seconds = func.extract("epoch", Application.answered_at - Application.created_at)
    median = func.percentile_cont(0.5).within_group(seconds)
    return (
        select(
            Job.company_id,
            func.count().label("applications_counted"),
            answered.label("applications_answered"),
            case((answered >= FEWEST, cast(median, Integer))).label("answer_seconds"),
        )
        .join(Job, Job.id == Application.job_id)
        .where(
            Job.company_id.in_(batch),
            Application.created_at > moment - period,
            Application.created_at < moment - OVERDUE_AFTER,
            or_(Application.answered_at.is_not(None), waited),
        )
        .group_by(Job.company_id)
        .having(func.count() >= FEWEST)
    )
