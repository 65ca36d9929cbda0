"""A job's life through the API: who may do what, and what the loser of a race is told."""

import asyncio
import base64
import json
import re
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies.models import Company
from jobboard.infra.postgres import Database
from jobboard.jobs.models import JobEvent, JobStatus
from tests.api.v1.conftest import Cast
from tests.factories.jobs import make_job
from tests.timing import waiting_for_locks

pytestmark = pytest.mark.anyio


async def test_pay_may_be_half_a_range_or_nothing(client: httpx2.AsyncClient, cast: Cast) -> None:
    for salary in (None, {"min": 1500, "currency": "eur", "period": "hour"}):
        body = {"company_id": str(cast.company.id), "title": "Baker", "salary": salary}
        answer = await client.post("/api/v1/jobs", json=body, headers=cast.employer.headers)
        assert answer.status_code == 201
    pay = answer.json()["salary"]
    assert (pay["min"], pay["max"], pay["currency"]) == (1500, None, "EUR")
    assert (pay["yearly_min"], pay["yearly_max"]) == (1500 * 2080, None)


async def test_a_job_made_while_its_company_is_renamed_has_the_new_name(
    client: httpx2.AsyncClient, session: AsyncSession, db: Database, cast: Cast
) -> None:
    rename = update(Company).where(Company.id == cast.company.id).values(name="New Name")
    await session.execute(rename)
    body = {"company_id": str(cast.company.id), "title": "Baker"}
    making = asyncio.create_task(
        client.post("/api/v1/jobs", json=body, headers=cast.employer.headers)
    )
    await waiting_for_locks(db)
    await session.commit()
    made = await making
    assert made.status_code == 201, made.text
    assert made.json()["company"]["name"] == "New Name"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"title": " "}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"title": "\ud800"}, "/title"),
        ({"employment_type": "slavery"}, "/employment_type"),
        ({"salary": {"min": 5, "max": 4, "currency": "EUR"}}, "/salary"),
        ({"salary": {"currency": "EUR"}}, "/salary"),
        ({"salary": {"min": 5, "currency": "XXQ"}}, "/salary/currency"),
        ({"salary": {"min": -5, "currency": "EUR"}}, "/salary/min"),
        ({"salary": {"min": 10**15, "currency": "EUR"}}, "/salary/min"),
        ({"tags": ["x"] * 21}, "/tags"),
        ({"tags": ["x" * 51]}, "/tags/0"),
        ({"apply_url": "javascript:alert(1)"}, "/apply_url"),
        ({"apply_url": "https://user@example.com/"}, "/apply_url"),
        ({"apply_url": "http://[::1"}, "/apply_url"),
        ({"company_id": "7"}, "/company_id"),
        ({"status": "published"}, "/status"),
    ],
)
async def test_a_job_that_cannot_be_is_refused_with_the_place(
    client: httpx2.AsyncClient, cast: Cast, change: dict[str, Any], pointer: str
) -> None:
    body = {"company_id": str(cast.company.id), "title": "Baker"} | change
    answer = await client.post(
        "/api/v1/jobs",
        content=json.dumps(body),  # escapes what UTF-8 cannot hold
        headers=cast.employer.headers | {"Content-Type": "application/json"},
    )
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_only_its_own_people_see_and_touch_a_draft(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    path = f"/api/v1/jobs/{job.id}"
    assert (await client.get(path, headers=cast.employer.headers)).status_code == 200
    assert (await client.get(path, headers=cast.admin.headers)).status_code == 200
    for headers in ({}, cast.rival.headers, cast.candidate.headers):
        assert (await client.get(path, headers=headers)).status_code == 404
    for headers in (cast.rival.headers, cast.candidate.headers):
        assert (await client.patch(path, json={}, headers=headers)).status_code == 404
        assert (await client.delete(path, headers=headers)).status_code == 404
        assert (await client.post(f"{path}/submit", headers=headers)).status_code == 404
    assert (await client.patch(path, json={})).status_code == 401


async def test_a_public_job_is_not_a_rivals_to_change(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(session, cast.employer, cast.company)
    path = f"/api/v1/jobs/{job.id}"
    body = {"title": "Taken over"}
    answer = await client.patch(path, json=body, headers=cast.rival.headers)
    assert answer.status_code == 403
    assert (await client.post(f"{path}/close", headers=cast.rival.headers)).status_code == 403
    assert (await client.get(path)).json()["title"] == "Baker"


async def test_nobody_posts_for_a_company_of_others(client: httpx2.AsyncClient, cast: Cast) -> None:
    body = {"company_id": str(cast.company.id), "title": "Baker"}
    for headers in (cast.rival.headers, cast.candidate.headers):
        assert (await client.post("/api/v1/jobs", json=body, headers=headers)).status_code == 403
    body["company_id"] = str(uuid4())
    answer = await client.post("/api/v1/jobs", json=body, headers=cast.employer.headers)
    assert answer.status_code == 404


STEPS = {
    "submit": {"draft": "pending", "rejected": "pending"},
    "close": {"pending": "closed", "published": "closed"},
    "reopen": {"closed": "published", "expired": "published"},
    "approve": {"pending": "published"},
    "reject": {"pending": "rejected"},
    "remove": {s: "removed" for s in JobStatus if s not in ("draft", "removed")},
    "restore": {"rejected": "pending", "removed": "pending"},
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("status", JobStatus)
async def test_every_step_from_every_state(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, step: str, status: JobStatus
) -> None:
    job = await make_job(session, cast.employer, cast.company, status=status)
    by_admin = step in ("approve", "reject", "remove", "restore")
    door = "/api/v1/admin/jobs" if by_admin else "/api/v1/jobs"
    answer = await client.post(
        f"{door}/{job.id}/{step}",
        json={"reason": "Please name the pay."} if step in ("reject", "remove") else None,
        headers=cast.admin.headers if by_admin else cast.employer.headers,
    )
    target = STEPS[step].get(status)
    if target is None:
        assert answer.status_code == 409
        assert answer.json()["code"] == "job_step_impossible"
        assert "Possible now: " in answer.json()["detail"]
    else:
        assert answer.json()["status"] == target
        events = (await session.scalars(select(JobEvent.step))).all()
        assert events == [step]


async def test_employers_and_candidates_do_not_moderate(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(session, cast.employer, cast.company, status=JobStatus.PENDING)
    for user in (cast.employer, cast.candidate):
        for step in ("approve", "reject", "remove"):
            answer = await client.post(
                f"/api/v1/admin/jobs/{job.id}/{step}", json={"reason": "x"}, headers=user.headers
            )
            assert answer.status_code == 403
        for path in ("/jobs", "/reports", "/people"):
            answer = await client.get(f"/api/v1/admin{path}", headers=user.headers)
            assert answer.status_code == 403


async def test_two_approvals_at_once_have_one_winner(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(session, cast.employer, cast.company, status=JobStatus.PENDING)
    path = f"/api/v1/admin/jobs/{job.id}/approve"
    answers = await asyncio.gather(
        *(client.post(path, headers=cast.admin.headers) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert len((await session.scalars(select(JobEvent))).all()) == 1


async def test_the_second_of_two_edits_is_told(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    path = f"/api/v1/jobs/{job.id}"
    read = (await client.get(path, headers=cast.employer.headers)).json()["version"]
    first = await client.patch(
        path, json={"title": "First", "version": read}, headers=cast.employer.headers
    )
    assert first.json()["version"] == read + 1
    second = await client.patch(
        path, json={"title": "Second", "version": read}, headers=cast.employer.headers
    )
    assert second.status_code == 409
    assert second.json()["code"] == "edited_meanwhile"
    assert (await client.get(path, headers=cast.employer.headers)).json()["title"] == "First"


async def test_a_moderator_approves_only_what_they_read(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(session, cast.employer, cast.company, status=JobStatus.PENDING)
    path = f"/api/v1/jobs/{job.id}"
    read = (await client.get(path, headers=cast.admin.headers)).json()["version"]
    change = {"description": "Now something else."}
    await client.patch(path, json=change, headers=cast.employer.headers)
    answer = await client.post(
        f"/api/v1/admin/jobs/{job.id}/approve?version={read}", headers=cast.admin.headers
    )
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"title": "Baker and poet"}, "pending"),
        ({"salary": {"min": 1, "currency": "EUR"}}, "pending"),
        ({"apply_url": "https://elsewhere.example.com/"}, "pending"),
        ({"tags": ["new"]}, "published"),
        ({"experience": "senior"}, "published"),
        ({"title": "Baker"}, "published"),  # the same as before
        ({}, "published"),
    ],
)
async def test_an_edit_that_matters_goes_back_to_the_moderators(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    cast: Cast,
    change: dict[str, Any],
    status: str,
) -> None:
    job = await make_job(session, cast.employer, cast.company)
    answer = await client.patch(
        f"/api/v1/jobs/{job.id}", json=change, headers=cast.employer.headers
    )
    assert answer.json()["status"] == status


async def test_null_clears_and_absent_keeps(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(
        session,
        cast.employer,
        cast.company,
        location="Hamburg, Germany",
        salary={"min": 100, "currency": "EUR"},
        status=JobStatus.DRAFT,
    )
    path = f"/api/v1/jobs/{job.id}"
    kept = await client.patch(path, json={"title": "Miller"}, headers=cast.employer.headers)
    assert kept.json()["location"] == "Hamburg, Germany"
    assert kept.json()["salary"]["min"] == 100
    cleared = await client.patch(
        path, json={"location": None, "salary": None}, headers=cast.employer.headers
    )
    assert cleared.json()["location"] is None
    assert cleared.json()["country"] is None
    assert cleared.json()["salary"] is None


async def test_reopening_a_changed_job_asks_the_moderators(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(session, cast.employer, cast.company, status=JobStatus.CLOSED)
    path = f"/api/v1/jobs/{job.id}"
    await client.patch(path, json={"title": "Other work"}, headers=cast.employer.headers)
    answer = await client.post(f"{path}/reopen", headers=cast.employer.headers)
    assert answer.json()["status"] == "pending"


async def test_a_job_without_a_text_is_not_submitted(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(
        session, cast.employer, cast.company, status=JobStatus.DRAFT, description=" "
    )
    path = f"/api/v1/jobs/{job.id}/submit"
    answer = await client.post(path, headers=cast.employer.headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/description"


async def test_drafts_are_deleted_and_public_jobs_are_not(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    draft = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    public = await make_job(session, cast.employer, cast.company)
    headers = cast.employer.headers
    assert (await client.delete(f"/api/v1/jobs/{draft.id}", headers=headers)).status_code == 204
    assert (await client.get(f"/api/v1/jobs/{draft.id}", headers=headers)).status_code == 404
    assert (await client.delete(f"/api/v1/jobs/{public.id}", headers=headers)).status_code == 409


async def test_hostile_markdown_and_html_come_out_harmless(
    client: httpx2.AsyncClient, cast: Cast
) -> None:
    text = (
        "<script>alert(1)</script> [x](javascript:alert(1)) "
        '<img src=x onerror=alert(1)> **fine** <a href="data:text/html,x">y</a>'
    )
    body = {"company_id": str(cast.company.id), "title": "<b>Bold</b>", "description": text}
    job = (await client.post("/api/v1/jobs", json=body, headers=cast.employer.headers)).json()
    assert job["title"] == "<b>Bold</b>"
    assert job["description"] == text
    html = job["description_html"]
    assert "<strong>fine</strong>" in html
    tags = set(re.findall(r"<[^>]*>", html))
    assert tags <= {"<p>", "</p>", "<strong>", "</strong>"}


async def test_reports_reach_the_moderators_and_a_decision_answers_them(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(session, cast.employer, cast.company)
    path = f"/api/v1/jobs/{job.id}/reports"
    assert (await client.post(path, json={"reason": "scam"})).status_code == 201
    for note in ("first", "second thoughts"):
        body = {"reason": "wrong", "note": note}
        answer = await client.post(path, json=body, headers=cast.candidate.headers)
        assert answer.status_code == 201
    reports = await client.get("/api/v1/admin/reports", headers=cast.admin.headers)
    assert [item["note"] for item in reports.json()["items"]] == ["", "second thoughts"]
    await client.post(
        f"/api/v1/admin/jobs/{job.id}/remove",
        json={"reason": "A scam."},
        headers=cast.admin.headers,
    )
    reports = await client.get("/api/v1/admin/reports", headers=cast.admin.headers)
    assert reports.json()["items"] == []
    assert (await client.get(f"/api/v1/jobs/{job.id}")).status_code == 404


async def test_a_companys_new_name_follows_its_jobs(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    await make_job(session, cast.employer, cast.company)
    await client.patch(
        f"/api/v1/companies/{cast.company.id}",
        json={"name": "Zwieback Works"},
        headers=cast.employer.headers,
    )
    found = (await client.get("/api/v1/jobs", params={"q": "zwieback"})).json()
    assert found["items"][0]["company"]["name"] == "Zwieback Works"


async def test_the_queue_is_paged_longest_waiting_first(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    jobs = [
        await make_job(session, cast.employer, cast.company, status=JobStatus.PENDING)
        for _ in range(5)
    ]
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await client.get("/api/v1/admin/jobs", params=params, headers=cast.admin.headers)
        seen += [item["job"]["id"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    assert seen == [str(job.id) for job in jobs]
    for wrong in ("x", "W10", "WyJhIiwiYiJd", "%00", "é"):
        params = {"cursor": wrong}
        answer = await client.get("/api/v1/admin/jobs", params=params, headers=cast.admin.headers)
        assert answer.status_code == 422


async def test_a_job_closed_before_its_approval_reopens_as_pending(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(session, cast.employer, cast.company, status=JobStatus.PENDING)
    path = f"/api/v1/jobs/{job.id}"
    await client.post(f"{path}/close", headers=cast.employer.headers)
    answer = await client.post(f"{path}/reopen", headers=cast.employer.headers)
    assert answer.json()["status"] == "pending"
    statuses = await session.scalars(select(JobEvent.status).order_by(JobEvent.id))
    assert statuses.all() == [JobStatus.CLOSED, JobStatus.PENDING]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/me/applications", ["0001-01-01T00:00:00+14:00", str(uuid4())]),
        ("/admin/jobs", ["9999-12-31T23:59:59-14:00", str(uuid4())]),
        ("/admin/reports", ["2026-01-01T00:00:00", str(uuid4())]),
        ("/admin/people", ["2026-01-01T00:00:00Z", "7"]),
        ("/companies", ["\ud800", str(uuid4())]),
        ("/companies", ["\x00", str(uuid4())]),
        ("/companies", ["a", 7]),
    ],
)
async def test_forged_cursors_are_refused(
    client: httpx2.AsyncClient, cast: Cast, path: str, key: list[object]
) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
    answer = await client.get(
        f"/api/v1{path}", params={"cursor": cursor}, headers=cast.admin.headers
    )
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_cursor"
    assert answer.json()["errors"][0]["pointer"] == "/query/cursor"
