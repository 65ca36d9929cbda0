"""The outbox: a message exists if its transaction committed, is delivered, and is never lost."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage

import httpx2
import pytest
import structlog
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.clock import now
from jobboard.infra.mailer import Step
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Failure, Message, enqueue
from jobboard.infra.storage import Storage
from jobboard.jobs.models import Job, JobStatus
from jobboard.settings import Settings
from jobboard.worker import claims, jobs, outbox
from jobboard.worker.context import Context
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import make_user
from tests.letters import words

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


class Tray:
    """A mailer that keeps what it is given, and fails, or hangs, as often as it is told to."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.failures = 0
        self.hang = 0
        self.hanging = asyncio.Event()
        self.go_on = asyncio.Event()

    async def send(self, message: EmailMessage, *, before: Step) -> None:
        if self.hang:
            self.hang -= 1
            self.hanging.set()
            await self.go_on.wait()
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the mail server is away")
        await before()
        self.mails.append(message)


@pytest.fixture
async def tray() -> Tray:
    return Tray()


@pytest.fixture
async def context(settings: Settings, db: Database, tray: Tray) -> Context:
    return Context(settings, db, tray, Storage(settings.storage_url))


async def waiting(session: AsyncSession) -> list[Message]:
    rows = await session.scalars(select(Message).execution_options(populate_existing=True))
    return list(rows)


@asynccontextmanager
async def hanging_worker(context: Context, tray: Tray) -> AsyncGenerator[asyncio.Task[None]]:
    """A worker in the middle of sending a mail; it ends with the block at the latest."""
    tray.hang = 1
    async with asyncio.timeout(20):
        worker = asyncio.create_task(outbox.deliver_all(context))
        try:
            await tray.hanging.wait()
            yield worker
        finally:
            worker.cancel()
            await asyncio.wait([worker])


async def make_due(session: AsyncSession) -> None:
    await session.execute(update(Message).values(available_at=now() - timedelta(seconds=1)))
    await session.commit()


async def test_an_application_is_mailed_to_the_company_and_to_the_candidate(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    settings: Settings,
    context: Context,
    tray: Tray,
) -> None:
    employer = await make_user(session, settings, Role.EMPLOYER, full_name="Erin Employer")
    company = await make_company(session, employer, "Harbour Bakery")
    job = await make_job(session, employer, company, title="Baker")
    candidate = await make_user(session, settings, full_name="Cam Candidate")
    await client.post(
        f"/api/v1/jobs/{job.id}/applications",
        json={"cover_letter": "Hello"},
        headers=candidate.headers,
    )
    await outbox.deliver_all(context)
    mails = {mail["To"].addresses[0].addr_spec: mail for mail in tray.mails}
    assert mails.keys() == {employer.actor.email, candidate.actor.email}
    to_company = mails[employer.actor.email]
    assert to_company["Subject"] == "Cam Candidate applied: Baker"
    assert "/employer/applications/" in words(to_company)
    assert all(message.done_at for message in await waiting(session))


async def test_what_follows_from_a_request_bears_its_id(
    client: httpx2.AsyncClient, session: AsyncSession, context: Context
) -> None:
    given = {"email": "ada@example.com", "password": "three brown hens", "full_name": "Ada"}
    answer = await client.post("/api/v1/auth/register", json=given)
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as seen:
        await outbox.deliver_all(context)
    (message,) = await waiting(session)
    (line,) = [line for line in seen if line["event"] == "message.handled"]
    assert message.request_id == line["request_id"] == answer.headers["x-request-id"]


async def test_no_message_without_a_commit(
    session: AsyncSession, db: Database, context: Context, tray: Tray
) -> None:
    async def fail_midway() -> None:
        async with db.transaction() as inner:
            enqueue(inner, "notifications.mail", {})
            await inner.flush()
            raise LookupError

    with pytest.raises(LookupError):
        await fail_midway()
    await outbox.deliver_all(context)
    assert await waiting(session) == []
    assert tray.mails == []


async def welcome(session: AsyncSession, settings: Settings) -> None:
    """Queue one mail to someone who exists."""
    user = await make_user(session, settings)
    payload = {"person_id": str(user.id), "kind": "account_exists", "data": {}}
    enqueue(session, "notifications.mail", payload)
    await session.commit()


async def test_a_failed_message_waits_and_is_tried_again(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray
) -> None:
    await welcome(session, settings)
    tray.failures = 2
    for attempt in (1, 2):
        await outbox.deliver_all(context)
        (message,) = await waiting(session)
        assert message.attempts == attempt
        assert message.done_at is None
        assert message.last_error == "ConnectionError: the mail server is away"
        assert message.available_at > now() + timedelta(seconds=40)
        await make_due(session)
    await outbox.deliver_all(context)
    assert len(tray.mails) == 1


