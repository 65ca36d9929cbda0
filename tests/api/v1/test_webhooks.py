"""Webhooks through the API: made, shown once, changed, tried out, looked at, sent again."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.audit.models import AuditEntry
from jobboard.clock import now
from jobboard.settings import Settings
from jobboard.webhooks.models import (
    DeliveryState,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookState,
)
from tests.api.v1.conftest import Cast
from tests.factories.people import PASSWORD
from tests.factories.webhooks import PUBLIC_URL, make_delivery, make_webhook

PATH = "/api/v1/webhooks"
Client = httpx2.AsyncClient


def body(cast: Cast, **fields: Any) -> dict[str, Any]:
    wanted = {"company_id": str(cast.company.id), "name": "Site", "url": PUBLIC_URL}
    return wanted | {"events": ["job.closed", "application.created"]} | fields


async def make(client: Client, cast: Cast, **fields: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=body(cast, **fields), headers=cast.employer.headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_webhook_is_made_seen_changed_and_deleted(client: Client, cast: Cast) -> None:
    made = await make(client, cast)
    assert made["secret"].startswith("whsec_")
    assert made["events"] == ["application.created", "job.closed"]
    own = cast.employer.headers
    listed = (await client.get(PATH, headers=own)).json()["items"]
    assert listed == [{name: value for name, value in made.items() if name != "secret"}]
    path = f"{PATH}/{made['id']}"
    change = {"name": "Shop", "events": ["job.published"], "active": False}
    changed = (await client.patch(path, json=change, headers=own)).json()
    assert changed == listed[0] | {
        "name": "Shop",
        "events": ["job.published"],
        "state": "paused",
        "version": 2,
    }
    assert (await client.delete(path, headers=own)).status_code == 204
    assert (await client.get(path, headers=own)).json()["code"] == "webhook_not_found"


async def test_the_database_holds_no_secret_and_a_key_of_the_same_name_gets_another(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    headers = cast.employer.headers | {"Idempotency-Key": "once"}
    first = await client.post(PATH, json=body(cast), headers=headers)
    again = await client.post(PATH, json=body(cast), headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json() | {"secret": None}
    webhook = (await session.scalars(select(Webhook))).one()
    other = await make(client, cast)
    assert other["secret"] != first.json()["secret"]
    assert webhook.salt.hex() not in first.json()["secret"]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://0x7f.1/", "https://2130706433/", "https://[::1]/",
        "https://169.254.169.254/latest/", "https://localhost/", "https://10.0.0.7/",
        "https://[64:ff9b::7f00:1]/", "https://me:it@93.184.215.14/", "ftp://93.184.215.14/",
        "https://93.184.215.14:22/", "https://receiver/", "https://nowhere.invalid/", "nonsense",
        " ", "https://" + "a" * 2000 + ".com",
    ],
)  # fmt: skip
async def test_addresses_that_are_not_called_are_told_beside_their_field(
    client: Client, cast: Cast, session: AsyncSession, url: str
) -> None:
    answer = await client.post(PATH, json=body(cast, url=url), headers=cast.employer.headers)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/url"]
    made = await make(client, cast)
    path = f"{PATH}/{made['id']}"
    answer = await client.patch(path, json={"url": url}, headers=cast.employer.headers)
    assert answer.status_code == 422, answer.text
    assert (await session.scalars(select(Webhook.url))).all() == [PUBLIC_URL]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"events": []}, "/events"),
        ({"events": ["job.eaten"]}, "/events/0"),
        ({"name": " "}, "/name"),
        ({"url": None}, "/url"),
    ],
)
async def test_what_else_is_wrong(
    client: Client, cast: Cast, fields: dict[str, Any], pointer: str
) -> None:
    answer = await client.post(PATH, json=body(cast, **fields), headers=cast.employer.headers)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_company_has_at_most_ten(
    client: Client, cast: Cast, session: AsyncSession, settings: Settings
) -> None:
    for _ in range(10):
        await make_webhook(session, settings, cast.employer, cast.company)
    answer = await client.post(PATH, json=body(cast), headers=cast.employer.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


async def test_a_change_by_someone_else_meanwhile_is_not_lost(client: Client, cast: Cast) -> None:
    made = await make(client, cast)
    path, own = f"{PATH}/{made['id']}", cast.employer.headers
    read = await client.get(path, headers=own)
    await client.patch(path, json={"name": "Shop"}, headers=own)
    stale = await client.patch(path, json={"name": "Other", "version": 1}, headers=own)
    assert (stale.status_code, stale.json()["code"]) == (409, "edited_meanwhile")
    match = own | {"If-Match": read.headers["etag"]}
    for answer in (
        await client.patch(path, json={"name": "Other"}, headers=match),
        await client.delete(path, headers=match),
    ):
        assert answer.status_code == 412
    assert (await client.get(path, headers=own)).json()["name"] == "Shop"


async def test_a_test_is_first_in_line_and_one_at_a_time(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    made = await make(client, cast)
    path, own = f"{PATH}/{made['id']}", cast.employer.headers
    await session.execute(update(Webhook).values(rests_until=func.now()))
    await session.commit()
    first = await client.post(f"{path}/test", headers=own)
    again = await client.post(f"{path}/test", headers=own)
    assert (first.status_code, first.json()["event"]) == (202, "webhook.test")
    assert again.json()["id"] == first.json()["id"]
    assert first.json()["next_attempt_at"] == first.json()["created_at"]
    one = await client.get(f"{path}/deliveries/{first.json()['id']}", headers=own)
    assert one.json()["request"]["data"] == {"webhook": {"id": made["id"], "name": "Site"}}
    webhook = (await session.scalars(select(Webhook))).one()
    assert (webhook.rests_until, webhook.version) == (None, 1)
    in_a_day = func.now() + func.make_interval(0, 0, 0, 1)
    await session.execute(update(WebhookDelivery).values(attempts=3, due_at=in_a_day))
    await session.commit()
    mended = (await client.post(f"{path}/test", headers=own)).json()
    assert (mended["id"], mended["attempts"]) == (first.json()["id"], 0)
    assert mended["next_attempt_at"] == first.json()["next_attempt_at"]
    held = {"claimed_at": func.now(), "due_at": in_a_day, "attempts": 1}
    await session.execute(update(WebhookDelivery).values(held))
    await session.commit()
    under_way = (await client.post(f"{path}/test", headers=own)).json()
    assert (under_way["id"], under_way["attempts"]) == (first.json()["id"], 1)


async def test_another_name_is_no_other_address_its_failures_count_on(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    made = await make(client, cast)
    path, own = f"{PATH}/{made['id']}", cast.employer.headers
    since = now() - timedelta(days=4)
    await session.execute(update(Webhook).values(failures=7, failing_since=since))
    await session.commit()
    failures = select(Webhook.failures)
    await client.patch(path, json={"name": "Shop", "url": made["url"]}, headers=own)
    assert await session.scalar(failures) == 7
    await client.patch(path, json={"url": made["url"] + "/new"}, headers=own)
    assert await session.scalar(failures) == 0


async def test_the_log_says_what_was_sent_and_answered_and_can_be_sent_again(
    client: Client, cast: Cast, session: AsyncSession, settings: Settings
) -> None:
    webhook = await make_webhook(session, settings, cast.employer, cast.company)
    fine = await make_delivery(session, webhook.id, attempts=1)
    failed = await make_delivery(session, webhook.id, state=DeliveryState.FAILED, attempts=10)
    for status, answer in ((503, "later"), (500, "oops")):
        error = f"It answered {status}. A receiver answers 2xx."
        session.add(
            WebhookAttempt(
                delivery_id=failed.id, took_ms=7, status=status, error=error, answer=answer
            )
        )
        await session.commit()
    path, own = f"{PATH}/{webhook.id}/deliveries", cast.employer.headers
    listed = (await client.get(path, headers=own)).json()["items"]
    assert [(item["id"], item["last_status"]) for item in listed] == [
        (str(failed.id), 500),
        (str(fine.id), None),
    ]
    page = (await client.get(path, params={"limit": 1}, headers=own)).json()
    rest = await client.get(path, params={"cursor": page["next_cursor"]}, headers=own)
    assert page["items"] + rest.json()["items"] == listed
    only = await client.get(path, params={"state": "failed"}, headers=own)
    assert [item["id"] for item in only.json()["items"]] == [str(failed.id)]
    one = (await client.get(f"{path}/{failed.id}", headers=own)).json()
    assert [(each["status"], each["answer"]) for each in one["history"]] == [
        (500, "oops"),
        (503, "later"),
    ]
    assert one["request"]["type"] == "job.closed"
    again = await client.post(f"{path}/{failed.id}/resend", headers=own)
    assert (again.status_code, again.json()["state"]) == (202, "waiting")
    assert (again.json()["message_id"], again.json()["attempts"]) == (one["message_id"], 0)


async def test_what_is_being_sent_is_not_sent_again_and_what_is_off_not_at_all(
    client: Client, cast: Cast, session: AsyncSession, settings: Settings
) -> None:
    webhook = await make_webhook(session, settings, cast.employer, cast.company)
    delivery = await make_delivery(session, webhook.id, state=DeliveryState.WAITING)
    soon = func.now() + func.make_interval(0, 0, 0, 0, 1)
    held = {"claimed_at": func.now(), "due_at": soon}
    await session.execute(update(WebhookDelivery).values(held))
    await session.commit()
    path, own = f"{PATH}/{webhook.id}", cast.employer.headers
    resend = f"{path}/deliveries/{delivery.id}/resend"
    assert (await client.post(resend, headers=own)).json()["code"] == "delivery_under_way"
    await session.execute(update(Webhook).values(state=WebhookState.GONE))
    await session.commit()
    for where in (resend, f"{path}/test"):
        answer = await client.post(where, headers=own)
        assert (answer.status_code, answer.json()["code"]) == (409, "webhook_off")
    on = await client.patch(path, json={"active": True}, headers=own)
    assert on.json()["state"] == "active"
    unknown = f"{path}/deliveries/{uuid4()}"
    for nothing in (await client.post(f"{unknown}/resend", headers=own),
                    await client.get(unknown, headers=own)):  # fmt: skip
        assert (nothing.status_code, nothing.json()["code"]) == (404, "delivery_not_found")


async def test_a_key_with_the_scope_manages_its_company_s(
    client: Client, cast: Cast, session: AsyncSession, settings: Settings
) -> None:
    wanted = {"company_id": str(cast.company.id), "name": "Ops", "scopes": ["webhooks"]}
    made = await client.post("/api/v1/api-keys", json=wanted, headers=cast.employer.headers)
    key = {"Authorization": f"Bearer {made.json()['key']}"}
    webhook = await client.post(PATH, json=body(cast), headers=key)
    assert webhook.status_code == 201, webhook.text
    await make_webhook(session, settings, cast.employer, cast.company)
    assert len((await client.get(PATH, headers=key)).json()["items"]) == 2
    assert (await client.get(PATH, headers=cast.rival.headers)).json()["items"] == []
    rotated = await client.post(f"{PATH}/{webhook.json()['id']}/rotate", headers=key)
    assert rotated.json()["previous_secret_until"] is not None
    told = await session.scalars(
        select(AuditEntry.action).where(AuditEntry.key_id.is_not(None)).order_by(AuditEntry.id)
    )
    assert told.all() == ["webhook.made", "webhook.rotated"]


async def test_they_go_with_a_company_that_nobody_is_left_of(
    client: Client, cast: Cast, session: AsyncSession, settings: Settings
) -> None:
    webhook = await make_webhook(session, settings, cast.employer, cast.company)
    await make_delivery(session, webhook.id)
    answer = await client.request(
        "DELETE",
        "/api/v1/me",
        json={"current_password": PASSWORD},
        headers=cast.employer.headers,
    )
    assert answer.status_code == 204, answer.text
    for table in (Webhook, WebhookDelivery):
        assert await session.scalar(select(func.count()).select_from(table)) == 0
