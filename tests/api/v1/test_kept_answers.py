"""What is kept of jobs: every step that changes one shows at once, whichever process is asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.applications.models import Application
from jobboard.asgi import create_app
from jobboard.clock import now
from jobboard.infra.postgres import Database
from jobboard.jobs import expiry
from jobboard.jobs.importing.service import import_jobs
from jobboard.jobs.models import Job, JobStatus
from jobboard.privacy import erasure
from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.conftest import BASE_URL
from tests.factories.jobs import make_job
from tests.factories.wallets import make_wallet
from tests.jobs.test_importing import AD, rows
from tests.statements import statements
from tests.web.browser import Browser, log_in

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient


@pytest.fixture(scope="module")
async def other_app(settings: Settings) -> AsyncIterator[FastAPI]:
    """Another web process of the same board."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def other(other_app: FastAPI, clean: None) -> AsyncIterator[Client]:
    transport = httpx2.ASGITransport(app=other_app)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


@dataclass(frozen=True)
class Stage:
    """A job, who may do what to it here, and who looks from there."""

    here: Client
    there: Client
    cast: Cast
    job: Job
    db: Database
    settings: Settings

    async def seen(self) -> tuple[str, int, str]:
        """The search, the search page and the job's page, as another process gives them."""
        found = await self.there.get("/api/v1/jobs")
        listed = await self.there.get("/")
        page = await self.there.get(f"/jobs/{self.job.slug}")
        items = ", ".join(
            f"{item['title']} at {item['company']['name']} {item['tags']} {item['featured']}"
            for item in found.json()["items"]
        )
        return items, page.status_code, listed.text + page.text

    async def post(self, step: str, **body: str) -> None:
        user = self.cast.admin if step.startswith("admin") else self.cast.employer
        path = step.format(id=self.job.id)
        answer = await self.here.post(f"/api/v1/{path}", json=body or None, headers=user.headers)
        assert answer.is_success, answer.text

    async def patch(self, **changes: object) -> None:
        headers = self.cast.employer.headers
        answer = await self.here.patch(f"/api/v1/jobs/{self.job.id}", json=changes, headers=headers)
        assert answer.is_success, answer.text


@pytest.fixture
async def stage(
    client: Client,
    other: Client,
    session: AsyncSession,
    cast: Cast,
    db: Database,
    settings: Settings,
) -> Stage:
    job = await make_job(session, cast.employer, cast.company, title="Baker")
    await make_wallet(session, company=cast.company.id, holds=100_000)
    return Stage(client, other, cast, job, db, settings)


async def close(stage: Stage) -> None:
    await stage.post("jobs/{id}/close")


async def close_and_reopen(stage: Stage) -> None:
    await close(stage)
    assert "This job is closed" in (await stage.seen())[2]
    await stage.post("jobs/{id}/reopen")


async def tag(stage: Stage) -> None:
    await stage.patch(tags=["rye"])


async def retitle(stage: Stage) -> None:
    await stage.patch(title="Head baker")


async def retitle_and_approve(stage: Stage) -> None:
    await retitle(stage)
    assert (await stage.seen())[:2] == ("", 404)
    await stage.post("admin/jobs/{id}/approve")


async def remove(stage: Stage) -> None:
    await stage.post("admin/jobs/{id}/remove", reason="A scam.")


async def feature(stage: Stage) -> None:
    headers = stage.cast.employer.headers | {"Idempotency-Key": str(uuid4())}
    path = f"/api/v1/jobs/{stage.job.id}/features"
    assert (await stage.here.post(path, json={"days": 1}, headers=headers)).status_code == 201


async def rename(stage: Stage) -> None:
    path = f"/api/v1/companies/{stage.cast.company.id}"
    headers = stage.cast.employer.headers
    answer = await stage.here.patch(path, json={"name": "Mill & Sons"}, headers=headers)
    assert answer.is_success, answer.text


async def expire(stage: Stage) -> None:
    async with stage.db.transaction() as session:
        past = now() - timedelta(seconds=1)
        await session.execute(text("UPDATE jobs SET expires_at = :at"), {"at": past})
        assert await expiry.expire_due(session) == 1


async def erase(stage: Stage) -> None:
    async with stage.db.transaction() as session:
        await erasure.erase(session, stage.cast.employer.actor)


