"""Webhooks from what causes them to the receiver: signed, tried again, given up, and in nobody's
way."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import httpx2
import pytest
from aiohttp import web
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.infra import outbound
from jobboard.infra.mailer import Step
from jobboard.infra.postgres import Database
from jobboard.infra.queue import enqueue
from jobboard.infra.storage import Storage
from jobboard.jobs import expiry
from jobboard.jobs.models import Job, JobStatus
from jobboard.settings import Settings
from jobboard.webhooks import sending
from jobboard.webhooks.events import Event
from jobboard.webhooks.models import (
    DeliveryState,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookState,
)
from jobboard.webhooks.schemas import WebhookMade
from jobboard.worker import outbox
from jobboard.worker import webhooks as worker
from jobboard.worker.context import Context
from tests.factories.companies import make_company, make_member
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.factories.webhooks import make_delivery, make_webhook
from tests.worker.receiver import Receiver, receiving

pytestmark = pytest.mark.anyio
SECOND = timedelta(seconds=1)


class Tray:
    """A mailer that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.came = asyncio.Event()

    async def send(self, message: EmailMessage, *, before: Step) -> None:
        await before()
        self.mails.append(message)
        self.came.set()


class Desk:
    """A company with a webhook, and a worker for it."""

    def __init__(self, session: AsyncSession, context: Context, owner: User, company: Company):
        self.session, self.context = session, context
        self.owner, self.company = owner, company

    async def webhook(self, url: str, **fields: Any) -> WebhookMade:
        """Another webhook of the company."""
        settings = self.context.settings
        return await make_webhook(self.session, settings, self.owner, self.company, url, **fields)

    async def event(self, webhook: WebhookMade, **fields: Any) -> UUID:
        """Something that waits for this webhook."""
        waits = {"state": DeliveryState.WAITING} | fields
        return (await make_delivery(self.session, webhook.id, **waits)).id

    async def work(self) -> None:
        """What a worker does when it is rung for."""
        await outbox.deliver_all(self.context)

    async def later(self, by: timedelta = timedelta(days=2)) -> None:
        """As if this much time had gone by."""
        rests = {"rests_until": Webhook.rests_until - by}
        await self.session.execute(update(Webhook).values(rests))
        due = {"due_at": WebhookDelivery.due_at - by}
        await self.session.execute(update(WebhookDelivery).values(due))
        await self.session.commit()

    async def rows(self) -> list[WebhookDelivery]:
        """Every delivery as it is now."""
        statement = select(WebhookDelivery).order_by(WebhookDelivery.id)
        fresh = statement.execution_options(populate_existing=True)
        return list(await self.session.scalars(fresh))

    async def now(self, webhook: WebhookMade) -> Webhook:
        """A webhook as it is now."""
        found = await self.session.get(Webhook, webhook.id, populate_existing=True)
        assert found is not None
        return found


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that stalls a worker still gets to the end of its line."""
    monkeypatch.setattr(worker, "SPELL", 600.0)


@pytest.fixture
def tray() -> Tray:
    return Tray()


@pytest.fixture
async def desk(session: AsyncSession, settings: Settings, db: Database, tray: Tray) -> Desk:
    open_board = settings.model_copy(update={"webhook_private": "on"})
    context = Context(open_board, db, tray, Storage(settings.storage_url))
    owner = await make_user(session, settings, Role.EMPLOYER)
    return Desk(session, context, owner, await make_company(session, owner, "Bakery"))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_each_step_of_an_application_is_told_signed_and_names_nobody(
    client: httpx2.AsyncClient, desk: Desk, receiver: Receiver, settings: Settings
) -> None:
    webhook = await desk.webhook(receiver.url)
    job = await make_job(desk.session, desk.owner, desk.company)
    candidate = await make_user(desk.session, settings, full_name="Cam Candidate")
    answer = await client.post(
        f"/api/v1/jobs/{job.id}/applications",
        json={"cover_letter": "Hello from Cam"},
        headers=candidate.headers,
    )
    path = f"/api/v1/applications/{answer.json()['id']}"
    await client.get(path, headers=desk.owner.headers)  # looked at
    await client.patch(path, json={"stage": "interview"}, headers=desk.owner.headers)
    await client.post(f"{path}/withdraw", headers=candidate.headers)
    await desk.work()
    by_stage = {call.json["data"]["application"]["stage"]: call for call in receiver.calls}
    told = {
        stage: (call.json["type"], call.json["data"]["application"].get("previous_stage"))
        for stage, call in by_stage.items()
    }
    assert told == {
        "submitted": ("application.created", None),
        "viewed": ("application.stage_changed", "submitted"),
        "interview": ("application.stage_changed", "viewed"),
        "withdrawn": ("application.withdrawn", "interview"),
    }
    call = by_stage["submitted"]
    assert webhook.secret is not None
    assert all(each.signed_by(webhook.secret) for each in receiver.calls)
    assert not call.signed_by("whsec_" + "A" * 43 + "=")
    assert abs(int(call.headers["webhook-timestamp"]) - now().timestamp()) < 60
    assert call.headers["content-type"] == "application/json"
    assert len({each.headers["webhook-id"] for each in receiver.calls}) == 4
    assert call.json["data"]["application"]["url"] == f"{settings.base_url}{path}"
    assert call.json["data"]["job"]["page"] == f"{settings.base_url}/jobs/{job.slug}"
    assert not any(word in call.body for word in (b"Cam", b"@", b"Hello"))


async def test_each_state_of_a_job_is_told(
    client: httpx2.AsyncClient, desk: Desk, receiver: Receiver, settings: Settings
) -> None:
    await desk.webhook(receiver.url)
    admin = await make_user(desk.session, settings, Role.ADMIN)
    job = await make_job(desk.session, desk.owner, desk.company, status=JobStatus.DRAFT)
    path, judge = f"/api/v1/jobs/{job.id}", f"/api/v1/admin/jobs/{job.id}"
    for where, body, who in [
        (f"{path}/submit", None, desk.owner),
        (f"{judge}/reject", {"reason": "Say what it pays."}, admin),
        (f"{path}/submit", None, desk.owner),
        (f"{judge}/approve", None, admin),
        (f"{path}/close", None, desk.owner),
        (f"{path}/reopen", None, desk.owner),
        (f"{judge}/remove", {"reason": "A scam."}, admin),
    ]:
        answer = await client.post(where, json=body, headers=who.headers)
        assert answer.status_code < 300, answer.text
    other = await make_job(desk.session, desk.owner, desk.company, expires_at=now() - SECOND)
    await expiry.expire_due(desk.session)
    await desk.session.commit()
    await desk.work()
    types = sorted(call.json["type"] for call in receiver.calls)
    told = "pending rejected pending published closed published removed expired"
    assert types == sorted(f"job.{status}" for status in told.split())
    said = {call.json["type"]: call.json["data"] for call in receiver.calls}
    assert said["job.rejected"]["reason"] == "Say what it pays."
    assert said["job.expired"]["job"]["id"] == str(other.id)


async def test_no_call_without_a_commit_and_none_that_nobody_wants(
    desk: Desk, receiver: Receiver
) -> None:
    await desk.webhook(receiver.url, events=["job.closed"])
    job = await make_job(desk.session, desk.owner, desk.company, expires_at=now() - SECOND)
    await expiry.expire_due(desk.session)
    await desk.session.rollback()
    await expiry.expire_due(desk.session)
    await desk.session.commit()
    await desk.work()
    assert receiver.calls == []
    ended = await desk.session.get_one(Job, job.id, populate_existing=True)
    assert ended.status is JobStatus.EXPIRED
    assert await desk.rows() == []


async def test_ten_tries_over_three_days_with_one_id(desk: Desk, receiver: Receiver) -> None:
    receiver.status = 500
    await desk.event(await desk.webhook(receiver.url))
    for _ in range(10):
        await desk.work()
        await desk.later()
        await desk.work()
    assert len(receiver.calls) == 10
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert len({call.body for call in receiver.calls}) == 1
    (row,) = await desk.rows()
    assert (row.state, row.attempts) == (DeliveryState.FAILED, 10)
    planned = sum(sending.PAUSES, timedelta())
    assert timedelta(hours=75) < planned < timedelta(hours=76)
    tries = await desk.session.scalar(select(func.count()).select_from(WebhookAttempt))
    assert tries == 10


def test_pauses_are_those_of_the_specification_give_or_take_a_tenth() -> None:
    # Standard Webhooks, "Retry schedule"; the first of its ten tries comes at once.
    minutes = (1 / 12, 5, 30, 2 * 60, 5 * 60, 10 * 60, 14 * 60, 20 * 60, 24 * 60)
    for attempt, planned in enumerate(minutes, 1):
        assert 0.9 * planned <= sending.pause(attempt) / timedelta(minutes=1) <= 1.1 * planned


@pytest.mark.parametrize(
    ("status", "words"),
    [(500, "It answered 500"), (404, "It answered 404"), (302, "Redirects are not followed")],
)
async def test_a_failure_says_what_is_wrong_and_what_was_answered(
    desk: Desk, receiver: Receiver, status: int, words: str
) -> None:
    async def fail(_: web.Request) -> web.Response:
        headers = {"Location": "http://127.0.0.1:1/"} if status == 302 else {}
        return web.Response(status=status, body=b"\x00\xff" + b"no " * 5000, headers=headers)

    receiver.answer = fail
    await desk.event(await desk.webhook(receiver.url))
    await desk.work()
    attempt = (await desk.session.scalars(select(WebhookAttempt))).one()
    assert attempt.status == status
    assert words in (attempt.error or "")
    assert attempt.answer.startswith("\ufffd\ufffdno no")
    assert len(attempt.answer) <= 2000
    (row,) = await desk.rows()
    assert row.state is DeliveryState.WAITING


async def test_a_receiver_that_is_not_there_and_one_that_never_answers(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    receiver.answer = never
    monkeypatch.setattr(
        "jobboard.infra.outbound.post.__kwdefaults__", {"timeout": 0.5}, raising=False
    )
    async with receiving() as gone:
        pass
    await desk.event(await desk.webhook(receiver.url))
    await desk.event(await desk.webhook(gone.url))
    await desk.work()
    said = set(await desk.session.scalars(select(WebhookAttempt.error)))
    assert said == {"No answer within 0.5 seconds.", "It cannot be reached: Connection refused"}


async def test_what_was_taken_counts_however_the_rest_of_the_answer_ends(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"taken")
        await asyncio.sleep(60)
        return response

    receiver.answer = trickle
    monkeypatch.setattr("jobboard.infra.outbound._KEPT_SECONDS", 0.2)
    await desk.event(await desk.webhook(receiver.url))
    await desk.work()
    (row,) = await desk.rows()
    assert row.state is DeliveryState.DELIVERED
    assert (await desk.session.scalars(select(WebhookAttempt.answer))).one() == "taken"


async def test_410_turns_it_off_at_once_and_owners_are_told(
    desk: Desk, receiver: Receiver, tray: Tray, settings: Settings
) -> None:
    receiver.status = 410
    recruiter = await make_user(desk.session, settings, Role.EMPLOYER)
    await make_member(desk.session, desk.company, recruiter)
    webhook = await desk.webhook(receiver.url)
    for _ in range(5):
        await desk.event(webhook)
    await desk.work()
    assert (await desk.now(webhook)).state is WebhookState.GONE
    assert {row.state for row in await desk.rows()} == {DeliveryState.FAILED}
    assert len(receiver.calls) <= sending.AT_ONCE
    await desk.work()
    assert [mail["Subject"] for mail in tray.mails] == ["Your webhook is off: Site"]
    assert tray.mails[0]["To"].addresses[0].addr_spec == desk.owner.actor.email


async def test_five_days_of_failures_turn_it_off_and_one_success_forgets_them(
    desk: Desk, receiver: Receiver, tray: Tray
) -> None:
    receiver.status = 503
    webhook = await desk.webhook(receiver.url)
    await desk.event(webhook)
    await desk.work()
    for _ in range(4):
        await desk.later()
        await desk.work()
    assert (await desk.now(webhook)).failures == 5
    receiver.status = 200
    await desk.later()
    await desk.work()
    healthy = await desk.now(webhook)
    assert (healthy.failures, healthy.failing_since, healthy.version) == (0, None, 1)
    receiver.status = 503
    await desk.event(webhook)
    for _ in range(9):
        await desk.work()
        await desk.later()
    assert (await desk.now(webhook)).state is WebhookState.ACTIVE, "not yet five days"
    long_ago = {"failing_since": now() - timedelta(days=6)}
    await desk.session.execute(update(Webhook).values(long_ago))
    await desk.session.commit()
    await desk.work()
    assert (await desk.now(webhook)).state is WebhookState.FAILING
    await desk.work()
    assert len(tray.mails) == 1


async def test_a_failing_receiver_rests_and_its_line_waits(desk: Desk, receiver: Receiver) -> None:
    receiver.status = 500
    webhook = await desk.webhook(receiver.url)
    for _ in range(20):
        await desk.event(webhook)
    await desk.work()
    assert len(receiver.calls) <= sending.AT_ONCE
    await desk.work()
    assert len(receiver.calls) <= sending.AT_ONCE
    receiver.status = 200
    await desk.later()
    await desk.work()
    await desk.later()
    await desk.work()
    assert {row.state for row in await desk.rows()} == {DeliveryState.DELIVERED}


async def test_slow_receivers_hold_up_neither_mail_nor_other_companies(
    desk: Desk, receiver: Receiver, tray: Tray
) -> None:
    held, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        held.release()
        await go_on.wait()
        return web.Response()

    receiver.answer = hang
    slow = await desk.webhook(receiver.url)
    for _ in range(10):
        await desk.event(slow)
    async with asyncio.timeout(30), receiving() as quick:
        working = asyncio.create_task(desk.work())
        for _ in range(sending.AT_ONCE):
            await held.acquire()
        other = await desk.webhook(quick.url)
        await desk.event(other)
        payload = {"person_id": str(desk.owner.id), "kind": "account_exists", "data": {}}
        enqueue(desk.session, "notifications.mail", payload)
        await desk.session.commit()
        await tray.came.wait()  # both in the worker whose calls hang
        await quick.came.wait()
        assert not working.done()
        assert len(receiver.calls) == sending.AT_ONCE, "few calls of one webhook at once"
        go_on.set()
        await working


async def test_two_workers_call_once_and_a_dead_one_is_stood_in_for(
    desk: Desk, receiver: Receiver
) -> None:
    webhook = await desk.webhook(receiver.url)
    for _ in range(12):
        await desk.event(webhook)
    async with desk.context.database.transaction() as session:
        lost = await sending.claim(session)  # its worker dies now
    assert lost is not None
    await asyncio.gather(*(desk.work() for _ in range(3)))
    ids = [call.headers["webhook-id"] for call in receiver.calls]
    assert len(ids) == len(set(ids)) == 11
    await desk.later(sending.LEASE)
    await desk.work()
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 12
    async with desk.context.database.transaction() as session:
        late = await sending.note(session, lost, sending.Outcome(1, 500, "late"))
    assert not late
    assert {row.state for row in await desk.rows()} == {DeliveryState.DELIVERED}


async def test_one_that_was_paused_amid_a_call_stays_paused_whatever_the_answer(
    desk: Desk, receiver: Receiver
) -> None:
    webhook = await desk.webhook(receiver.url)
    await desk.event(webhook)

    async def pause(_request: web.Request) -> web.Response:
        await desk.session.execute(update(Webhook).values(state=WebhookState.PAUSED))
        await desk.session.commit()
        return web.Response(status=410)

    receiver.answer = pause
    await desk.work()
    found = await desk.now(webhook)
    assert (found.state, found.failures) == (WebhookState.PAUSED, 1)


async def test_a_call_that_cannot_be_written_down_ends_no_other(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = sending.note
    lost, fine = [await desk.event(await desk.webhook(receiver.url)) for _ in range(2)]

    async def noted(session: AsyncSession, claimed: Any, outcome: Any) -> bool:
        if claimed.delivery.id == lost:
            raise ConnectionResetError("the database is away for a moment")
        return await note(session, claimed, outcome)

    monkeypatch.setattr(sending, "note", noted)
    await desk.work()
    states = {row.id: (row.state, row.claimed_at is None) for row in await desk.rows()}
    assert states[fine] == (DeliveryState.DELIVERED, True)
    assert states[lost] == (DeliveryState.WAITING, False)  # until its lease ends


async def test_a_call_that_breaks_ends_no_other_call_and_no_mail(
    desk: Desk, receiver: Receiver, tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is that nobody thought of."""
    post = outbound.post

    async def odd(url: str, *args: Any, **options: Any) -> outbound.Answer:
        if url.endswith("/odd"):
            return outbound.Answer(302, "http://x/\udcff", "\0")  # what cannot be stored
        if url.endswith("/broken"):
            raise RuntimeError(url)
        return await post(url, *args, **options)

    monkeypatch.setattr(outbound, "post", odd)
    for name in ("odd", "broken", "well"):
        await desk.event(await desk.webhook(f"{receiver.url}/{name}"))
    payload = {"person_id": str(desk.owner.id), "kind": "account_exists", "data": {}}
    enqueue(desk.session, "notifications.mail", payload)
    await desk.session.commit()
    await desk.work()
    states = [(row.state, row.claimed_at) for row in await desk.rows()]
    waits = (DeliveryState.WAITING, None)
    assert states == [waits, waits, (DeliveryState.DELIVERED, None)]
    said = list(await desk.session.scalars(select(WebhookAttempt.error)))
    assert sorted(said, key=str) == [None, worker.BROKE, worker.BROKE]
    assert len(tray.mails) == 1