async def test_after_the_last_try_a_message_stays_as_failed(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray
) -> None:
    await welcome(session, settings)
    await session.execute(update(Message).values(attempts=claims.MAX_ATTEMPTS - 1))
    await make_due(session)
    tray.failures = 1
    await outbox.deliver_all(context)
    await make_due(session)
    await outbox.deliver_all(context)
    (message,) = await waiting(session)
    assert message.failed_at is not None
    assert tray.mails == []


async def test_one_bad_message_does_not_hold_up_the_others(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray
) -> None:
    enqueue(
        session, "notifications.mail", {"person_id": "no id", "kind": "account_exists", "data": {}}
    )
    enqueue(session, "unknown.kind", {})
    await session.commit()
    await welcome(session, settings)
    await outbox.deliver_all(context)
    assert len(tray.mails) == 1


async def test_workers_side_by_side_deliver_each_message_once(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray
) -> None:
    for _ in range(20):
        await welcome(session, settings)
    await asyncio.gather(*(outbox.deliver_all(context) for _ in range(4)))
    ids = [mail["Message-ID"] for mail in tray.mails]
    assert len(ids) == len(set(ids)) == 20


async def test_a_mail_that_is_being_sent_is_left_alone_by_other_workers(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray
) -> None:
    await welcome(session, settings)
    async with hanging_worker(context, tray) as worker:
        await outbox.deliver_all(context)
        assert tray.mails == []
        tray.go_on.set()
        await worker
    (message,) = await waiting(session)
    assert len(tray.mails) == 1
    assert message.done_at is not None
    assert message.attempts == 1


async def test_no_transaction_is_open_while_a_mail_is_sent(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray
) -> None:
    await welcome(session, settings)
    idle = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
    )
    # The other lanes look for work meanwhile, in transactions of a moment: one that stays open is
    # there each time.
    async with hanging_worker(context, tray):
        seen = [await session.scalar(idle) for _ in range(50)]
    assert min(seen) == 0


async def test_a_mail_server_that_never_answers_is_given_up(
    session: AsyncSession,
    settings: Settings,
    context: Context,
    tray: Tray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "ATTEMPT_SECONDS", 0.1)
    await welcome(session, settings)
    tray.hang = 1
    await outbox.deliver_all(context)
    (message,) = await waiting(session)
    assert message.attempts == 1
    assert message.done_at is None
    assert message.last_error is not None
    assert message.last_error.startswith("TimeoutError")
    assert tray.mails == []


async def test_the_message_of_a_worker_that_died_is_due_after_the_lease(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray
) -> None:
    await welcome(session, settings)
    async with hanging_worker(context, tray) as worker:
        worker.cancel()
    await outbox.deliver_all(context)
    (message,) = await waiting(session)
    assert tray.mails == []
    assert message.done_at is None
    assert message.attempts == 1
    assert now() < message.available_at <= now() + claims.LEASE
    await make_due(session)
    await outbox.deliver_all(context)
    (message,) = await waiting(session)
    assert len(tray.mails) == 1
    assert message.done_at is not None
    assert message.attempts == 2


async def test_a_message_whose_every_worker_died_stays_as_failed(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray
) -> None:
    await welcome(session, settings)
    await session.execute(update(Message).values(attempts=claims.MAX_ATTEMPTS))
    await make_due(session)
    await welcome(session, settings)
    await outbox.deliver_all(context)
    failed, other = await waiting(session)
    if other.failed_at is not None:
        failed, other = other, failed
    assert failed.failed_at is not None
    assert failed.attempts == claims.MAX_ATTEMPTS
    assert other.done_at is not None
    assert len(tray.mails) == 1


@pytest.mark.parametrize("failures", [0, 1])
async def test_an_attempt_that_lost_its_lease_marks_nothing(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray, failures: int
) -> None:
    await welcome(session, settings)
    async with hanging_worker(context, tray) as worker:
        await make_due(session)
        await outbox.deliver_all(context)
        (done,) = await waiting(session)
        done_at = done.done_at
        await session.commit()
        tray.failures = failures
        tray.go_on.set()
        await worker
    (message,) = await waiting(session)
    assert done_at is not None
    assert message.done_at == done_at
    assert message.last_error is None
    assert message.attempts == 2


