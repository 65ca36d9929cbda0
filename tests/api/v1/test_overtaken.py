"""Links and log-ins that something else overtook: each step looks again."""

from dataclasses import replace

import httpx2
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import logins
from jobboard.accounts.may import Right, require
from jobboard.accounts.models import EmailLink, LeftAddress, Person, Role
from jobboard.accounts.scopes import Scope
from jobboard.clock import now
from jobboard.errors import InsufficientScope, Unauthenticated
from jobboard.settings import Settings
from tests.factories.people import PASSWORD, User, make_user
from tests.letters import Mailbox

pytestmark = pytest.mark.anyio
AUTH = "/api/v1/auth"
MOVED = "moved@example.com"
NEW = "another quiet sentence"


@pytest.fixture
async def user(session: AsyncSession, settings: Settings) -> User:
    return await make_user(session, settings)


async def set_person(session: AsyncSession, user: User, **values: object) -> None:
    await session.execute(update(Person).where(Person.id == user.id).values(**values))
    await session.commit()


async def is_verified(client: httpx2.AsyncClient, user: User) -> bool:
    return (await client.get("/api/v1/me", headers=user.headers)).json()["email_verified"]


async def test_a_link_to_another_address_proves_nothing_about_the_present_one(
    client: httpx2.AsyncClient, mailbox: Mailbox, session: AsyncSession, user: User
) -> None:
    await client.post("/api/v1/me/verify-email", headers=user.headers)
    verify = await mailbox.link(user.actor.email, "/verify-email")
    await client.post(f"{AUTH}/password-reset", json={"email": user.actor.email})
    reset = await mailbox.link(user.actor.email, "/reset-password")
    await session.execute(update(EmailLink).values(email="former@example.com"))
    await session.commit()
    assert (await client.post(f"{AUTH}/verify-email", json={"token": verify})).status_code == 204
    assert not await is_verified(client, user)
    body = {"token": reset, "password": NEW}
    done = await client.post(f"{AUTH}/password-reset/confirm", json=body)
    assert done.status_code == 204
    form = {"grant_type": "password", "username": user.actor.email, "password": NEW}
    pair = (await client.post(f"{AUTH}/token", data=form)).json()
    assert not await is_verified(
        client, User(user.actor, {"Authorization": f"Bearer {pair['access_token']}"})
    )


async def moved(client: httpx2.AsyncClient, mailbox: Mailbox, user: User) -> str:
    """The account has another address now; the link that undoes that."""
    body = {"email": MOVED, "current_password": PASSWORD}
    await client.post("/api/v1/me/email", json=body, headers=user.headers)
    token = await mailbox.link(MOVED, "/change-email")
    assert (await client.post(f"{AUTH}/email-change", json={"token": token})).status_code == 204
    return await mailbox.link(user.actor.email, "/undo-change-email")


async def test_a_move_is_not_undone_once_another_account_has_the_old_address(
    client: httpx2.AsyncClient,
    mailbox: Mailbox,
    session: AsyncSession,
    settings: Settings,
    user: User,
) -> None:
    undo = await moved(client, mailbox, user)
    await session.execute(update(LeftAddress).values(kept_until=now()))
    await make_user(session, settings, email=user.actor.email)
    answer = await client.post(f"{AUTH}/email-change/undo", json={"token": undo})
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    form = {"grant_type": "password", "username": MOVED, "password": PASSWORD}
    assert (await client.post(f"{AUTH}/token", data=form)).status_code == 200


async def test_who_is_suspended_before_their_letter_is_written_gets_no_way_back_in(
    client: httpx2.AsyncClient, mailbox: Mailbox, session: AsyncSession, user: User
) -> None:
    undo = await moved(client, mailbox, user)
    await mailbox.read()
    assert (await client.post(f"{AUTH}/email-change/undo", json={"token": undo})).status_code == 204
    await set_person(session, user, suspended_at=now())
    assert await mailbox.read() == []


async def test_who_is_suspended_between_password_and_cookie_gets_none(
    session: AsyncSession, settings: Settings, user: User
) -> None:
    claimed = await logins.claim(session, user.actor.email)
    proven = await logins.authenticate(claimed, PASSWORD)
    await set_person(session, user, suspended_at=now())
    with pytest.raises(Unauthenticated, match="do not belong together"):
        await logins.log_in_to_pages(session, proven, settings, user_agent="test")


async def test_no_more_than_five_letters_a_day_go_to_a_new_address_and_no_word_of_it(
    client: httpx2.AsyncClient, mailbox: Mailbox, user: User
) -> None:
    body = {"email": MOVED, "current_password": PASSWORD}
    for _ in range(6):
        answer = await client.post("/api/v1/me/email", json=body, headers=user.headers)
        assert answer.status_code == 202
    assert len(await mailbox.read()) == 5


async def test_a_token_that_has_expired_says_so(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    late = await make_user(session, settings, minutes=-5)
    answer = await client.get("/api/v1/me", headers=late.headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


async def test_the_core_asks_for_person_and_scope_whatever_a_door_has_asked(user: User) -> None:
    with pytest.raises(Unauthenticated):
        require(None, Right.MANAGE_MONEY)
    narrowed = replace(user.actor, role=Role.ADMIN, scopes=frozenset({Scope.JOBS_READ}))
    with pytest.raises(InsufficientScope):
        require(narrowed, Right.MANAGE_MONEY)
