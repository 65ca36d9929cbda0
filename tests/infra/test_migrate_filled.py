"""Migrations on a board that is in use: rows stay, and large tables are filled in batches."""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select

from jobboard.accounts.models import Person, Role
from jobboard.accounts.schemas import Actor
from jobboard.cli.main import make_app, run
from jobboard.infra import batches, revisions
from jobboard.infra.migrate import upgrade
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Message
from jobboard.settings import Settings
from jobboard.wallet import queries, service
from jobboard.wallet.schemas import GrantCreate, TransferCreate
from tests.boards import Servers, at, new_database

BEFORE_WALLETS = "4b6f5ee25eeb"
BEFORE_LANGUAGES = "e7a4905c1b38"
BEFORE_PAY = "e1b7c4f20a93"
BEFORE_INDEXES, INDEXED = "b2e15d8ca042", "c3d26e9db153"
OLDEST = "3be1c09d5a64"  # where people, companies, jobs, applications and messages are all there is
COUNTS = """
SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM companies),
       (SELECT count(*) FROM jobs), (SELECT count(*) FROM applications),
       (SELECT count(*) FROM messages)
"""
OWNERS = "SELECT (SELECT count(*) FROM people) + (SELECT count(*) FROM companies)"
LIVE = """
SELECT (SELECT count(*) FROM jobs WHERE status = 'published') - count(*), md5(string_agg(
    live_jobs::text, '' ORDER BY id)) FROM live_jobs
"""
WALLETS = "SELECT count(*) FROM wallets WHERE board IS NULL"
COMMITS = "SELECT count(DISTINCT xmin::text) FROM wallets WHERE person_id IS NOT NULL"
PEOPLE = """
INSERT INTO people (email, full_name, password_hash, role)
SELECT n || '@example.com', 'P', '', 'candidate' FROM generate_series(1, $1) n
"""

SEARCHES = """
INSERT INTO saved_searches (person_id, name, criteria, fingerprint, keys, frequency)
SELECT id, name, criteria, name, '{*}', 'daily' FROM (SELECT id FROM people LIMIT 1) AS person,
    (VALUES ('pay', '{"salary_min": 1, "currency": "EUR"}'::jsonb), ('words', '{"q": "baker"}'))
        AS saved (name, criteria)
"""


def ask(url: str, query: str, *values: object) -> Any:
    """One row, as a tuple, or the one value in it."""

    async def fetch() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchrow(query, *values)
        finally:
            await connection.close()

    row = asyncio.run(fetch())
    return row and (row[0] if len(row) == 1 else tuple(row))


@pytest.fixture
def url(board: Servers) -> Iterator[str]:
    """The address of a database of its own, with all tables."""
    with new_database(board.database_url, template=board.template) as name:
        yield at(board.database_url, name)


async def spend_and_queue(url: str) -> None:
    """A grant, a transfer, and a message."""
    database = Database(url, pool_size=1)
    try:
        async with database.transaction() as session:
            ids = (await session.scalars(select(Person.id).limit(2))).all()
            first, second = [await queries.of_person(session, person) for person in ids]
            await service.issue(session, None, first, GrantCreate(amount=500, memo="Hello"))
            payer = Actor(ids[0], "", "", Role.CANDIDATE, ids[0])
            data = {"from_wallet_id": first.id, "to_wallet_id": second.id, "currency": "EUR"}
            await service.transfer(session, payer, TransferCreate(amount=200, memo="Hi", **data))
            session.add(Message(kind="mail", payload={}))
    finally:
        await database.close()


@pytest.fixture
def filled(url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, with a demo board on it, credits and messages."""
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", url)
    monkeypatch.setenv("JOBBOARD_STORAGE_URL", settings.storage_url)
    assert run(make_app(["demo"]), ["demo", "--jobs", "60"]) == 0
    asyncio.run(spend_and_queue(url))
    return url


def test_a_filled_board_goes_down_and_up_to_the_same(filled: str) -> None:
    first, counts, live = revisions.catalog(filled), ask(filled, COUNTS), ask(filled, LIVE)
    assert min(counts) > 0
    assert live[0] == 0
    revisions.downgrade(filled, OLDEST)
    assert ask(filled, COUNTS) == counts
    upgrade(filled)
    assert revisions.catalog(filled) == first
    assert ask(filled, COUNTS) == counts
    assert ask(filled, LIVE) == live
    assert ask(filled, WALLETS) == ask(filled, OWNERS)
    assert ask(filled, "SELECT bool_and(email_verified_at IS NOT NULL) FROM people")
    revisions.downgrade(filled)
    upgrade(filled)
    assert revisions.catalog(filled) == first


def test_wallets_come_in_batches_and_after_a_stop_the_rest_of_them(url: str) -> None:
    revisions.downgrade(url, BEFORE_WALLETS)
    ask(url, PEOPLE, 3 * batches.SIZE - 1)
    upgrade(url)
    assert (ask(url, WALLETS), ask(url, COMMITS)) == (3 * batches.SIZE - 1, 3)
    revisions.downgrade(url, "05a2b4d0e452")
    ask(url, "DELETE FROM wallets WHERE id IN (SELECT id FROM wallets ORDER BY id DESC LIMIT 500)")
    upgrade(url)
    assert ask(url, WALLETS) == ask(url, OWNERS)


def test_ads_get_their_language_and_their_words_anew(filled: str) -> None:
    words = "SELECT md5(string_agg(search::text, '' ORDER BY id)) FROM live_jobs"
    languages = "SELECT count(*) FROM jobs WHERE language = 'en'"
    first, english = ask(filled, words), ask(filled, languages)
    assert english > 0
    revisions.downgrade(filled, BEFORE_LANGUAGES)
    assert ask(filled, words) != first
    upgrade(filled)
    assert ask(filled, words) == first
    assert ask(filled, languages) == english


def test_pay_of_ads_is_fixed_in_euros_and_searches_for_pay_are_filed_anew(filled: str) -> None:
    figures = """SELECT count(rate_date), md5(string_agg(concat_ws(' ', euros_min, euros_max,
        rate_date, rate_source), ',' ORDER BY id)) FROM jobs"""
    kinds = "SELECT md5(string_agg(kinds::text || euros, ',' ORDER BY id)) FROM live_jobs"
    first, known = ask(filled, figures), ask(filled, kinds)
    assert first[0] > 0
    revisions.downgrade(filled, BEFORE_PAY)
    assert ask(filled, "SELECT count(*) FROM live_jobs WHERE kinds::text LIKE '%euros:%'") == 0
    ask(filled, SEARCHES)
    upgrade(filled)
    assert (ask(filled, figures), ask(filled, kinds)) == (first, known)
    stale = "SELECT array_agg(name) FROM saved_searches WHERE stale"
    assert ask(filled, stale) == ["pay"]


def test_search_is_indexed_while_somebody_publishes(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who publishes holds `jobs` and then wants `live_jobs`: an index that takes long has the one
    and must not want the other."""
    revisions.downgrade(url, BEFORE_INDEXES)
    monkeypatch.setitem(revisions.LIMITS, "lock_timeout", "50ms")

    async def index_meanwhile() -> None:
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                await connection.execute("LOCK TABLE jobs IN ROW EXCLUSIVE MODE")
                await asyncio.to_thread(revisions.upgrade, url, INDEXED)
        finally:
            await connection.close()

    asyncio.run(index_meanwhile())
    assert ask(url, "SELECT version_num FROM alembic_version") == INDEXED
    upgrade(url)