async def bring(stage: Stage) -> None:
    async with stage.db.transaction() as session:
        assert (await import_jobs(session, rows(AD), stage.settings)).created == 1


STEPS: dict[Callable[[Stage], Awaitable[None]], tuple[str, int, str]] = {
    close: ("", 200, "This job is closed"),
    close_and_reopen: ("Baker at {company} [] False", 200, "Open until"),
    tag: ("Baker at {company} ['rye'] False", 200, "rye"),
    retitle: ("", 404, "no such job"),
    retitle_and_approve: ("Head baker at {company} [] False", 200, "Head baker"),
    remove: ("", 404, "no such job"),
    feature: ("Baker at {company} [] True", 200, "Baker"),
    rename: ("Baker at Mill & Sons [] False", 200, "Mill &amp; Sons"),
    expire: ("", 200, "This job is closed"),
    erase: ("", 200, "This job is closed"),
    bring: (
        "Baker at {company} [] False, Senior Baker at Harbour Bakery [] False",
        200,
        "Senior Baker",
    ),
}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
async def test_a_step_shows_at_once_in_another_process(
    stage: Stage, step: Callable[[Stage], Awaitable[None]]
) -> None:
    company = stage.cast.company.name
    before = await stage.seen()
    assert before[:2] == (f"Baker at {company} [] False", 200)
    assert await stage.seen() == before  # from what is kept
    await step(stage)
    items, status, words = STEPS[step]
    found, answered, shown = await stage.seen()
    assert (found, answered) == (items.format(company=company), status)
    assert words in shown


async def test_what_no_page_of_a_job_shows_takes_none_away(
    stage: Stage, other_app: FastAPI
) -> None:
    before = await stage.seen()
    headers = stage.cast.employer.headers
    path = f"/api/v1/companies/{stage.cast.company.id}"
    words = {"description": "Since 1871."}
    assert (await stage.here.patch(path, json=words, headers=headers)).is_success
    other = {"name": "Mill"}
    assert (await stage.here.post("/api/v1/companies", json=other, headers=headers)).is_success
    with statements(other_app.state.engines.database) as asked:
        assert await stage.seen() == before
    assert asked == []
    website = {"website": "https://mill.example.com"}
    assert (await stage.here.patch(path, json=website, headers=headers)).is_success
    assert website["website"] in (await stage.seen())[2]


async def test_two_hundred_clients_on_a_cold_address_make_one_search(
    client: Client,
    other: Client,
    session: AsyncSession,
    cast: Cast,
    db: Database,
    other_app: FastAPI,
) -> None:
    job = await make_job(session, cast.employer, cast.company)
    # On the page of a job are jobs like it, kept by themselves.
    for address, most in (("/api/v1/jobs", 4), ("/", 4), (f"/jobs/{job.slug}", 1 + 3)):
        with statements(db) as asked, statements(other_app.state.engines.database) as too:
            crowd = [(client, other)[number % 2].get(address) for number in range(200)]
            answers = await asyncio.gather(*crowd)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        assert 1 <= len(asked) + len(too) <= most, address


async def test_what_is_private_is_never_kept(
    client: Client, session: AsyncSession, settings: Settings, cast: Cast
) -> None:
    draft = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    owner = await log_in(client, session, settings, cast.employer)
    assert (await owner.get(f"/jobs/{draft.slug}")).status == 200
    assert (await client.get(f"/jobs/{draft.slug}")).status_code == 404
    job = await make_job(session, cast.employer, cast.company, title="Miller")
    session.add(Application(job_id=job.id, person_id=cast.candidate.id, cover_letter="Me!"))
    await session.commit()
    seeker = await log_in(client, session, settings, cast.candidate)
    for reader, applied in ((seeker, True), (Browser(client), False), (owner, False)):
        page = await reader.get(f"/jobs/{job.slug}")
        assert ("You applied" in page.text) is applied
        assert page.headers["cache-control"] == ("no-store" if reader is owner else "no-cache")


async def test_where_it_is_switched_off_the_database_is_asked_each_time(
    settings: Settings, clean: None
) -> None:
    app = create_app(settings.model_copy(update={"cache": "off"}))
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            with statements(app.state.engines.database) as asked:
                for _ in range(2):
                    await client.get("/api/v1/jobs")
            assert len(asked) == 4
            metrics = (await client.get("/metrics")).text
    assert 'jobboard_cache_answers_total{from="bypassed"} 2.0' in metrics
