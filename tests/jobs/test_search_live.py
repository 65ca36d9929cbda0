"""What is searched is what is published: at once, whoever writes, and however many."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.infra.postgres import Database
from jobboard.jobs import estimates, orders, public, walk
from jobboard.jobs.criteria import JobSearch
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.planning import plan
from jobboard.jobs.words import meant
from tests.jobs.searching import Post, find, titles
from tests.jobs.searching import walk as all_pages

pytestmark = pytest.mark.anyio

OUT_OF_STEP = text(
    """
    SELECT coalesce(jobs.id, live_jobs.id) FROM live_jobs
      FULL JOIN (SELECT * FROM jobs WHERE status = 'published') AS jobs ON jobs.id = live_jobs.id
     WHERE live_jobs.id IS NULL OR jobs.id IS NULL OR live_jobs.search <> jobboard_search(
           jobs.language, jobs.title, jobs.tags, jobs.company_name, jobs.location,
           jobs.description_text)
        OR (live_jobs.published_at, live_jobs.expires_at, live_jobs.remote) IS DISTINCT FROM
           (jobs.published_at, jobs.expires_at, jobs.remote)
    """
)


@pytest.fixture(autouse=True, params=[False, True], ids=["at once", "by spans"])
def by_spans(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """A small board is looked at all at once; here a large one's way is tried on it, too."""
    if request.param:
        monkeypatch.setattr(walk, "FEW", -2)
    return request.param


async def change(session: AsyncSession, job: Job, **values: Any) -> None:
    """By a plain statement, as an import or a clock does it."""
    await session.execute(update(Job).where(Job.id == job.id).values(**values))
    await session.commit()


async def test_each_change_shows_at_once(
    session: AsyncSession, post: Post, company: Company
) -> None:
    job = await post("Baker", status=JobStatus.PENDING)
    assert await titles(session, q="baker") == []
    await change(session, job, status=JobStatus.PUBLISHED, published_at=now(), expires_at=now())
    assert await titles(session, q="baker") == []  # has expired already
    await change(session, job, expires_at=now() + timedelta(days=1))
    assert await titles(session, q="baker") == ["Baker"]
    await change(session, job, title="Miller", remote="remote", tags=["flour"])
    assert await titles(session, q="baker") == []
    assert await titles(session, q="miller flour", remote="remote", tag=["flour"]) == ["Miller"]
    await change(session, job, location="Lyon, France", country="FR", city="Lyon")
    assert await titles(session, location="France", country="FR") == ["Miller"]
    await session.execute(
        update(Company).where(Company.id == company.id).values(name="Mill of the South")
    )
    assert await titles(session, q="south") == ["Miller"]
    await change(session, job, status=JobStatus.CLOSED)
    assert await titles(session, q="miller") == []
    await change(session, job, status=JobStatus.PUBLISHED)
    assert await titles(session, q="miller") == ["Miller"]
    await session.execute(text("DELETE FROM jobs"))
    assert await titles(session) == []


async def test_writers_at_once_leave_nothing_out_of_step(
    db: Database, session: AsyncSession, post: Post
) -> None:
    jobs = [await post(f"Baker {number}") for number in range(6)]

    async def write(number: int) -> None:
        for step in range(8):
            job = jobs[(number + step) % len(jobs)]
            live = (number * step) % 3 != 0
            status = JobStatus.PUBLISHED if live else JobStatus.CLOSED
            values = {"status": status, "title": f"Miller {number} {step}", "tags": [f"t{number}"]}
            async with db.transaction() as own:
                await own.execute(update(Job).where(Job.id == job.id).values(**values))

    await asyncio.gather(*(write(number) for number in range(5)))
    assert (await session.scalars(OUT_OF_STEP)).all() == []
    live = await session.scalars(text("SELECT title FROM jobs WHERE status = 'published'"))
    assert sorted(await titles(session)) == sorted(live)


async def test_more_matches_than_are_ranked_are_all_on_some_page(
    session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "RANKED", 3)
    monkeypatch.setattr("jobboard.jobs.search.RANKED", 3)
    heads, texts = [], []
    for number in range(10):
        days = number % 4 + number / 100
        await post(f"Baker {number}", days=days)
        heads.append((days, f"Baker {number}"))
        await post(f"Clerk {number}", days=days, description="Beside a baker.")
        texts.append((days, f"Clerk {number}"))
    for limit in (1, 2, 3, 7, 100):
        found = await all_pages(session, q="baker", limit=limit)
        # Those that say it in their titles first; the newest three of each, then the next.
        assert [set(found[at : at + 3]) for at in range(0, 9, 3)] == [
            {title for _, title in sorted(heads)[at : at + 3]} for at in range(0, 9, 3)
        ]
        assert sorted(found[:10]) == sorted(title for _, title in heads)
        assert sorted(found[10:]) == sorted(title for _, title in texts)


