"""`jobboard demo --jobs` with very many: safe to stop, never beside a real board's jobs."""

from collections.abc import AsyncGenerator, Callable
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from anyio import to_thread
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.cli.main import make_app, run
from jobboard.clock import now
from jobboard.demo import names
from jobboard.demo.mill import COLUMNS, Mill, company_count
from jobboard.infra import leftout
from jobboard.infra.migrate import upgrade
from jobboard.infra.richtext import html_and_text
from jobboard.jobs.places import parse_location
from jobboard.settings import Settings
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import make_user

pytestmark = pytest.mark.anyio

Demo = Callable[..., int]
INDEXES = "SELECT indexdef FROM pg_indexes WHERE tablename = ANY($1) ORDER BY 1"
LIVE = """SELECT min(id::text) FROM (SELECT id FROM jobs WHERE status = 'published'
    EXCEPT SELECT id FROM live_jobs) AS missing"""
# What the planner learnt of many jobs is no good for the few of other tests.
FORGET = """SELECT pg_clear_relation_stats('public', relname),
       pg_clear_attribute_stats('public', relname, attname, false)
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
 WHERE relname = ANY($1) AND attnum > 0 AND NOT attisdropped"""
TABLES = ["jobs", "live_jobs"]


@pytest.fixture
def demo(settings: Settings, clean: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """Runs the command on the test board, with the mill at work from a hundred jobs on."""
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("JOBBOARD_STORAGE_URL", settings.storage_url)
    monkeypatch.setattr("jobboard.cli.demo.BULK_FROM", 100)
    monkeypatch.setattr("jobboard.cli.demo.BY_HAND", 20)
    monkeypatch.setattr("jobboard.demo.bulk.CHUNK", 60)
    app = make_app(["demo", "migrate"])
    return lambda *arguments: run(app, ["demo", *arguments])


@pytest.fixture
async def database(settings: Settings, clean: None) -> AsyncGenerator[asyncpg.Connection]:
    """A look at what is there, with all its indexes again at the end."""
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    yield connection
    await leftout.make_again(connection)
    await connection.fetch(FORGET, TABLES)
    await connection.close()


def mill(seed: int = 1, jobs: int = 1000) -> Mill:
    ids = {number: UUID(int=number) for number in range(company_count(jobs))}
    return Mill(seed, ids, jobs, now(), 60)


def ads(made: Mill, first: int, last: int) -> list[dict[str, Any]]:
    rows: list[tuple[Any, ...]] = list(made.rows(first, last))
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def test_an_ad_is_as_the_product_would_keep_it() -> None:
    for ad in ads(mill(), 0, 300):
        assert html_and_text(str(ad["description"])) == (
            ad["description_html"],
            ad["description_text"],
        )
        place = parse_location(str(ad["location"]))
        assert (place.city, place.region, place.country) == (
            ad["city"], ad["region"], ad["country"],
        )  # fmt: skip
        assert ad["country"]
        assert "{" not in str(ad["description"])


def test_the_same_number_is_the_same_ad() -> None:
    def texts(some: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return [(ad["slug"], ad["description"], ad["salary_min"]) for ad in some]

    whole = texts(ads(mill(), 0, 300))
    assert texts(ads(mill(), 0, 300)) == whole
    assert texts(ads(mill(), 200, 300)) == whole[200:]
    assert texts(ads(mill(seed=2), 0, 300)) != whole
    assert len({slug for slug, *_ in whole}) == 300


def test_few_words_are_everywhere_and_many_hardly_anywhere() -> None:
    some: list[dict[str, Any]] = ads(mill(), 0, 3000)
    said = [sum(names.tool(n) in str(ad["description"]) for ad in some) for n in (0, 10, 200)]
    assert said[0] > 3 * said[1] > 9 * said[2]
    assert all(before["published_at"] <= ad["published_at"] for before, ad in pairwise(some[::50]))


async def test_it_adds_what_is_missing_and_a_second_run_nothing(
    demo: Demo,
    database: asyncpg.Connection,
    client: httpx2.AsyncClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = await database.fetch(INDEXES, TABLES)
    assert await to_thread.run_sync(demo, "--jobs", "150") == 0
    assert "130 jobs: copied in" in capsys.readouterr().err
    assert await to_thread.run_sync(demo, "--jobs", "290") == 0
    assert "140 jobs: copied in" in capsys.readouterr().err
    assert await to_thread.run_sync(demo, "--jobs", "290") == 0
    assert await database.fetchval("SELECT count(*) FROM jobs") == 290
    assert await database.fetch(INDEXES, TABLES) == before
    assert await database.fetchval(LIVE) is None
    tool = await database.fetchval("SELECT tags[3] FROM jobs WHERE external_id = '1-200'")
    found = (await client.get(f"/api/v1/jobs?q={tool}")).json()
    assert tool in [tag for job in found["items"] for tag in job["tags"]]


async def test_it_may_be_stopped_and_goes_on(
    demo: Demo,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = await database.fetch(INDEXES, TABLES)
    reached: list[int] = []

    def stop(done: int) -> None:
        reached.append(done)
        if len(reached) > 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("jobboard.cli.demo._progress", lambda _: nullcontext(stop))
        assert await to_thread.run_sync(demo, "--jobs", "290") == 130
    assert "Stopped. What is there stays. Building the indexes" in capsys.readouterr().err
    assert await database.fetch(INDEXES, TABLES) == before
    assert 20 < await database.fetchval("SELECT count(*) FROM jobs") < 290
    assert await to_thread.run_sync(demo, "--jobs", "290") == 0
    assert await database.fetchval("SELECT count(*) FROM jobs") == 290


async def test_what_a_killed_run_left_out_is_made_when_the_board_starts(
    settings: Settings, database: asyncpg.Connection
) -> None:
    before = await database.fetch(INDEXES, TABLES)
    for table in TABLES:
        await leftout.leave_out(database, table)
    assert len(await database.fetch(INDEXES, TABLES)) < len(before)
    url = settings.database_url.get_secret_value()
    async with leftout.alone(database):  # while it still runs, nobody interferes
        await to_thread.run_sync(upgrade, url)
        assert len(await database.fetch(INDEXES, TABLES)) < len(before)
    await to_thread.run_sync(upgrade, url)
    assert await database.fetch(INDEXES, TABLES) == before
    assert await leftout.waiting(database) == {}


async def test_what_two_killed_runs_left_out_is_made_again(database: asyncpg.Connection) -> None:
    before = await database.fetch(INDEXES, TABLES)
    for table in (*TABLES, *TABLES):
        await leftout.leave_out(database, table)
    await leftout.make_again(database)
    assert await database.fetch(INDEXES, TABLES) == before


async def test_two_runs_do_not_meet(
    demo: Demo, database: asyncpg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    async with leftout.alone(database):
        assert await to_thread.run_sync(demo, "--jobs", "150") == 1
    assert "Another run fills this board" in capsys.readouterr().err


async def test_not_where_somebody_has_jobs(
    demo: Demo,
    database: asyncpg.Connection,
    session: AsyncSession,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    employer = await make_user(session, settings, Role.EMPLOYER)
    await make_job(session, employer, await make_company(session, employer, "Harbour Bakery"))
    assert await to_thread.run_sync(demo, "--jobs", "150") == 1
    assert "not the demo's" in capsys.readouterr().err
    assert await database.fetchval("SELECT count(*) FROM jobs") == 1
