"""Companies and their people through the API."""

import asyncio

import httpx2
import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.companies.models import CompanyMember, MemberRole
from jobboard.infra.postgres import Database
from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.factories.companies import make_member
from tests.factories.people import make_user
from tests.timing import waiting_for_locks

pytestmark = pytest.mark.anyio


async def test_two_companies_of_one_name_have_two_addresses(
    client: httpx2.AsyncClient, cast: Cast
) -> None:
    answers = await asyncio.gather(
        *(
            client.post("/api/v1/companies", json={"name": "Mill"}, headers=cast.employer.headers)
            for _ in range(4)
        )
    )
    assert [answer.status_code for answer in answers] == [201] * 4
    slugs = {answer.json()["slug"] for answer in answers}
    assert len(slugs) == 4
    assert "mill" in slugs


async def test_a_name_in_any_script(client: httpx2.AsyncClient, cast: Cast) -> None:
    for name in ("株式会社", "Bäckerei Größe & Söhne", "💼"):
        answer = await client.post(
            "/api/v1/companies", json={"name": name}, headers=cast.employer.headers
        )
        assert answer.json()["name"] == name
        assert answer.json()["slug"].isascii()
        assert answer.json()["slug"]


async def test_people_find_the_companies_they_act_for(
    client: httpx2.AsyncClient, cast: Cast
) -> None:
    names = {cast.company.name, "Another Mill"}
    mine = cast.employer.headers
    await client.post("/api/v1/companies", json={"name": "Another Mill"}, headers=mine)
    found = (await client.get("/api/v1/me/companies", headers=mine)).json()
    assert {item["name"] for item in found["items"]} == names
    first = (await client.get("/api/v1/me/companies?limit=1", headers=mine)).json()
    rest = await client.get(
        "/api/v1/me/companies", params={"limit": 1, "cursor": first["next_cursor"]}, headers=mine
    )
    assert [*first["items"], *rest.json()["items"]] == found["items"]
    none = await client.get("/api/v1/me/companies", headers=cast.candidate.headers)
    assert none.json() == {"items": [], "next_cursor": None}
    assert (await client.get("/api/v1/me/companies")).status_code == 401


async def test_candidates_make_no_companies(client: httpx2.AsyncClient, cast: Cast) -> None:
    answer = await client.post(
        "/api/v1/companies", json={"name": "Mine"}, headers=cast.candidate.headers
    )
    assert answer.status_code == 403


async def test_null_clears_and_absent_keeps(client: httpx2.AsyncClient, cast: Cast) -> None:
    path = f"/api/v1/companies/{cast.company.id}"
    full = {"website": "https://mill.example.com", "description": "We **mill**."}
    answer = await client.patch(path, json=full, headers=cast.employer.headers)
    assert "<strong>mill</strong>" in answer.json()["description_html"]
    answer = await client.patch(path, json={"website": None}, headers=cast.employer.headers)
    assert answer.json()["website"] is None
    assert answer.json()["description"] == "We **mill**."
    answer = await client.patch(path, json={"name": None}, headers=cast.employer.headers)
    assert answer.status_code == 422
    answer = await client.patch(path, json={"name": "X"}, headers=cast.rival.headers)
    assert answer.status_code == 403


async def test_colleagues_come_and_go_but_an_owner_stays(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, cast: Cast
) -> None:
    path = f"/api/v1/companies/{cast.company.id}/members"
    friend = await make_user(session, settings, Role.EMPLOYER)
    body = {"email": friend.actor.email.upper(), "role": "recruiter"}
    await make_member(session, cast.company, friend, MemberRole.OWNER)
    changed = await client.post(path, json=body, headers=cast.employer.headers)
    assert changed.status_code == 201
    listed = (await client.get(path, headers=friend.headers)).json()["items"]
    assert [member["role"] for member in listed] == ["owner", "recruiter"]
    # A recruiter manages no members, but may leave.
    assert (await client.post(path, json=body, headers=friend.headers)).status_code == 403
    own = f"{path}/{cast.employer.id}"
    assert (await client.delete(own, headers=friend.headers)).status_code == 403
    assert (await client.delete(own, headers=cast.employer.headers)).status_code == 409
    demote = {"email": cast.employer.actor.email, "role": "recruiter"}
    answer = await client.post(path, json=demote, headers=cast.employer.headers)
    assert answer.status_code == 409
    theirs = f"{path}/{friend.id}"
    assert (await client.delete(theirs, headers=friend.headers)).status_code == 204
    assert (await client.get(path, headers=friend.headers)).status_code == 403
    assert (await client.delete(theirs, headers=cast.employer.headers)).status_code == 404


async def test_who_leaves_while_an_owner_changes_what_they_are_is_gone(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    settings: Settings,
    cast: Cast,
    db: Database,
) -> None:
    friend = await make_user(session, settings, Role.EMPLOYER)
    await make_member(session, cast.company, friend)
    await session.execute(delete(CompanyMember).where(CompanyMember.person_id == friend.id))
    path = f"/api/v1/companies/{cast.company.id}/members"
    body = {"email": friend.actor.email, "role": "owner"}
    changing = asyncio.create_task(client.post(path, json=body, headers=cast.employer.headers))
    await waiting_for_locks(db)
    await session.commit()
    answer = await changing
    assert (answer.status_code, answer.json()["code"]) == (404, "member_not_found")


async def test_two_owners_who_leave_at_once_do_not_both(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, cast: Cast
) -> None:
    path = f"/api/v1/companies/{cast.company.id}/members"
    friend = await make_user(session, settings, Role.EMPLOYER)
    await make_member(session, cast.company, friend, MemberRole.OWNER)
    answers = await asyncio.gather(
        *(
            client.delete(f"{path}/{user.id}", headers=user.headers)
            for user in (cast.employer, friend)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_companies_are_listed_by_name_and_paged(
    client: httpx2.AsyncClient, cast: Cast
) -> None:
    for name in ("beta", "Alpha", "100% Wool", "gamma"):
        await client.post("/api/v1/companies", json={"name": name}, headers=cast.employer.headers)
    names: list[str] = []
    params = {"limit": "2"}
    while True:
        page = (await client.get("/api/v1/companies", params=params)).json()
        names += [company["name"] for company in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert names == sorted(names, key=str.lower)
    assert len(names) == 6
    found = (await client.get("/api/v1/companies", params={"q": "% w"})).json()["items"]
    assert [company["name"] for company in found] == ["100% Wool"]
