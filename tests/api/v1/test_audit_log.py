"""The audit log: what is told, by whom it is read, and that nobody changes it."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import limits
from jobboard.accounts.service import create_admin
from jobboard.audit import service
from jobboard.audit.models import Action
from jobboard.clock import now
from jobboard.jobs.models import JobStatus
from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.factories.companies import make_member
from tests.factories.jobs import make_job
from tests.factories.people import PASSWORD, User, make_user

pytestmark = pytest.mark.anyio
PATH = "/api/v1/admin/audit-log"


async def log_of(
    client: httpx2.AsyncClient, admin: User, **params: Any
) -> list[tuple[str, str | None, str | None]]:
    """Action, name of the actor and name of the subject, oldest first."""
    answer = await client.get(PATH, params=params, headers=admin.headers)
    assert answer.status_code == 200, answer.text
    return [
        (entry["action"], entry["actor"]["name"], (entry["subject"] or {}).get("name"))
        for entry in reversed(answer.json()["items"])
    ]


async def log_in(client: httpx2.AsyncClient, email: str, password: str) -> httpx2.Response:
    form = {"grant_type": "password", "username": email, "password": password}
    return await client.post("/api/v1/auth/token", data=form)


async def test_only_admins_read_it(client: httpx2.AsyncClient, cast: Cast) -> None:
    for user in (cast.candidate, cast.employer):
        assert (await client.get(PATH, headers=user.headers)).status_code == 403
    assert (await client.get(PATH)).status_code == 401


async def test_it_tells_what_moderators_do(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    jobs = [
        await make_job(session, cast.employer, cast.company, title=title, status=JobStatus.PENDING)
        for title in ("Baker", "Brewer")
    ]
    admin, path = cast.admin, "/api/v1/admin"
    headers = {**admin.headers, "X-Request-ID": "not-believed"}
    first, second = (f"{path}/jobs/{job.id}" for job in jobs)
    person = f"{path}/people/{cast.candidate.id}"
    said = {"reason": "No."}
    for method, where, body in (
        ("POST", f"{first}/approve", None),
        ("POST", f"{second}/reject", said),
        ("POST", f"{first}/remove", said),
        ("POST", f"{first}/approve", None),  # refused, so not told
        ("PATCH", person, {"suspended": True}),
        ("PATCH", person, {"suspended": False}),
    ):
        answer = await client.request(method, where, json=body, headers=headers)
    assert await log_of(client, admin, actor=str(admin.id)) == [
        ("job.approved", "Ali Admin", "Baker"),
        ("job.rejected", "Ali Admin", "Brewer"),
        ("job.removed", "Ali Admin", "Baker"),
        ("person.suspended", "Ali Admin", "Cam Candidate"),
        ("person.restored", "Ali Admin", "Cam Candidate"),
    ]
    assert len(await log_of(client, admin, subject=str(jobs[0].id))) == 2
    assert len(await log_of(client, admin, action="job.rejected")) == 1
    entries = (await client.get(PATH, headers=admin.headers)).json()["items"]
    assert entries[0]["request_id"] == answer.headers["x-request-id"]
    assert entries[0]["address"] == "127.0.0.0/24"
    assert "No." not in str(entries)


async def test_it_tells_of_log_ins(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, cast: Cast
) -> None:
    user = await make_user(session, settings, full_name="Lou Login")
    assert (await log_in(client, user.actor.email, "something else")).status_code == 401
    assert (await log_in(client, "nobody@example.com", "something else")).status_code == 401
    pair = (await log_in(client, user.actor.email, PASSWORD)).json()
    await client.post("/api/v1/auth/revoke", data={"token": pair["refresh_token"]})
    await client.post("/api/v1/auth/revoke", data={"token": pair["refresh_token"]})
    assert await log_of(client, cast.admin) == [
        ("login.failed", None, "Lou Login"),
        ("login.failed", None, None),
        ("login.opened", "Lou Login", None),
        ("login.ended", "Lou Login", None),
    ]


async def test_guessing_passwords_does_not_fill_it(
    client: httpx2.AsyncClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FAILURES", "2/hour")
    monkeypatch.setattr(limits, "ALL_FAILURES", "5/hour")
    for email in [cast.candidate.actor.email] * 3 + ["nobody@example.com"] * 3:
        assert (await log_in(client, email, "something else")).status_code == 401
    told = [("login.failed", None, "Cam Candidate")] * 2 + [("login.failed", None, None)] * 2
    assert await log_of(client, cast.admin, action="login.failed") == told
    for email in ("somebody@example.com", cast.rival.actor.email):
        await log_in(client, email, "something else")
    assert len(await log_of(client, cast.admin, action="login.failed")) == 5


async def test_it_tells_of_passwords_and_members(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    change = {"current_password": PASSWORD, "new_password": "another quiet sentence"}
    await client.patch("/api/v1/me", json=change, headers=cast.rival.headers)
    members = f"/api/v1/companies/{cast.company.id}/members"
    added = {"email": cast.rival.actor.email, "role": "recruiter"}
    await client.post(members, json=added, headers=cast.employer.headers)
    await make_member(session, cast.company, cast.rival)
    await client.post(members, json=added, headers=cast.employer.headers)
    await client.delete(f"{members}/{cast.rival.id}", headers=cast.employer.headers)
    assert await log_of(client, cast.admin) == [
        ("password.changed", "Rory Rival", None),
        ("company.invited", "Erin Employer", cast.company.name),
        ("company.member_set", "Erin Employer", cast.company.name),
        ("company.member_removed", "Erin Employer", cast.company.name),
    ]


async def test_it_is_read_page_by_page(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    for _ in range(5):  # of one moment: the id decides
        service.record(session, Action.LOGIN_OPENED, person_id=cast.rival.id)
    await session.commit()
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while len(seen) < 9:
        page = (await client.get(PATH, params=params, headers=cast.admin.headers)).json()
        seen += [entry["id"] for entry in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
        params["cursor"] = cursor
    assert len(seen) == len(set(seen)) == 5


async def test_it_is_narrowed_by_time(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    service.record(session, Action.LOGIN_OPENED, person_id=cast.rival.id)
    await session.commit()
    past, future = (now() + timedelta(hours=hours) for hours in (-1, 1))
    for params, count in (
        ({"from": past, "to": future}, 1),
        ({"from": future}, 0),
        ({"to": past}, 0),
    ):
        asked = {name: moment.isoformat() for name, moment in params.items()}
        assert len(await log_of(client, cast.admin, **asked)) == count
    for wrong in ("2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "soon"):
        answer = await client.get(PATH, params={"from": wrong}, headers=cast.admin.headers)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/from")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_log SET action = 'nothing'", "DELETE FROM audit_log", "TRUNCATE audit_log"],
)
async def test_no_row_is_ever_changed(session: AsyncSession, cast: Cast, statement: str) -> None:
    service.record(session, Action.LOGIN_OPENED, person_id=cast.rival.id)
    await session.commit()
    with pytest.raises(DBAPIError, match="rows of audit_log are never changed"):
        await session.execute(text(statement))
    await session.rollback()


async def test_what_is_rolled_back_is_not_told(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    service.record(session, Action.LOGIN_OPENED, person_id=cast.rival.id)
    await session.rollback()
    assert await log_of(client, cast.admin) == []


async def test_an_admin_made_on_the_command_line_is_told(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, cast: Cast
) -> None:
    who = {"email": "new@example.com", "full_name": "Nia New", "password": "a calm sentence, new"}
    await create_admin(session, settings, **who)
    await session.commit()
    assert await log_of(client, cast.admin) == [("admin.created", None, "Nia New")]
