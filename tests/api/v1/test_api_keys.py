"""API keys: a company's own way in, shown once, narrow, and gone at once when revoked."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person, Role
from jobboard.accounts.tokens import token_hash
from jobboard.clock import now
from jobboard.companies import keys
from jobboard.companies.models import ApiKey, CompanyMember, MemberRole
from jobboard.jobs.models import JobStatus
from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.factories.companies import make_member
from tests.factories.jobs import WORDS, make_job
from tests.factories.people import PASSWORD, make_user

PATH = "/api/v1/api-keys"
EVERY = ["jobs:read", "jobs:write", "applications:read", "applications:write"]
Client = httpx2.AsyncClient


async def make(client: Client, cast: Cast, *scopes: str, **fields: Any) -> dict[str, Any]:
    body = {"company_id": str(cast.company.id), "name": "Site", "scopes": scopes or EVERY}
    answer = await client.post(PATH, json=body | fields, headers=cast.employer.headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def with_key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def refusal(client: Client, key: str) -> tuple[int, str]:
    answer = await client.get(
        "/api/v1/jobs/" + "0" * 8 + "-0000" * 3 + "-" + "0" * 12, headers=with_key(key)
    )
    return answer.status_code, answer.json()["code"]


async def test_a_key_posts_jobs_and_reads_applicants(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    key = with_key((await make(client, cast))["key"])
    job = {"company_id": str(cast.company.id), "title": "Baker", "description": WORDS}
    made = await client.post("/api/v1/jobs", json=job, headers=key)
    assert made.status_code == 201, made.text
    path = f"/api/v1/jobs/{made.json()['id']}"
    assert (await client.post(f"{path}/submit", headers=key)).json()["status"] == "pending"
    live = await make_job(session, cast.employer, cast.company)
    applied = await client.post(
        f"/api/v1/jobs/{live.id}/applications",
        json={"cover_letter": "Hello"},
        headers=cast.candidate.headers,
    )
    listed = await client.get(f"/api/v1/jobs/{live.id}/applications", headers=key)
    assert [item["stage"] for item in listed.json()["items"]] == ["submitted"]
    one = f"/api/v1/applications/{applied.json()['id']}"
    assert (await client.get(one, headers=key)).json()["stage"] == "submitted"  # no person looked
    moved = await client.patch(one, json={"stage": "interview", "note": "Good"}, headers=key)
    assert moved.json()["stage"] == "interview"
    assert [note["by"] for note in moved.json()["notes"]] == ["the company"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/me"),
        ("PATCH", "/me"),
        ("GET", "/me/applications"),
        ("GET", "/tasks"),
        ("POST", "/resumes"),
        ("GET", "/api-keys"),
        ("POST", "/companies"),
        ("GET", "/admin/jobs"),
    ],
)
async def test_a_key_has_nothing_personal(
    client: Client, cast: Cast, method: str, path: str
) -> None:
    key = with_key((await make(client, cast))["key"])
    answer = await client.request(method, f"/api/v1{path}", headers=key)
    assert answer.status_code == 403, answer.text


async def test_a_key_does_what_its_scopes_say_and_no_more(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    job = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    key = with_key((await make(client, cast, "jobs:read"))["key"])
    path = f"/api/v1/jobs/{job.id}"
    assert (await client.get(path, headers=key)).status_code == 200
    refused = await client.post(f"{path}/submit", headers=key)
    assert refused.status_code == 403
    assert refused.json()["code"] == "insufficient_scope"
    assert 'scope="jobs:write"' in refused.headers["www-authenticate"]


async def test_a_key_is_of_one_company(client: Client, cast: Cast, session: AsyncSession) -> None:
    theirs = (
        await session.scalars(
            select(CompanyMember.company_id).where(CompanyMember.person_id == cast.rival.id)
        )
    ).one()
    key = with_key((await make(client, cast))["key"])
    job = {"company_id": str(theirs), "title": "Baker"}
    answer = await client.post("/api/v1/jobs", json=job, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_member")


async def test_the_secret_is_shown_once_and_only_its_hash_is_kept(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    made = await make(client, cast, "jobs:read", expires_in_days=None)
    assert made["key"].startswith(made["hint"])
    assert made["expires_at"] is None
    stored = (await session.scalars(select(ApiKey))).one()
    assert stored.token_hash == token_hash(made["key"])
    [listed] = (await client.get(PATH, headers=cast.employer.headers)).json()["items"]
    assert "key" not in listed
    assert listed | {"key": made["key"]} == made
    assert (await client.get(PATH, headers=cast.rival.headers)).json()["items"] == []


async def test_a_typing_error_is_found_before_the_database_is_asked(
    client: Client, cast: Cast
) -> None:
    key = (await make(client, cast))["key"]
    for wrong in (key[:-1], key + "x", key[:9] + ("a" if key[9] != "a" else "b") + key[10:], "jb_"):
        assert not keys.well_formed(wrong)
        assert await refusal(client, wrong) == (401, "key_malformed")
    assert keys.well_formed(key)
    assert await refusal(client, keys.new_key()) == (401, "key_unknown")
    assert await refusal(client, key) == (404, "job_not_found")


async def test_a_revoked_key_is_refused_at_once(client: Client, cast: Cast) -> None:
    made = await make(client, cast)
    path = f"{PATH}/{made['id']}"
    assert (await client.delete(path, headers=cast.rival.headers)).status_code == 404
    assert (await client.delete(path, headers=cast.employer.headers)).status_code == 204
    assert await refusal(client, made["key"]) == (401, "key_revoked")
    assert (await client.delete(path, headers=cast.employer.headers)).status_code == 404
    assert (await client.get(PATH, headers=cast.employer.headers)).json()["items"] == []
    events = (await client.get("/api/v1/admin/audit-log", headers=cast.admin.headers)).json()
    assert [event["action"] for event in events["items"][:2]] == ["key.revoked", "key.made"]


async def test_an_expired_key(client: Client, cast: Cast, session: AsyncSession) -> None:
    made = await make(client, cast, expires_in_days=1)
    await session.execute(update(ApiKey).values(expires_at=now() - timedelta(seconds=1)))
    await session.commit()
    assert await refusal(client, made["key"]) == (401, "key_expired")
    [listed] = (await client.get(PATH, headers=cast.employer.headers)).json()["items"]
    assert listed["expired"]


async def test_a_key_is_the_companys_and_outlives_its_maker(
    client: Client, cast: Cast, session: AsyncSession, settings: Settings
) -> None:
    made = await make(client, cast)
    colleague = await make_user(session, settings, Role.EMPLOYER)
    await make_member(session, cast.company, colleague, MemberRole.OWNER)
    await session.commit()
    erased = await client.request(
        "DELETE", "/api/v1/me", json={"current_password": PASSWORD}, headers=cast.employer.headers
    )
    assert erased.status_code == 204
    assert await refusal(client, made["key"]) == (404, "job_not_found")
    await suspend(session, colleague.id)
    assert await refusal(client, made["key"]) == (401, "key_rests")


async def test_a_key_rests_while_its_maker_is_shut_out(
    client: Client, cast: Cast, session: AsyncSession, settings: Settings
) -> None:
    made = await make(client, cast)
    colleague = await make_user(session, settings, Role.EMPLOYER)
    await make_member(session, cast.company, colleague, MemberRole.OWNER)
    await suspend(session, cast.employer.id)
    assert await refusal(client, made["key"]) == (401, "key_rests")
    await session.execute(update(Person).values(suspended_at=None))
    await session.commit()
    assert await refusal(client, made["key"]) == (404, "job_not_found")


async def suspend(session: AsyncSession, person_id: Any) -> None:
    await session.execute(update(Person).where(Person.id == person_id).values(suspended_at=now()))
    await session.commit()


async def test_recruiters_and_strangers_make_none(
    client: Client, cast: Cast, session: AsyncSession, settings: Settings
) -> None:
    recruiter = await make_user(session, settings, Role.EMPLOYER)
    await make_member(session, cast.company, recruiter)
    await session.commit()
    body = {"company_id": str(cast.company.id), "name": "Site", "scopes": EVERY}
    for user, code in (
        (recruiter, "not_an_owner"),
        (cast.rival, "not_a_member"),
        (cast.candidate, "not_a_member"),
        (cast.admin, "not_a_member"),
    ):
        answer = await client.post(PATH, json=body, headers=user.headers)
        assert (answer.status_code, answer.json()["code"]) == (403, code)


async def test_a_narrow_token_makes_no_wider_key(client: Client, cast: Cast) -> None:
    form = {
        "grant_type": "password",
        "username": cast.employer.actor.email,
        "password": "a quiet sentence for tests",
        "scope": "keys jobs:read",
    }
    token = (await client.post("/api/v1/auth/token", data=form)).json()["access_token"]
    body = {"company_id": str(cast.company.id), "name": "Site", "scopes": ["jobs:read"]}
    assert (await client.post(PATH, json=body, headers=with_key(token))).status_code == 201
    wider = body | {"scopes": ["jobs:read", "jobs:write"]}
    answer = await client.post(PATH, json=wider, headers=with_key(token))
    assert answer.json()["code"] == "insufficient_scope"


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": []},
        {"scopes": ["account"]},
        {"scopes": ["jobs:reed"]},
        {"name": " "},
        {"expires_in_days": 0},
        {"expires_in_days": 4000},
        {"name": "a\u0000b"},
    ],
)
async def test_what_cannot_be_a_key(client: Client, cast: Cast, wrong: dict[str, Any]) -> None:
    body = {"company_id": str(cast.company.id), "name": "Site", "scopes": EVERY} | wrong
    answer = await client.post(PATH, json=body, headers=cast.employer.headers)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]


async def test_a_company_has_so_many_keys(
    client: Client, cast: Cast, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST", 2)
    first = await make(client, cast)
    second = await make(client, cast)
    body = {"company_id": str(cast.company.id), "name": "Site", "scopes": EVERY}
    answer = await client.post(PATH, json=body, headers=cast.employer.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_keys")
    await client.delete(f"{PATH}/{first['id']}", headers=cast.employer.headers)
    await make(client, cast)
    past = update(ApiKey).where(ApiKey.id == second["id"]).values(expires_at=now())
    await session.execute(past)
    await session.commit()
    await make(client, cast)  # one that has ended is no key any more


async def test_its_last_use_is_noted_once_a_minute(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    key = (await make(client, cast))["key"]
    path = "/api/v1/jobs/" + str((await make_job(session, cast.employer, cast.company)).id)

    async def used() -> Any:
        await client.get(path, headers=with_key(key))
        [listed] = (await client.get(PATH, headers=cast.employer.headers)).json()["items"]
        return listed["last_used_at"]

    first = await used()
    assert first is not None
    assert await used() == first
    await session.execute(update(ApiKey).values(last_used_at=now() - timedelta(minutes=2)))
    await session.commit()
    assert await used() > first
