"""Sign up, log in, refresh, log out, through the API."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import httpx2
import jwt
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import logins, passwords, refreshing
from jobboard.accounts.models import Person, RefreshToken, Role
from jobboard.audit.models import Action, AuditEntry
from jobboard.clock import now
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Message
from jobboard.settings import Settings
from jobboard.web.cookies import LOGIN
from tests.factories.people import PASSWORD, make_user
from tests.hashing import STRONGER, hashing_by
from tests.statements import statements

pytestmark = pytest.mark.anyio

ADA = {
    "email": "ada@example.com",
    "password": "seven sleepy sheep",
    "full_name": "Ada Example",
    "role": "employer",
}


async def register(client: httpx2.AsyncClient, **changes: object) -> httpx2.Response:
    return await client.post("/api/v1/auth/register", json=ADA | changes)


async def log_in(client: httpx2.AsyncClient, email: str, password: str) -> httpx2.Response:
    form = {"grant_type": "password", "username": email, "password": password}
    return await client.post("/api/v1/auth/token", data=form)


async def refresh(client: httpx2.AsyncClient, token: str) -> httpx2.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return await client.post("/api/v1/auth/token", data=form)


async def me(client: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


async def test_sign_up_log_in_and_read_oneself(client: httpx2.AsyncClient) -> None:
    created = await register(client)
    assert created.status_code == 201
    assert created.json()["role"] == "employer"
    assert "password" not in created.text

    answer = await log_in(client, "ADA@example.com", ADA["password"])
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 600

    mine = await me(client, tokens["access_token"])
    assert mine.json()["email"] == "ada@example.com"
    assert mine.json()["id"] == created.json()["id"]


async def test_a_taken_address_is_told_to_its_owner_only(
    client: httpx2.AsyncClient, session: AsyncSession
) -> None:
    first = (await register(client)).json()
    second = await register(client, email="Ada@Example.com", password="another good sentence")
    assert second.status_code == 201
    assert second.json().keys() == first.keys()
    assert second.json()["id"] != first["id"]
    assert (await log_in(client, ADA["email"], "another good sentence")).status_code == 401
    kinds = await session.scalars(select(Message.payload["kind"].astext))
    assert sorted(kinds) == ["account_exists", "welcome"]


async def test_the_same_work_whether_or_not_there_is_an_account(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, db: Database
) -> None:
    known = await make_user(session, settings)
    suspended = await make_user(session, settings)
    await session.execute(
        update(Person).where(Person.id == suspended.id).values(suspended_at=now())
    )
    await session.commit()
    emails = ["free@example.com", known.actor.email, suspended.actor.email]

    async def reset(email: str) -> httpx2.Response:
        return await client.post("/api/v1/auth/password-reset", json={"email": email})

    for ask in (
        lambda email: log_in(client, email, "something else"),
        reset,
        lambda email: register(client, email=email),
    ):
        work = []
        for email in emails:
            with statements(db) as seen:
                await ask(email)
            work.append(seen)
        assert work[0] == work[1] == work[2] != []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": "no address"}, "/email"),
        ({"email": "a@b@c.example"}, "/email"),
        ({"password": "short"}, "/password"),
        ({"password": "password1234"}, "/password"),
        ({"password": "aaaaaaaaaaaaaaaa"}, "/password"),
        ({"password": "ada@example.com"}, "/password"),
        ({"full_name": "   "}, "/full_name"),
        ({"full_name": "nul \x00 byte"}, "/full_name"),
        ({"role": "admin"}, "/role"),
        ({"surprise": 1}, "/surprise"),
    ],
)
async def test_sign_up_says_what_is_wrong(
    client: httpx2.AsyncClient, change: dict[str, object], pointer: str
) -> None:
    answer = await register(client, **change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_a_wrong_password_and_a_stranger_look_the_same(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    user = await make_user(session, settings)
    wrong = await log_in(client, user.actor.email, "not the password")
    stranger = await log_in(client, "stranger@example.com", "not the password")
    assert wrong.status_code == stranger.status_code == 401
    differing = {"instance", "request_id"}
    assert {k: v for k, v in wrong.json().items() if k not in differing} == {
        k: v for k, v in stranger.json().items() if k not in differing
    }


@pytest.mark.parametrize(
    "form",
    [
        {"username": "a@example.com", "password": "x"},
        {"grant_type": "password", "username": "a@example.com"},
        {"grant_type": "client_credentials"},
        {"grant_type": "refresh_token"},
    ],
)
async def test_token_forms_that_lack_something(
    client: httpx2.AsyncClient, form: dict[str, str]
) -> None:
    assert (await client.post("/api/v1/auth/token", data=form)).status_code == 422


async def test_a_refresh_token_is_traded_for_a_new_pair(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    user = await make_user(session, settings)
    first = (await log_in(client, user.actor.email, PASSWORD)).json()
    second = (await refresh(client, first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await me(client, second["access_token"])).status_code == 200


async def test_reuse_of_a_refresh_token_ends_the_log_in(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    user = await make_user(session, settings)
    first = (await log_in(client, user.actor.email, PASSWORD)).json()
    second = (await refresh(client, first["refresh_token"])).json()

    lost_answer = await refresh(client, first["refresh_token"])  # within the grace
    assert lost_answer.json()["refresh_token"] == second["refresh_token"]

    await session.execute(
        update(RefreshToken)
        .where(RefreshToken.used_at.is_not(None))
        .values(used_at=now() - timedelta(minutes=5))
    )
    await session.commit()
    stolen = await refresh(client, first["refresh_token"])
    assert stolen.status_code == 401
    assert stolen.json()["code"] == "refresh_token_reused"
    assert (await refresh(client, second["refresh_token"])).status_code == 401
    assert (await me(client, second["access_token"])).status_code == 401


async def test_a_thief_within_the_grace_gets_no_branch_of_their_own(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    user = await make_user(session, settings)
    first = (await log_in(client, user.actor.email, PASSWORD)).json()["refresh_token"]
    owners = (await refresh(client, first)).json()
    thiefs = (await refresh(client, first)).json()
    assert thiefs["refresh_token"] == owners["refresh_token"]
    assert (await refresh(client, thiefs["refresh_token"])).status_code == 200
    late = await refresh(client, first)  # its successor was used: two hold this line
    assert (late.status_code, late.json()["code"]) == (401, "refresh_token_reused")
    for pair in (owners, thiefs):
        assert (await me(client, pair["access_token"])).status_code == 401


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_revoking_either_token_ends_both(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, which: str
) -> None:
    user = await make_user(session, settings)
    pair = (await log_in(client, user.actor.email, PASSWORD)).json()
    answer = await client.post("/api/v1/auth/revoke", data={"token": pair[which]})
    assert answer.status_code == 204
    assert (await me(client, pair["access_token"])).status_code == 401
    assert (await refresh(client, pair["refresh_token"])).status_code == 401


async def test_revoking_nonsense_is_no_error(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/v1/auth/revoke", data={"token": "nonsense"})
    assert answer.status_code == 204


async def test_tokens_that_are_not_ours(client: httpx2.AsyncClient, settings: Settings) -> None:
    good = {
        "iss": settings.base_url,
        "aud": "jobboard",
        "sub": str(uuid4()),
        "sid": str(uuid4()),
        "jti": "x",
        "iat": now(),
        "exp": now() + timedelta(minutes=5),
    }
    secret = settings.secret_key.get_secret_value()
    forged = [
        jwt.encode(good, "x" * 40, algorithm="HS256"),
        jwt.encode(good, secret, algorithm="HS384"),
        jwt.encode(good | {"aud": "others"}, secret, algorithm="HS256"),
        jwt.encode(good | {"iss": "https://other.example"}, secret, algorithm="HS256"),
        jwt.encode(good | {"sub": "7"}, secret, algorithm="HS256"),
        jwt.encode(good | {"exp": now() - timedelta(1)}, secret, algorithm="HS256"),
        jwt.encode({k: v for k, v in good.items() if k != "jti"}, secret, algorithm="HS256"),
        jwt.encode(good | {"sid": 5}, secret, algorithm="HS256"),
        jwt.encode(good, secret, algorithm="HS256"),  # well made, but nobody's
        "e30.e30.",
        "not-a-token",
    ]
    for token in forged:
        answer = await me(client, token)
        assert answer.status_code == 401, token
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_new_password_ends_the_other_log_ins(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    user = await make_user(session, settings)
    other = (await log_in(client, user.actor.email, PASSWORD)).json()
    wrong = {"current_password": "guess", "new_password": "a much better one"}
    refused = await client.patch("/api/v1/me", json=wrong, headers=user.headers)
    assert refused.status_code == 422
    right = wrong | {"current_password": PASSWORD}
    assert (await client.patch("/api/v1/me", json=right, headers=user.headers)).status_code == 200
    assert (await client.get("/api/v1/me", headers=user.headers)).status_code == 200
    assert (await me(client, other["access_token"])).status_code == 401
    assert (await log_in(client, user.actor.email, "a much better one")).status_code == 200


async def test_a_suspended_person_is_out_at_once(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    admin = await make_user(session, settings, Role.ADMIN)
    user = await make_user(session, settings)
    path = f"/api/v1/admin/people/{user.id}"
    answer = await client.patch(path, json={"suspended": True}, headers=admin.headers)
    assert answer.json()["suspended"] is True
    assert (await client.get("/api/v1/me", headers=user.headers)).status_code == 401
    refused = await log_in(client, user.actor.email, PASSWORD)
    assert refused.status_code == 403
    assert refused.json()["code"] == "account_suspended"
    await client.patch(path, json={"suspended": False}, headers=admin.headers)
    assert (await log_in(client, user.actor.email, PASSWORD)).status_code == 200


async def test_admins_cannot_lock_themselves_out(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    admin = await make_user(session, settings, Role.ADMIN)
    answer = await client.patch(
        f"/api/v1/admin/people/{admin.id}", json={"suspended": True}, headers=admin.headers
    )
    assert answer.status_code == 409


@pytest.mark.usefixtures("dear_hashes")
async def test_people_are_kept_with_argon2id(
    client: httpx2.AsyncClient, session: AsyncSession
) -> None:
    await register(client)
    hashed = await session.scalar(select(Person.password_hash))
    assert hashed is not None
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.usefixtures("dear_hashes")
async def test_an_unknown_address_costs_as_dear_a_hash_as_a_known_one(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify, verified = passwords._verify, list[str]()
    monkeypatch.setattr(passwords, "_verify", lambda p, h: verified.append(h) or verify(p, h))
    assert (await log_in(client, "nobody@example.com", PASSWORD)).status_code == 401
    (hashed,) = verified
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_hash_of_old_parameters_is_renewed_by_a_log_in(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    user = await make_user(session, settings)
    hashed = select(Person.password_hash).where(Person.id == user.id)
    old = await session.scalar(hashed)
    with hashing_by(STRONGER):
        assert (await log_in(client, user.actor.email, "not it")).status_code == 401
        assert await session.scalar(hashed) == old
        page = {"email": user.actor.email, "password": PASSWORD}
        same = {"Sec-Fetch-Site": "same-origin"}
        answers = await asyncio.gather(
            *(log_in(client, user.actor.email, PASSWORD) for _ in range(3)),
            client.post("/log-in", data=page, headers=same),
        )
        assert [answer.status_code for answer in answers] == [200, 200, 200, 303]
        await session.rollback()
        new = await session.scalar(hashed)
        assert "m=16,t=2" in (new or "")
        assert (await log_in(client, user.actor.email, PASSWORD)).status_code == 200
        await session.rollback()
        assert await session.scalar(hashed) == new


@pytest.mark.parametrize(("kept", "missing"), [("old", 2 * 16 - 8), ("none", 0)])
async def test_a_refusal_costs_the_same_whatever_hash_is_kept(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    kept: str,
    missing: int,
) -> None:
    user = await make_user(session, settings)
    if kept == "none":
        await session.execute(update(Person).values(password_hash=passwords.UNUSABLE))
        await session.commit()
    verified, worked = list[str](), list[int]()
    with hashing_by(STRONGER) as hasher:
        verify = hasher.verify
        monkeypatch.setattr(hasher, "verify", lambda p, h: verified.append(h) or verify(p, h))
        monkeypatch.setattr(passwords, "_work_off", worked.append)
        assert (await log_in(client, user.actor.email, "not it")).status_code == 401
    if kept == "none":
        assert "m=16,t=2" in verified[-1]
    else:
        assert worked == [missing]


async def test_log_in_is_slowed_after_ten_tries(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    user = await make_user(session, settings)
    answers = [await log_in(client, user.actor.email, "wrong") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    other = await make_user(session, settings)
    assert (await log_in(client, other.actor.email, PASSWORD)).status_code == 200


@pytest.mark.parametrize("weak", ["short", "password1234", "aaaaaaaaaaaaaaaa", "Kim Example XX"])
async def test_a_weak_new_password_is_blamed_on_its_own_field(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, weak: str
) -> None:
    user = await make_user(session, settings, full_name="Kim Example XX")
    change = {"current_password": PASSWORD, "new_password": weak}
    answer = await client.patch("/api/v1/me", json=change, headers=user.headers)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/new_password"]


async def test_fifty_refreshes_at_once_and_the_reuse_after_the_grace(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    user = await make_user(session, settings)
    first = (await log_in(client, user.actor.email, PASSWORD)).json()["refresh_token"]
    answers = await asyncio.gather(*(refresh(client, first) for _ in range(50)))
    assert [answer.status_code for answer in answers] == [200] * 50  # each may be a lost answer
    pairs = [answer.json() for answer in answers]
    assert len({pair["refresh_token"] for pair in pairs}) == 1
    assert (await me(client, pairs[-1]["access_token"])).status_code == 200
    used = select(func.count(), func.count(RefreshToken.used_at)).select_from(RefreshToken)
    assert (await session.execute(used)).one() == (2, 1)

    late = update(RefreshToken).values(used_at=RefreshToken.used_at - refreshing.REFRESH_GRACE)
    await session.execute(late)
    await session.commit()
    thieves = await asyncio.gather(*(refresh(client, first) for _ in range(50)))
    assert {answer.status_code for answer in thieves} == {401}
    assert thieves[0].json()["code"] == "refresh_token_reused"
    assert (await refresh(client, pairs[0]["refresh_token"])).status_code == 401
    assert (await me(client, pairs[0]["access_token"])).status_code == 401
    ended = select(func.count()).where(AuditEntry.action == Action.LOGIN_TOKEN_REUSED)
    assert await session.scalar(ended) == 1


async def test_a_suspended_person_is_out_at_every_door(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    user = await make_user(session, settings)
    pair = (await log_in(client, user.actor.email, PASSWORD)).json()
    login = await logins.open_web_login(session, user.id, settings, user_agent="")
    await session.execute(update(Person).where(Person.id == user.id).values(suspended_at=now()))
    await session.commit()
    assert (await me(client, pair["access_token"])).status_code == 401
    assert (await refresh(client, pair["refresh_token"])).status_code == 401
    cookie = {"Cookie": f"{LOGIN}={login.token}"}
    assert (await client.get("/me", headers=cookie)).headers["location"].startswith("/log-in")
    assert (await log_in(client, user.actor.email, PASSWORD)).status_code == 403
    assert (await log_in(client, user.actor.email, "a wrong one")).json()["code"] == (
        "wrong_credentials"
    )


async def test_log_ins_are_listed_and_ended(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    user = await make_user(session, settings)
    stranger = await make_user(session, settings)
    pairs = [(await log_in(client, user.actor.email, PASSWORD)).json() for _ in range(3)]
    path = "/api/v1/me/sessions"
    first = (await client.get(f"{path}?limit=3", headers=user.headers)).json()
    cursor = first["next_cursor"]
    last = (await client.get(f"{path}?limit=3&cursor={cursor}", headers=user.headers)).json()
    found = [*first["items"], *last["items"]]
    assert [login["current"] for login in found] == [False, False, False, True]
    assert found[0]["device"] == "python-httpx2"
    newest = f"{path}/{found[0]['id']}"
    assert (await client.delete(newest, headers=stranger.headers)).status_code == 404
    assert (await client.delete(newest, headers=user.headers)).status_code == 204
    assert (await client.delete(newest, headers=user.headers)).status_code == 404
    alive = [(await me(client, pair["access_token"])).status_code for pair in pairs]
    assert alive == [200, 200, 401]
    assert (await client.delete(path, headers=user.headers)).status_code == 204
    alive = [(await me(client, pair["access_token"])).status_code for pair in pairs]
    assert alive == [401, 401, 401]
    assert (await client.get("/api/v1/me", headers=user.headers)).status_code == 200
