"""Two-step log-in through the API: set up, log in, recover, turn off."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx2
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import codes
from jobboard.accounts.logins import open_web_login
from jobboard.accounts.models import RecoveryCode, Role, SecondFactor
from jobboard.asgi import create_app
from jobboard.audit.models import Action, AuditEntry
from jobboard.infra.postgres import Database
from jobboard.settings import Settings
from jobboard.web.cookies import LOGIN
from tests.conftest import BASE_URL
from tests.factories.people import PASSWORD, User, make_user
from tests.letters import Mailbox, words

pytestmark = pytest.mark.anyio

PATH = "/api/v1/me/second-factor"
KNOWN = {"current_password": PASSWORD}


class Clock:
    """The time of the codes, which a test can move."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 5, 1, 12, 0, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def tick(self, steps: int = 1) -> None:
        """Half minutes later."""
        self.moment += timedelta(seconds=30 * steps)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(codes, "now", clock)
    return clock


@pytest.fixture
async def user(session: AsyncSession, settings: Settings) -> User:
    return await make_user(session, settings)


class Phone:
    """An authenticator app in someone's hand."""

    def __init__(self, client: httpx2.AsyncClient, user: User, clock: Clock) -> None:
        self.client, self.user, self.clock = client, user, clock
        self.app = pyotp.TOTP(pyotp.random_base32())
        self.recovery: list[str] = []

    def shows(self, steps: int = 0) -> str:
        """The code of now, or of some half minutes later."""
        return self.app.at(self.clock.moment + timedelta(seconds=30 * steps))

    @property
    def code(self) -> str:
        """What it shows now."""
        return self.shows()

    async def post(self, path: str = "", **body: str) -> httpx2.Response:
        """To one's own second factor."""
        return await self.client.post(PATH + path, json=body, headers=self.user.headers)

    async def set_up(self) -> None:
        """From nothing to on; the code of this moment is used then."""
        enrolment = (await self.post(**KNOWN)).json()
        read = pyotp.parse_uri(enrolment["uri"])
        assert isinstance(read, pyotp.TOTP)
        assert read.secret == enrolment["secret"]
        self.app = read
        answer = await self.post("/confirm", code=self.code)
        assert answer.headers["cache-control"] == "no-store"
        self.recovery = answer.json()["recovery_codes"]

    async def log_in(self, otp: str | None = None, password: str = PASSWORD) -> httpx2.Response:
        """Through the API, with a code or without."""
        form = {"grant_type": "password", "username": self.user.actor.email, "password": password}
        form |= {"otp": otp} if otp is not None else {}
        return await self.client.post("/api/v1/auth/token", data=form)


@pytest.fixture
async def phone(client: httpx2.AsyncClient, user: User, clock: Clock) -> Phone:
    return Phone(client, user, clock)


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_from_set_up_to_a_log_in_in_two_steps(phone: Phone, session: AsyncSession) -> None:
    elsewhere = (await phone.log_in()).json()
    await phone.set_up()
    read = (await phone.client.get(PATH, headers=phone.user.headers)).json()
    assert (read["enabled"], read["recovery_codes_left"]) == (True, 10)
    bearer = {"Authorization": f"Bearer {elsewhere['access_token']}"}
    ended = await phone.client.get("/api/v1/me", headers=bearer)
    assert ended.status_code == 401  # log-ins from before had no second step
    phone.clock.tick()
    assert code_of(await phone.log_in()) == (401, "mfa_required")
    assert code_of(await phone.log_in("000000")) == (401, "mfa_invalid")
    entries = select(AuditEntry.details).where(AuditEntry.action == Action.LOGIN_FAILED)
    assert (await session.scalars(entries)).all() == [{"step": "code"}]
    assert code_of(await phone.log_in(phone.code, "a wrong one")) == (401, "wrong_credentials")
    assert (await phone.log_in(phone.code)).status_code == 200