async def test_mail_goes_out_while_the_line_of_webhooks_is_broken(
    desk: Desk, tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MAX_ATTEMPTS", None)  # nothing can be compared with it
    await desk.event(await desk.webhook("http://127.0.0.1:1/"))
    payload = {"person_id": str(desk.owner.id), "kind": "account_exists", "data": {}}
    enqueue(desk.session, "notifications.mail", payload)
    await desk.session.commit()
    await desk.work()
    assert len(tray.mails) == 1


async def test_there_is_no_eleventh_try_where_the_tenth_was_not_written_down(
    desk: Desk, receiver: Receiver
) -> None:
    webhook = await desk.webhook(receiver.url)
    died = {"attempts": sending.MAX_ATTEMPTS, "claimed_at": now() - timedelta(minutes=2)}
    await desk.event(webhook, due_at=now() - timedelta(minutes=1), **died)
    await desk.event(webhook)
    await desk.work()
    lost, next_one = await desk.rows()
    assert (lost.state, lost.attempts, lost.claimed_at) == (DeliveryState.FAILED, 10, None)
    assert lost.done_at is not None
    assert next_one.state is DeliveryState.DELIVERED
    assert len(receiver.calls) == 1


async def test_both_secrets_sign_for_a_day_after_a_rotation(
    client: httpx2.AsyncClient, desk: Desk, receiver: Receiver
) -> None:
    webhook = await desk.webhook(receiver.url)
    path = f"/api/v1/webhooks/{webhook.id}/rotate"
    answer = (await client.post(path, headers=desk.owner.headers)).json()
    assert answer["secret"] != webhook.secret
    assert webhook.secret is not None
    await desk.event(webhook)
    await desk.work()
    await desk.session.execute(
        update(Webhook).values(previous_until=Webhook.previous_until - timedelta(hours=24))
    )
    await desk.event(webhook)
    await desk.work()
    signed = [
        (call.signed_by(answer["secret"]), call.signed_by(webhook.secret))
        for call in receiver.calls
    ]
    assert signed == [(True, True), (True, False)]
    await worker.forget_old(desk.context)
    assert (await desk.now(webhook)).previous_salt is None


async def test_a_paused_webhook_keeps_its_events_for_later(
    client: httpx2.AsyncClient, desk: Desk, receiver: Receiver
) -> None:
    webhook = await desk.webhook(receiver.url)
    path, who = f"/api/v1/webhooks/{webhook.id}", desk.owner.headers
    await client.patch(path, json={"active": False}, headers=who)
    job = await make_job(desk.session, desk.owner, desk.company)
    await client.post(f"/api/v1/jobs/{job.id}/close", headers=who)
    await desk.work()
    assert receiver.calls == []
    await client.patch(path, json={"active": True}, headers=who)
    await desk.work()
    assert [call.json["type"] for call in receiver.calls] == [Event.JOB_CLOSED]


async def test_the_board_s_own_network_is_not_called_unless_it_says_so(
    desk: Desk, receiver: Receiver, settings: Settings
) -> None:
    """An address that was fine when it was given, or was given while the setting was on."""
    await desk.event(await desk.webhook(receiver.url))
    desk.context = Context(
        settings, desk.context.database, desk.context.mailer, desk.context.storage
    )
    await desk.work()
    assert receiver.calls == []
    error = (await desk.session.scalars(select(WebhookAttempt.error))).one()
    assert "does not lead to a public address" in (error or "")


async def test_old_deliveries_are_forgotten(desk: Desk, receiver: Receiver) -> None:
    webhook = await desk.webhook(receiver.url)
    await desk.event(webhook, created_at=now() - timedelta(days=31))
    kept = await desk.event(webhook, created_at=now() - timedelta(days=29))
    await worker.forget_old(desk.context)
    assert [row.id for row in await desk.rows()] == [kept]
