"""No ghosting: what counts as an answer, who waits too long, and one answer for many."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.applications import figures, service
from jobboard.applications.models import Application, Stage
from jobboard.applications.schemas import ApplicationCreate
from jobboard.clock import now
from jobboard.infra.postgres import Database
from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.letters import Mailbox, words
from tests.timing import waiting_for_locks

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


class Desk:
    """A company with a job, and people who apply to it."""

    def __init__(
        self, client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, cast: Cast
    ) -> None:
        self.client, self.session, self.settings, self.cast = client, session, settings, cast
        self.company = f"/api/v1/companies/{cast.company.id}"
        self.jobs: dict[UUID, UUID] = {}

    async def applied(self, days: float, *, by: User | None = None, name: str = "Ada") -> str:
        """Someone applied so many days ago; the id."""
        owner = by or self.cast.employer
        if owner.id not in self.jobs:
            company = self.cast.company
            if by is not None:
                company = await make_company(self.session, by)
            self.jobs[owner.id] = (await make_job(self.session, owner, company, title="Baker")).id
        person = await make_user(self.session, self.settings, full_name=name)
        letter = ApplicationCreate(cover_letter="Hello.")
        made = await service.apply(self.session, person.actor, self.jobs[owner.id], letter)
        await self.set(made.id, created_at=now() - days * DAY, updated_at=now() - days * DAY)
        return str(made.id)

    async def set(self, application_id: object, **values: Any) -> None:
        row = update(Application).where(Application.id == application_id).values(**values)
        await self.session.execute(row.execution_options(synchronize_session=False))
        await self.session.commit()

    async def answered(self, days: float, *, after: float, **more: Any) -> str:
        """Someone who applied so many days ago was answered after so many days."""
        made = await self.applied(days, **more)
        moment = now() - (days - after) * DAY
        await self.set(made, stage=Stage.REJECTED, answered_at=moment, updated_at=moment)
        return made

    async def figures(self) -> Any:
        await figures.keep(self.session, self.settings)
        await self.session.commit()
        return (await self.client.get(self.company)).json()["answers"]

    async def send(self, method: str, path: str, **more: Any) -> httpx2.Response:
        headers = more.pop("headers", self.cast.employer.headers)
        return await self.client.request(method, path, headers=headers, **more)


@pytest.fixture
async def desk(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, cast: Cast
) -> Desk:
    return Desk(client, session, settings, cast)


async def test_figures_are_shown_from_five_applications_on(desk: Desk) -> None:
    for after in (1, 2, 3, 4):
        await desk.answered(20, after=after)
    assert await desk.figures() is None
    await desk.answered(20, after=10)
    assert await desk.figures() == {
        "applications": 5,
        "answered_share": 1.0,
        "median_hours": 72.0,
    }
    (job,) = desk.jobs.values()
    shown = (await desk.client.get(f"/api/v1/jobs/{job}")).json()["company"]["answers"]
    assert shown["median_hours"] == 72.0


async def test_what_counts_and_what_does_not(desk: Desk) -> None:
    for _ in range(3):
        await desk.answered(30, after=2)
    await desk.answered(3, after=1)  # young: those that wait beside it do not count either
    silent = [await desk.applied(20) for _ in range(4)]
    early, late, viewed = silent[:3]
    await desk.set(early, stage=Stage.WITHDRAWN, updated_at=now() - 10 * DAY)  # after ten days
    await desk.set(late, stage=Stage.WITHDRAWN, updated_at=now() - DAY)  # after nineteen
    await desk.set(viewed, stage=Stage.VIEWED)  # to have looked is no answer
    await desk.applied(13)  # still has a day
    await desk.answered(200, after=150)  # too long ago
    await desk.applied(200)
    assert await desk.figures() == {
        "applications": 6,
        "answered_share": 0.5,
        "median_hours": None,
    }


async def test_a_short_memory_of_refused_ones_does_not_flatter(desk: Desk) -> None:
    desk.settings = desk.settings.model_copy(update={"rejected_days": 21})
    for _ in range(5):
        await desk.answered(4, after=0.1)
        await desk.applied(16)
    assert await desk.figures() == {
        "applications": 5,
        "answered_share": 0.0,
        "median_hours": None,
    }


async def test_figures_go_when_too_few_are_left(desk: Desk) -> None:
    made = [await desk.answered(20, after=1) for _ in range(5)]
    assert await desk.figures()
    await desk.set(made[0], created_at=now() - 190 * DAY)
    assert await desk.figures() is None


async def test_the_first_answer_stays_the_first(desk: Desk) -> None:
    made = f"/api/v1/applications/{await desk.applied(5)}"
    read = (await desk.send("GET", made)).json()
    assert (read["stage"], read["answered_at"]) == ("viewed", None)
    moved = (await desk.send("PATCH", made, json={"stage": "rejected"})).json()
    again = (await desk.send("PATCH", made, json={"stage": "viewed"})).json()
    hired = (await desk.send("PATCH", made, json={"stage": "offer"})).json()
    assert moved["answered_at"] == again["answered_at"] == hired["answered_at"]
    assert not again["overdue"]


async def test_who_waits_for_more_than_two_weeks_is_listed_longest_first(desk: Desk) -> None:
    await desk.applied(13.9)
    late, later = await desk.applied(15), await desk.applied(30)
    await desk.answered(40, after=30)
    await desk.applied(90, by=desk.cast.rival)
    listed = f"{desk.company}/overdue-applications"
    first = (await desk.send("GET", listed, params={"limit": 1})).json()
    rest = (await desk.send("GET", listed, params={"cursor": first["next_cursor"]})).json()
    assert [each["id"] for each in [*first["items"], *rest["items"]]] == [later, late]
    assert first["items"][0]["overdue"] is True
    refused = await desk.send("GET", listed, headers=desk.cast.rival.headers)
    assert refused.status_code == 403


async def test_one_answer_for_many_is_a_step_of_each_with_its_mail(
    desk: Desk, db: Database
) -> None:
    made = [await desk.applied(20, name=name) for name in ("Ada {job}", "Bob")]
    mailbox = Mailbox(desk.settings, db)
    await mailbox.read()
    message = "Dear {name},\n\nno {job} this time.\n\n{company}"
    body = {"applications": [{"id": each} for each in made], "stage": "rejected"}
    answer = await desk.send("POST", f"{desk.company}/answers", json=body | {"message": message})
    assert answer.json()["answered"] == 2, answer.text
    texts = sorted(words(mail) for mail in await mailbox.read())
    assert "> Dear Ada {job},\n>\n> no Baker this time." in texts[0]
    assert "> Dear Bob," in texts[1]
    read = (await desk.send("GET", f"/api/v1/applications/{made[1]}")).json()
    last = read["history"][-1]
    assert (last["stage"], last["by"]) == ("rejected", "company")
    assert last["message"].startswith("Dear Bob,\n\nno Baker")
    again = await desk.send("POST", f"{desk.company}/answers", json=body)
    assert again.json()["answered"] == 0
    assert await mailbox.read() == []


async def test_those_that_cannot_be_answered_are_told_apart(desk: Desk, db: Database) -> None:
    good, gone, moved, second = [await desk.applied(20) for _ in range(4)]
    others = await desk.applied(20, by=desk.cast.rival)
    sister = await make_company(desk.session, desk.cast.employer)  # answered as what it is
    job = await make_job(desk.session, desk.cast.employer, sister)
    await desk.set(second, job_id=job.id)
    nowhere = str(uuid4())
    await desk.set(gone, stage=Stage.WITHDRAWN)
    mailbox = Mailbox(desk.settings, db)
    await mailbox.read()
    chosen = [{"id": each} for each in (gone, others, nowhere, second, good)]
    body = {"applications": [*chosen, {"id": moved, "version": 7}], "stage": "interview"}
    answer = (await desk.send("POST", f"{desk.company}/answers", json=body)).json()
    assert {each["id"]: each["code"] for each in answer["items"]} == {
        gone: "application_step_impossible",
        others: "application_not_found",
        nowhere: "application_not_found",
        second: "application_not_found",
        good: None,
        moved: "edited_meanwhile",
    }
    assert answer["answered"] == 1
    assert all(each["detail"] for each in answer["items"] if not each["answered"])
    assert len(await mailbox.read()) == 1
    for each, stage in ((gone, "withdrawn"), (moved, "viewed"), (good, "interview")):
        assert (await desk.send("GET", f"/api/v1/applications/{each}")).json()["stage"] == stage


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"message": "Dear {nmae}"}, "/message"),
        ({"message": " "}, "/message"),
        ({"stage": "gone"}, "/stage"),
        ({"stage": "viewed"}, "/stage"),
        ({"stage": "withdrawn"}, "/stage"),
        ({"applications": []}, "/applications"),
        ({"applications": [{"id": "x"}]}, "/applications/0/id"),
    ],
)
async def test_what_does_not_fit_is_refused_before_anyone_is_answered(
    desk: Desk, change: dict[str, Any], pointer: str
) -> None:
    body = {"applications": [{"id": str(uuid4())}], "stage": "rejected"} | change
    answer = await desk.send("POST", f"{desk.company}/answers", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_one_that_moves_on_at_the_same_moment_is_told_and_stops_no_other(
    desk: Desk, db: Database
) -> None:
    quick, calm = [await desk.applied(20) for _ in range(2)]
    moving = update(Application).where(Application.id == quick)
    values = {"stage": Stage.VIEWED, "version": Application.version + 1}
    await desk.session.execute(moving.values(values).execution_options(synchronize_session=False))
    body = {"applications": [{"id": quick}, {"id": calm}], "stage": "rejected"}
    answering = asyncio.create_task(desk.send("POST", f"{desk.company}/answers", json=body))
    await waiting_for_locks(db)
    await desk.session.commit()
    answer = (await answering).json()
    assert {each["id"]: each["code"] for each in answer["items"]} == {
        quick: "edited_meanwhile",
        calm: None,
    }


async def test_a_message_goes_with_a_step(desk: Desk) -> None:
    made = await desk.applied(1)
    path = f"/api/v1/applications/{made}"
    assert (await desk.send("PATCH", path, json={"message": "Hello"})).status_code == 422


async def test_what_a_company_wrote_goes_with_the_person(desk: Desk) -> None:
    person = desk.cast.candidate
    job = await make_job(desk.session, desk.cast.employer, desk.cast.company)
    letter = ApplicationCreate(cover_letter="Hello.")
    made = await service.apply(desk.session, person.actor, job.id, letter)
    await desk.session.commit()
    path = f"/api/v1/applications/{made.id}"
    sent = {"stage": "rejected", "message": "Dear {name}"}
    moved = (await desk.send("PATCH", path, json=sent)).json()
    assert moved["history"][-1]["message"] == "Dear Cam Candidate"
    gone = await desk.client.request(
        "DELETE",
        "/api/v1/me",
        json={"current_password": "a quiet sentence for tests"},
        headers=person.headers,
    )
    assert gone.status_code == 204, gone.text
    left = (await desk.send("GET", path)).json()
    assert [each["message"] for each in left["history"]] == [None, None]
