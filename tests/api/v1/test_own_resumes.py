"""Résumés of one's own: listed, counted, taken back, kept while a company needs them."""

import asyncio
from typing import Any

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.api.v1.conftest import Cast
from tests.factories.files import pdf
from tests.factories.jobs import make_job

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient


async def add(client: Client, cast: Cast, name: str = "cv.pdf") -> dict[str, Any]:
    answer = await client.post(
        "/api/v1/resumes", files={"file": (name, pdf())}, headers=cast.candidate.headers
    )
    assert answer.status_code == 201
    return answer.json()


async def listed(client: Client, cast: Cast, **query: Any) -> dict[str, Any]:
    answer = await client.get("/api/v1/resumes", params=query, headers=cast.candidate.headers)
    assert answer.status_code == 200
    return answer.json()


async def delete(client: Client, cast: Cast, resume: dict[str, Any]) -> httpx2.Response:
    return await client.delete(f"/api/v1/resumes/{resume['id']}", headers=cast.candidate.headers)


async def apply(
    client: Client, cast: Cast, session: AsyncSession, resume: dict[str, Any]
) -> httpx2.Response:
    job = await make_job(session, cast.employer, cast.company)
    await session.commit()
    return await client.post(
        f"/api/v1/jobs/{job.id}/applications",
        json={"resume_id": resume["id"]},
        headers=cast.candidate.headers,
    )


async def test_one_lists_ones_own_page_by_page(client: Client, cast: Cast) -> None:
    made = [await add(client, cast, f"{number}.pdf") for number in range(3)]
    first = await listed(client, cast, limit=2)
    rest = await listed(client, cast, limit=2, cursor=first["next_cursor"])
    assert [item["id"] for item in first["items"] + rest["items"]] == [
        resume["id"] for resume in reversed(made)
    ]
    assert rest["next_cursor"] is None
    assert first["items"][0] == made[-1] | {"applications": 0}
    others = await client.get("/api/v1/resumes", headers=cast.rival.headers)
    assert others.json()["items"] == []


async def test_a_deleted_resume_is_gone_with_its_file(client: Client, cast: Cast) -> None:
    resume = await add(client, cast)
    assert (await delete(client, cast, resume)).status_code == 204
    assert (await listed(client, cast))["items"] == []
    file = await client.get(resume["url"], headers=cast.candidate.headers)
    assert file.status_code == 404
    again = await delete(client, cast, resume)
    assert (again.status_code, again.json()["code"]) == (404, "resume_not_found")


async def test_nobody_else_deletes_it_nor_another_kind_of_file(client: Client, cast: Cast) -> None:
    resume = await add(client, cast)
    url = f"/api/v1/resumes/{resume['id']}"
    assert (await client.delete(url, headers=cast.rival.headers)).status_code == 404
    assert len((await listed(client, cast))["items"]) == 1


async def test_an_application_keeps_it_until_it_is_withdrawn(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    resume = await add(client, cast)
    sent = (await apply(client, cast, session, resume)).json()
    assert (await listed(client, cast))["items"][0]["applications"] == 1
    refused = await delete(client, cast, resume)
    assert (refused.status_code, refused.json()["code"]) == (409, "resume_in_use")
    assert "withdraw" in refused.json()["detail"]
    await client.post(f"/api/v1/applications/{sent['id']}/withdraw", headers=cast.candidate.headers)
    assert (await listed(client, cast))["items"][0]["applications"] == 0
    assert (await delete(client, cast, resume)).status_code == 204
    left = await client.get(f"/api/v1/applications/{sent['id']}", headers=cast.candidate.headers)
    assert left.json()["resume_id"] is None


async def test_applying_and_deleting_at_once_leave_no_application_without_its_resume(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    resumes = [await add(client, cast) for _ in range(4)]
    jobs = [await make_job(session, cast.employer, cast.company) for _ in resumes]
    await session.commit()
    answers = await asyncio.gather(
        *(
            client.post(
                f"/api/v1/jobs/{job.id}/applications",
                json={"resume_id": resume["id"]},
                headers=cast.candidate.headers,
            )
            for job, resume in zip(jobs, resumes, strict=True)
        ),
        *(delete(client, cast, resume) for resume in resumes),
    )
    pairs = {(answers[i].status_code, answers[i + 4].status_code) for i in range(4)}
    assert pairs <= {(201, 409), (422, 204)}
