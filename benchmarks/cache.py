"""What the cache of searches and job pages saves, and what it costs where it is of no use.

python -m benchmarks.cache

Two web apps of one board, `JOBBOARD_CACHE` off and on, in one process on uvloop, called as a server
would call them, without a network; PostgreSQL and Redis are servers of their own. Turns of the two
alternate. "processor" is the time of this thread, "wall" with what PostgreSQL and Redis took; the
best turn of each. A hit is the same question again, a miss is one that nobody has asked before.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from time import perf_counter, thread_time
from typing import Any
from urllib.parse import quote

import uvloop
from cashews import Cache as Cashews
from fastapi import FastAPI
from sqlalchemy import event, text
from starlette.types import Message

from benchmarks.board import analyse, board, quiet, receive, scope_of
from benchmarks.output import until_no_one_reads
from jobboard.asgi import create_app
from jobboard.infra.postgres import Database
from jobboard.infra.redis import make_patient_redis
from jobboard.infra.store import Store
from jobboard.settings import Settings

JOBS, COMPANIES, TURNS, REQUESTS, CROWD = 20_000, 200, 7, 40, 200
SECRET = "a secret of a benchmark, of thirty-two characters"
WORDS = ("baker", "miller", "nurse", "welder", "teacher", "driver", "painter", "gardener")
COMPANY_ROWS = """
INSERT INTO companies (name, slug)
SELECT 'Company ' || n, 'company-' || n FROM generate_series(1, :companies) n
"""
JOB_ROWS = """
INSERT INTO jobs (slug, company_id, company_name, title, description, description_html,
    description_text, location, city, country, remote, employment_type, status, published_at,
    approved_at, expires_at, currency, salary_min, salary_max, yearly_min, yearly_max,
    salary_period)
SELECT 'job-' || n, c.id, c.name, initcap((CAST(:words AS text[]))[1 + n % 8]) || ' ' || n, body,
    body, body, 'Hamburg, Germany', 'Hamburg', 'DE',
    (ARRAY['onsite', 'hybrid', 'remote'])[1 + n % 3],
    (ARRAY['full_time', 'part_time', 'contract'])[1 + n % 3], 'published',
    now() - n * interval '1 minute', now(), now() + interval '30 days', 'EUR', 4000000, 5000000,
    4000000, 5000000, 'year'
FROM generate_series(1, :jobs) n
JOIN companies c ON c.slug = 'company-' || (1 + n % :companies)
CROSS JOIN LATERAL (SELECT repeat('We look for a ' || (CAST(:words AS text[]))[1 + n % 7]
    || ' who likes good work and better colleagues. ', 25) AS body) texts
