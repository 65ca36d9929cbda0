"""Many at once from one address: log-ins, sign-ups and reports must not keep others waiting."""

import asyncio
from collections.abc import Iterator
from threading import Event
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import passwords
from jobboard.accounts.models import Role
from jobboard.errors import RateLimited
from jobboard.infra import limiter
from jobboard.infra.queue import Message
from jobboard.jobs.models import JobStatus
from jobboard.settings import Settings
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import PASSWORD, make_user
from tests.web.browser import SAME_ORIGIN, Browser
from tests.web.browser import log_in as open_browser

pytestmark = pytest.mark.anyio
ADA = {"email": "ada@example.com", "password": PASSWORD, "full_name": "Ada", "role": "candidate"}
NEW_PASSWORD = {"current_password": PASSWORD, "new_password": "another quiet sentence"}


@pytest.fixture
def strict(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits as in production, and small."""
    monkeypatch.setattr(app.state.engines.limiter, "_times", 1)
    for name in ("ADDRESS_LOGIN", "ADDRESS_SIGN_UP", "ADDRESS_REPORT"):
        monkeypatch.setattr(limiter, name, "3/hour")


def token_form(email: str) -> dict[str, str]:
    return {"grant_type": "password", "username": email, "password": "not it"}


@pytest.fixture
def held(app: FastAPI, monkeypatch: pytest.MonkeyPatch, session: AsyncSession) -> list[int]:
    """How many connections were out of the pool each time that someone waited for a hash."""
    counted: list[int] = []
    real = passwords._off_the_loop

    async def count(*args: Any) -> Any:
        counted.append(app.state.engines.database.engine.pool.checkedout())
        return await real(*args)

    monkeypatch.setattr(passwords, "_off_the_loop", count)
    return counted


async def test_who_waits_for_a_hash_holds_no_connection(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, held: list[int]
) -> None:
    user = await make_user(session, settings)
    stale = Browser(client, "no cookie of ours")
    credentials = {"email": user.actor.email, "password": PASSWORD}
    await session.close()

    await client.post("/api/v1/auth/token", data=token_form("nobody@example.com"))
    await client.post("/api/v1/auth/token", data=token_form(user.actor.email))
    await client.post("/api/v1/auth/register", json=ADA)
    await client.patch("/api/v1/me", json=NEW_PASSWORD, headers=user.headers)
    back = {"current_password": NEW_PASSWORD["new_password"], "new_password": PASSWORD}
    await client.patch("/api/v1/me", json=back, headers=user.headers)
    await stale.post("/sign-up", ADA)
    await stale.post("/log-in", credentials)
    browser = await open_browser(client, session, settings, user)
    token = (await browser.get("/me")).form("/log-out").fields["csrf_token"][0]
    await session.close()
    assert (await browser.post("/me/password", NEW_PASSWORD | {"csrf_token": token})).status == 303
    assert len(held) >= 10
    assert set(held) == {0}


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Every hash takes until it is set, and no password is right."""
    gate = Event()
    monkeypatch.setattr(passwords, "_verify", lambda *_: not gate.wait(60))
    yield gate
    gate.set()


async def test_too_many_at_once_are_sent_away_and_the_board_stays_quick(
    client: httpx2.AsyncClient, gate: Event
) -> None:
    tries = [
        asyncio.ensure_future(client.post("/api/v1/auth/token", data=token_form(f"{n}@a.example")))
        for n in range(passwords.AT_ONCE + passwords.MOST_WAITING + 10)
    ]
    waiting = set(tries)
    while len(waiting) > len(tries) - 10:  # until the ten are sent away
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert (await client.get("/api/v1/jobs")).status_code == 200  # it overtakes the others
    gate.set()
    answers = await asyncio.gather(*tries)
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.headers["retry-after"] for answer in refused} == {"5"}
    assert [answer.status_code for answer in answers].count(401) == len(answers) - 10
    assert len(refused) == 10


async def test_a_password_changed_since_it_was_verified_opens_nothing(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = await make_user(session, settings)
    real = passwords.verify_password

    async def verify_and_lose(password: str, hashed: str | None) -> bool:
        monkeypatch.setattr(passwords, "verify_password", real)
        changed = await client.patch("/api/v1/me", json=NEW_PASSWORD, headers=user.headers)
        assert changed.status_code == 200
        return await real(password, hashed)

    monkeypatch.setattr(passwords, "verify_password", verify_and_lose)
    form = token_form(user.actor.email) | {"password": PASSWORD}
    answer = await client.post("/api/v1/auth/token", data=form)
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")


@pytest.mark.usefixtures("strict")
async def test_one_address_cannot_try_name_after_name(client: httpx2.AsyncClient) -> None:
    statuses = [
        (await client.post("/api/v1/auth/token", data=token_form(f"p{n}@example.com"))).status_code
        for n in range(4)
    ]
    assert statuses == [401] * 3 + [429]
    page = {"email": "p9@example.com", "password": "not it"}
    assert (await client.post("/log-in", data=page, headers=SAME_ORIGIN)).status_code == 429


@pytest.mark.usefixtures("strict")
async def test_sign_ups_from_one_address_are_limited(client: httpx2.AsyncClient) -> None:
    async def sign_up(number: int) -> httpx2.Response:
        person = ADA | {"email": f"p{number}@example.com"}
        return await client.post("/api/v1/auth/register", json=person)

    assert [(await sign_up(number)).status_code for number in range(3)] == [201] * 3
    refused = await sign_up(4)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) > 0
    assert (await client.post("/sign-up", data=ADA, headers=SAME_ORIGIN)).status_code == 429


async def test_an_owner_is_reminded_five_times_a_day(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    await make_user(session, settings, email="ada@example.com")
    spellings = ["ada@example.com", "Ada@example.com"]
    for number in range(7):
        answer = await client.post(
            "/api/v1/auth/register", json=ADA | {"email": spellings[number % 2]}
        )
        assert answer.status_code == 201
    kinds = (await session.scalars(select(Message.payload["kind"].astext))).all()
    assert kinds == ["account_exists"] * 5


@pytest.mark.usefixtures("strict")
async def test_reports_by_nobody_are_limited(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    owner = await make_user(session, settings, Role.EMPLOYER)
    company = await make_company(session, owner, "Bakery")
    job = await make_job(session, owner, company, status=JobStatus.PUBLISHED)
    path, report = f"/api/v1/jobs/{job.id}/reports", {"reason": "scam"}
    statuses = [(await client.post(path, json=report)).status_code for _ in range(4)]
    assert statuses == [201] * 3 + [429]
    page = await client.post(f"/jobs/{job.slug}/report", data=report, headers=SAME_ORIGIN)
    assert page.status_code == 429
    known = await make_user(session, settings)
    assert (await client.post(path, json=report, headers=known.headers)).status_code == 201


@pytest.mark.usefixtures("clean")
async def test_a_development_board_is_generous(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "ADDRESS_SIGN_UP", "3/hour")
    hit = app.state.engines.limiter.hit_sign_up
    for _ in range(3 * limiter.DEVELOPMENT):
        await hit("203.0.113.9")
    with pytest.raises(RateLimited):
        await hit("203.0.113.9")
