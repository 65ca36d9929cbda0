"""What moderators do about people, companies and their own mistakes, through the API."""

import asyncio

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.companies.models import MemberRole
from jobboard.jobs.models import JobStatus
from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.factories.companies import make_member
from tests.factories.jobs import make_job
from tests.factories.people import make_user

pytestmark = pytest.mark.anyio
ADMIN = "/api/v1/admin"
OUT = {"suspended": True, "reason": "Asks for money."}


async def test_a_persons_overview(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    await make_job(session, cast.employer, cast.company)
    answer = await client.get(f"{ADMIN}/people/{cast.employer.id}", headers=cast.admin.headers)
    person = answer.json()
    assert person["jobs"] == {"published": 1}
    assert (person["applications"], person["reports"]) == (0, 0)
    assert person["companies"] == [
        {
            "id": str(cast.company.id),
            "name": cast.company.name,
            "slug": cast.company.slug,
            "role": "owner",
            "live_jobs": 1,
            "alone": True,
        }
    ]
    await client.patch(f"{ADMIN}/people/{cast.employer.id}", json=OUT, headers=cast.admin.headers)
    answer = await client.get(f"{ADMIN}/people/{cast.employer.id}", headers=cast.admin.headers)
    assert answer.json()["suspension_reason"] == "Asks for money."
    job = await client.get("/api/v1/jobs")
    assert len(job.json()["items"]) == 1  # they stay, unless one says so


async def test_jobs_go_only_where_nobody_else_is_left(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    await make_job(session, cast.employer, cast.company)
    await make_member(session, cast.company, cast.rival, MemberRole.OWNER)
    for user, left in ((cast.rival, 1), (cast.employer, 0)):
        await client.patch(
            f"{ADMIN}/people/{user.id}",
            json={**OUT, "remove_jobs": True},
            headers=cast.admin.headers,
        )
        assert len((await client.get("/api/v1/jobs")).json()["items"]) == left
    log = await client.get(f"{ADMIN}/audit-log?action=job.removed", headers=cast.admin.headers)
    assert len(log.json()["items"]) == 1


async def test_two_admins_cannot_shut_each_other_out(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, cast: Cast
) -> None:
    other = await make_user(session, settings, Role.ADMIN)
    answers = await asyncio.gather(
        *(
            client.patch(f"{ADMIN}/people/{whom.id}", json=OUT, headers=who.headers)
            for who, whom in ((cast.admin, other), (other, cast.admin))
        )
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 401], [200, 409])


async def test_a_new_name_waits_for_a_moderator(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    path, queue = f"/api/v1/companies/{cast.company.id}", f"{ADMIN}/companies"
    admin = cast.admin.headers

    async def rename(name: str) -> list[tuple[str, str]]:
        await client.patch(path, json={"name": name}, headers=cast.employer.headers)
        items = (await client.get(queue, headers=admin)).json()["items"]
        return [(item["former_name"], item["name"]) for item in items]

    old = cast.company.name
    assert await rename("A Bank") == []  # nothing of it is live
    await session.refresh(cast.company)
    await make_job(session, cast.employer, cast.company)
    assert await rename("A Real Bank") == [(old, "A Real Bank")]
    assert await rename(old) == []
    assert await rename("A Bank") == [(old, "A Bank")]
    seen = f"{queue}/{cast.company.id}/name-seen"
    late = await client.post(seen, json={"name": "A Real Bank"}, headers=admin)
    assert (late.status_code, late.json()["code"]) == (409, "edited_meanwhile")
    assert (await client.post(seen, json={"name": "A Bank"}, headers=admin)).status_code == 200
    assert (await client.get(queue, headers=admin)).json()["items"] == []


@pytest.mark.parametrize("step", ["reject", "remove", "restore"])
async def test_a_decision_about_an_older_text_is_refused(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, step: str
) -> None:
    status = JobStatus.REJECTED if step == "restore" else JobStatus.PENDING
    job = await make_job(session, cast.employer, cast.company, status=status)
    body = {"reason": "No."} if step != "restore" else None
    path, admin = f"{ADMIN}/jobs/{job.id}/{step}", cast.admin.headers
    late = await client.post(f"{path}?version={job.version - 1}", json=body, headers=admin)
    assert (late.status_code, late.json()["code"]) == (409, "edited_meanwhile")
    done = await client.post(f"{path}?version={job.version}", json=body, headers=admin)
    assert done.status_code == 200
