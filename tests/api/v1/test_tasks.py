"""To-dos through the API: whole and in part, found and paged, only one's own."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.applications.models import Application
from jobboard.companies.models import CompanyMember
from jobboard.jobs.models import Job, JobStatus
from jobboard.settings import Settings
from jobboard.tasks import service
from jobboard.tasks.models import Task
from tests.api.v1.conftest import Cast
from tests.factories.jobs import make_job
from tests.factories.people import PASSWORD, User, make_user

pytestmark = pytest.mark.anyio
TASKS = "/api/v1/tasks"
NOON = "2026-12-01T12:00:00Z"


class Desk:
    """One person's to-dos, by the API."""

    def __init__(self, client: httpx2.AsyncClient, user: User) -> None:
        self.client = client
        self.user = user

    async def send(self, method: str, path: str = "", **more: Any) -> httpx2.Response:
        return await self.client.request(method, TASKS + path, headers=self.user.headers, **more)

    async def add(self, title: str = "Call back", **fields: Any) -> dict[str, Any]:
        answer = await self.send("POST", json={"title": title, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def titles(self, **query: Any) -> list[str]:
        answer = await self.send("GET", params=query)
        assert answer.status_code == 200, answer.text
        return [item["title"] for item in answer.json()["items"]]


@pytest.fixture
async def desk(client: httpx2.AsyncClient, session: AsyncSession, settings: Settings) -> Desk:
    return Desk(client, await make_user(session, settings))


def pointers(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {each["pointer"]: each["message"] for each in answer.json()["errors"]}


async def test_a_life_from_made_to_gone(desk: Desk) -> None:
    made = await desk.add(notes="Early shift?", due_at="2026-12-01T13:00:00+01:00", priority="high")
    assert made["done"] is False
    assert made["due_at"] == NOON
    path = f"/{made['id']}"
    assert (await desk.send("GET", path)).json() == made
    assert (await desk.send("GET")).json() == {"items": [made], "next_cursor": None}

    done = (await desk.send("PATCH", path, json={"done": True})).json()
    assert done["done"] is True
    assert done["done_at"] is not None
    assert done["version"] == made["version"] + 1
    same = {"done", "done_at", "version", "updated_at"}
    assert {k: v for k, v in done.items() if k not in same} == {
        k: v for k, v in made.items() if k not in same
    }

    whole = await desk.send("PUT", path, json={"title": "Only this"})
    assert whole.status_code == 200
    kept = {name: whole.json()[name] for name in ("notes", "done", "done_at", "due_at", "priority")}
    assert kept == {
        "notes": "",
        "done": False,
        "done_at": None,
        "due_at": None,
        "priority": "normal",
    }

    assert (await desk.send("DELETE", path)).status_code == 204
    for method, body in (("GET", None), ("PUT", {"title": "x"}), ("PATCH", {}), ("DELETE", None)):
        gone = await desk.send(method, path, json=body)
        assert (gone.status_code, gone.json()["code"]) == (404, "task_not_found")


async def test_a_change_in_part_keeps_what_is_absent_and_clears_what_is_null(desk: Desk) -> None:
    made = await desk.add(notes="Bring the papers", due_at=NOON, priority="low")
    path = f"/{made['id']}"
    nothing = (await desk.send("PATCH", path, json={})).json()
    assert nothing == made
    cleared = (await desk.send("PATCH", path, json={"notes": None, "due_at": None})).json()
    assert (cleared["notes"], cleared["due_at"]) == ("", None)
    assert (cleared["title"], cleared["priority"]) == (made["title"], "low")


@pytest.mark.parametrize("name", ["title", "done", "priority"])
async def test_what_cannot_be_null_says_so(desk: Desk, name: str) -> None:
    made = await desk.add()
    answer = await desk.send("PATCH", f"/{made['id']}", json={name: None})
    assert pointers(answer) == {
        f"/{name}": "This cannot be null. Leave it out to keep it as it is."
    }
    assert (await desk.send("GET", f"/{made['id']}")).json() == made


async def test_what_was_done_stays_done_since_then(desk: Desk) -> None:
    made = await desk.add(done=True)
    again = (await desk.send("PATCH", f"/{made['id']}", json={"done": True})).json()
    assert again == made
    whole = await desk.send("PUT", f"/{made['id']}", json={"title": "New", "done": True})
    assert whole.json()["done_at"] == made["done_at"]
    undone = (await desk.send("PATCH", f"/{made['id']}", json={"done": False})).json()
    assert (undone["done"], undone["done_at"]) == (False, None)


async def test_a_version_guards_against_changes_in_between(desk: Desk) -> None:
    made = await desk.add()
    path = f"/{made['id']}"
    first = {"title": "First", "version": made["version"]}
    assert (await desk.send("PATCH", path, json=first)).status_code == 200
    for method in ("PATCH", "PUT"):
        late = {"title": "Late", "version": made["version"]}
        answer = await desk.send(method, path, json=late)
        assert (answer.status_code, answer.json()["code"]) == (409, "edited_meanwhile")
    assert await desk.titles() == ["First"]


async def test_changes_of_two_fields_at_once_both_hold(desk: Desk) -> None:
    made = await desk.add()
    changes = [{"title": "New"}, {"notes": "New"}, {"done": True}, {"priority": "high"}]
    path = f"/{made['id']}"
    answers = await asyncio.gather(*(desk.send("PATCH", path, json=each) for each in changes))
    assert [answer.status_code for answer in answers] == [200] * 4
    now = (await desk.send("GET", path)).json()
    assert [now[name] for name in ("title", "notes", "done", "priority")] == [
        "New",
        "New",
        True,
        "high",
    ]
    assert now["version"] == made["version"] + 4


@pytest.mark.parametrize(
    "due",
    [
        "2026-12-01T12:00:00",  # whose noon?
        "2026-12-01",
        "tomorrow",
        "",
        "1764590400",
        1764590400,
        True,
        [],
        "2026-02-30T12:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "10000-01-01T00:00:00Z",
        "1900-01-01T00:00:00+14:00",
        "2026-12-01T12:00:00+99:00",
        "2026-12-01T12:00:00Z\u0000",
    ],
)
async def test_a_due_date_is_a_moment_that_all_understand_alike(desk: Desk, due: Any) -> None:
    for answer in (
        await desk.send("POST", json={"title": "x", "due_at": due}),
        await desk.send("GET", params={"due_before": str(due) or "x"}),
    ):
        [(pointer, message)] = pointers(answer).items()
        assert pointer in {"/due_at", "/query/due_before"}
        assert message.startswith("This ")
    assert await desk.titles() == []


@pytest.mark.parametrize(
    ("due", "said"),
    [
        ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00Z"),
        ("8999-12-31T23:59:59.999999Z", "8999-12-31T23:59:59.999999Z"),
        ("2026-12-01T12:00:00.5+05:45", "2026-12-01T06:15:00.500000Z"),
        ("2026-12-01t12:00:00z", NOON),
        ("2024-02-29T23:59:59-11:00", "2024-03-01T10:59:59Z"),
    ],
)
async def test_dates_near_the_edges_come_back_as_the_same_moment(
    desk: Desk, due: str, said: str
) -> None:
    made = await desk.add(due_at=due)
    assert made["due_at"] == said
    await desk.add("Another", due_at=due)
    page = (await desk.send("GET", params={"limit": 1})).json()
    more = await desk.send("GET", params={"limit": 1, "cursor": page["next_cursor"]})
    assert [item["title"] for item in more.json()["items"]] == ["Another"]


async def test_a_title_is_needed_and_short(desk: Desk) -> None:
    for body in ({}, {"title": ""}, {"title": " \n"}, {"title": "x" * 201}, {"title": 7}):
        assert "/title" in pointers(await desk.send("POST", json=body))
    too_much = {"title": "x", "notes": "x" * 5001, "priority": "urgent", "done": "yes", "what": 1}
    found = pointers(await desk.send("POST", json=too_much))
    assert set(found) == {"/notes", "/priority", "/done", "/what"}
    made = await desk.add("x" * 200, notes="y" * 5000)
    assert "/title" in pointers(await desk.send("PUT", f"/{made['id']}", json={"notes": "no"}))


@pytest.mark.parametrize(
    "words",
    [
        "'; DROP TABLE tasks; --",
        "<script>alert(1)</script>",
        "ﷺ 田中さんにあげて 👩‍👩‍👧‍👦 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤",
        "100% _sure_ \\ 'quoted' \"twice\"",
        "\u202etest\u202c \ufeff",
        "null",
    ],
)
async def test_naughty_words_come_back_as_they_were_and_are_found(desk: Desk, words: str) -> None:
    made = await desk.add(f"<{words}>", notes=words)
    assert (made["title"], made["notes"]) == (f"<{words}>", words)
    await desk.add("Something else")
    assert await desk.titles(q=words) == [f"<{words}>"]


@pytest.mark.parametrize("text", ["a\u0000b", "\ud800"])
async def test_what_cannot_be_stored_is_refused(desk: Desk, text: str) -> None:
    for name in ("title", "notes"):
        body = json.dumps({"title": "x", name: text})
        headers = {**desk.user.headers, "Content-Type": "application/json"}
        answer = await desk.client.post(TASKS, content=body, headers=headers)
        assert f"/{name}" in pointers(answer)


async def test_finding_by_state_priority_date_and_words(desk: Desk) -> None:
    await desk.add("Write to the bakery", due_at=NOON, priority="high")
    await desk.add("Iron a shirt", notes="for the BAKERY", done=True)
    await desk.add("Read", due_at="2027-01-01T00:00:00Z", priority="low")
    assert await desk.titles(done=False) == ["Write to the bakery", "Read"]
    assert await desk.titles(done=True) == ["Iron a shirt"]
    assert await desk.titles(priority="low") == ["Read"]
    assert await desk.titles(due_before="2026-12-01T12:00:00Z") == []
    assert await desk.titles(due_before="2026-12-01T13:00:01+01:00") == ["Write to the bakery"]
    assert await desk.titles(q="bakery") == ["Write to the bakery", "Iron a shirt"]
    assert await desk.titles(q="BAKERY shirt") == ["Iron a shirt"]
    assert await desk.titles(q="bak%") == []
    assert await desk.titles(q=" ", done="", priority="", due_before="") != []
    raw = await desk.send("GET", "?due_before=2026-12-01T13:00:01+01:00")  # a `+` that is a space
    assert [item["title"] for item in raw.json()["items"]] == ["Write to the bakery"]


async def test_orders(desk: Desk) -> None:
    await desk.add("no date, high", priority="high")
    await desk.add("late, low", due_at="2027-01-01T00:00:00Z", priority="low")
    await desk.add("soon, normal", due_at=NOON)
    await desk.add("late, high", due_at="2027-01-01T00:00:00Z", priority="high")
    by_date = ["soon, normal", "late, low", "late, high", "no date, high"]
    assert await desk.titles() == await desk.titles(sort="due") == by_date
    assert await desk.titles(sort="priority") == [
        "late, high",
        "no date, high",
        "soon, normal",
        "late, low",
    ]
    assert await desk.titles(sort="newest") == [
        "late, high",
        "soon, normal",
        "late, low",
        "no date, high",
    ]


@pytest.mark.parametrize("sort", ["due", "priority", "newest"])
async def test_pages_hold_each_task_once_while_others_come(desk: Desk, sort: str) -> None:
    ranks = ["low", "normal", "high"]
    for number in range(9):
        date = {"due_at": f"2026-12-0{number // 3 + 1}T00:00:00Z"} if number < 6 else {}
        await desk.add(f"Task {number}", priority=ranks[number % 3], **date)
    whole = await desk.titles(sort=sort)
    assert len(whole) == 9
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"sort": sort, "limit": 2, "cursor": cursor}
        page = (await desk.send("GET", params=query)).json()
        seen += [item["title"] for item in page["items"]]
        cursor = page["next_cursor"]
        if len(seen) == 4:  # comes before what was read, in every order
            await desk.add("New", due_at="2020-01-01T00:00:00Z", priority="high")
    assert seen == whole


async def test_a_cursor_leads_on_in_its_own_list_only(desk: Desk, session: AsyncSession) -> None:
    for number in range(3):
        await desk.add(f"Task {number}", due_at=NOON)
    page = (await desk.send("GET", params={"limit": 1, "sort": "due"})).json()
    cursor = page["next_cursor"]
    same = await desk.send("GET", params={"limit": 2, "cursor": cursor})
    assert same.status_code == 200
    elsewhere = (
        {"sort": "newest"},
        {"sort": "priority"},
        {"done": "false"},
        {"q": "task"},
        {"cursor": "x"},
        {"cursor": "WzFd"},
        {"cursor": cursor[:-4]},
    )
    for query in elsewhere:
        answer = await desk.send("GET", params={"cursor": cursor} | query)
        assert answer.json()["code"] == "invalid_cursor", query
        assert "/query/cursor" in pointers(answer)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 101},
        {"sort": "title"},
        {"priority": "urgent"},
        {"done": "perhaps"},
        {"q": "x" * 201},
        {"job_id": "7"},
    ],
)
async def test_a_question_that_makes_no_sense(desk: Desk, query: dict[str, Any]) -> None:
    [pointer] = pointers(await desk.send("GET", params=query))
    assert pointer == "/query/" + next(iter(query))