"""


async def ask(app: FastAPI, path: str, query: str = "") -> int:
    """One GET; its bytes. Fails unless it went well."""
    size = 0
    scope = scope_of(path, query, user_agent="benchmark", accept="*/*") | {"app": app}

    async def send(message: Message) -> None:
        nonlocal size
        if message["type"] == "http.response.start":
            assert message["status"] == 200, (path, query, message)
        size += len(message.get("body", b""))

    await app(scope, receive, send)
    return size


Questions = Callable[[], Iterator[tuple[str, str]]]


def again(path: str, query: str = "") -> Questions:
    """The same question each time."""
    return lambda: iter([(path, query)] * REQUESTS)


_number = count()


def never_before(path: str) -> Questions:
    """Words that nobody has searched for yet, which find something."""
    return lambda: ((path, f"q=baker+-word{next(_number)}&facets=true") for _ in range(REQUESTS))


CASES: dict[str, Questions] = {
    "API search, newest, facets (hit)": again("/api/v1/jobs", "facets=true"),
    "API search for a word (hit)": again("/api/v1/jobs", "q=baker"),
    "front page (hit)": again("/"),
    "search page for a word (hit)": again("/", f"q={quote('baker')}"),
    "job page (hit)": again("/jobs/job-77"),
    "API search, never asked before (miss)": never_before("/api/v1/jobs"),
}


async def turn(app: FastAPI, questions: Questions) -> tuple[float, float]:
    """Processor and wall time of one request, in ms."""
    asked = list(questions())
    began, wall = thread_time(), perf_counter()
    for path, query in asked:
        await ask(app, path, query)
    each = 1000 / len(asked)
    return (thread_time() - began) * each, (perf_counter() - wall) * each


async def compare(apps: dict[str, FastAPI]) -> None:
    print(f"{'':39}{'processor ms':>20}{'':8}{'wall ms':>20}")
    print(f"{'':39}{'without':>10}{'with':>10}{'ratio':>8}{'without':>10}{'with':>10}{'ratio':>8}")
    for name, questions in CASES.items():
        best = {each: (float("inf"), float("inf")) for each in apps}
        for app in apps.values():
            await turn(app, questions)
        for _ in range(TURNS):
            for each, app in apps.items():
                took = await turn(app, questions)
                best[each] = (min(best[each][0], took[0]), min(best[each][1], took[1]))
        cells = ""
        for which in (0, 1):
            off, on = best["off"][which], best["on"][which]
            cells += f"{off:10.2f}{on:10.2f}{off / on:7.1f}x"
        print(f"{name:39}{cells}")


async def crowd(apps: dict[str, FastAPI]) -> None:
    print(f"\n{CROWD} clients at once on one address that nobody has asked for")
    for name, app in apps.items():
        asked = 0

        def note(*_: Any) -> None:
            nonlocal asked
            asked += 1

        engine = app.state.engines.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        query = f"q=nurse+-word{next(_number)}&facets=true"
        began = perf_counter()
        await asyncio.gather(*(ask(app, "/api/v1/jobs", query) for _ in range(CROWD)))
        seconds = perf_counter() - began
        event.remove(engine, "before_cursor_execute", note)
        print(f"  {'without' if name == 'off' else 'with':8}{seconds:6.2f} s, {asked} statements")


async def looks(redis_url: str) -> None:
    """A hit as the store asks for it, and as cashews asks without our connection."""
    store = Store(make_patient_redis(redis_url), SECRET)
    found = await store.look("what", ("thing",))
    assert found is not None
    await store.keep("what", found.marks, b"x" * 12_000, 60)
    plain = Cashews()
    plain.setup(redis_url, secret=SECRET, digestmod=b"sha256", pickle_type="null", check_repr=False)
    for key in ("mark", "what"):
        await plain.set(key, b"x" * 12_000, expire=600)

    async def ours() -> None:
        await store.look("what", ("thing",))

    async def theirs() -> None:
        await plain.get_many("mark", "what")

    best = {ours: float("inf"), theirs: float("inf")}
    for _ in range(TURNS):
        for each in best:
            began = thread_time()
            for _ in range(200):
                await each()
            best[each] = min(best[each], (thread_time() - began) * 5)
    print("\nProcessor time of one look into Redis, 12 kB")
    print(
        f"  over our one connection {best[ours]:.3f} ms, over cashews' pool {best[theirs]:.3f} ms"
    )
    await store.close()
    await plain.close()


@asynccontextmanager
async def started(settings: Settings) -> AsyncGenerator[FastAPI]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


async def fill(settings: Settings) -> None:
    database = Database(settings.database_url.get_secret_value(), statement_timeout_ms=300_000)
    async with database.engine.begin() as connection:
        await connection.execute(text(COMPANY_ROWS), {"companies": COMPANIES})
        rows = {"jobs": JOBS, "companies": COMPANIES, "words": list(WORDS)}
        await connection.execute(text(JOB_ROWS), rows)
    await analyse(database, "jobs")
    await analyse(database, "live_jobs")
    await database.close()


async def run(settings: Settings) -> None:
    await fill(settings)
    off = settings.model_copy(update={"cache": "off"})
    async with started(off) as without, started(settings) as kept:
        apps = {"off": without, "on": kept}
        await compare(apps)
        await crowd(apps)
    await looks(settings.redis_url.get_secret_value())


def main() -> None:
    """On engines of its own."""
    print(f"Cache: a board of {JOBS:,} jobs, limits off, Python {sys.version.split()[0]}")
    with board("database_url", "redis_url") as settings, quiet():
        uvloop.run(run(settings))


if __name__ == "__main__":
    until_no_one_reads(main)
