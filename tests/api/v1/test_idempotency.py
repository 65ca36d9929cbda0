"""Idempotency-Key: what was done once is not done again, and the answer is the same."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person
from jobboard.clock import now
from jobboard.companies.models import Company, CompanyMember, MemberRole
from jobboard.infra import idempotency
from jobboard.infra.idempotency import KeptAnswer
from jobboard.infra.mailer import ConsoleMailer
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Message
from jobboard.infra.storage import Storage
from jobboard.jobs.models import Job, JobReport
from jobboard.settings import Settings
from jobboard.uploads.models import Upload
from jobboard.worker import answers
from jobboard.worker.context import Context
from tests.api.v1.conftest import Cast
from tests.factories.companies import make_member
from tests.factories.files import pdf
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.factories.webhooks import make_webhook

pytestmark = pytest.mark.anyio

PREFIX = "/api/v1"

URL = "/api/v1/companies"
BODY = {"name": "Harbour Bakery"}
PERSON = {
    "email": "ada@example.com",
    "password": "a long and quiet sentence",
    "full_name": "Ada Lovelace",
}


def keyed(user: User | None, key: str = "try-1") -> dict[str, str]:
    return (user.headers if user else {}) | {"Idempotency-Key": key}


async def count(session: AsyncSession, table: type) -> int:
    return (await session.scalars(select(func.count()).select_from(table))).one()


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_the_same_again_creates_nothing_and_answers_the_same(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    before = await count(session, Company)
    first = await client.post(URL, json=BODY, headers=keyed(cast.employer))
    again = await client.post(URL, json=BODY, headers=keyed(cast.employer))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    for name in ("content-type", "etag"):
        assert first.headers[name] == again.headers[name]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert await count(session, Company) == before + 1


async def test_another_key_or_none_is_another_request(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    before = await count(session, Company)
    for headers in (keyed(cast.employer), keyed(cast.employer, "2"), *[cast.employer.headers] * 2):
        assert (await client.post(URL, json=BODY, headers=headers)).status_code == 201
    assert await count(session, Company) == before + 4
    assert await count(session, KeptAnswer) == 2


@pytest.mark.parametrize("other", [{"json": {"name": "B"}}, {"json": BODY, "params": {"a": 1}}])
async def test_another_request_with_the_key_is_refused(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession, other: dict[str, Any]
) -> None:
    before = await count(session, Company)
    await client.post(URL, json=BODY, headers=keyed(cast.employer))
    answer = await client.post(URL, headers=keyed(cast.employer), **other)
    assert code(answer) == (422, "idempotency_key_reused")
    assert await count(session, Company) == before + 1


async def test_keys_of_others_and_of_other_addresses_are_other_keys(
    client: httpx2.AsyncClient, cast: Cast
) -> None:
    own, rivals = [
        (await client.post(URL, json=BODY, headers=keyed(user))).json()
        for user in (cast.employer, cast.rival)
    ]
    assert own["id"] != rivals["id"]
    job = {"company_id": own["id"], "title": "Baker"}
    elsewhere = await client.post("/api/v1/jobs", json=job, headers=keyed(cast.employer))
    assert elsewhere.status_code == 201


async def test_of_twenty_at_once_one_works_and_all_get_its_answer(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    before = await count(session, Company)
    found = await asyncio.gather(
        *(client.post(URL, json=BODY, headers=keyed(cast.employer)) for _ in range(20))
    )
    assert [answer.status_code for answer in found] == [201] * 20
    assert len({answer.content for answer in found}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in found) == 1
    assert await count(session, Company) == before + 1


async def test_one_that_takes_too_long_is_not_waited_for(
    client: httpx2.AsyncClient,
    cast: Cast,
    db: Database,
    session: AsyncSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_MS", 50)
    await client.post(URL, json=BODY, headers=keyed(cast.employer))
    async with db.transaction() as other:
        await other.execute(select(KeptAnswer).with_for_update())
        answer = await client.post(URL, json=BODY, headers=keyed(cast.employer))
    assert code(answer) == (409, "idempotency_key_in_use")
    assert int(answer.headers["retry-after"]) > 0
    assert (await client.post(URL, json=BODY, headers=keyed(cast.employer))).status_code == 201


async def test_an_error_is_not_kept(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    """The same request, which was refused at first, is done when it can be."""
    members = f"{URL}/{cast.company.id}/members"
    step_back = {"email": cast.employer.actor.email, "role": "recruiter"}
    refused = await client.post(members, json=step_back, headers=keyed(cast.employer))
    assert code(refused) == (409, "last_owner")
    await make_member(session, cast.company, cast.rival, MemberRole.OWNER)
    answer = await client.post(members, json=step_back, headers=keyed(cast.employer))
    assert answer.status_code == 201


async def test_a_crash_frees_the_key(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the effect and its commit: neither the effect nor the answer is there."""
    before = await count(session, Company)

    async def crash(*_args: object, **_values: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "keep", crash)
        broken = await client.post(URL, json=BODY, headers=keyed(cast.employer))
    assert broken.status_code == 500
    assert (await count(session, Company), await count(session, KeptAnswer)) == (before, 0)
    answer = await client.post(URL, json=BODY, headers=keyed(cast.employer))
    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers


