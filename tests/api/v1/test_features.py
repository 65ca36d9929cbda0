"""Featured jobs: paid for, first in lists, alike for all who pay, and paid back when removed."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard import clock
from jobboard.clock import now
from jobboard.infra.postgres import Database
from jobboard.jobs import featuring
from jobboard.jobs.models import Job, JobStatus
from jobboard.wallet import service as wallet
from tests.api.v1.conftest import Cast
from tests.factories.companies import make_company, make_member
from tests.factories.jobs import make_job
from tests.factories.people import User
from tests.factories.wallets import make_wallet
from tests.timing import waiting_for_locks

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient


def once(user: User, key: str = "") -> dict[str, str]:
    return user.headers | {"Idempotency-Key": key or str(uuid4())}


async def feature(client: Client, user: User, job: Job, days: int = 1, key: str = "") -> Any:
    url = f"/api/v1/jobs/{job.id}/features"
    return await client.post(url, json={"days": days}, headers=once(user, key))


async def pages(client: Client, **asked: Any) -> list[list[dict[str, Any]]]:
    found = []
    while True:
        page = (await client.get("/api/v1/jobs", params=asked)).json()
        found.append(page["items"])
        if page["next_cursor"] is None:
            return found
        asked["cursor"] = page["next_cursor"]


@pytest.fixture
async def jobs(session: AsyncSession, cast: Cast) -> list[Job]:
    """Twelve live jobs, the oldest first."""
    return [
        await make_job(
            session,
            cast.employer,
            cast.company,
            title=f"Baker {number}",
            published_at=now() - timedelta(hours=24 - number),
        )
        for number in range(12)
    ]


@pytest.fixture
async def rich(session: AsyncSession, cast: Cast) -> str:
    wallet = await make_wallet(session, company=cast.company.id, holds=100_000)
    return str(wallet.id)


async def held(client: Client, user: User, wallet: str) -> int:
    return (await client.get(f"/api/v1/wallets/{wallet}", headers=user.headers)).json()["balance"]


async def test_a_company_pays_for_a_job_to_stand_first(
    client: Client, cast: Cast, jobs: list[Job], rich: str
) -> None:
    answer = await feature(client, cast.employer, jobs[0], days=7, key="week")
    assert answer.status_code == 201, answer.text
    assert (answer.json()["amount"], answer.json()["currency"]) == (3500, "EUR")
    again = await feature(client, cast.employer, jobs[0], days=7, key="week")
    assert again.json() == answer.json()
    assert await held(client, cast.employer, rich) == 96_500
    first = (await client.get("/api/v1/jobs", params={"limit": 5})).json()
    assert [job["title"] for job in first["items"]] == [
        "Baker 0",
        *(f"Baker {number}" for number in (11, 10, 9, 8)),
    ]
    assert [job["featured"] for job in first["items"]] == [True, *[False] * 4]
    assert first["total"] == {"value": 12, "relation": "eq"}
    entries = await client.get(f"/api/v1/wallets/{rich}/entries", headers=cast.employer.headers)
    assert entries.json()["items"][0]["memo"] == "7 days first in lists: Baker 0"


@pytest.mark.parametrize("sort", ["newest", "relevance", "salary"])
async def test_pages_show_each_job_once(
    client: Client, cast: Cast, jobs: list[Job], rich: str, sort: str
) -> None:
    assert rich
    for job in jobs[:5]:
        assert (await feature(client, cast.employer, job)).status_code == 201
    found = await pages(client, limit=4, sort=sort, q="baker")
    assert [len(page) for page in found] == [4, 4, 4]
    assert [job["featured"] for job in found[0]] == [*[True] * 3, False]
    shown = Counter(job["id"] for page in found for job in page)
    assert shown == Counter(str(job.id) for job in jobs)
    marked = {job["title"] for page in found for job in page if job["featured"]}
    assert marked == {job.title for job in jobs[:5]}


async def test_only_what_fits_the_search_stands_first(
    client: Client, cast: Cast, jobs: list[Job], rich: str, session: AsyncSession
) -> None:
    assert rich
    cook = await make_job(session, cast.employer, cast.company, title="Cook", location="Paris")
    await feature(client, cast.employer, cook)
    found = (await client.get("/api/v1/jobs", params={"q": "baker 3"})).json()["items"]
    assert [job["title"] for job in found if job["featured"]] == []
    (alone,) = (await client.get("/api/v1/jobs", params={"q": "cook"})).json()["items"]
    assert alone["featured"] is True
    one = (await client.get("/api/v1/jobs", params={"limit": 1})).json()
    assert len(one["items"]) == 1
    assert len(jobs) == 12


async def test_all_who_pay_stand_first_as_often(
    client: Client, cast: Cast, jobs: list[Job], rich: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rich
    for job in jobs[:6]:
        await feature(client, cast.employer, job, days=1)
    counts: Counter[str] = Counter()
    begin, turns = now(), 100
    for turn in range(turns):
        moment = begin + timedelta(seconds=featuring.TURN * turn)
        monkeypatch.setattr(featuring, "now", lambda moment=moment: moment)
        page = (await client.get("/api/v1/jobs", params={"limit": 4})).json()["items"]
        counts.update(job["title"] for job in page if job["featured"])
    assert sum(counts.values()) == 3 * turns
    assert len(counts) == 6
    # Each turn is a draw of its own, three of six: chance alone goes so far in one of a million.
    assert min(counts.values()) > 0.5 * turns / 2
    assert max(counts.values()) < 1.5 * turns / 2


async def test_days_end(
    client: Client, cast: Cast, jobs: list[Job], rich: str, session: AsyncSession
) -> None:
    assert rich
    await feature(client, cast.employer, jobs[0])
    await session.refresh(jobs[0])
    jobs[0].featured_until = now() - timedelta(seconds=1)
    await session.commit()
    first = (await client.get("/api/v1/jobs")).json()["items"][0]
    assert (first["title"], first["featured"]) == ("Baker 11", False)


async def test_more_days_come_after_those_paid_for(
    client: Client, cast: Cast, jobs: list[Job], rich: str
) -> None:
    assert rich
    one = (await feature(client, cast.employer, jobs[0], days=20)).json()
    two = (await feature(client, cast.employer, jobs[0], days=5)).json()
    assert two["starts_at"] == one["ends_at"]
    long = await feature(client, cast.employer, jobs[0], days=6)
    assert (long.status_code, long.json()["code"]) == (422, "featured_too_long")


async def test_what_cannot_be_featured(
    client: Client, cast: Cast, jobs: list[Job], session: AsyncSession
) -> None:
    poor = await feature(client, cast.employer, jobs[0], days=2)
    assert (poor.status_code, poor.json()["shortfall"]) == (409, 1000)
    draft = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    answer = await feature(client, cast.employer, draft)
    assert (answer.status_code, answer.json()["code"]) == (409, "job_not_live")
    for days in (0, 91, -1):
        assert (await feature(client, cast.employer, jobs[0], days=days)).status_code == 422
    stranger = await feature(client, cast.rival, jobs[0])
    assert (stranger.status_code, stranger.json()["code"]) == (403, "not_a_member")


async def test_a_removal_pays_whole_days_back(
    client: Client, cast: Cast, jobs: list[Job], rich: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await feature(client, cast.employer, jobs[0], days=10)
    await feature(client, cast.employer, jobs[0], days=5)
    assert await held(client, cast.employer, rich) == 100_000 - 15 * 500
    later = now() + timedelta(days=3, hours=1)
    monkeypatch.setattr(featuring, "now", lambda: later)
    url = f"/api/v1/admin/jobs/{jobs[0].id}/remove"
    gone = await client.post(url, json={"reason": "A scam."}, headers=cast.admin.headers)
    assert gone.status_code == 200, gone.text
    assert gone.json()["featured_until"] is None
    assert await held(client, cast.employer, rich) == 100_000 - 4 * 500
    entries = await client.get(f"/api/v1/wallets/{rich}/entries", headers=cast.employer.headers)
    back = [e["amount"] for e in entries.json()["items"] if e["kind"] == "refund"]
    assert sorted(back) == [6 * 500, 5 * 500][::-1]
    monkeypatch.setattr(featuring, "now", clock.now)
    restored = f"/api/v1/admin/jobs/{jobs[0].id}/restore"
    await client.post(restored, headers=cast.admin.headers)
    await client.post(url, json={"reason": "A scam."}, headers=cast.admin.headers)
    assert await held(client, cast.employer, rich) == 100_000 - 4 * 500


async def test_a_removal_pays_back_what_is_bought_meanwhile(
    client: Client, cast: Cast, jobs: list[Job], rich: str, session: AsyncSession, db: Database
) -> None:
    await session.execute(text("SELECT FROM wallets WHERE board = 'revenue' FOR UPDATE"))
    buying = asyncio.create_task(feature(client, cast.employer, jobs[0], days=3))
    await waiting_for_locks(db)
    url = f"/api/v1/admin/jobs/{jobs[0].id}/remove"
    removing = asyncio.create_task(
        client.post(url, json={"reason": "A scam."}, headers=cast.admin.headers)
    )
    await waiting_for_locks(db, 2)
    await session.commit()
    assert [(await each).status_code for each in (buying, removing)] == [201, 200]
    assert await held(client, cast.employer, rich) == 99_500  # the day that began is used


async def test_a_job_that_is_sent_back_has_its_days_paid_back(
    client: Client, cast: Cast, jobs: list[Job], rich: str
) -> None:
    await feature(client, cast.employer, jobs[0], days=3)
    job = f"/api/v1/jobs/{jobs[0].id}"
    tag = (await client.get(job, headers=cast.employer.headers)).headers["etag"]
    edited = await client.patch(
        job, json={"title": "Thief"}, headers=cast.employer.headers | {"If-Match": tag}
    )
    assert edited.json()["status"] == "pending"
    url = f"/api/v1/admin/jobs/{jobs[0].id}/reject"
    back = await client.post(url, json={"reason": "No thieves."}, headers=cast.admin.headers)
    assert (back.status_code, back.json()["featured_until"]) == (200, None)
    assert await held(client, cast.employer, rich) == 99_500  # the day that began is used


async def test_what_was_reversed_is_not_paid_back_again(
    client: Client, cast: Cast, jobs: list[Job], rich: str, session: AsyncSession
) -> None:
    paid = (await feature(client, cast.employer, jobs[0], days=10)).json()
    url = f"/api/v1/admin/transfers/{paid['transfer_id']}/reverse"
    assert (await client.post(url, json={}, headers=once(cast.admin))).status_code == 201
    # One that was reversed without a word to the job, as when only credits were known.
    again = (await feature(client, cast.employer, jobs[0], days=10)).json()
    await wallet.reverse(session, cast.admin.actor, UUID(again["transfer_id"]), "")
    await session.commit()
    gone = f"/api/v1/admin/jobs/{jobs[0].id}/remove"
    answer = await client.post(gone, json={"reason": "A scam."}, headers=cast.admin.headers)
    assert answer.status_code == 200
    assert await held(client, cast.employer, rich) == 100_000


async def test_days_that_are_used_up_are_neither_paid_back_nor_ended(
    client: Client, cast: Cast, jobs: list[Job], rich: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = (await feature(client, cast.employer, jobs[0], days=1)).json()
    await feature(client, cast.employer, jobs[1], days=1)
    soon = now() + timedelta(hours=23)
    monkeypatch.setattr(featuring, "now", lambda: soon)
    gone = f"/api/v1/admin/jobs/{jobs[1].id}/remove"
    answer = await client.post(gone, json={"reason": "A scam."}, headers=cast.admin.headers)
    assert answer.json()["featured_until"] is None
    assert await held(client, cast.employer, rich) == 99_000
    later = now() + timedelta(days=2)
    monkeypatch.setattr(featuring, "now", lambda: later)
    url = f"/api/v1/admin/transfers/{over['transfer_id']}/reverse"
    assert (await client.post(url, json={}, headers=once(cast.admin))).status_code == 201
    assert await held(client, cast.employer, rich) == 99_500


async def test_days_end_with_the_payment_that_an_admin_reverses(
    client: Client, cast: Cast, jobs: list[Job], rich: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = [(await feature(client, cast.employer, jobs[0], days=days)).json() for days in (5, 4, 1)]
    passed = now() + timedelta(days=2)
    monkeypatch.setattr(featuring, "now", lambda: passed)

    async def until_after_reversal(number: int) -> Any:
        url = f"/api/v1/admin/transfers/{paid[number]['transfer_id']}/reverse"
        answer = await client.post(url, json={}, headers=once(cast.admin))
        assert answer.status_code == 201, answer.text
        job = await client.get(f"/api/v1/jobs/{jobs[0].id}", headers=cast.employer.headers)
        moment = job.json()["featured_until"]
        return moment and datetime.fromisoformat(moment) - passed

    assert await until_after_reversal(0) == timedelta(days=5)  # the others begin at once
    assert await until_after_reversal(1) == timedelta(days=1)
    assert await until_after_reversal(2) is None
    assert await held(client, cast.employer, rich) == 100_000
    assert (await feature(client, cast.employer, jobs[0])).status_code == 201


async def test_a_recruiter_spends_up_to_a_limit(
    client: Client, cast: Cast, jobs: list[Job], rich: str, session: AsyncSession
) -> None:
    other = await make_company(session, cast.rival)
    theirs = await make_wallet(session, company=other.id)
    members = f"/api/v1/companies/{cast.company.id}/members"
    email = cast.rival.actor.email
    await make_member(session, cast.company, cast.rival)

    async def trust(**given: Any) -> dict[str, Any]:
        body = {"email": email, "role": "recruiter"} | given
        answer = await client.post(members, json=body, headers=cast.employer.headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    assert (await trust())["spending_limit"] == 0
    refused = await feature(client, cast.rival, jobs[0])
    assert (refused.status_code, refused.json()["code"]) == (404, "wallet_not_found")
    hidden = await client.get(f"/api/v1/wallets/{rich}", headers=cast.rival.headers)
    assert hidden.status_code == 404
    assert (await trust(spending_limit=1200))["spending_limit"] == 1200
    assert (await trust())["spending_limit"] == 1200
    assert (await feature(client, cast.rival, jobs[0])).status_code == 201
    payment = {"from_wallet_id": rich, "to_wallet_id": str(theirs.id), "currency": "EUR"}
    url = "/api/v1/transfers"
    sent = await client.post(url, json=payment | {"amount": 700}, headers=once(cast.rival))
    assert sent.status_code == 201
    more = await client.post(url, json=payment | {"amount": 1}, headers=once(cast.rival))
    assert (more.status_code, more.json()["code"]) == (409, "spending_limit_exceeded")
    assert await held(client, cast.employer, rich) == 100_000 - 1200
    assert (await feature(client, cast.employer, jobs[1])).status_code == 201  # owners may
    back = f"/api/v1/admin/transfers/{sent.json()['id']}/reverse"
    await client.post(back, json={}, headers=once(cast.admin))
    again = await client.post(url, json=payment | {"amount": 700}, headers=once(cast.rival))
    assert again.status_code == 201
    wrong = await client.post(
        members, json={"email": email, "spending_limit": -1}, headers=cast.employer.headers
    )
    assert wrong.status_code == 422
    listed = (await client.get(members, headers=cast.employer.headers)).json()["items"]
    assert {each["role"]: each["spending_limit"] for each in listed} == {
        "owner": None,
        "recruiter": 1200,
    }
