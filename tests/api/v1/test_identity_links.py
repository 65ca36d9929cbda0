"""Links by mail: confirm an address, set a new password, move an account, undo that."""

import asyncio
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
import pyotp
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import recovery
from jobboard.accounts.models import (
    EmailLink,
    LeftAddress,
    LinkPurpose,
    Person,
    Role,
    SecondFactor,
)
from jobboard.audit.models import AuditEntry
from jobboard.clock import now
from jobboard.companies.models import CompanyInvitation
from jobboard.errors import Forbidden
from jobboard.infra.mailer import Step
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Message
from jobboard.infra.storage import Storage
from jobboard.settings import Settings
from jobboard.webhooks.models import Webhook, WebhookState
from jobboard.worker import accounts
from jobboard.worker.context import Context
from tests.factories.people import PASSWORD, User, make_user
from tests.factories.webhooks import PUBLIC_URL
from tests.letters import LINK, Mailbox, words

pytestmark = pytest.mark.anyio

AUTH = "/api/v1/auth"
NEW = "another quiet sentence"
MOVED = "moved@example.com"
DAY = timedelta(days=1)
CHANGING = {"id": "", "email": "", "created_at": ""}


@pytest.fixture
async def user(session: AsyncSession, settings: Settings) -> User:
    return await make_user(session, settings)


async def log_in(client: httpx2.AsyncClient, email: str, password: str) -> httpx2.Response:
    form = {"grant_type": "password", "username": email, "password": password}
    return await client.post(f"{AUTH}/token", data=form)


async def post(client: httpx2.AsyncClient, path: str, **body: str) -> httpx2.Response:
    return await client.post(AUTH + path, json=body)


async def age_links(session: AsyncSession, by: timedelta) -> None:
    """Let time pass for every link."""
    await session.execute(update(EmailLink).values(expires_at=EmailLink.expires_at - by))
    await session.commit()


async def turn_on_two_step(client: httpx2.AsyncClient, user: User) -> None:
    """As whoever is logged in there can, with the password."""
    path, known = "/api/v1/me/second-factor", {"current_password": PASSWORD}
    begun = (await client.post(path, json=known, headers=user.headers)).json()
    code = {"code": pyotp.TOTP(begun["secret"]).now()}
    done = await client.post(f"{path}/confirm", json=code, headers=user.headers)
    assert done.status_code == 200


def refused(answer: httpx2.Response) -> bool:
    return answer.status_code == 422 and answer.json()["code"] == "link_invalid"


class Deaf(Mailbox):
    """A mail server that refuses its first mails."""

    def __init__(self, settings: Settings, db: Database, refuses: int = 1) -> None:
        super().__init__(settings, db)
        self.refuses = refuses

    async def send(self, message: EmailMessage, *, before: Step) -> None:
        """Take a mail, or not."""
        self.refuses -= 1
        if self.refuses >= 0:
            raise OSError("The disk is full.")
        await super().send(message, before=before)


async def make_due(session: AsyncSession) -> None:
    """Let the pause before the next attempt pass."""
    await session.execute(update(Message).values(available_at=now()))
    await session.commit()


