"""Mail from the outbox to a real mail server: each once, to whom wants it, and what comes back."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person, Role
from jobboard.analytics import events
from jobboard.applications.models import Application
from jobboard.clock import now
from jobboard.infra.mailer import SmtpMailer
from jobboard.infra.mongo import Mongo
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Failure, Message
from jobboard.infra.storage import Storage
from jobboard.notifications import choices, service
from jobboard.notifications.models import MailBlock, Notification, Topic
from jobboard.notifications.service import notify
from jobboard.settings import Settings
from jobboard.worker import digest, notifications, outbox
from jobboard.worker.context import Context
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.letters import LINK, words
from tests.smtp import CUT, Inbox, serving

pytestmark = pytest.mark.anyio

NEWS = {"company": "Mill", "title": "Baker", "application_id": "7"}


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    async with serving(Inbox()) as inbox:
        yield inbox


@pytest.fixture
async def context(settings: Settings, db: Database, inbox: Inbox) -> Context:
    return Context(settings, db, SmtpMailer(inbox.url), Storage(settings.storage_url))


@pytest.fixture
async def reader(session: AsyncSession, settings: Settings) -> User:
    return await make_user(session, settings, full_name="Cam <Candidate>")


async def tell(
    session: AsyncSession, context: Context, reader: User, kind: str = "application_sent"
) -> list[Message]:
    """Queue news, deliver all there is; the messages that are left afterwards."""
    notify(session, reader.id, kind, NEWS)
    await session.commit()
    return await deliver(session, context)


async def deliver(session: AsyncSession, context: Context) -> list[Message]:
    await session.execute(update(Message).values(available_at=now() - timedelta(seconds=1)))
    await session.commit()
    await outbox.deliver_all(context)
    rows = await session.scalars(
        select(Message).order_by(Message.id).execution_options(populate_existing=True)
    )
    return list(rows)


def html(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return part.get_content()


async def test_both_parts_say_the_same(
    session: AsyncSession, context: Context, inbox: Inbox, reader: User
) -> None:
    await tell(session, context, reader)
    (mail,) = inbox.received
    link = "/me/applications/7"
    assert link in words(mail)
    assert f'href="{context.settings.base_url}{link}"' in html(mail)
    assert "Hello Cam <Candidate>," in words(mail)
    assert "Hello Cam &lt;Candidate&gt;," in html(mail)
    assert not re.search(r"<(?:img|script|link)|url\(|@import", html(mail))
    for header in ("Date", "Message-ID", "Auto-Submitted"):
        assert mail[header]


async def test_one_click_ends_this_kind_of_mail_and_no_other(
    session: AsyncSession,
    context: Context,
    inbox: Inbox,
    reader: User,
    client: httpx2.AsyncClient,
) -> None:
    await tell(session, context, reader)
    (mail,) = inbox.received
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = mail["List-Unsubscribe"].strip("<>")
    assert url in words(mail)
    assert url.replace("&", "&amp;") in html(mail)
    # Looking is not leaving: scanners open links.
    page = await client.get(url)
    assert (page.status_code, "Unsubscribe" in page.text) == (200, True)
    await tell(session, context, reader)
    assert len(inbox.received) == 2
    # As a mail program sends it: no cookie, no page, no origin.
    done = await client.post(url, data={"List-Unsubscribe": "One-Click"})
    assert (done.status_code, "You get no more of these" in done.text) == (200, True)
    await tell(session, context, reader)
    assert len(inbox.received) == 2
    await tell(session, context, reader, "password_changed")
    assert len(inbox.received) == 3
    assert inbox.received[-1]["List-Unsubscribe"] is None
    await client.post(url, data={"again": "yes"})
    await tell(session, context, reader)
    assert len(inbox.received) == 4


@pytest.mark.parametrize("token", ["", "nonsense", "0.alerts.1", "é"])
async def test_a_link_that_is_not_ours_changes_nothing(
    client: httpx2.AsyncClient, token: str
) -> None:
    for send in (client.get, client.post):
        answer = await send("/unsubscribe", params={"token": token})
        assert answer.status_code == 422
        assert "This link is incomplete" in answer.text


async def test_a_link_in_the_mail_of_somebody_whom_a_backup_does_not_know(
    client: httpx2.AsyncClient, settings: Settings
) -> None:
    token = choices.token(settings, uuid4(), Topic.ALERTS)
    answer = await client.post("/unsubscribe", params={"token": token})
    assert answer.status_code == 200


async def test_choices_by_the_api(client: httpx2.AsyncClient, reader: User) -> None:
    path, headers = "/api/v1/me/mail", reader.headers
    every = {"applications": True, "digest": True, "alerts": True}
    assert (await client.get(path, headers=headers)).json() == every
    changed = await client.patch(path, json={"alerts": False}, headers=headers)
    assert changed.json() == every | {"alerts": False}
    again = await client.patch(path, json={"alerts": True, "digest": False}, headers=headers)
    assert again.json() == every | {"digest": False}


async def test_what_the_server_refuses_for_now_is_sent_later_once(
    session: AsyncSession, context: Context, inbox: Inbox, reader: User
) -> None:
    inbox.rcpt[reader.actor.email] = "450 4.2.1 try later"
    (message,) = await tell(session, context, reader)
    assert (message.failed_at, message.done_at) == (None, None)
    assert "450" in (message.last_error or "")
    del inbox.rcpt[reader.actor.email]
    inbox.data = ["451 busy"]
    inbox.cut_in_data = 1
    for _ in range(3):
        (message,) = await deliver(session, context)
    assert message.done_at is not None
    assert len(inbox.received) == 1


async def test_a_mail_of_which_nobody_knows_is_not_sent_again(
    session: AsyncSession, context: Context, inbox: Inbox, reader: User
) -> None:
    inbox.data = [CUT]
    for _ in range(2):
        (message,) = (
            await tell(session, context, reader)
            if not inbox.raw
            else await deliver(session, context)
        )
    assert len(inbox.received) == 1
    assert message.failure is Failure.UNSURE


async def test_a_mailbox_that_refuses_gets_no_more_until_it_is_verified_anew(
    session: AsyncSession,
    context: Context,
    inbox: Inbox,
    reader: User,
    client: httpx2.AsyncClient,
    settings: Settings,
) -> None:
    email = reader.actor.email
    await session.execute(update(Person).values(email_verified_at=now()))
    inbox.rcpt[email] = "550 5.1.1 no such user"
    (message,) = await tell(session, context, reader)
    assert (message.failure, message.attempts) == (Failure.REFUSED, 1)
    admin = await make_user(session, settings, Role.ADMIN)
    shut = await client.get("/api/v1/admin/mail-blocks", headers=admin.headers)
    (block,) = shut.json()["items"]
    assert (block["email"], block["reason"]) == (email, "refused")
    assert (block["person_id"], "no such user" in block["detail"]) == (str(reader.id), True)

    inbox.rcpt.clear()
    await tell(session, context, reader)
    await tell(session, context, reader, "password_changed")
    assert inbox.received == []
    me = (await client.get("/api/v1/me", headers=reader.headers)).json()
    assert me["email_verified"] is False
    await client.post("/api/v1/me/verify-email", headers=reader.headers)
    await deliver(session, context)
    token = LINK.findall(words(inbox.received[0]))[0].partition("token=")[2]
    await client.post("/api/v1/auth/verify-email", json={"token": token})
    await tell(session, context, reader)
    assert len(inbox.received) == 2


async def test_a_refusal_of_the_mail_says_nothing_about_the_mailbox(
    session: AsyncSession, context: Context, inbox: Inbox, reader: User
) -> None:
    inbox.rcpt[reader.actor.email] = "550 5.7.1 not from you"
    (message,) = await tell(session, context, reader)
    assert message.failure is Failure.REFUSED
    assert (await session.scalars(select(MailBlock))).all() == []


async def test_a_moderator_shuts_and_opens_a_mailbox(
    session: AsyncSession, settings: Settings, client: httpx2.AsyncClient, reader: User
) -> None:
    admin = await make_user(session, settings, Role.ADMIN)
    path, headers = "/api/v1/admin/mail-blocks", admin.headers
    body = {"email": reader.actor.email.upper(), "detail": "came back"}
    for _ in range(2):
        made = await client.post(path, json=body, headers=headers)
        assert (made.status_code, made.json()["person_id"]) == (201, str(reader.id))
    gone = f"{path}/{made.json()['id']}"
    assert (await client.delete(gone, headers=headers)).status_code == 204
    assert (await client.delete(gone, headers=headers)).json()["code"] == "mail_block_not_found"
    assert (await session.scalars(select(MailBlock))).all() == []


async def test_a_companys_week(
    session: AsyncSession,
    settings: Settings,
    context: Context,
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = await make_user(session, settings, Role.EMPLOYER, full_name="Erin")
    bakery = await make_company(session, owner, "Bakery")
    await make_company(session, owner, "Silent Mill")
    job = await make_job(session, owner, bakery, title="Baker")
    week = digest.digest.last_week()
    for days, name in ((9, "Ada"), (3, "Ben")):
        person = await make_user(session, settings, full_name=name)
        at = week.until - timedelta(days=days)
        session.add(Application(job_id=job.id, person_id=person.id, created_at=at))
    await session.commit()
    for _ in range(2):
        await digest.send_digests(context)
        await deliver(session, context)
    (mail,) = inbox.received
    assert mail["Subject"] == "1 new application at Bakery this week"
    assert mail["List-Unsubscribe"]
    text = words(mail)
    assert "1 new application\n" in text
    assert "2 applications wait for an answer" in text
    assert text.index("Ada, Baker") < text.index("Ben, Baker")
    assert "views" not in text  # there is no MongoDB here


async def test_a_companys_week_says_how_often_its_jobs_were_read_and_once(
    session: AsyncSession,
    settings: Settings,
    context: Context,
    inbox: Inbox,
    app: FastAPI,
) -> None:
    mongo: Mongo = app.state.engines.mongo
    context = replace(context, mongo=mongo)
    owner = await make_user(session, settings, Role.EMPLOYER, full_name="Erin")
    bakery = await make_company(session, owner, "Bakery")
    week = digest.digest.last_week()
    at = week.until - timedelta(days=3)
    job = await make_job(session, owner, bakery, title="Baker", published_at=at)
    person = await make_user(session, settings, full_name="Ada")
    session.add(Application(job_id=job.id, person_id=person.id, created_at=at))
    await session.commit()
    seen = {"job_id": str(job.id), "name": "view", "at": now() - timedelta(hours=1)}
    await mongo.database[events.COLLECTION].insert_many([{**seen} for _ in range(23)])
    async with context.database.transaction() as other:
        numbers = await digest.digest.gather(other, bakery.id, week)
    await digest.send_digests(context)
    async with context.database.transaction() as other:  # of a second worker, a moment later
        await digest.digest.send(other, bakery.id, week, numbers, 23)
    await deliver(session, context)
    (mail,) = inbox.received
    assert "23 views of your jobs" in words(mail)


async def test_old_news_goes_however_much_there_is(
    session: AsyncSession, context: Context, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 1)
    for days in (200, 300, 1):
        at = now() - timedelta(days=days)
        session.add(Notification(person_id=reader.id, kind="x", text="x", path="/", created_at=at))
    await session.commit()
    await notifications.forget_old(context)
    assert await session.scalar(select(func.count()).select_from(Notification)) == 1