async def test_a_key_is_free_again_after_a_day(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    first = await client.post(URL, json=BODY, headers=keyed(cast.employer))
    await session.execute(update(KeptAnswer).values(created_at=now() - timedelta(hours=24)))
    await session.commit()
    fresh = await client.post(URL, json=BODY | {"name": "B"}, headers=keyed(cast.employer))
    assert (fresh.status_code, fresh.json()["name"]) == (201, "B")
    again = await client.post(URL, json=BODY | {"name": "B"}, headers=keyed(cast.employer))
    assert again.content == fresh.content != first.content


async def test_the_worker_forgets_what_is_older_than_a_day(
    client: httpx2.AsyncClient,
    cast: Cast,
    session: AsyncSession,
    settings: Settings,
    db: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idempotency, "BATCH", 2)
    for number in range(5):
        await client.post(URL, json=BODY, headers=keyed(cast.employer, f"old {number}"))
    await session.execute(update(KeptAnswer).values(created_at=now() - timedelta(hours=24)))
    await session.commit()
    await client.post(URL, json=BODY, headers=keyed(cast.employer, "new"))
    await answers.forget_old(Context(settings, db, ConsoleMailer(), Storage(settings.storage_url)))
    assert await count(session, KeptAnswer) == 1


@pytest.mark.parametrize("key", [b"", b"k" * 256, "käse".encode(), b"a\tb"])
async def test_a_key_is_1_to_255_printable_characters(
    client: httpx2.AsyncClient, cast: Cast, key: bytes
) -> None:
    token = cast.employer.headers["Authorization"].encode()
    headers = {b"Authorization": token, b"Idempotency-Key": key}
    answer = await client.post(URL, json=BODY, headers=headers)
    assert code(answer) == (422, "invalid")
    assert answer.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"


async def test_uploads_are_the_same_whatever_their_boundary(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    def files(text: str) -> dict[str, Any]:
        return {"file": ("cv.pdf", pdf(text) + b"%" * 300_000, "application/pdf")}

    url, headers = "/api/v1/resumes", keyed(cast.candidate)
    first = await client.post(url, files=files("A"), headers=headers)
    again = await client.post(url, files=files("A"), headers=headers)
    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert first.status_code == 201
    assert first.content == again.content
    other = await client.post(url, files=files("B"), headers=headers)
    assert code(other) == (422, "idempotency_key_reused")
    assert await count(session, Upload) == 1


@pytest.mark.parametrize("size", [1, 7, 64])
async def test_a_body_may_come_in_pieces_of_any_size(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession, size: int
) -> None:
    def body(boundary: str, text: str = "") -> bytes:
        head = 'Content-Disposition: form-data; name="file"; filename="cv.pdf"'
        data = pdf().decode() + text
        return f"--{boundary}\r\n{head}\r\n\r\n{data}\r\n--{boundary}--\r\n".encode()

    async def send(boundary: str, text: str = "") -> httpx2.Response:
        whole = body(boundary, text)

        async def pieces() -> Any:
            for start in range(0, len(whole), size):
                yield whole[start : start + size]

        kind = {"Content-Type": f'multipart/form-data; boundary="{boundary}"'}
        headers = keyed(cast.candidate) | kind
        return await client.post("/api/v1/resumes", content=pieces(), headers=headers)

    first, again = await send("one-boundary"), await send("another-one-entirely")
    assert first.status_code == 201
    assert again.content == first.content
    assert code(await send("one-boundary", "!")) == (422, "idempotency_key_reused")


async def test_who_leaves_amid_a_body_that_nobody_needs_is_not_waited_for(
    app: FastAPI, settings: Settings, session: AsyncSession, cast: Cast
) -> None:
    webhook = await make_webhook(session, settings, cast.employer, cast.company)
    messages = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b"{", "more_body": True},
    ]
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return messages.pop()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = {"host": "127.0.0.1", **keyed(cast.employer)}
    path = f"/api/v1/webhooks/{webhook.id}/test"
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("203.0.113.77", 4711),
        "scheme": "http",
        "http_version": "1.1",
    }
    async with asyncio.timeout(20):
        await app(scope, receive, send)
    assert statuses in ([], [202])


