"""What happens by itself, as moderators see it: the queue, what failed, the clock."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.clock import now
from jobboard.infra.queue import Failure, Message, enqueue
from jobboard.infra.schedule import Schedule
from jobboard.web import admin_background
from jobboard.webhooks.models import DeliveryState, Webhook, WebhookState
from jobboard.worker import clock
from tests.factories.webhooks import make_delivery, make_webhook
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
PAGE = "/admin/background"


async def fill(session: AsyncSession, person: UUID) -> list[Message]:
    """Messages in every state; those that failed, the latest first."""
    moment = now()
    about = {"person_id": str(person), "kind": "application_received", "data": {}}
    failed = [
        Message(
            kind="notifications.mail",
            payload=about,
            attempts=10,
            failed_at=moment - HOUR,
            failure=Failure.GAVE_UP,
            last_error="ConnectionError: <b>away</b>",
        ),
        Message(
            kind="accounts.letter",
            payload={"kind": "password_reset", "email": "gone@example.com"},
            attempts=1,
            failed_at=moment - 2 * HOUR,
            failure=Failure.UNSURE,
        ),
    ]
    old = moment - HOUR
    session.add_all(failed)
    session.add_all(Message(kind="test", payload={}, done_at=moment, attempts=n) for n in (1, 1, 2))
    session.add(Message(kind="test", payload={}, created_at=old, available_at=old))
    session.add(Message(kind="test", payload={}, available_at=moment + HOUR))
    session.add(
        Message(kind="test", payload={}, available_at=moment + HOUR, claimed_at=moment, attempts=1)
    )
    session.add(Schedule(name="expire_jobs", due_at=moment - HOUR, failures=2, last_error="Oh."))
    await session.commit()
    return failed


async def fill_webhooks(town: Town) -> None:
    """Of one that works: due, under way, for later, done. Of a paused one: due. One failed."""
    moment, states = now(), (WebhookState.ACTIVE, WebhookState.PAUSED, WebhookState.FAILING)
    made = [
        await make_webhook(town.session, town.settings, town.owner, town.company) for _ in states
    ]
    for each, state in zip(made, states, strict=True):
        await town.session.execute(update(Webhook).where(Webhook.id == each.id).values(state=state))
    waits: dict[str, Any] = {"state": DeliveryState.WAITING}
    works, paused = made[0].id, made[1].id
    await make_delivery(town.session, works, due_at=moment - HOUR, **waits)
    await make_delivery(town.session, works, due_at=moment + HOUR, claimed_at=moment, **waits)
    await make_delivery(town.session, works, due_at=moment + HOUR, **waits)
    await make_delivery(town.session, works)
    await make_delivery(town.session, paused, due_at=moment - HOUR, **waits)


async def test_what_waits_what_failed_and_why(town: Town) -> None:
    _, desk = await town.person(Role.ADMIN)
    erin = town.owner.actor
    await fill(town.session, erin.id)
    for period in ("hour", "day", "month"):
        page = await desk.get(f"{PAGE}?period={period}")
        assert page.status == 200
    for words in (
        "Waiting 1 for a worker",
        "Oldest waits 1 h",
        "Under way 1",
        "For later 1",
        "Failed 2",
        "Is a worker running?",
        f"Mail to a person: application received , for {erin.full_name}",
        "It went wrong each time, and we gave up.",
        "after 10 tries",
        "ConnectionError: <b>away</b>",
        "Mail with a link: password reset , for gone@example.com",
        "It may have arrived",
        "End jobs whose time is over Oh.",
    ):
        assert words in page.text, words
    assert "<b>away</b>" not in page.html
    assert "2 messages failed" in (await desk.get("/admin")).text


async def test_running_one_again_and_dropping_one(town: Town) -> None:
    admin, desk = await town.person(Role.ADMIN)
    again, gone = await fill(town.session, town.owner.id)
    page = await desk.get(PAGE)
    done = await desk.follow(await desk.submit(page, f"{PAGE}/{again.id}/retry"))
    assert "The message is tried again." in done.text
    await desk.submit(page, f"{PAGE}/{gone.id}/drop")
    rows = select(Message).where(Message.kind != "test").execution_options(populate_existing=True)
    (left,) = (await town.session.scalars(rows)).all()
    assert (left.id, left.failed_at, left.failure, left.attempts) == (again.id, None, None, 0)
    assert left.available_at <= now()
    twice = await desk.follow(await desk.submit(page, f"{PAGE}/{again.id}/retry"))
    assert "Somebody may have looked after it already" in twice.text
    log = (await desk.get(f"/admin/audit-log?actor={admin.id}")).text
    assert "had failed messages tried again" in log
    assert "dropped failed messages" in log


async def test_all_means_those_that_the_page_showed(town: Town) -> None:
    _, desk = await town.person(Role.ADMIN)
    await fill(town.session, town.owner.id)
    page = await desk.get(PAGE)
    enqueue(town.session, "late", {})
    late = Message(kind="late", payload={}, failed_at=now() + HOUR, failure=Failure.GAVE_UP)
    town.session.add(late)
    await town.session.commit()
    told = await desk.follow(await desk.submit(page, f"{PAGE}/drop"))
    assert "2 messages dropped." in told.text
    assert "late" in told.text


async def test_the_api_says_the_same(town: Town, client: httpx2.AsyncClient) -> None:
    admin, _ = await town.person(Role.ADMIN)
    mail, letter = await fill(town.session, town.owner.id)
    path, headers = "/api/v1/admin", admin.headers
    queue = (await client.get(f"{path}/queue", headers=headers)).json()
    numbers = {name: queue[name] for name in ("waiting", "postponed", "under_way", "failed")}
    assert numbers == {"waiting": 1, "postponed": 1, "under_way": 1, "failed": 2}
    assert 3600 <= queue["oldest_waiting_seconds"] < 4000
    assert [work["failures"] for work in queue["schedules"]] == [2]
    first = (await client.get(f"{path}/messages?limit=1", headers=headers)).json()
    rest = await client.get(
        f"{path}/messages", params={"cursor": first["next_cursor"]}, headers=headers
    )
    found = [*first["items"], *rest.json()["items"]]
    assert [each["id"] for each in found] == [str(mail.id), str(letter.id)]
    assert (found[0]["person_name"], found[1]["email"]) == (
        town.owner.actor.full_name,
        "gone@example.com",
    )
    chosen = await client.post(
        f"{path}/messages/retry", json={"failure": "unsure"}, headers=headers
    )
    assert chosen.json() == {"count": 1}
    one = await client.post(f"{path}/messages/{letter.id}/retry", headers=headers)
    assert (one.status_code, one.json()["code"]) == (404, "message_not_found")
    assert (
        await client.post(f"{path}/messages/{mail.id}/drop", headers=headers)
    ).status_code == 204
    every = await client.post(f"{path}/messages/drop", json={}, headers=headers)
    assert every.json() == {"count": 0}


async def test_monitoring_hears_of_it(town: Town, client: httpx2.AsyncClient) -> None:
    await fill(town.session, town.owner.id)
    await fill_webhooks(town)
    said = (await client.get("/metrics")).text
    for line in (
        "jobboard_queue_up 1.0",
        "jobboard_queue_waiting 1.0",
        "jobboard_queue_failed 2.0",
        "jobboard_queue_oldest_seconds 36",
        "jobboard_webhooks_waiting 2.0",
        "jobboard_webhooks_postponed 2.0",
        "jobboard_webhooks_oldest_seconds 36",
        "jobboard_webhooks_failing 1.0",
        'jobboard_schedule_failures{work="expire_jobs"} 2.0',
        'jobboard_schedule_late_seconds{work="expire_jobs"} 36',
    ):
        assert f"\n{line}" in said, line


def test_each_piece_of_work_has_words() -> None:
    assert set(admin_background.WORKS) == set(clock.WORKS)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.41, "0.41 s"), (12, "12 s"), (330, "5.5 min"), (90_000, "25 h"), (300_000, "3 days")],
)
def test_how_long_something_took_is_said_in_one_unit(value: float, said: str) -> None:
    assert admin_background.seconds(value) == said
