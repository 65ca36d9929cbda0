"""ETag, If-None-Match and If-Match, for every kind of thing (RFC 9110, section 13)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.api.conditional import if_match
from jobboard.api.route import Route
from jobboard.applications import service as applications
from jobboard.applications.schemas import ApplicationCreate
from jobboard.jobs.models import JobStatus
from jobboard.tasks import service as tasks
from jobboard.tasks.schemas import TaskCreate
from tests.api.v1.conftest import Cast
from tests.factories.companies import make_company
from tests.factories.files import picture
from tests.factories.jobs import make_job
from tests.factories.people import User

pytestmark = pytest.mark.anyio

PREFIX = "/api/v1"

Client = httpx2.AsyncClient


async def job(session: AsyncSession, cast: Cast) -> tuple[str, User, dict[str, Any]]:
    made = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    return f"/api/v1/jobs/{made.id}", cast.employer, {"tags": ["night"]}


async def company(session: AsyncSession, cast: Cast) -> tuple[str, User, dict[str, Any]]:
    return f"/api/v1/companies/{cast.company.id}", cast.employer, {"description": "Bread."}


async def application(session: AsyncSession, cast: Cast) -> tuple[str, User, dict[str, Any]]:
    made = await make_job(session, cast.employer, cast.company)
    data = ApplicationCreate(cover_letter="Hello.")
    sent = await applications.apply(session, cast.candidate.actor, made.id, data)
    await session.commit()
    return f"/api/v1/applications/{sent.id}", cast.employer, {"stage": "interview"}


async def task(session: AsyncSession, cast: Cast) -> tuple[str, User, dict[str, Any]]:
    made = await tasks.create(session, cast.candidate.actor, TaskCreate(title="Call"))
    await session.commit()
    return f"/api/v1/tasks/{made.id}", cast.candidate, {"done": True}


async def me(session: AsyncSession, cast: Cast) -> tuple[str, User, dict[str, Any]]:
    return "/api/v1/me", cast.candidate, {"full_name": "Another Name"}


THINGS = [job, company, application, task, me]
Thing = Callable[[AsyncSession, Cast], Awaitable[tuple[str, User, dict[str, Any]]]]


@pytest.mark.parametrize("thing", THINGS)
async def test_a_reader_who_has_it_gets_a_304_until_it_changes(
    client: Client, cast: Cast, session: AsyncSession, thing: Thing
) -> None:
    url, user, change = await thing(session, cast)
    first = await client.get(url, headers=user.headers)
    known = user.headers | {"If-None-Match": first.headers["etag"]}
    same = await client.get(url, headers=known)
    assert (same.status_code, same.content) == (304, b"")
    for name in ("etag", "cache-control", "vary"):
        assert same.headers[name] == first.headers[name]
    assert "content-type" not in same.headers
    assert "content-length" not in same.headers
    assert first.headers["cache-control"] == "private, no-cache"
    changed = await client.patch(url, json=change, headers=user.headers)
    now = await client.get(url, headers=known)
    assert now.status_code == 200
    assert now.headers["etag"] == changed.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("thing", THINGS)
async def test_a_change_of_what_is_no_longer_there_is_a_412(
    client: Client, cast: Cast, session: AsyncSession, thing: Thing
) -> None:
    url, user, change = await thing(session, cast)
    seen = (await client.get(url, headers=user.headers)).headers["etag"]
    guarded = user.headers | {"If-Match": seen}
    first = await client.patch(url, json=change, headers=guarded)
    assert first.status_code == 200
    late = await client.patch(url, json=change, headers=guarded)
    assert (late.status_code, late.json()["code"]) == (412, "edited_meanwhile")
    assert late.headers["etag"] == first.headers["etag"].replace("-gzip", "")
    assert (await client.get(url, headers=user.headers)).json() == first.json()


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("form", ["*", '"other", {}', ' {} , W/"other"'])
async def test_if_match_takes_a_list_or_a_star(
    client: Client, cast: Cast, session: AsyncSession, thing: Thing, form: str
) -> None:
    url, user, change = await thing(session, cast)
    seen = (await client.get(url, headers=user.headers)).headers["etag"]
    headers = user.headers | {"If-Match": form.format(seen)}
    assert (await client.patch(url, json=change, headers=headers)).status_code == 200


@pytest.mark.parametrize("thing", THINGS)
async def test_if_match_compares_strongly(
    client: Client, cast: Cast, session: AsyncSession, thing: Thing
) -> None:
    url, user, change = await thing(session, cast)
    seen = (await client.get(url, headers=user.headers)).headers["etag"]
    headers = user.headers | {"If-Match": f"W/{seen}"}
    assert (await client.patch(url, json=change, headers=headers)).status_code == 412


@pytest.mark.parametrize("thing", THINGS)
async def test_of_changes_at_once_that_read_the_same_one_is_made(
    client: Client, cast: Cast, session: AsyncSession, thing: Thing
) -> None:
    url, user, change = await thing(session, cast)
    seen = (await client.get(url, headers=user.headers)).headers["etag"]
    headers = user.headers | {"If-Match": seen}
    found = await asyncio.gather(
        *(client.patch(url, json=change, headers=headers) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in found) == [200, 412, 412, 412, 412]


@pytest.mark.parametrize("thing", [job, task])
async def test_a_delete_can_be_guarded_too(
    client: Client, cast: Cast, session: AsyncSession, thing: Thing
) -> None:
    url, user, change = await thing(session, cast)
    seen = (await client.get(url, headers=user.headers)).headers["etag"]
    changed = await client.patch(url, json=change, headers=user.headers)
    late = await client.delete(url, headers=user.headers | {"If-Match": seen})
    assert late.status_code == 412
    tag = changed.headers["etag"]
    done = await client.delete(url, headers=user.headers | {"If-Match": tag})
    assert done.status_code == 204


async def test_a_put_can_be_guarded_too(client: Client, cast: Cast, session: AsyncSession) -> None:
    url, user, _ = await task(session, cast)
    seen = (await client.get(url, headers=user.headers)).headers["etag"]
    headers = user.headers | {"If-Match": seen}
    first = await client.put(url, json={"title": "A"}, headers=headers)
    late = await client.put(url, json={"title": "B"}, headers=headers)
    assert (first.status_code, late.status_code) == (200, 412)
    assert late.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("header", ["abc", '"a" "b"', '"a",', "*, *", 'w/"a"', '"a b"'])
async def test_what_is_no_tag_is_refused(
    client: Client, cast: Cast, session: AsyncSession, header: str
) -> None:
    url, user, change = await job(session, cast)
    answer = await client.patch(url, json=change, headers=user.headers | {"If-Match": header})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/header/If-Match"


async def test_a_version_and_a_tag_together_must_both_be_right(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    url, user, change = await job(session, cast)
    read = await client.get(url, headers=user.headers)
    headers = user.headers | {"If-Match": read.headers["etag"]}
    version = read.json()["version"]
    wrong = await client.patch(url, json=change | {"version": version + 1}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (412, "edited_meanwhile")
    right = await client.patch(url, json=change | {"version": version}, headers=headers)
    assert right.status_code == 200


async def test_permission_comes_before_the_precondition(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    made = await make_job(session, cast.employer, cast.company)
    url = f"/api/v1/jobs/{made.id}"
    headers = cast.rival.headers | {"If-Match": '"other"'}
    assert (await client.patch(url, json={"tags": []}, headers=headers)).status_code == 403


async def test_a_304_asks_who_reads(client: Client, cast: Cast, session: AsyncSession) -> None:
    url, user, _ = await application(session, cast)
    tag = (await client.get(url, headers=user.headers)).headers["etag"]
    for headers, status in (({}, 401), (cast.rival.headers, 404)):
        answer = await client.get(url, headers=headers | {"If-None-Match": tag})
        assert answer.status_code == status
    answer = await client.get(url, headers=cast.rival.headers | {"If-None-Match": "*"})
    assert answer.status_code == 404


async def test_two_readers_who_see_different_things_have_different_tags(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    url, employer, _ = await application(session, cast)
    await client.patch(url, json={"note": "Good."}, headers=employer.headers)
    seen = [await client.get(url, headers=u.headers) for u in (employer, cast.candidate)]
    assert seen[0].headers["etag"] != seen[1].headers["etag"]
    assert "Authorization" in seen[0].headers["vary"]


async def test_a_job_changes_with_what_it_shows_of_its_company(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    made = await make_job(session, cast.employer, cast.company)
    urls = [f"/api/v1/jobs/{made.id}", "/api/v1/jobs"]
    logo = f"/api/v1/companies/{cast.company.id}/logo"
    before = [(await client.get(url)).headers["etag"] for url in urls]
    await client.put(logo, files={"file": ("a.png", picture())}, headers=cast.employer.headers)
    after = [(await client.get(url)).headers["etag"] for url in urls]
    assert before[0] != after[0]
    assert before[1] != after[1]
    for url, old in zip(urls, before, strict=True):
        assert (await client.get(url, headers={"If-None-Match": old})).status_code == 200


@pytest.mark.parametrize("url", ["/api/v1/jobs", "/api/v1/jobs?facets=true", "/api/v1/companies"])
async def test_a_list_that_did_not_change_is_a_304(
    client: Client, cast: Cast, session: AsyncSession, url: str
) -> None:
    await make_job(session, cast.employer, cast.company)
    first = await client.get(url)
    assert first.headers["cache-control"] == "no-cache"
    known = {"If-None-Match": f'"x", W/{first.headers["etag"]}'}
    assert (await client.get(url, headers=known)).status_code == 304
    await make_job(session, cast.rival, await make_company(session, cast.rival))
    assert (await client.get(url, headers=known)).status_code == 200


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_head_is_as_get(
    client: Client, cast: Cast, session: AsyncSession, encoding: str
) -> None:
    url, user, _ = await job(session, cast)
    headers = user.headers | {"Accept-Encoding": encoding}
    whole, head = [await client.request(m, url, headers=headers) for m in ("GET", "HEAD")]
    assert head.headers["etag"] == whole.headers["etag"]
    known = headers | {"If-None-Match": whole.headers["etag"]}
    same = await client.head(url, headers=known)
    assert (same.status_code, same.headers["etag"]) == (304, whole.headers["etag"])


async def test_the_compressed_variant_has_a_tag_of_its_own(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    url, user, change = await job(session, cast)
    await client.patch(url, json={"description": "Bread. " * 300}, headers=user.headers)
    plain, packed = [
        await client.get(url, headers=user.headers | {"Accept-Encoding": encoding})
        for encoding in ("identity", "gzip")
    ]
    assert packed.headers["content-encoding"] == "gzip"
    tag, marked = plain.headers["etag"], packed.headers["etag"]
    assert marked == f'{tag[:-1]}-gzip"'
    assert "Accept-Encoding" in packed.headers["vary"]
    for known in (tag, marked):
        headers = user.headers | {"Accept-Encoding": "gzip", "If-None-Match": known}
        same = await client.get(url, headers=headers)
        assert (same.status_code, same.headers["etag"]) == (304, known)
        assert {"Accept-Encoding", "Authorization"} <= set(same.headers["vary"].split(", "))
    headers = user.headers | {"If-Match": marked}
    assert (await client.patch(url, json=change, headers=headers)).status_code == 200


async def test_what_may_not_be_stored_has_no_tag(client: Client, cast: Cast) -> None:
    form = {"username": cast.employer.actor.email, "password": "a quiet sentence for tests"}
    answer = await client.post("/api/v1/auth/token", data={"grant_type": "password", **form})
    assert answer.status_code == 200
    assert "etag" not in answer.headers


def operations(app: FastAPI) -> dict[tuple[str, str], Any]:
    return {
        (method, context.path or ""): context
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute) and (context.path or "").startswith(PREFIX)
        for method in context.methods or ()
    }


def test_every_operation_goes_through_our_route(app: FastAPI) -> None:
    others = [
        name
        for name, context in operations(app).items()
        if not isinstance(context.original_route, Route)
    ]
    assert not others, "make their router with jobboard.api.route.Router"


# Writes of what can be read at the same address, and yet need no If-Match: why.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("PATCH", "/api/v1/admin/people/{id}"): "what is read there is all that the person did, which "
    "goes on by itself; and to suspend someone overwrites nobody's work",
    ("DELETE", "/api/v1/images/{id}"): "a picture never changes",
    ("DELETE", "/api/v1/me"): "the password confirms it, and whatever the account was, it ends",
    ("DELETE", "/api/v1/me/sessions"): "whatever the list was, all others end",
}


def test_every_write_of_what_can_be_read_takes_if_match(app: FastAPI) -> None:
    every = operations(app)
    unguarded = {
        (method, path)
        for (method, path), context in every.items()
        if method in {"PUT", "PATCH", "DELETE"}
        and ("GET", path) in every
        and if_match not in {each.call for each in context.dependant.dependencies}
    }
    assert unguarded == set(EXCEPTIONS)