async def test_strangers_report_once_and_need_a_long_key(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    job = await make_job(session, cast.employer, cast.company)
    url, body = f"/api/v1/jobs/{job.id}/reports", {"reason": "scam"}
    short = await client.post(url, json=body, headers=keyed(None))
    assert code(short) == (422, "invalid")
    headers = keyed(None, str(uuid4()))
    found = [await client.post(url, json=body, headers=headers) for _ in range(2)]
    assert found[0].status_code == 201
    assert found[0].content == found[1].content
    assert await count(session, JobReport) == 1


async def test_a_sign_up_is_done_once_and_its_password_is_not_kept(
    client: httpx2.AsyncClient, session: AsyncSession
) -> None:
    headers = keyed(None, str(uuid4()))
    url = "/api/v1/auth/register"
    found = [await client.post(url, json=PERSON, headers=headers) for _ in range(2)]
    assert found[0].status_code == 201
    assert found[0].content == found[1].content
    assert (await count(session, Person), await count(session, Message)) == (1, 1)
    another = PERSON | {"password": "another long sentence"}
    other = await client.post(url, json=another, headers=headers)
    assert code(other) == (422, "idempotency_key_reused")
    [kept] = await session.scalars(select(KeptAnswer))
    assert b"quiet" not in kept.body


async def test_what_was_kept_goes_with_the_person(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession, settings: Settings
) -> None:
    someone = await make_user(session, settings)
    task = {"title": "Call"}
    made = await client.post("/api/v1/tasks", json=task, headers=keyed(someone))
    assert made.status_code == 201
    await session.delete(await session.get_one(Person, someone.id))
    await session.commit()
    assert await count(session, KeptAnswer) == 0


async def test_an_api_key_has_keys_of_its_own_and_its_secret_is_not_kept(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    company = str(cast.company.id)
    wanted = {"company_id": company, "name": "Site", "scopes": ["jobs:read", "jobs:write"]}
    first, again = [
        await client.post("/api/v1/api-keys", json=wanted, headers=keyed(cast.employer))
        for _ in range(2)
    ]
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json() | {"key": None}
    secret = first.json()["key"]
    assert not [
        kept for kept in await session.scalars(select(KeptAnswer.body)) if secret in str(kept)
    ]
    bearer = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "1"}
    job = {"company_id": company, "title": "Baker"}
    found = [await client.post("/api/v1/jobs", json=job, headers=bearer) for _ in range(2)]
    assert [answer.status_code for answer in found] == [201, 201]
    assert found[0].content == found[1].content


async def test_applying_again_with_the_key_is_no_conflict(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    job: Job = await make_job(session, cast.employer, cast.company)
    url, body = f"/api/v1/jobs/{job.id}/applications", {"cover_letter": "Hello."}
    found = await asyncio.gather(
        *(client.post(url, json=body, headers=keyed(cast.candidate)) for _ in range(2))
    )
    assert [answer.status_code for answer in found] == [201, 201]
    without = await client.post(url, json=body, headers=cast.candidate.headers)
    assert code(without) == (409, "already_applied")


async def test_who_is_shut_out_gets_no_old_answer(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    await client.post(URL, json=BODY, headers=keyed(cast.employer))
    await session.execute(update(Person).values(suspended_at=now()))
    await session.commit()
    assert (await client.post(URL, json=BODY, headers=keyed(cast.employer))).status_code == 401
    assert await count(session, CompanyMember)


# Why a POST that answers 201 does without.
EXCEPTIONS = {
    f"{PREFIX}/me/second-factor": "one each: to begin again replaces the secret, which is not kept",
}


def test_every_post_that_creates_takes_a_key(app: FastAPI) -> None:
    operations = app.openapi()["paths"]
    creating = {
        route.path
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute)
        and (route.path or "").startswith(PREFIX)
        and "POST" in (route.methods or ())
        and route.status_code == 201
    }
    assert len(creating) > 7
    takes = {
        path
        for path in creating
        for parameter in operations[path]["post"].get("parameters", ())
        if (parameter["in"], parameter["name"]) == ("header", "Idempotency-Key")
    }
    assert creating - takes == set(EXCEPTIONS)


async def test_what_is_wrong_with_a_claim_is_no_key_in_use(session: AsyncSession) -> None:
    with pytest.raises(IntegrityError):
        await idempotency.claim(session, b"an answer to nobody", uuid4())
    await session.rollback()
