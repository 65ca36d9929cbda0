"""Applications through the API: both sides, every step, every race."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.applications.models import Application, Stage
from jobboard.clock import now
from jobboard.jobs.models import Job, JobStatus
from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.factories.files import pdf
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user

pytestmark = pytest.mark.anyio
LETTER = {"cover_letter": "I rise early."}


@pytest.fixture
async def job(session: AsyncSession, cast: Cast) -> Job:
    return await make_job(session, cast.employer, cast.company)


async def apply(
    client: httpx2.AsyncClient, job: Job, user: User, resume_id: str | None = None
) -> httpx2.Response:
    body = LETTER | {"resume_id": resume_id}
    return await client.post(f"/api/v1/jobs/{job.id}/applications", json=body, headers=user.headers)


async def send_resume(client: httpx2.AsyncClient, user: User) -> str:
    file = {"file": ("cv.pdf", pdf(), "application/pdf")}
    return (await client.post("/api/v1/resumes", files=file, headers=user.headers)).json()["id"]


async def move(
    client: httpx2.AsyncClient, application_id: str, stage: str, user: User
) -> httpx2.Response:
    return await client.patch(
        f"/api/v1/applications/{application_id}", json={"stage": stage}, headers=user.headers
    )


async def test_a_double_click_applies_once(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, job: Job
) -> None:
    answers = await asyncio.gather(*(apply(client, job, cast.candidate) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    loser = next(answer for answer in answers if answer.status_code == 409)
    assert loser.json()["code"] == "already_applied"
    assert await session.scalar(select(func.count()).select_from(Application)) == 1


@pytest.mark.parametrize("status", [JobStatus.CLOSED, JobStatus.EXPIRED])
async def test_a_job_that_is_over_takes_nobody(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, status: JobStatus
) -> None:
    job = await make_job(session, cast.employer, cast.company, status=status)
    answer = await apply(client, job, cast.candidate)
    assert answer.status_code == 409
    assert answer.json()["code"] == "job_closed"


async def test_a_job_whose_time_is_over_takes_nobody_before_the_clock_says_so(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    past = now() - timedelta(minutes=1)
    job = await make_job(session, cast.employer, cast.company, expires_at=past)
    assert (await apply(client, job, cast.candidate)).json()["code"] == "job_closed"


async def test_who_cannot_apply(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, job: Job
) -> None:
    path = f"/api/v1/jobs/{job.id}/applications"
    assert (await client.post(path, json=LETTER)).status_code == 401
    assert (await apply(client, job, cast.rival)).status_code == 403
    draft = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    assert (await apply(client, draft, cast.candidate)).status_code == 404
    elsewhere = await make_job(
        session, cast.employer, cast.company, apply_url="https://jobs.example.com/7"
    )
    answer = await apply(client, elsewhere, cast.candidate)
    assert answer.status_code == 409
    assert "https://jobs.example.com/7" in answer.json()["detail"]


async def test_an_application_says_something(
    client: httpx2.AsyncClient, cast: Cast, job: Job
) -> None:
    answer = await client.post(
        f"/api/v1/jobs/{job.id}/applications",
        json={"cover_letter": "  "},
        headers=cast.candidate.headers,
    )
    assert answer.status_code == 422


async def test_a_resume_of_someone_else_is_not_sent(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    settings: Settings,
    cast: Cast,
    job: Job,
) -> None:
    other = await make_user(session, settings)
    theirs = await client.post(
        "/api/v1/resumes", files={"file": ("cv.pdf", pdf())}, headers=other.headers
    )
    answer = await client.post(
        f"/api/v1/jobs/{job.id}/applications",
        json={"resume_id": theirs.json()["id"]},
        headers=cast.candidate.headers,
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/resume_id"


async def test_who_sees_an_application(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    settings: Settings,
    cast: Cast,
    job: Job,
) -> None:
    sent = (await apply(client, job, cast.candidate)).json()
    path = f"/api/v1/applications/{sent['id']}"
    stranger = await make_user(session, settings)
    for user in (stranger, cast.rival):
        assert (await client.get(path, headers=user.headers)).status_code == 404
        assert (await client.patch(path, json={}, headers=user.headers)).status_code == 404
        assert (await client.post(f"{path}/withdraw", headers=user.headers)).status_code == 404
    listing = f"/api/v1/jobs/{job.id}/applications"
    assert (await client.get(listing, headers=cast.rival.headers)).status_code == 403
    assert (await client.get(listing, headers=cast.candidate.headers)).status_code == 403
    assert (await client.patch(path, json={}, headers=cast.candidate.headers)).status_code == 403
    assert (await client.post(f"{path}/withdraw", headers=cast.employer.headers)).status_code == 403


async def test_the_first_view_is_recorded_once_and_an_admins_is_not(
    client: httpx2.AsyncClient, cast: Cast, job: Job
) -> None:
    sent = (await apply(client, job, cast.candidate)).json()
    path = f"/api/v1/applications/{sent['id']}"
    looked = await client.get(path, headers=cast.admin.headers)
    assert looked.json()["stage"] == "submitted"
    for _ in range(2):
        await client.get(path, headers=cast.employer.headers)
    mine = (await client.get(path, headers=cast.candidate.headers)).json()
    assert [step["stage"] for step in mine["history"]] == ["submitted", "viewed"]


ALLOWED = {
    "submitted": {"viewed", "interview", "offer", "rejected"},
    "viewed": {"interview", "offer", "rejected"},
    "interview": {"offer", "rejected"},
    "offer": {"hired", "rejected"},
    "hired": set(),
    "rejected": {"viewed"},
    "withdrawn": set(),
}


@pytest.mark.parametrize("origin", Stage)
async def test_every_step_of_the_company(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, job: Job, origin: Stage
) -> None:
    sent = (await apply(client, job, cast.candidate)).json()
    application = await session.get_one(Application, sent["id"])
    for target in Stage:
        application.stage = origin
        await session.commit()
        answer = await move(client, sent["id"], target, cast.employer)
        if target in ALLOWED[origin]:
            assert answer.json()["stage"] == target
        else:
            assert answer.status_code == 409
            assert answer.json()["code"] == "application_step_impossible"
        await session.refresh(application)


@pytest.mark.parametrize("origin", Stage)
async def test_withdrawing(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, job: Job, origin: Stage
) -> None:
    sent = (await apply(client, job, cast.candidate)).json()
    application = await session.get_one(Application, sent["id"])
    application.stage = origin
    await session.commit()
    answer = await client.post(
        f"/api/v1/applications/{sent['id']}/withdraw", headers=cast.candidate.headers
    )
    active = origin in {Stage.SUBMITTED, Stage.VIEWED, Stage.INTERVIEW, Stage.OFFER}
    assert answer.status_code == (200 if active else 409)


async def test_the_company_no_longer_reads_the_resume_of_who_withdrew(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, job: Job
) -> None:
    resume = await send_resume(client, cast.candidate)
    other = await make_job(session, cast.employer, cast.company)
    path, seen = f"/api/v1/resumes/{resume}/file", []
    sent = [(await apply(client, each, cast.candidate, resume)).json() for each in (job, other)]
    for application in sent:
        address = f"/api/v1/applications/{application['id']}"
        await client.post(f"{address}/withdraw", headers=cast.candidate.headers)
        shown = (await client.get(address, headers=cast.employer.headers)).json()
        theirs = (await client.get(address, headers=cast.candidate.headers)).json()
        read = await client.get(path, headers=cast.employer.headers)
        seen.append((shown["resume_id"], read.status_code))
        assert theirs["resume_id"] == resume
    assert seen == [(None, 200), (None, 404)]  # the other one still held it, at first
    listed = await client.get(f"/api/v1/jobs/{job.id}/applications", headers=cast.employer.headers)
    assert listed.json()["items"][0]["resume_id"] is None
    for who in (cast.candidate, cast.admin):
        assert (await client.get(path, headers=who.headers)).status_code == 200


async def test_two_colleagues_at_once(client: httpx2.AsyncClient, cast: Cast, job: Job) -> None:
    sent = (await apply(client, job, cast.candidate)).json()
    answers = await asyncio.gather(
        move(client, sent["id"], "interview", cast.employer),
        move(client, sent["id"], "rejected", cast.employer),
    )
    codes = sorted(answer.status_code for answer in answers)
    mine = await client.get(f"/api/v1/applications/{sent['id']}", headers=cast.candidate.headers)
    stages = [step["stage"] for step in mine.json()["history"]]
    # Either they overlapped and one lost, or they came one after the other in a possible order.
    assert codes == [200, 409] or stages == ["submitted", "interview", "rejected"]
    assert len(stages) == 1 + codes.count(200)


async def test_a_stale_version_is_told(client: httpx2.AsyncClient, cast: Cast, job: Job) -> None:
    sent = (await apply(client, job, cast.candidate)).json()
    body = {"stage": "interview", "version": sent["version"]}
    path = f"/api/v1/applications/{sent['id']}"
    await client.get(path, headers=cast.employer.headers)  # becomes viewed: another version
    answer = await client.patch(path, json=body, headers=cast.employer.headers)
    assert answer.status_code == 409
    assert answer.json()["code"] == "edited_meanwhile"


async def test_lists_are_paged_and_filtered(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    settings: Settings,
    cast: Cast,
    job: Job,
) -> None:
    ids = []
    for _ in range(5):
        user = await make_user(session, settings)
        ids.append((await apply(client, job, user)).json()["id"])
    await move(client, ids[0], "interview", cast.employer)
    path = f"/api/v1/jobs/{job.id}/applications"
    seen: list[str] = []
    params = {"limit": "2"}
    while True:
        page = (await client.get(path, params=params, headers=cast.employer.headers)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == ids[::-1]
    only = await client.get(path, params={"stage": "interview"}, headers=cast.employer.headers)
    assert [item["id"] for item in only.json()["items"]] == ids[:1]
    own = await client.get("/api/v1/me/applications", headers=cast.candidate.headers)
    assert own.json() == {"items": [], "next_cursor": None}


async def test_colleagues_who_look_at_the_same_moment_all_see_it(
    client: httpx2.AsyncClient, cast: Cast, job: Job
) -> None:
    sent = (await apply(client, job, cast.candidate)).json()
    path = f"/api/v1/applications/{sent['id']}"
    answers = await asyncio.gather(
        *(client.get(path, headers=cast.employer.headers) for _ in range(8))
    )
    assert [answer.status_code for answer in answers] == [200] * 8
    history = (await client.get(path, headers=cast.candidate.headers)).json()["history"]
    assert [step["stage"] for step in history] == ["submitted", "viewed"]


async def test_an_admin_looks_on_but_takes_no_step(
    client: httpx2.AsyncClient, cast: Cast, job: Job
) -> None:
    sent = (await apply(client, job, cast.candidate)).json()
    await client.patch(
        f"/api/v1/applications/{sent['id']}", json={"note": "Ours"}, headers=cast.employer.headers
    )
    seen = await client.get(f"/api/v1/applications/{sent['id']}", headers=cast.admin.headers)
    assert (seen.json()["notes"], seen.json()["next_stages"]) == (None, [])
    assert (await move(client, sent["id"], "interview", cast.admin)).status_code == 403