async def test_pages_of_many_matches_hold_still(
    session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "RANKED", 3)
    monkeypatch.setattr("jobboard.jobs.search.RANKED", 3)
    for number in range(12):
        await post(f"Baker {number}", days=number)
    seen, cursor = [], None
    while True:
        page = await find(session, q="baker", limit=2, cursor=cursor)
        seen += [card.title for card in page.items]
        if (cursor := page.next_cursor) is None:
            break
        await post(f"Baker, new {len(seen)}")
    assert [title for title in seen if "new" not in title] == [f"Baker {n}" for n in range(12)]
    assert len(seen) == len(set(seen))


async def test_a_walk_that_takes_too_long_says_so(
    session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post("Baker")
    monkeypatch.setattr(walk, "PATIENCE", -1)
    monkeypatch.setattr(walk, "FEW", -2)
    result = await find(session, q="baker", facets=True)
    assert (result.total.relation, result.facets_relation) == ("gte", "gte")


@pytest.mark.parametrize("query", [{"q": "baker"}, {"sort": "newest"}, {"sort": "salary"}], ids=str)
async def test_pages_of_walks_that_take_too_long_go_on_where_they_stopped(
    session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    monkeypatch.setattr(orders, "RANKED", 3)
    monkeypatch.setattr("jobboard.jobs.search.RANKED", 3)
    monkeypatch.setattr(walk, "PATIENCE", -1)
    monkeypatch.setattr(walk, "FEW", -2)
    monkeypatch.setattr(walk, "FIRST", 0)
    monkeypatch.setattr(walk, "LEVELS", walk.LEVELS[7:])  # the first span is most of a day
    for number in range(12):
        title = f"Clerk {number}" if number % 3 else f"Baker {number}"
        await post(title, days=number * 1.5 + 2, description="Beside a baker.")
    seen, cursor, short = [], None, 0
    for _ in range(100):
        page = await find(session, **query, limit=2, posted_within=30, cursor=cursor)
        seen += [card.title for card in page.items]
        if (cursor := page.next_cursor) is None:
            break
        if len(page.items) < 2:
            short += 1
            assert page.total.relation == "gte"
    assert cursor is None
    assert short
    assert sorted(seen) == sorted(f"{'Clerk' if n % 3 else 'Baker'} {n}" for n in range(12))
    if "q" in query:
        assert all(title.startswith("Baker") for title in seen[:4])


async def test_a_page_that_was_cut_short_is_not_kept(
    session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post("Baker", days=20)
    question = public.first_page(JobSearch(q="baker", posted_within=30))
    assert question
    whole = await question.load(session)
    monkeypatch.setattr(walk, "PATIENCE", -1)
    monkeypatch.setattr(walk, "FEW", -2)
    monkeypatch.setattr(walk, "FIRST", 0)
    monkeypatch.setattr(walk, "LEVELS", walk.LEVELS[7:])
    late = await question.load(session)
    assert late.until is not None
    assert late.until <= now()
    assert whole.until is None or whole.until > now()


def test_few_jobs_need_no_spans(by_spans: bool) -> None:
    assert (walk.spans(0, now()) == []) is not by_spans


@pytest.mark.parametrize("jobs", [2_001, 50_000, 1_000_000, 20_000_000])
def test_spans_cover_all_time_once(jobs: int) -> None:
    moment = now()
    keys = walk.spans(jobs, moment)
    edges = [((key >> 6) << (key & 63), (((key >> 6) + 1) << (key & 63))) for key in keys]
    assert edges[-1][0] <= 0
    assert all(newer[0] == older[1] for newer, older in pairwise(edges))
    assert edges[0][1] > (moment - walk.EPOCH).total_seconds()
    assert len(keys) < 40


async def test_a_moment_before_a_span_counts_as_the_span_does(
    session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database rounds to seconds, the walk does not."""
    monkeypatch.setattr(walk, "FIRST", 0)
    monkeypatch.setattr(walk, "LEVELS", walk.LEVELS[7:])  # the first span is most of a day
    seconds = (now() - walk.EPOCH).total_seconds()
    edge = walk.EPOCH + timedelta(seconds=seconds - seconds % 2 ** walk.LEVELS[0])
    for number, before in enumerate((0.3, 0.2, 0.1, 0.3, -0.2)):
        job = await post(f"Baker {number}")
        await change(session, job, published_at=edge - timedelta(seconds=before))
    await change(session, await post("Baker 5"), published_at=edge - timedelta(days=2))
    every = [f"Baker {number}" for number in range(6)]
    for asked in ({}, {"q": "baker"}, {"q": "baker", "sort": "newest"}):
        assert sorted(await all_pages(session, **asked, limit=2)) == every
    await change(session, job, published_at=edge - timedelta(seconds=0.4))
    for patience in (80, -1):
        monkeypatch.setattr(walk, "PATIENCE", patience)
        found, cursor = [], None
        for _ in range(8):  # the rest of the way is empty, and long where time is short
            page = await find(session, q="baker", limit=2, cursor=cursor)
            found += [card.title for card in page.items]
            if not (cursor := page.next_cursor):
                break
        assert sorted(found) == every


async def test_the_database_names_the_same_spans(session: AsyncSession) -> None:
    moment = now()
    held = await session.scalar(text("SELECT jobboard_times(:moment)"), {"moment": moment})
    for jobs in (2_001, 50_000, 1_000_000):
        assert len(set(held or []) & set(walk.spans(jobs, moment))) == 1


SEARCHES: list[dict[str, Any]] = [
    {"q": "bak*"},
    {"q": "bak* -night"},
    {"q": "bak* or mill*", "country": "FR", "remote": "remote"},
    {"q": "bakery -night", "country": "FR"},
    {"q": "night", "country": "FR"},
    {"q": "bak*", "location": "Lyon"},
    {"q": "bak*", "limit": 1},
]


@pytest.mark.parametrize("asked", SEARCHES, ids=str)
async def test_where_words_are_looked_up_changes_nothing(
    asked: dict[str, Any], session: AsyncSession, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    lyon = {"location": "Lyon, France"}
    await post("Baker", description="By night.", remote="remote", **lyon)
    await post("Bakery hand", experience="senior", **lyon)
    await post("Miller", description="Brings flour to bakers at night.", **lyon)
    await post("Driver", description="Baked goods.", experience="senior", remote="remote")
    await session.execute(text("ANALYZE live_jobs"))
    await session.commit()
    monkeypatch.setattr(orders, "RANKED", 1)
    monkeypatch.setattr("jobboard.jobs.search.RANKED", 1)
    pages = []
    for common in (0, 10**9):  # words that begin so are never common, or always
        monkeypatch.setattr(estimates, "COMMON", common)
        page = await find(session, **asked, facets=True)
        every = await all_pages(session, **{"limit": 2} | asked)
        pages.append((page.items, page.total, page.facets, every))
    assert pages[0] == pages[1]
    assert pages[0][1].value == len(pages[0][3]) > 0


@pytest.mark.parametrize(
    ("q", "in_rows"),
    [
        ("-night", True),
        ("-night -day", True),
        ("bakery or -night", True),
        ("bakery -night", False),
        ('bakery or "night shift"', False),
    ],
)
async def test_what_finds_jobs_without_its_words_is_not_asked_of_their_index(
    q: str, in_rows: bool, session: AsyncSession
) -> None:
    asked = JobSearch(q=q)
    known = await plan(session, asked)
    asked = meant(asked, known.readings)
    expected = await estimates.expect(session, asked, known)
    assert expected.in_rows is in_rows  # else it reads all of the index: seconds at a million jobs
    if in_rows:
        assert not expected.by_words  # nor all rows


def test_a_first_span_is_as_long_as_the_last_days_were_busy() -> None:
    even = walk.as_busy(50_000, 1_000_000, walk.USUAL_SPAN / 1000)  # of each thousand
    assert even == pytest.approx(50_000, rel=0.01)
    lately = walk.as_busy(50_000, 1_000_000, walk.USUAL_SPAN / 10_000)
    assert 100_000 < lately < 500_000  # the first 12,000 jobs lie closer, but not ten times
    assert walk.as_busy(walk.FEW, 1_000_000, 10) == walk.FEW
    assert walk.as_busy(50_000, 1_000_000, 0) == 50_000  # nobody knows