async def test_an_error_in_bytes_that_are_no_text_is_kept_without_them(
    session: AsyncSession,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(context: Context, message: Message) -> None:
        raise ConnectionError("Empf\udce4nger\0")

    monkeypatch.setitem(outbox.HANDLERS, "test.refuse", refuse)
    enqueue(session, "test.refuse", {})
    await session.commit()
    await outbox.deliver_all(context)
    (message,) = await waiting(session)
    assert message.last_error == "ConnectionError: Empf?nger?"


async def test_a_name_cannot_write_headers(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray
) -> None:
    user = await make_user(
        session, settings, full_name='Eve\r\nBcc: all@example.com "quoted" <x@y.example>'
    )
    data = {"title": "A\r\nBcc: all@example.com", "slug": "a", "reason": None, "job_id": "1"}
    payload = {"person_id": str(user.id), "kind": "job_published", "data": data}
    enqueue(session, "notifications.mail", payload)
    await session.commit()
    await outbox.deliver_all(context)
    (mail,) = tray.mails
    assert mail["Bcc"] is None
    assert [address.addr_spec for address in mail["To"].addresses] == [user.actor.email]


@pytest.mark.parametrize("stage", ["viewed", "interview", "offer", "hired", "rejected"])
async def test_every_answer_has_its_words(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray, stage: str
) -> None:
    user = await make_user(session, settings)
    data = {"title": "Baker", "company": "Mill", "stage": stage, "application_id": "7"}
    payload = {"person_id": str(user.id), "kind": "application_moved", "data": data}
    enqueue(session, "notifications.mail", payload)
    await session.commit()
    await outbox.deliver_all(context)
    text = words(tray.mails[0])
    assert "Mill" in text
    answered = "Mill answered: Baker"
    looks = "Mill looks at your application: Baker"
    assert tray.mails[0]["Subject"] == (looks if stage == "viewed" else answered)
    assert "\n\n\n" not in text


async def test_old_delivered_messages_are_forgotten_and_failed_ones_kept(
    session: AsyncSession, settings: Settings, context: Context
) -> None:
    await welcome(session, settings)
    await welcome(session, settings)
    old = now() - timedelta(days=8)
    done, failed = await waiting(session)
    done.done_at = old
    failed.failed_at = old
    await session.commit()
    await outbox.forget_old(context)
    assert [message.id for message in await waiting(session)] == [failed.id]
    failed.failed_at = now() - timedelta(days=31)
    await session.commit()
    await outbox.forget_old(context)
    assert await waiting(session) == []


async def test_the_pauses_grow_and_are_no_two_alike() -> None:
    for attempts in range(1, claims.MAX_ATTEMPTS):
        pauses = [claims.pause(attempts) for _ in range(50)]
        middle = claims.FIRST_PAUSE * 2 ** (attempts - 1)
        assert middle * 0.8 <= min(pauses) < max(pauses) <= middle * 1.2
    total = sum((claims.FIRST_PAUSE * 2**each for each in range(claims.MAX_ATTEMPTS - 1)), DAY * 0)
    assert timedelta(hours=8) < total < timedelta(hours=9)


async def test_rows_and_their_mark_are_one_transaction(
    session: AsyncSession, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail_late(inner: AsyncSession, message: Message) -> None:
        enqueue(inner, "test.effect", {})
        await inner.flush()
        raise LookupError

    monkeypatch.setitem(outbox.EFFECTS, "test.rows", fail_late)
    enqueue(session, "test.rows", {})
    await session.commit()
    await outbox.deliver_all(context)
    (message,) = await waiting(session)
    assert (message.kind, message.done_at, message.attempts) == ("test.rows", None, 1)


async def test_what_was_handed_over_when_its_worker_died_is_not_done_twice(
    session: AsyncSession, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    async def die(context: Context, message: Message) -> None:
        await claims.hand_over(context, message)
        done.append(message.id)
        raise asyncio.CancelledError

    monkeypatch.setitem(outbox.HANDLERS, "test.once", die)
    enqueue(session, "test.once", {})
    await session.commit()
    await outbox.deliver_all(context)
    await make_due(session)
    await outbox.deliver_all(context)
    (message,) = await waiting(session)
    assert (len(done), message.failure) == (1, Failure.UNSURE)


async def test_of_two_workers_one_hands_over(session: AsyncSession, context: Context) -> None:
    enqueue(session, "test.once", {})
    await session.commit()
    first = await claims.claim(context)
    await make_due(session)
    second = await claims.claim(context)
    assert first
    assert second
    await claims.hand_over(context, second)
    with pytest.raises(claims.LeaseLost):
        await claims.hand_over(context, first)


async def test_a_kind_that_nobody_knows_fails_at_once(
    session: AsyncSession, context: Context
) -> None:
    enqueue(session, "unknown.kind", {})
    await session.commit()
    await outbox.deliver_all(context)
    (message,) = await waiting(session)
    assert (message.attempts, message.failure) == (1, Failure.UNKNOWN)


async def test_a_company_hears_once_of_all_its_jobs_whose_time_is_over(
    session: AsyncSession, settings: Settings, context: Context, tray: Tray
) -> None:
    employer = await make_user(session, settings, Role.EMPLOYER)
    company = await make_company(session, employer)
    ended = now() - timedelta(minutes=1)
    due = [
        await make_job(session, employer, company, title=title, expires_at=ended)
        for title in ("Baker", "Miller")
    ]
    live = await make_job(session, employer, company)
    for _ in range(2):
        await jobs.expire_due(context)
    statuses = dict((await session.execute(select(Job.id, Job.status))).all())
    assert statuses == {each.id: JobStatus.EXPIRED for each in due} | {live.id: JobStatus.PUBLISHED}
    await outbox.deliver_all(context)
    (mail,) = tray.mails
    assert mail["Subject"] == "2 of your jobs have ended"
    for job in due:
        assert f"{job.title}\n{settings.base_url}/employer/jobs/{job.id}" in words(mail)
