"""Fills a board: companies, jobs in every state, people who applied.

A second run with the same seed adds nothing; one with more jobs adds the rest of the row.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.applications import figures
from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.demo.applications import Post, applications
from jobboard.demo.companies import companies
from jobboard.demo.jobs import Posting, write
from jobboard.demo.lives import OWN, life
from jobboard.demo.market import Ad, ads
from jobboard.demo.people import ADMIN, CANDIDATE, EMPLOYER, DemoLogins, people
from jobboard.demo.resume import pdf
from jobboard.demo.stories import REPORT, REPORTER, RESUME
from jobboard.demo.todos import todos
from jobboard.errors import Forbidden
from jobboard.infra.storage import Storage
from jobboard.jobs.models import JobReport, JobStatus
from jobboard.settings import Settings
from jobboard.uploads.service import add_resume

BATCH = 500  # rows in one statement
STORY_JOBS = 10  # as many jobs of others as stories can speak of


async def is_empty(session: AsyncSession) -> bool:
    """Whether no company is there yet."""
    return not await session.scalar(select(exists().select_from(Company)))


async def fill(
    session: AsyncSession,
    storage: Storage,
    settings: Settings,
    *,
    jobs: int = 120,
    seed: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> DemoLogins:
    """Make the demo board; `progress` gets the number of jobs done. Forbidden in production."""
    if settings.production:
        raise Forbidden(
            "The demo's log-ins share a password that everyone can read: not in production.",
            code="demo_in_production",
        )
    ids = await people(session)
    known = await companies(session, storage, settings, ids[EMPLOYER])
    row = islice(ads(seed, {key: company_id for key, (company_id, _) in known.items()}), jobs)
    names = {key: name for key, (_, name) in known.items()}
    postings = _postings(row, names, ids, settings, seed)
    new: list[tuple[UUID, Posting]] = []
    done = 0
    while batch := list(islice(postings, BATCH)):
        written = await write(session, batch)
        new += written if done == 0 else []
        done += len(batch)
        progress(done)
    if new:
        await _tell(session, storage, settings, ids, new)
    return DemoLogins()


def _postings(
    row: Iterable[Ad], names: dict[str, str], ids: dict[str, UUID], settings: Settings, seed: int
) -> Iterator[Posting]:
    """Give each ad its life. The first is dubious and waits; the log-in's own stand everywhere."""
    own, present = iter(OWN), now()
    for ad in row:
        mine = ad.employer.of_demo_login
        status = next(own, JobStatus.PUBLISHED) if mine else JobStatus.PUBLISHED
        if ad.number == 0:
            status = JobStatus.PENDING
        yield Posting(
            ad=ad,
            life=life(status, ad.age, present, settings.job_days),
            company_name=names[ad.employer.key],
            employer_id=ids[EMPLOYER] if mine else None,
            admin_id=ids[ADMIN],
            seed=seed,
        )


async def _tell(
    session: AsyncSession,
    storage: Storage,
    settings: Settings,
    ids: dict[str, UUID],
    new: list[tuple[UUID, Posting]],
) -> None:
    """Applications, what is to be done about them, and a report: of the first jobs of the board."""
    resume = await add_resume(
        session,
        storage,
        settings,
        ids[CANDIDATE],
        filename="Noor Lindqvist.pdf",
        data=pdf(RESUME),
    )
    posts: dict[str, list[Post]] = {"own": [], "closed": [], "others": []}
    for job_id, one in new:
        if (kind := _kind(one)) and len(posts[kind]) < STORY_JOBS:
            posts[kind].append(_post(job_id, one))
    await todos(session, ids, await applications(session, posts, ids, resume.id))
    await figures.keep(session, settings)
    if posts["others"]:
        reported = posts["others"][0].job_id
        values = {"job_id": reported, "person_id": ids[REPORTER], **REPORT}
        await session.execute(insert(JobReport).values(values).on_conflict_do_nothing())


def _kind(posting: Posting) -> str | None:
    """Which stories can be told of this job."""
    if posting.ad.data.apply_url:
        return None
    if posting.employer_id is None:
        return "others" if posting.life.status is JobStatus.PUBLISHED else None
    return {JobStatus.PUBLISHED: "own", JobStatus.CLOSED: "closed"}.get(posting.life.status)


def _post(job_id: UUID, posting: Posting) -> Post:
    closed = posting.life.status is JobStatus.CLOSED
    return Post(
        job_id=job_id,
        posted_at=posting.life.taken[1].at,
        until=posting.life.updated_at if closed else now(),
        contact_id=posting.employer_id,
    )
