"""Featured jobs: a company pays for days in which a job stands among the first.

The first page of each search begins with at most BLOCK of the featured jobs that it finds. Which,
is drawn anew every TURN seconds from all of them alike: each gets the same share, whoever paid
longer or more. Wherever else a featured job stands it is marked, too.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, Text, cast, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor
from jobboard.clock import now
from jobboard.companies import queries as companies
from jobboard.errors import Conflict, Invalid
from jobboard.infra import freshness
from jobboard.jobs import queries
from jobboard.jobs.criteria import JobSearch
from jobboard.jobs.filters import everything
from jobboard.jobs.live import LiveJob
from jobboard.jobs.models import Job, JobFeature, JobStatus, page_tag
from jobboard.jobs.schemas import FeatureCreate, FeatureRead
from jobboard.settings import Settings
from jobboard.wallet import queries as wallets
from jobboard.wallet import service as wallet
from jobboard.wallet.ledger import Posting
from jobboard.wallet.models import MAX_MEMO, BoardWallet, Transfer, TransferKind
from jobboard.wallet.schemas import TransferRead

BLOCK = 3
TURN = 300
DAY = timedelta(days=1)


async def feature(
    session: AsyncSession, actor: Actor, job_id: UUID, data: FeatureCreate, settings: Settings
) -> FeatureRead:
    """Pay for days from now, or from the end of those paid for, with the company's credits.

    Raises NotFound, Forbidden, Conflict (a job that is not live, too little in the wallet),
    Invalid.
    """
    job, company = await queries.get(session, actor, job_id)
    await companies.require(session, actor, Right.WRITE_JOB, company.id)
    require(actor, Right.SPEND)
    await session.refresh(job, with_for_update=True)  # nobody removes it meanwhile
    starts = max(now(), job.featured_until or now())
    _require_time(job, starts, data.days)
    source = await wallets.of_company(session, company.id)
    target = await wallets.of_board(session, BoardWallet.REVENUE, source.currency)
    posting = Posting(
        kind=TransferKind.FEATURE,
        source=source.id,
        target=target.id,
        amount=data.days * settings.feature_price,
        currency=source.currency,
        spender=actor.id,
        created_by=actor.id,
        memo=f"{data.days} days first in lists: {job.title}"[:MAX_MEMO].strip(),
    )
    posted = await wallet.spend(session, posting)
    paid = JobFeature(
        job_id=job.id,
        transfer_id=posted.id,
        days=data.days,
        daily=settings.feature_price,
        starts_at=starts,
        ends_at=starts + data.days * DAY,
    )
    session.add(paid)
    await session.flush()
    await _feature_until(session, job, paid.ends_at)
    return FeatureRead(
        id=paid.id,
        job_id=job.id,
        transfer_id=posted.id,
        days=data.days,
        amount=posting.amount,
        currency=posting.currency,
        starts_at=paid.starts_at,
        ends_at=paid.ends_at,
    )


def _require_time(job: Job, starts: datetime, days: int) -> None:
    """Nobody pays for days in which nobody finds the job."""
    if job.status is not JobStatus.PUBLISHED or job.expires_at is None:
        raise Conflict(
            "Only a live job can be featured. Send it to the moderators first, or reopen it.",
            code="job_not_live",
        )
    room = max(-((starts - job.expires_at) // DAY), 0)  # the last day counts, be it not whole
    if days > room:
        raise Invalid.field(
            "days",
            f"This job ends on {job.expires_at:%d %B %Y}, and days until {starts:%d %B %Y} are "
            f"paid for: at most {room} more can be.",
            code="featured_too_long",
        )


async def _feature_until(session: AsyncSession, job: Job, moment: datetime | None) -> None:
    """Not through the mapped row: that would count as an edit, and stop someone else's."""
    freshness.outdate(session, freshness.JOBS, page_tag(job.slug))
    await session.execute(
        update(Job)
        .where(Job.id == job.id)
        .values(featured_until=moment)
        .execution_options(synchronize_session=False)
    )
    await session.refresh(job, ["featured_until"])


async def end(session: AsyncSession, actor: Actor, job: Job) -> None:
    """A moderator took the job down or sent it back: whole days that are left are paid back, even
    to a wallet that is frozen. What an admin reversed before is not paid back again."""
    if job.featured_until is None:
        return
    paid = select(JobFeature).where(JobFeature.job_id == job.id, JobFeature.ended_at.is_(None))
    for each in (await session.scalars(paid.where(JobFeature.ends_at > now()))).all():
        left = (each.ends_at - max(now(), each.starts_at)) // DAY
        each.ended_at = now()
        if left > 0:
            each.refund_id = await _refund(session, actor, each, left)
    await session.flush()
    await _feature_until(session, job, None)


async def _refund(session: AsyncSession, actor: Actor, paid: JobFeature, days: int) -> UUID | None:
    original = await session.get_one(Transfer, paid.transfer_id)
    posting = Posting(
        kind=TransferKind.REFUND,
        source=original.to_wallet_id,
        target=original.from_wallet_id,
        amount=days * paid.daily,
        currency=original.currency,
        spender=None,
        created_by=actor.id,
        memo=f"{days} of {paid.days} days, since a moderator took the job down",
        original_id=original.id,
        even_frozen=True,
    )
    try:
        return (await wallet.give_back(session, posting)).id
    except wallet.GivenBack:
        return None


async def take_back(
    session: AsyncSession, actor: Actor, transfer_id: UUID, memo: str = ""
) -> TransferRead:
    """An admin reverses a transfer. Days that it paid for end with it; those that were paid for
    after them come the sooner. Raises as `wallet.service.reverse`."""
    paid = await session.scalar(select(JobFeature).where(JobFeature.transfer_id == transfer_id))
    if paid is None:
        return await wallet.reverse(session, actor, transfer_id, memo)
    job = await session.get_one(Job, paid.job_id, with_for_update=True)  # as `feature` does: first
    made = await wallet.reverse(session, actor, transfer_id, memo)
    left = paid.ends_at - max(now(), paid.starts_at)
    if paid.ended_at is None and left > timedelta(0):
        await _cut(session, job, paid, left)
    return made


async def _cut(session: AsyncSession, job: Job, paid: JobFeature, left: timedelta) -> None:
    paid.ended_at = now()
    await session.execute(
        update(JobFeature)
        .where(
            JobFeature.job_id == job.id,
            JobFeature.starts_at >= paid.ends_at,
            JobFeature.ended_at.is_(None),
        )
        .values(starts_at=JobFeature.starts_at - left, ends_at=JobFeature.ends_at - left)
        .execution_options(synchronize_session=False)
    )
    until = (job.featured_until or now()) - left
    await _feature_until(session, job, until if until > now() else None)


def turn() -> int:
    """The number of the draw that holds now."""
    return int(now().timestamp()) // TURN


def block(data: JobSearch) -> Select:
    """(id, key) of the featured jobs that begin a search, in the order of this turn."""
    draw = func.hashtextextended(cast(LiveJob.id, Text), turn())
    # One at least of the page is there by its own merit, so that a cursor can name it.
    return (
        select(LiveJob.id, draw.label("key"))
        .where(LiveJob.featured_until > now(), *everything(data))
        .order_by(draw.desc())
        .limit(min(BLOCK, data.limit - 1))
    )