async def test_nobody_reaches_what_is_another_s(
    client: httpx2.AsyncClient, cast: Cast, desk: Desk
) -> None:
    made = await desk.add("Secret")
    for user in (cast.candidate, cast.employer, cast.admin):
        other = Desk(client, user)
        assert await other.titles() == []
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            body = {"title": "Mine"} if method.startswith("P") else None
            answer = await other.send(method, f"/{made['id']}", json=body)
            missing = await other.send(method, f"/{uuid4()}", json=body)
            assert answer.status_code == missing.status_code == 404
            kept = {"request_id"}
            assert {k: v for k, v in answer.json().items() if k not in kept} == {
                k: v for k, v in missing.json().items() if k not in kept
            }
    assert (await client.get(TASKS)).status_code == 401
    assert (await client.get(f"{TASKS}/{made['id']}")).status_code == 401
    assert await desk.titles() == ["Secret"]
    assert "/path/id" in pointers(await desk.send("GET", "/7"))


async def test_there_is_an_end_to_how_many_even_for_those_who_hurry(
    desk: Desk, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST", 3)
    hurried = (desk.send("POST", json={"title": f"Task {number}"}) for number in range(8))
    answers = await asyncio.gather(*hurried)
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 5
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refused["code"] == "too_many_tasks"
    assert "Delete some" in refused["detail"]
    assert await session.scalar(select(func.count()).select_from(Task)) == 3
    first = (await desk.send("GET")).json()["items"][0]["id"]
    await desk.send("DELETE", f"/{first}")
    await desk.add("Room again")


@pytest.fixture
async def job(session: AsyncSession, cast: Cast) -> Job:
    return await make_job(session, cast.employer, cast.company, title="Baker")


async def applied(client: httpx2.AsyncClient, cast: Cast, job: Job) -> str:
    answer = await client.post(
        f"/api/v1/jobs/{job.id}/applications",
        json={"cover_letter": "I rise early."},
        headers=cast.candidate.headers,
    )
    return answer.json()["id"]


async def test_a_task_about_an_application_leads_each_side_to_its_own_page(
    client: httpx2.AsyncClient, cast: Cast, job: Job
) -> None:
    application_id = await applied(client, cast, job)
    for user, desk_name in ((cast.candidate, "me"), (cast.employer, "employer")):
        desk = Desk(client, user)
        made = await desk.add("Follow up", application_id=application_id)
        assert made["application_id"] == application_id
        assert made["about"] == {
            "kind": "application",
            "id": application_id,
            "title": "Baker",
            "company": cast.company.name,
            "candidate": "Cam Candidate",
            "path": f"/{desk_name}/applications/{application_id}",
        }
        await desk.add("Something else")
        assert await desk.titles(application_id=application_id) == ["Follow up"]
        assert await desk.titles(job_id=str(job.id)) == []


async def test_a_task_about_a_job(client: httpx2.AsyncClient, cast: Cast, job: Job) -> None:
    for user, path in (
        (cast.candidate, f"/jobs/{job.slug}"),
        (cast.employer, f"/employer/jobs/{job.id}"),
    ):
        desk = Desk(client, user)
        made = await desk.add("Look again", job_id=str(job.id))
        assert (made["about"]["kind"], made["about"]["path"]) == ("job", path)
        assert (made["about"]["title"], made["about"]["candidate"]) == ("Baker", None)
        assert await desk.titles(job_id=str(job.id)) == ["Look again"]


async def test_a_token_for_tasks_alone_shows_nothing_of_what_they_are_about(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, job: Job
) -> None:
    application_id = await applied(client, cast, job)
    draft = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    desk = Desk(client, cast.employer)
    for fields in ({"application_id": application_id}, {"job_id": str(draft.id)}):
        assert (await desk.add(**fields))["about"] is not None
    asked = {
        "grant_type": "password",
        "username": cast.employer.actor.email,
        "password": PASSWORD,
        "scope": "tasks:read tasks:write",
    }
    token = (await client.post("/api/v1/auth/token", data=asked)).json()["access_token"]
    narrow = Desk(client, User(cast.employer.actor, {"Authorization": f"Bearer {token}"}))
    items = (await narrow.send("GET")).json()["items"]
    assert [item["about"] for item in items] == [None, None]
    for name, each in (("application_id", application_id), ("job_id", str(draft.id))):
        answer = await narrow.send("POST", json={"title": "x", name: each})
        assert list(pointers(answer)) == [f"/{name}"]
    public = await narrow.add("Look again", job_id=str(job.id))
    assert public["about"]["title"] == "Baker"


async def test_a_link_leads_only_to_what_one_may_see(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, job: Job
) -> None:
    application_id = await applied(client, cast, job)
    draft = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    rival = Desk(client, cast.rival)
    made = await rival.add("About nothing")
    tried = {
        "application_id": (application_id, str(uuid4())),
        "job_id": (str(draft.id), str(uuid4())),
    }
    path = f"/{made['id']}"
    for name, ids in tried.items():
        for each in ids:
            for method, where in (("POST", ""), ("PUT", path), ("PATCH", path)):
                body = {name: each} if method == "PATCH" else {"title": "x", name: each}
                found = pointers(await rival.send(method, where, json=body))
                assert list(found) == [f"/{name}"]
                assert "for you to see" in found[f"/{name}"]
    assert (await rival.send("GET", f"/{made['id']}")).json() == made
    own = await Desk(client, cast.employer).add("Finish the draft", job_id=str(draft.id))
    assert own["about"]["title"] == "Baker"


async def test_a_task_is_about_one_thing(client: httpx2.AsyncClient, cast: Cast, job: Job) -> None:
    application_id, job_id = await applied(client, cast, job), str(job.id)
    desk = Desk(client, cast.candidate)
    both = {"application_id": application_id, "job_id": job_id}
    made = await desk.add("Follow up", application_id=application_id)
    path = f"/{made['id']}"
    for method, where, body in (
        ("POST", "", {"title": "x", **both}),
        ("PUT", path, {"title": "x", **both}),
        ("PATCH", path, both),
        ("PATCH", path, {"job_id": job_id}),
    ):
        answer = await desk.send(method, where, json=body)
        assert answer.status_code == 422
        assert "not both" in answer.text
    other = await desk.send("PATCH", path, json={"job_id": job_id, "application_id": None})
    assert other.json()["about"]["kind"] == "job"
    none = await desk.send("PATCH", path, json={"job_id": None})
    assert none.json()["about"] is None


async def test_what_is_gone_leaves_the_task_behind(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, job: Job
) -> None:
    application_id = await applied(client, cast, job)
    draft = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    desk = Desk(client, cast.employer)
    first = await desk.add("Call Cam", application_id=application_id)
    second = await desk.add("Finish it", job_id=str(draft.id))
    await session.execute(delete(Application).where(Application.id == UUID(application_id)))
    await session.commit()
    gone = await client.delete(f"/api/v1/jobs/{draft.id}", headers=cast.employer.headers)
    assert gone.status_code == 204
    for made in (first, second):
        left = (await desk.send("GET", f"/{made['id']}")).json()
        assert left["title"] == made["title"]
        assert (left["application_id"], left["job_id"], left["about"]) == (None, None, None)


async def test_who_leaves_the_company_keeps_the_task_without_its_names(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, job: Job
) -> None:
    application_id = await applied(client, cast, job)
    desk = Desk(client, cast.employer)
    made = await desk.add("Call back", application_id=application_id)
    await session.execute(delete(CompanyMember).where(CompanyMember.person_id == cast.employer.id))
    await session.commit()
    left = (await desk.send("GET", f"/{made['id']}")).json()
    assert (left["application_id"], left["about"]) == (application_id, None)
    whole = {"title": "Call back?", "application_id": application_id}
    assert (await desk.send("PUT", f"/{made['id']}", json=whole)).status_code == 200
    assert "Cam" not in (await desk.send("GET")).text


async def test_a_link_and_the_end_of_what_it_leads_to_do_not_collide(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    desk = Desk(client, cast.employer)
    for _ in range(4):
        draft = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
        answers = await asyncio.gather(
            *(desk.send("POST", json={"title": "x", "job_id": str(draft.id)}) for _ in range(3)),
            client.delete(f"/api/v1/jobs/{draft.id}", headers=cast.employer.headers),
        )
        assert answers[-1].status_code == 204
        assert {answer.status_code for answer in answers[:-1]} <= {201, 422}
    items = (await desk.send("GET")).json()["items"]
    assert {item["job_id"] for item in items} <= {None}