class TestVerification:
    async def test_the_mail_of_a_sign_up_confirms_the_address_once(
        self, client: httpx2.AsyncClient, mailbox: Mailbox
    ) -> None:
        person = {"email": "ada@example.com", "password": PASSWORD, "full_name": "Ada"}
        created = await post(client, "/register", **person)
        assert created.json()["email_verified"] is False
        token = await mailbox.link("ada@example.com", "/verify-email")
        assert (await post(client, "/verify-email", token=token)).status_code == 204
        assert refused(await post(client, "/verify-email", token=token))
        pair = (await log_in(client, "ada@example.com", PASSWORD)).json()
        bearer = {"Authorization": f"Bearer {pair['access_token']}"}
        me = (await client.get("/api/v1/me", headers=bearer)).json()
        assert me["email_verified"] is True

    async def test_no_token_is_at_rest_but_as_its_hash(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, session: AsyncSession, user: User
    ) -> None:
        await client.post("/api/v1/me/verify-email", headers=user.headers)
        token = await mailbox.link(user.actor.email, "/verify-email")
        link = (await session.scalars(select(EmailLink))).one()
        assert token.encode() not in link.token_hash
        assert set(await session.scalars(select(Message.payload["kind"].astext))) == {None}
        life = link.expires_at - now()
        assert timedelta(hours=5, minutes=59) < life <= timedelta(hours=6)

    async def test_a_link_that_is_too_old_or_for_something_else(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, session: AsyncSession, user: User
    ) -> None:
        await client.post("/api/v1/me/verify-email", headers=user.headers)
        token = await mailbox.link(user.actor.email, "/verify-email")
        reset = await post(client, "/password-reset/confirm", token=token, password=NEW)
        assert refused(reset)
        for path in ("/email-change", "/email-change/undo"):
            assert refused(await post(client, path, token=token))
        await age_links(session, timedelta(hours=6))
        for dead in (token, "", "x", "é" * 100):
            assert refused(await post(client, "/verify-email", token=dead))
        assert (await session.scalars(select(Person.email_verified_at))).all() == [None]

    async def test_five_mails_a_day(self, client: httpx2.AsyncClient, user: User) -> None:
        path = "/api/v1/me/verify-email"
        answers = [await client.post(path, headers=user.headers) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [202] * 5 + [429]

    async def test_who_is_confirmed_gets_no_mail(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, session: AsyncSession, user: User
    ) -> None:
        await session.execute(update(Person).values(email_verified_at=now()))
        await session.commit()
        await client.post("/api/v1/me/verify-email", headers=user.headers)
        assert await mailbox.read() == []


class TestPasswordReset:
    async def test_a_forgotten_password_is_set_anew_and_all_log_ins_end(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, session: AsyncSession, user: User
    ) -> None:
        pair = (await log_in(client, user.actor.email, PASSWORD)).json()
        await post(client, "/password-reset", email=user.actor.email.upper())
        token = await mailbox.link(user.actor.email, "/reset-password")
        link = (await session.scalars(select(EmailLink))).one()
        assert link.expires_at <= now() + timedelta(hours=1)
        weak = await post(client, "/password-reset/confirm", token=token, password="short")
        assert weak.json()["errors"][0]["pointer"] == "/password"
        done = await post(client, "/password-reset/confirm", token=token, password=NEW)
        assert done.status_code == 204  # a weak password did not use it up
        assert refused(await post(client, "/password-reset/confirm", token=token, password=NEW))
        assert (await client.get("/api/v1/me", headers=user.headers)).status_code == 401
        form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
        assert (await client.post(f"{AUTH}/token", data=form)).status_code == 401
        assert (await log_in(client, user.actor.email, PASSWORD)).status_code == 401
        assert (await log_in(client, user.actor.email, NEW)).status_code == 200
        assert await mailbox.subjects(user.actor.email) == ["Your password was changed"]
        told = select(AuditEntry.action).where(AuditEntry.person_id == user.id)
        assert "password.reset" in (await session.scalars(told)).all()

    async def test_an_unknown_address_gets_the_same_answer_and_no_mail(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, user: User
    ) -> None:
        known = await post(client, "/password-reset", email=user.actor.email)
        unknown = await post(client, "/password-reset", email="nobody@example.com")
        assert known.status_code == unknown.status_code == 202
        assert known.json() == unknown.json()
        assert len(await mailbox.read()) == 1

    async def test_five_mails_a_day_and_no_word_of_it(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, user: User
    ) -> None:
        for _ in range(7):
            answer = await post(client, "/password-reset", email=user.actor.email)
            assert answer.status_code == 202
        assert len(await mailbox.read()) == 5

    async def test_of_two_at_once_one_wins(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, user: User
    ) -> None:
        await post(client, "/password-reset", email=user.actor.email)
        token = await mailbox.link(user.actor.email, "/reset-password")
        answers = await asyncio.gather(
            *(
                post(client, "/password-reset/confirm", token=token, password=f"{NEW} {number}")
                for number in range(4)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [204, 422, 422, 422]

    async def test_someone_suspended_gets_no_link(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, session: AsyncSession, user: User
    ) -> None:
        await session.execute(update(Person).values(suspended_at=now()))
        await session.commit()
        await post(client, "/password-reset", email=user.actor.email)
        assert await mailbox.read() == []

    async def test_a_link_helps_nobody_who_was_suspended_since(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, session: AsyncSession, user: User
    ) -> None:
        await post(client, "/password-reset", email=user.actor.email)
        reset = await mailbox.link(user.actor.email, "/reset-password")
        move = {"email": MOVED, "current_password": PASSWORD}
        await client.post("/api/v1/me/email", json=move, headers=user.headers)
        change = await mailbox.link(MOVED, "/change-email")
        await session.execute(update(Person).values(suspended_at=now()))
        await session.commit()
        for answer in (
            await post(client, "/password-reset/confirm", token=reset, password=NEW),
            await post(client, "/email-change", token=change),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
        page = await client.get("/reset-password", params={"token": reset})
        assert page.status_code == 403
        assert "This account is suspended" in page.text
        await session.execute(update(Person).values(suspended_at=None))
        await session.commit()
        assert (await log_in(client, user.actor.email, PASSWORD)).status_code == 200

    async def test_who_was_suspended_between_two_looks_sets_no_password(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, session: AsyncSession, user: User
    ) -> None:
        await post(client, "/password-reset", email=user.actor.email)
        token = await mailbox.link(user.actor.email, "/reset-password")
        await session.execute(update(Person).values(suspended_at=now()))
        await session.commit()
        with pytest.raises(Forbidden):
            await recovery.reset(session, token, "a hash that was made meanwhile")

    async def test_it_ends_a_two_step_log_in_that_was_only_begun(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, session: AsyncSession, user: User
    ) -> None:
        known = {"current_password": PASSWORD}
        await client.post("/api/v1/me/second-factor", json=known, headers=user.headers)
        await post(client, "/password-reset", email=user.actor.email)
        token = await mailbox.link(user.actor.email, "/reset-password")
        await post(client, "/password-reset/confirm", token=token, password=NEW)
        assert (await session.scalars(select(SecondFactor))).all() == []


class TestAddress:
    async def ask(
        self, client: httpx2.AsyncClient, user: User, email: str = MOVED, password: str = PASSWORD
    ) -> httpx2.Response:
        body = {"email": email, "current_password": password}
        return await client.post("/api/v1/me/email", json=body, headers=user.headers)

    async def test_it_moves_once_the_new_one_agrees_and_the_old_one_is_told(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, user: User
    ) -> None:
        assert (await self.ask(client, user, password="a wrong one")).status_code == 422
        assert (await self.ask(client, user)).status_code == 202
        token = await mailbox.link(MOVED, "/change-email")
        assert (await log_in(client, MOVED, PASSWORD)).status_code == 401
        assert (await post(client, "/email-change", token=token)).status_code == 204
        assert (await log_in(client, MOVED, PASSWORD)).status_code == 200
        assert (await log_in(client, user.actor.email, PASSWORD)).status_code == 401
        me = (await client.get("/api/v1/me", headers=user.headers)).json()
        assert (me["email"], me["email_verified"]) == (MOVED, True)
        assert await mailbox.subjects(user.actor.email) == ["Your e-mail address was changed"]

    async def test_the_old_one_can_undo_it_and_shuts_the_thief_out(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, user: User
    ) -> None:
        for number, address in enumerate((MOVED, "again@example.com")):
            await self.ask(client, user, address)
            token = await mailbox.link(address, "/change-email")
            await post(client, "/email-change", token=token)
            if number == 0:
                undo = await mailbox.link(user.actor.email, "/undo-change-email")
        assert (await post(client, "/email-change/undo", token=undo)).status_code == 204
        assert (await client.get("/api/v1/me", headers=user.headers)).status_code == 401
        for email in (MOVED, "again@example.com", user.actor.email):
            assert (await log_in(client, email, PASSWORD)).status_code == 401
        token = await mailbox.link(user.actor.email, "/reset-password")
        await post(client, "/password-reset/confirm", token=token, password=NEW)
        assert (await log_in(client, user.actor.email, NEW)).status_code == 200
        assert refused(await post(client, "/email-change/undo", token=undo))

    async def test_a_thief_who_undoes_a_second_move_leaves_the_owner_their_link(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, user: User
    ) -> None:
        await self.ask(client, user)
        await post(client, "/email-change", token=await mailbox.link(MOVED, "/change-email"))
        owners = await mailbox.link(user.actor.email, "/undo-change-email")
        await self.ask(client, user, "again@example.com")
        second = await mailbox.link("again@example.com", "/change-email")
        await post(client, "/email-change", token=second)
        thiefs = await mailbox.link(MOVED, "/undo-change-email")

        assert (await post(client, "/email-change/undo", token=thiefs)).status_code == 204
        reset = await mailbox.link(MOVED, "/reset-password")
        await post(client, "/password-reset/confirm", token=reset, password=NEW)
        assert (await post(client, "/email-change/undo", token=owners)).status_code == 204
        assert (await log_in(client, MOVED, NEW)).status_code == 401
        assert await mailbox.link(user.actor.email, "/reset-password")

    async def test_nobody_signs_up_with_the_address_before_its_owner_is_back(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, session: AsyncSession, user: User
    ) -> None:
        left = user.actor.email
        await self.ask(client, user)
        await post(client, "/email-change", token=await mailbox.link(MOVED, "/change-email"))
        undo = await mailbox.link(left, "/undo-change-email")
        typed = left.capitalize()
        person = {"email": typed, "password": NEW, "full_name": "Tom Thief"}
        kept = await post(client, "/register", **person)
        taken = await post(client, "/register", **person | {"email": MOVED})
        assert kept.status_code == taken.status_code == 201
        assert kept.json() | CHANGING == taken.json() | CHANGING
        assert (await log_in(client, left, NEW)).status_code == 401
        assert await mailbox.subjects(typed) == ["This address is kept at Jobboard"]
        assert (await post(client, "/email-change/undo", token=undo)).status_code == 204
        assert await mailbox.link(left, "/reset-password")
        assert (await session.scalars(select(LeftAddress))).all() == []

    async def test_no_other_account_moves_to_it_either_and_its_own_may_go_back(
        self,
        client: httpx2.AsyncClient,
        mailbox: Mailbox,
        session: AsyncSession,
        settings: Settings,
        user: User,
    ) -> None:
        left, other = user.actor.email, await make_user(session, settings)
        await self.ask(client, other, left.replace("@", "+x@"))
        early = await mailbox.link(left.replace("@", "+x@"), "/change-email")
        moved = update(EmailLink).values(email=left)  # asked for before it was left
        await session.execute(moved)
        await session.commit()
        await self.ask(client, user)
        change = select(EmailLink).where(EmailLink.person_id == user.id)
        await post(client, "/email-change", token=await mailbox.link(MOVED, "/change-email"))
        assert (await session.scalars(change)).all() == []
        answer = await post(client, "/email-change", token=early)
        assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
        assert (await self.ask(client, other, left)).status_code == 202
        assert "This address is kept at Jobboard" in await mailbox.subjects(left)
        assert (await self.ask(client, user, left)).status_code == 202
        back = await mailbox.link(left, "/change-email")
        assert (await post(client, "/email-change", token=back)).status_code == 204

    async def test_after_a_while_it_is_free(
        self,
        client: httpx2.AsyncClient,
        mailbox: Mailbox,
        session: AsyncSession,
        settings: Settings,
        db: Database,
        user: User,
    ) -> None:
        await self.ask(client, user)
        await post(client, "/email-change", token=await mailbox.link(MOVED, "/change-email"))
        await session.execute(update(LeftAddress).values(kept_until=now()))
        await session.commit()
        context = Context(settings, db, mailbox, Storage(settings.storage_url))
        await accounts.forget_old_logins(context)
        assert (await session.scalars(select(LeftAddress))).all() == []
        person = {"email": user.actor.email, "password": NEW, "full_name": "Nia New"}
        await post(client, "/register", **person)
        assert (await log_in(client, user.actor.email, NEW)).status_code == 200

    async def test_undoing_it_shuts_what_the_thief_opened(
        self,
        client: httpx2.AsyncClient,
        mailbox: Mailbox,
        session: AsyncSession,
        settings: Settings,
    ) -> None:
        user = await make_user(session, settings, Role.EMPLOYER)
        company = {"name": "Bakery of Ours"}
        made = await client.post("/api/v1/companies", json=company, headers=user.headers)
        owners = await self.key(client, user, made.json()["id"])
        await self.ask(client, user)
        await post(client, "/email-change", token=await mailbox.link(MOVED, "/change-email"))
        undo = await mailbox.link(user.actor.email, "/undo-change-email")
        thiefs = await self.key(client, user, made.json()["id"])
        members = f"/api/v1/companies/{made.json()['id']}/members"
        friend = {"email": "friend@example.com", "role": "owner"}
        invited = await client.post(members, json=friend, headers=user.headers)
        assert invited.status_code == 201
        hooks = "/api/v1/webhooks"
        to_thief = {
            "company_id": made.json()["id"],
            "name": "Mine",
            "url": PUBLIC_URL,
            "events": ["job.closed"],
        }
        hook = (await client.post(hooks, json=to_thief, headers=user.headers)).json()
        await turn_on_two_step(client, user)
        await mailbox.read()

        assert (await post(client, "/email-change/undo", token=undo)).status_code == 204
        (mail,) = await mailbox.read()
        text = words(mail)
        assert "Two-step log-in had been turned on" in text
        assert "API keys made in your name meanwhile: 1." in text
        assert "Webhooks added or changed in your name meanwhile: 1." in text
        paused = select(Webhook.state).where(Webhook.id == UUID(hook["id"]))
        assert await session.scalar(paused) == WebhookState.PAUSED
        assert (await session.scalars(select(CompanyInvitation))).all() == []
        path = "/api/v1/me/applications"  # asks for a person: a living key gets as far as a 403
        assert [
            (await client.get(path, headers={"Authorization": f"Bearer {key}"})).status_code
            for key in (owners, thiefs)
        ] == [403, 401]
        (link,) = LINK.findall(text)
        token = parse_qs(urlsplit(link).query)["token"][0]
        await post(client, "/password-reset/confirm", token=token, password=NEW)
        assert (await log_in(client, user.actor.email, NEW)).status_code == 200

    @pytest.mark.parametrize(
        ("days", "said", "left"),
        [(6, "It is off now", 0), (8, "so it stays: to log in you need your app", 1)],
    )
    async def test_undoing_it_ends_a_two_step_log_in_of_shortly_before_and_speaks_of_an_older(
        self,
        client: httpx2.AsyncClient,
        mailbox: Mailbox,
        session: AsyncSession,
        user: User,
        days: int,
        said: str,
        left: int,
    ) -> None:
        await turn_on_two_step(client, user)
        await session.execute(update(SecondFactor).values(confirmed_at=now() - days * DAY))
        await session.commit()
        await self.ask(client, user)
        await post(client, "/email-change", token=await mailbox.link(MOVED, "/change-email"))
        undo = await mailbox.link(user.actor.email, "/undo-change-email")
        await post(client, "/email-change/undo", token=undo)
        (mail,) = await mailbox.read()
        assert said in " ".join(words(mail).split())
        assert len((await session.scalars(select(SecondFactor))).all()) == left
        (link,) = LINK.findall(words(mail))
        token = parse_qs(urlsplit(link).query)["token"][0]
        await post(client, "/password-reset/confirm", token=token, password=NEW)
        assert (await log_in(client, user.actor.email, NEW)).status_code == (401 if left else 200)

    async def key(self, client: httpx2.AsyncClient, user: User, company_id: str) -> str:
        body = {"company_id": company_id, "name": "Site", "scopes": ["jobs:read"]}
        answer = await client.post("/api/v1/api-keys", json=body, headers=user.headers)
        return answer.json()["key"]

    async def test_an_address_with_an_account_is_told_to_its_owner_only(
        self,
        client: httpx2.AsyncClient,
        mailbox: Mailbox,
        session: AsyncSession,
        settings: Settings,
        user: User,
    ) -> None:
        other = await make_user(session, settings)
        free, taken = await self.ask(client, user), await self.ask(client, user, other.actor.email)
        assert (free.status_code, free.json()) == (taken.status_code, taken.json())
        (subject,) = await mailbox.subjects(other.actor.email)
        assert subject.startswith("You already have an account")

    async def test_an_address_that_was_taken_meanwhile(
        self,
        client: httpx2.AsyncClient,
        mailbox: Mailbox,
        session: AsyncSession,
        settings: Settings,
        user: User,
    ) -> None:
        await self.ask(client, user)
        token = await mailbox.link(MOVED, "/change-email")
        await make_user(session, settings, email=MOVED.upper())
        answer = await post(client, "/email-change", token=token)
        assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")

    async def test_the_address_that_one_has(self, client: httpx2.AsyncClient, user: User) -> None:
        answer = await self.ask(client, user, user.actor.email.upper())
        assert answer.json()["errors"][0]["pointer"] == "/email"

    async def test_a_new_password_ends_a_move_that_an_intruder_asked_for(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, user: User
    ) -> None:
        await self.ask(client, user)
        token = await mailbox.link(MOVED, "/change-email")
        change = {"current_password": PASSWORD, "new_password": NEW}
        answer = await client.patch("/api/v1/me", json=change, headers=user.headers)
        assert answer.status_code == 200
        assert refused(await post(client, "/email-change", token=token))

    @pytest.mark.parametrize("end", ["password", "reset", "undo"])
    async def test_a_letter_that_is_tried_again_makes_no_link_to_what_is_no_longer_asked_for(
        self,
        client: httpx2.AsyncClient,
        mailbox: Mailbox,
        session: AsyncSession,
        settings: Settings,
        db: Database,
        user: User,
        end: str,
    ) -> None:
        if end == "undo":
            await self.ask(client, user)
            await post(client, "/email-change", token=await mailbox.link(MOVED, "/change-email"))
            token = await mailbox.link(user.actor.email, "/undo-change-email")
        if end == "reset":
            await post(client, "/password-reset", email=user.actor.email)
            token = await mailbox.link(user.actor.email, "/reset-password")
        await self.ask(client, user, "thief@example.com")
        await Deaf(settings, db).read()
        if end == "password":
            change = {"current_password": PASSWORD, "new_password": NEW}
            await client.patch("/api/v1/me", json=change, headers=user.headers)
        elif end == "reset":
            await post(client, "/password-reset/confirm", token=token, password=NEW)
        else:
            await post(client, "/email-change/undo", token=token)
        await make_due(session)
        assert await mailbox.subjects("thief@example.com") == []
        changes = select(EmailLink).where(EmailLink.purpose == LinkPurpose.CHANGE)
        assert (await session.scalars(changes)).all() == []

    async def test_nor_to_undo_a_later_move_once_an_earlier_one_is_undone(
        self,
        client: httpx2.AsyncClient,
        mailbox: Mailbox,
        session: AsyncSession,
        settings: Settings,
        db: Database,
        user: User,
    ) -> None:
        await self.ask(client, user)
        await post(client, "/email-change", token=await mailbox.link(MOVED, "/change-email"))
        owners = await mailbox.link(user.actor.email, "/undo-change-email")
        await self.ask(client, user, "again@example.com")
        again = await mailbox.link("again@example.com", "/change-email")
        await post(client, "/email-change", token=again)
        await Deaf(settings, db).read()  # the letter to the thief's first address
        assert (await post(client, "/email-change/undo", token=owners)).status_code == 204
        await make_due(session)
        assert await mailbox.subjects(MOVED) == []
        assert (await session.scalars(select(EmailLink.purpose))).all() == [LinkPurpose.RESET]

    async def test_links_to_the_old_address_die_with_the_change(
        self, client: httpx2.AsyncClient, mailbox: Mailbox, user: User
    ) -> None:
        await post(client, "/password-reset", email=user.actor.email)
        reset = await mailbox.link(user.actor.email, "/reset-password")
        await self.ask(client, user)
        await post(client, "/email-change", token=await mailbox.link(MOVED, "/change-email"))
        assert refused(await post(client, "/password-reset/confirm", token=reset, password=NEW))


async def test_guesses_of_the_current_password_are_limited_over_all_doors(
    client: httpx2.AsyncClient, user: User
) -> None:
    change = {"current_password": "a wrong one", "new_password": NEW}
    move = {"current_password": "a wrong one", "email": MOVED}
    for _ in range(5):
        patched = await client.patch("/api/v1/me", json=change, headers=user.headers)
        moved = await client.post("/api/v1/me/email", json=move, headers=user.headers)
        assert (patched.status_code, moved.status_code) == (422, 422)
    right = change | {"current_password": PASSWORD}
    answer = await client.patch("/api/v1/me", json=right, headers=user.headers)
    assert answer.status_code == 429
    named = await client.patch("/api/v1/me", json={"full_name": "New"}, headers=user.headers)
    assert named.status_code == 200


async def test_a_new_password_is_told_by_mail(
    client: httpx2.AsyncClient, mailbox: Mailbox, user: User
) -> None:
    change = {"current_password": PASSWORD, "new_password": NEW}
    await client.patch("/api/v1/me", json=change, headers=user.headers)
    assert await mailbox.subjects(user.actor.email) == ["Your password was changed"]


async def test_old_links_are_forgotten(
    client: httpx2.AsyncClient,
    mailbox: Mailbox,
    session: AsyncSession,
    settings: Settings,
    db: Database,
    user: User,
) -> None:
    await client.post("/api/v1/me/verify-email", headers=user.headers)
    await post(client, "/password-reset", email=user.actor.email)
    await mailbox.read()
    await age_links(session, timedelta(hours=2))
    await accounts.forget_old_logins(Context(settings, db, mailbox, Storage(settings.storage_url)))
    purposes = await session.scalars(select(EmailLink.purpose))
    assert purposes.all() == [LinkPurpose.VERIFY]