async def test_a_code_works_once_even_at_the_same_moment(phone: Phone) -> None:
    await phone.set_up()
    assert code_of(await phone.log_in(phone.code)) == (401, "mfa_invalid")  # it set things up
    phone.clock.tick()
    answers = await asyncio.gather(*(phone.log_in(phone.code) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]


async def test_clocks_may_differ_by_half_a_minute_and_no_code_goes_back(phone: Phone) -> None:
    await phone.set_up()
    phone.clock.tick(5)
    early, current = phone.shows(1), phone.code
    assert (await phone.log_in(early)).status_code == 200
    assert code_of(await phone.log_in(current)) == (401, "mfa_invalid")  # of an earlier step
    phone.clock.tick(5)
    late = phone.shows(-1)
    assert (await phone.log_in(late)).status_code == 200
    too_late = phone.shows(-2)
    assert code_of(await phone.log_in(too_late)) == (401, "mfa_invalid")


async def test_tries_are_limited_even_with_a_right_one(phone: Phone) -> None:
    await phone.set_up()  # the first of five
    phone.clock.tick()
    for _ in range(4):
        assert (await phone.log_in("000000")).status_code == 401
    assert (await phone.log_in(phone.code)).status_code == 429


async def test_a_recovery_code_logs_in_once_and_tells(
    phone: Phone, settings: Settings, db: Database
) -> None:
    mailbox = Mailbox(settings, db)
    await phone.set_up()
    assert await mailbox.subjects(phone.user.actor.email) == ["Two-step log-in is on"]
    typed = phone.recovery[3].upper().replace("-", " ")
    assert (await phone.log_in(typed)).status_code == 200
    assert code_of(await phone.log_in(typed)) == (401, "mfa_invalid")
    read = (await phone.client.get(PATH, headers=phone.user.headers)).json()
    assert read["recovery_codes_left"] == 9
    (mail,) = await mailbox.read()
    assert mail["Subject"] == "A recovery code was used"
    assert "9 left" in words(mail)


async def test_another_persons_recovery_code_is_none(
    phone: Phone, session: AsyncSession, settings: Settings
) -> None:
    await phone.set_up()
    other = Phone(phone.client, await make_user(session, settings), phone.clock)
    await other.set_up()
    assert code_of(await phone.log_in(other.recovery[0])) == (401, "mfa_invalid")


async def test_nothing_at_rest_makes_a_code(phone: Phone, session: AsyncSession) -> None:
    await phone.set_up()
    factor = (await session.scalars(select(SecondFactor))).one()
    assert phone.app.byte_secret() not in factor.salt + factor.person_id.bytes
    hashes = (await session.scalars(select(RecoveryCode.code_hash))).all()
    assert len(hashes) == len(set(phone.recovery)) == 10
    plain = [code.replace("-", "").encode() for code in phone.recovery]
    assert not any(code in each for code in plain for each in hashes)


async def test_new_recovery_codes_replace_the_old_ones(phone: Phone) -> None:
    await phone.set_up()
    phone.clock.tick()
    wrong = await phone.post("/recovery-codes", current_password="a wrong one", code=phone.code)
    assert wrong.json()["errors"][0]["pointer"] == "/current_password"
    answer = await phone.post("/recovery-codes", **KNOWN, code=phone.code)
    fresh = answer.json()["recovery_codes"]
    assert not set(fresh) & set(phone.recovery)
    assert code_of(await phone.log_in(phone.recovery[0])) == (401, "mfa_invalid")
    assert (await phone.log_in(fresh[0])).status_code == 200


async def test_turning_it_off_takes_password_and_code(phone: Phone) -> None:
    await phone.set_up()
    phone.clock.tick()
    assert code_of(await phone.post("/disable", **KNOWN, code="000000")) == (422, "code_invalid")
    assert (await phone.post("/disable", **KNOWN, code=phone.code)).status_code == 204
    assert (await phone.log_in()).status_code == 200
    assert code_of(await phone.post("/disable", **KNOWN, code=phone.code)) == (422, "code_invalid")
    await phone.set_up()  # and it can be turned on again


async def test_setting_up_step_by_step(phone: Phone) -> None:
    assert code_of(await phone.post("/confirm", code="000000")) == (409, "second_factor_not_begun")
    wrong = await phone.post(current_password="a wrong one")
    assert wrong.status_code == 422
    first = (await phone.post(**KNOWN)).json()
    second = (await phone.post(**KNOWN)).json()
    assert first["secret"] != second["secret"]
    dead = pyotp.TOTP(first["secret"]).at(phone.clock.moment)
    assert code_of(await phone.post("/confirm", code=dead)) == (422, "code_invalid")
    phone.app = pyotp.TOTP(second["secret"])
    assert (await phone.post("/confirm", code=phone.code)).status_code == 200
    assert code_of(await phone.post(**KNOWN)) == (409, "second_factor_on")
    assert (await phone.log_in(phone.code)).status_code == 401


async def test_a_code_of_those_who_have_no_second_step_is_ignored(phone: Phone) -> None:
    assert (await phone.log_in("000000")).status_code == 200


async def test_it_is_all_told_in_the_audit_log(phone: Phone, session: AsyncSession) -> None:
    await phone.set_up()
    await phone.log_in(phone.recovery[0])
    phone.clock.tick()
    await phone.post("/disable", **KNOWN, code=phone.code)
    told = select(AuditEntry.action).where(AuditEntry.person_id == phone.user.id)
    actions = set((await session.scalars(told)).all())
    assert {"second_factor.on", "recovery_codes.used", "second_factor.off"} <= actions


class TestAdmins:
    @pytest.fixture
    async def strict(
        self, settings: Settings, db: Database
    ) -> AsyncIterator[tuple[FastAPI, httpx2.AsyncClient]]:
        """A board that wants two steps of its admins."""
        app = create_app(settings.model_copy(update={"require_admin_second_factor": "on"}))
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client,
        ):
            yield app, client

    async def test_they_set_it_up_before_anything_else(
        self,
        strict: tuple[FastAPI, httpx2.AsyncClient],
        session: AsyncSession,
        settings: Settings,
        clock: Clock,
    ) -> None:
        _, client = strict
        admin = await make_user(session, settings, Role.ADMIN)
        for path in ("/admin/jobs", "/tasks", "/me/applications"):
            answer = await client.get("/api/v1" + path, headers=admin.headers)
            assert code_of(answer) == (403, "second_factor_required"), path
        login = await open_web_login(session, admin.id, settings, user_agent="")
        await session.commit()
        cookie = {"Cookie": f"{LOGIN}={login.token}"}
        for path in ("/", "/admin", "/admin/data/"):
            assert (await client.get(path, headers=cookie)).status_code == 403, path
        assert (await client.get("/api/v1/me", headers=admin.headers)).status_code == 200
        phone = Phone(client, admin, clock)
        await phone.set_up()
        answer = await client.get("/api/v1/admin/jobs", headers=admin.headers)
        assert answer.status_code == 200
        clock.tick()
        answer = await phone.post("/disable", **KNOWN, code=phone.code)
        assert code_of(answer) == (409, "second_factor_required")

    async def test_others_need_none(
        self, strict: tuple[FastAPI, httpx2.AsyncClient], session: AsyncSession, settings: Settings
    ) -> None:
        user = await make_user(session, settings)
        answer = await strict[1].get("/api/v1/me/applications", headers=user.headers)
        assert answer.status_code == 200
