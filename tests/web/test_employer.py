"""The employer's pages: the list, the form of a job, applicants, the company."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.applications import service as applying
from jobboard.applications.models import Application, Stage
from jobboard.applications.schemas import ApplicationCreate, ApplicationUpdate
from jobboard.companies.models import Company, CompanyMember, MemberRole
from jobboard.infra.postgres import Database
from jobboard.jobs import service as jobs
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.schemas import JobUpdate, SalaryInput
from jobboard.settings import Settings
from tests.factories.companies import make_company, make_member
from tests.factories.files import picture
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.timing import waiting_for_locks
from tests.web.browser import Browser, Page, log_in

pytestmark = pytest.mark.anyio
SCRIPT = "<script>alert(1)</script>"


@dataclass
class Desk:
    """An employer at work: who, for whom, and in which browser."""

    client: httpx2.AsyncClient
    session: AsyncSession
    settings: Settings
    owner: User
    company: Company
    browser: Browser

    async def another(self, role: Role, **fields: Any) -> tuple[User, Browser]:
        """Someone else, logged in."""
        user = await make_user(self.session, self.settings, role, **fields)
        return user, await log_in(self.client, self.session, self.settings, user)

    async def job(self, status: JobStatus = JobStatus.PUBLISHED, **fields: Any) -> Job:
        """A job of the company."""
        return await make_job(self.session, self.owner, self.company, status=status, **fields)

    async def application(self, job: Job, **fields: Any) -> Application:
        """A new candidate's."""
        candidate = await make_user(self.session, self.settings, **fields)
        data = ApplicationCreate(cover_letter="I rise early.")
        application = await applying.apply(self.session, candidate.actor, job.id, data)
        await self.session.commit()
        return application

    async def move(self, application: Application, stage: Stage) -> None:
        """A colleague moves an application on, in a session of their own."""
        async with AsyncSession(self.session.bind, expire_on_commit=False) as session:
            step = ApplicationUpdate(stage=stage)
            await applying.change(session, self.owner.actor, application.id, step)
            await session.commit()

    async def stored(self, kind: type, row_id: UUID) -> Any:
        """A row as it stands in the database now."""
        async with AsyncSession(self.session.bind, expire_on_commit=False) as session:
            return await session.get(kind, row_id)


@pytest.fixture
async def desk(client: httpx2.AsyncClient, session: AsyncSession, settings: Settings) -> Desk:
    owner = await make_user(session, settings, Role.EMPLOYER, full_name="Erin Employer")
    company = await make_company(session, owner, "Harbour Bakery")
    browser = await log_in(client, session, settings, owner)
    return Desk(client, session, settings, owner, company, browser)


def pages(desk: Desk, job: Job, application: Application) -> list[str]:
    return [
        f"/employer?company={desk.company.id}",
        f"/employer/jobs/{job.id}",
        f"/employer/jobs/{job.id}/preview",
        f"/employer/jobs/{job.id}/applicants",
        f"/employer/jobs/{job.id}/applicants?view=board",
        f"/employer/applications/{application.id}",
        f"/employer/companies/{desk.company.id}",
    ]


async def test_who_may_see_what(desk: Desk) -> None:
    job = await desk.job()
    application = await desk.application(job)
    _, candidates = await desk.another(Role.CANDIDATE)
    rival, rivals = await desk.another(Role.EMPLOYER)
    await make_company(desk.session, rival)
    for path in pages(desk, job, application):
        own = await desk.browser.get(path)
        assert own.status == (303 if path.endswith("preview") else 200), path
        assert (await rivals.get(path)).status in {403, 404}, path
        assert (await candidates.get(path)).status == 403, path
        stranger = await Browser(desk.client).get(path)
        assert stranger.status == 303
        assert stranger.location.startswith("/log-in?next=%2Femployer"), path


async def test_what_is_not_public_does_not_even_exist_for_a_rival(desk: Desk) -> None:
    job = await desk.job(JobStatus.DRAFT)
    _, rivals = await desk.another(Role.EMPLOYER)
    assert (await rivals.get(f"/employer/jobs/{job.id}")).status == 404


async def test_the_first_step_of_someone_new_is_a_company(desk: Desk) -> None:
    _, newcomer = await desk.another(Role.EMPLOYER)
    welcome = await newcomer.get("/employer")
    assert 'href="/employer/companies/new"' in welcome.html
    assert (await newcomer.get("/employer/jobs/new")).location == "/employer/companies/new"
    empty = await newcomer.submit(
        await newcomer.get("/employer/companies/new"),
        "/employer/companies/new",
        website="bakery.example",
        description="We bake.",
    )
    assert empty.status == 422
    kept = empty.form("/employer/companies/new").fields
    assert kept["website"] == ["bakery.example"]
    assert kept["description"] == ["We bake."]
    assert 'id="f-name-wrong"' in empty.html
    assert 'id="f-website-wrong"' in empty.html
    made = await newcomer.submit(empty, "/employer/companies/new", name="Mill", website="")
    form = await newcomer.follow(made)
    assert "Mill is set up" in form.text


async def test_tabs_show_each_job_where_it_stands(desk: Desk) -> None:
    for status in JobStatus:
        await desk.job(status, title=f"Job that is {status}")
    await desk.session.execute(
        update(Job).where(Job.status == JobStatus.REMOVED).values(status_reason="It is a scam.")
    )
    await desk.session.commit()
    shown = {
        "live": ["published"],
        "draft": ["draft"],
        "pending": ["pending"],
        "closed": ["closed", "expired", "rejected", "removed"],
    }
    for tab, statuses in shown.items():
        page = await desk.browser.get(f"/employer?tab={tab}")
        for status in JobStatus:
            assert (f"Job that is {status} " in page.text) is (status in statuses), (tab, status)
    assert "It is a scam." in page.text


@pytest.mark.parametrize(
    ("status", "steps"),
    [
        (JobStatus.DRAFT, {"submit", "delete"}),
        (JobStatus.PENDING, {"close"}),
        (JobStatus.PUBLISHED, {"close"}),
        (JobStatus.REJECTED, {"delete"}),  # and the form's "send again"
        (JobStatus.CLOSED, {"reopen"}),
        (JobStatus.EXPIRED, {"reopen"}),
        (JobStatus.REMOVED, set()),
    ],
)
async def test_a_job_offers_what_its_life_allows(
    desk: Desk, status: JobStatus, steps: set[str]
) -> None:
    job = await desk.job(status)
    tab = "closed" if status in {"rejected", "closed", "expired", "removed"} else ""
    page = await desk.browser.get("/employer" + (f"?tab={tab}" if tab else ""))
    path = f"/employer/jobs/{job.id}"
    for step in ("submit", "close", "reopen", "delete"):
        assert page.offers(f"{path}/{step}") is (step in steps), step
    edit = await desk.browser.get(path)
    assert edit.offers(path) is (status is not JobStatus.REMOVED)


async def test_long_lists_have_pages(desk: Desk) -> None:
    for number in range(23):
        await desk.job(JobStatus.DRAFT, title=f"Draft {number:02}")
    first = await desk.browser.get("/employer")
    more = next(part for part in first.html.split('"') if "cursor=" in part).replace("&amp;", "&")
    second = await desk.browser.get(more)
    for number in range(23):
        assert (f"Draft {number:02} " in first.text) is not (f"Draft {number:02} " in second.text)


async def test_posting_a_job(desk: Desk) -> None:
    page = await desk.browser.get("/employer/jobs/new")
    typed = {
        "title": "Baker",
        "description": "## Bread\r\n\r\n- and rolls",
        "location": "Hamburg, Germany",
        "employment_type": "full_time",
        "tags": "baking, early shift,",
        "salary.min": "30,000",
        "salary.max": "36.000",
        "salary.currency": "EUR",
        "do": "save",
    }
    saved = await desk.browser.submit(page, "/employer/jobs/new", fields=typed)
    edit = await desk.browser.follow(saved)
    assert "The draft is saved" in edit.text
    job = await desk.session.scalar(select(Job))
    assert job is not None
    assert (job.status, job.salary_min, job.salary_max) == (JobStatus.DRAFT, 3_000_000, 3_600_000)
    assert (job.country, job.tags) == ("DE", ["baking", "early shift"])
    assert job.description_html == "<h2>Bread</h2>\n<ul>\n<li>and rolls</li>\n</ul>"
    sent = await desk.browser.submit(edit, f"/employer/jobs/{job.id}", do="submit")
    assert "tab=pending" in sent.location
    assert "is with the moderators now" in (await desk.browser.follow(sent)).text
    assert (await desk.stored(Job, job.id)).status is JobStatus.PENDING


async def test_a_form_with_mistakes_keeps_what_was_typed(desk: Desk) -> None:
    page = await desk.browser.get("/employer/jobs/new")
    typed = {
        "title": " ",
        "description": "Much work.\r\n",
        "salary.min": "a lot",
        "tags": f"{'x' * 60}, {'y' * 60}",
        "apply_url": "javascript:alert(1)",
        "employment_type": "full_time",
        "do": "submit",
    }
    refused = await desk.browser.submit(page, "/employer/jobs/new", fields=typed)
    assert refused.status == 422
    kept = refused.form("/employer/jobs/new").fields
    for name, value in typed.items():
        if name not in {"do", "description"}:
            assert kept[name] == [value], name
    assert kept["description"][0].split() == ["Much", "work."]
    assert refused.text.count("at most 50 characters") == 2  # at the top, and beside it: once
    for name in ("title", "salary-min", "tags", "apply_url"):
        assert f'id="f-{name}-wrong"' in refused.html, name
        assert f'href="#f-{name}"' in refused.html, name
    assert await desk.session.scalar(select(Job)) is None


async def test_pay_that_is_no_figure_is_the_only_mistake(desk: Desk) -> None:
    page = await desk.browser.get("/employer/jobs/new")
    typed = {"title": "Baker", "salary.min": "a lot", "salary.currency": "EUR", "do": "save"}
    refused = await desk.browser.submit(page, "/employer/jobs/new", fields=typed)
    assert refused.status == 422
    assert 'id="f-salary-min-wrong"' in refused.html
    assert await desk.session.scalar(select(Job)) is None


async def test_too_many_tags_are_called_tags(desk: Desk) -> None:
    job = await desk.job(JobStatus.DRAFT)
    page = await desk.browser.get(f"/employer/jobs/{job.id}")
    tags = ", ".join(f"tag {number}" for number in range(21))
    refused = await desk.browser.submit(page, f"/employer/jobs/{job.id}", tags=tags)
    assert "Use at most 20 tags." in refused.text


async def test_nothing_is_sent_in_without_a_description(desk: Desk) -> None:
    page = await desk.browser.get("/employer/jobs/new")
    refused = await desk.browser.submit(page, "/employer/jobs/new", title="Baker", do="submit")
    assert refused.status == 422
    assert 'id="f-description-wrong"' in refused.html
    assert await desk.session.scalar(select(Job)) is None


async def test_a_change_that_matters_sends_a_live_job_back(desk: Desk) -> None:
    job = await desk.job(salary=SalaryInput(min=1_250, max=1_500, currency="EUR"))
    path = f"/employer/jobs/{job.id}"
    page = await desk.browser.get(path)
    assert "it goes back to the moderators" in page.text
    same = await desk.browser.submit(page, path, do="save", tags="bread")
    assert (await desk.stored(Job, job.id)).status is JobStatus.PUBLISHED
    page = await desk.browser.follow(same)
    changed = await desk.browser.submit(page, path, do="save", title="Master baker")
    assert "once more before it is live again" in (await desk.browser.follow(changed)).text
    assert (await desk.stored(Job, job.id)).status is JobStatus.PENDING


async def test_pay_that_came_as_words_survives_an_edit(desk: Desk) -> None:
    job = await desk.job()
    job.salary_text = "Competitive, plus bread"
    await desk.session.commit()
    path = f"/employer/jobs/{job.id}"
    page = await desk.browser.get(path)
    assert "Competitive, plus bread" in page.text
    await desk.browser.submit(page, path, do="save", tags="bread")
    stored = await desk.stored(Job, job.id)
    assert (stored.salary_text, stored.status) == ("Competitive, plus bread", JobStatus.PUBLISHED)


async def test_two_who_edit_the_same_job(desk: Desk) -> None:
    job = await desk.job(JobStatus.DRAFT)
    path = f"/employer/jobs/{job.id}"
    page = await desk.browser.get(path)
    pay = SalaryInput(min=1_250, max=1_500, currency="EUR", period="hour")
    theirs = JobUpdate(title="Their title", tags=["theirs"], salary=pay, remote="onsite")
    await jobs.change(desk.session, desk.owner.actor, job.id, theirs)
    await desk.session.commit()
    conflict = await desk.browser.submit(page, path, do="save", title="My title")
    assert conflict.status == 409
    assert "Someone else saved this job" in conflict.text
    for said in ("Their title", "an hour", "On site"):
        assert said in conflict.text, said
    assert conflict.form(path).fields["title"] == ["My title"]
    assert (await desk.stored(Job, job.id)).title == "Their title"
    again = await desk.browser.submit(conflict, path, do="save")
    assert again.status == 303
    assert (await desk.stored(Job, job.id)).title == "My title"


async def test_a_mistake_does_not_hide_what_someone_else_saved(desk: Desk) -> None:
    job = await desk.job(JobStatus.DRAFT)
    path = f"/employer/jobs/{job.id}"
    page = await desk.browser.get(path)
    await jobs.change(desk.session, desk.owner.actor, job.id, JobUpdate(title="Their title"))
    await desk.session.commit()
    mistaken = await desk.browser.submit(page, path, do="save", apply_url="nowhere")
    assert mistaken.status == 422
    mended = await desk.browser.submit(mistaken, path, do="save", apply_url="")
    assert mended.status == 409


async def test_the_steps_of_a_job(desk: Desk) -> None:
    job = await desk.job()
    path = f"/employer/jobs/{job.id}"
    page = await desk.browser.get("/employer")
    closed = await desk.browser.submit(page, f"{path}/close")
    assert "“Baker” is closed" in (await desk.browser.follow(closed)).text
    twice = await desk.browser.submit(page, f"{path}/close")
    assert "you cannot close it" in (await desk.browser.follow(twice)).text
    page = await desk.browser.get("/employer?tab=closed")
    await desk.browser.submit(page, f"{path}/reopen")
    assert (await desk.stored(Job, job.id)).status is JobStatus.PUBLISHED
    await desk.browser.submit(await desk.browser.get("/employer"), f"{path}/close")
    edit = await desk.browser.get(path)
    await desk.browser.submit(edit, path, do="save", title="Master baker")
    again = await desk.browser.submit(page, f"{path}/reopen")
    assert "since its text changed" in (await desk.browser.follow(again)).text
    assert (await desk.stored(Job, job.id)).status is JobStatus.PENDING


async def test_deleting_a_draft(desk: Desk) -> None:
    job = await desk.job(JobStatus.DRAFT)
    page = await desk.browser.get("/employer")
    gone = await desk.browser.submit(page, f"/employer/jobs/{job.id}/delete")
    assert "“Baker” is deleted" in (await desk.browser.follow(gone)).text
    assert await desk.stored(Job, job.id) is None


async def test_copying_fills_a_new_form(desk: Desk) -> None:
    job = await desk.job(JobStatus.EXPIRED, title="Baker", tags=["bread", "rolls"])
    copy = await desk.browser.get(f"/employer/jobs/new?copy={job.id}")
    fields = copy.form("/employer/jobs/new").fields
    assert (fields["title"], fields["tags"]) == (["Baker"], ["bread, rolls"])
    _, rivals = await desk.another(Role.EMPLOYER)
    assert (await rivals.get(f"/employer/jobs/new?copy={job.id}")).status in {303, 403}


async def test_a_draft_is_previewed_as_the_page_that_it_becomes_and_sent_in_from_there(
    desk: Desk,
) -> None:
    job = await desk.job(JobStatus.DRAFT)
    path = f"/employer/jobs/{job.id}"
    looked = await desk.browser.submit(await desk.browser.get(path), path, do="preview")
    preview = await desk.browser.follow(await desk.browser.follow(looked))
    assert "This is a draft" in preview.text
    assert "<h1>Baker</h1>" in preview.html
    sent = await desk.browser.submit(preview, f"/employer/jobs/{job.id}/submit")
    assert "“Baker” is with the moderators now" in (await desk.browser.follow(sent)).text
    waiting = await desk.browser.follow(await desk.browser.get(f"/employer/jobs/{job.id}/preview"))
    assert "Send to moderators" not in waiting.text


async def test_names_and_titles_are_text(desk: Desk) -> None:
    job = await desk.job(title=SCRIPT)
    application = await desk.application(job, full_name=SCRIPT)
    path = f"/employer/applications/{application.id}"
    noted = await desk.browser.submit(await desk.browser.get(path), f"{path}/notes", note=SCRIPT)
    assert noted.status == 303
    for page in pages(desk, job, application):
        html = (await desk.browser.get(page)).html
        assert SCRIPT not in html, page


async def test_forged_forms_are_refused(desk: Desk) -> None:
    job = await desk.job()
    path = f"/employer/jobs/{job.id}/close"
    assert (await desk.browser.post(path, {})).status == 403
    assert (await desk.browser.post(path, {"csrf_token": "wrong"})).status == 403
    token = (await desk.browser.get("/employer")).form(path).fields["csrf_token"]
    foreign = await desk.browser.post(
        path, {"csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status == 403
    assert (await desk.stored(Job, job.id)).status is JobStatus.PUBLISHED


async def test_a_rival_cannot_act(desk: Desk) -> None:
    job = await desk.job()
    application = await desk.application(job)
    rival, rivals = await desk.another(Role.EMPLOYER)
    await make_company(desk.session, rival)
    new = await rivals.get("/employer/companies/new")
    token = {"csrf_token": new.form("/employer/companies/new").fields["csrf_token"]}
    for path, data in {
        f"/employer/jobs/{job.id}": {"title": "Mine"},
        f"/employer/jobs/{job.id}/close": {},
        f"/employer/applications/{application.id}/stage": {"stage": "rejected", "version": "1"},
        f"/employer/applications/{application.id}/notes": {"note": "Ha"},
        f"/employer/companies/{desk.company.id}": {"name": "Mine"},
        f"/employer/companies/{desk.company.id}/members": {"email": rival.actor.email},
        f"/employer/companies/{desk.company.id}/logo": {"do": "remove"},
        "/employer/jobs/new": {"company_id": str(desk.company.id), "title": "Mine"},
    }.items():
        assert (await rivals.post(path, {**token, **data})).status in {403, 404}, path
    assert (await desk.stored(Job, job.id)).status is JobStatus.PUBLISHED
    assert (await desk.stored(Application, application.id)).stage is Stage.SUBMITTED


async def test_opening_an_application_makes_it_viewed(desk: Desk) -> None:
    application = await desk.application(await desk.job(), full_name="Cam Candidate")
    page = await desk.browser.get(f"/employer/applications/{application.id}")
    assert "I rise early." in page.text
    stored = await desk.stored(Application, application.id)
    assert stored.stage is Stage.VIEWED


async def test_a_moderator_reads_an_application_without_the_notes_of_the_team(desk: Desk) -> None:
    application = await desk.application(await desk.job())
    _, admin = await desk.another(Role.ADMIN)
    page = await admin.get(f"/employer/applications/{application.id}")
    assert page.status == 200
    assert "I rise early." in page.text
    assert "Notes of your team" not in page.text
    assert not buttons(page, application)


def buttons(page: Page, application: Application) -> set[str]:
    action = f"/employer/applications/{application.id}/stage"
    return {value for form in page.forms if form.action == action for _, value in form.buttons}


async def test_moving_an_application_on(desk: Desk) -> None:
    application = await desk.application(await desk.job(), full_name="Cam Candidate")
    path = f"/employer/applications/{application.id}"
    way = [
        ("interview", "is invited to an interview", {"interview", "offer", "rejected"}),
        ("offer", "gets your offer", {"offer", "rejected"}),
        ("rejected", "is turned down", {"hired", "rejected"}),
        ("viewed", "is under review again", {"viewed"}),
    ]
    for stage, said, offered in way:
        page = await desk.browser.get(path)
        assert buttons(page, application) == offered
        moved = await desk.browser.submit(page, f"{path}/stage", stage=stage)
        assert f"Cam Candidate {said}" in (await desk.browser.follow(moved)).text
    impossible = await desk.browser.submit(page, f"{path}/stage", stage="hired")
    assert "Someone was quicker" in (await desk.browser.follow(impossible)).text


async def test_a_colleague_who_was_quicker(desk: Desk) -> None:
    application = await desk.application(await desk.job(), full_name="Cam Candidate")
    path = f"/employer/applications/{application.id}"
    page = await desk.browser.get(path)
    await desk.move(application, Stage.OFFER)
    late = await desk.browser.submit(page, f"{path}/stage", stage="rejected")
    seen = await desk.browser.follow(late)
    assert "Someone was quicker" in seen.text
    assert "at “offer” now" in seen.text
    assert (await desk.stored(Application, application.id)).stage is Stage.OFFER


async def test_two_who_move_an_application_at_the_same_moment(desk: Desk, db: Database) -> None:
    application = await desk.application(await desk.job())
    path = f"/employer/applications/{application.id}"
    page = await desk.browser.get(path)
    theirs = update(Application).where(Application.id == application.id)
    values = theirs.values(version=Application.version + 1)
    await desk.session.execute(values.execution_options(synchronize_session=False))
    moving = asyncio.create_task(desk.browser.submit(page, f"{path}/stage", stage="offer"))
    await waiting_for_locks(db)
    await desk.session.commit()
    refused = await moving
    assert "Someone was quicker" in (await desk.browser.follow(refused)).text
    assert (await desk.stored(Application, application.id)).stage is Stage.VIEWED


async def test_notes_are_for_the_team(desk: Desk) -> None:
    application = await desk.application(await desk.job())
    path = f"/employer/applications/{application.id}"
    page = await desk.browser.get(path)
    empty = await desk.browser.submit(page, f"{path}/notes", note=" ")
    assert empty.status == 422
    assert 'id="f-note-wrong"' in empty.html
    long = await desk.browser.submit(page, f"{path}/notes", note="y" * 5001)
    assert long.status == 422
    assert long.form(f"{path}/notes").fields["note"] == ["y" * 5001]
    noted = await desk.browser.submit(page, f"{path}/notes", note="Knows sourdough.")
    seen = await desk.browser.follow(noted)
    assert "Knows sourdough." in seen.text
    assert "Erin Employer" in seen.text


async def test_applicants_by_stage(desk: Desk) -> None:
    job = await desk.job()
    path = f"/employer/jobs/{job.id}/applicants"
    assert "Nobody has applied yet" in (await desk.browser.get(path)).text
    ada = await desk.application(job, full_name="Ada First")
    await desk.application(job, full_name="Ben Second")
    await desk.move(ada, Stage.INTERVIEW)
    everyone = await desk.browser.get(path)
    assert "2 applicants" in everyone.text
    some = await desk.browser.get(f"{path}?stage=interview")
    assert "Ada First" in some.text
    assert "Ben Second" not in some.text
    board = await desk.browser.get(f"{path}?view=board")
    assert "Ada First" in board.text
    assert "Ben Second" in board.text
    move = f"/employer/applications/{ada.id}/stage"
    moved = await desk.browser.submit(board, move, stage="offer")
    assert moved.location == f"{path}?view=board"
    assert (await desk.stored(Application, ada.id)).stage is Stage.OFFER


async def test_moving_many_is_all_or_nothing(desk: Desk) -> None:
    job = await desk.job()
    path = f"/employer/jobs/{job.id}/applicants"
    some = [await desk.application(job, full_name=f"Cam {n}") for n in range(3)]
    page = await desk.browser.get(path)
    nobody = await desk.browser.submit(page, path, stage="interview")
    assert "Choose at least one" in (await desk.browser.follow(nobody)).text
    boxes = [f"{each.id}:{each.version}" for each in some]
    await desk.move(some[2], Stage.REJECTED)
    refused = await desk.browser.submit(page, path, stage="interview", application=boxes)
    assert "Nobody was moved: Cam 2" in (await desk.browser.follow(refused)).text
    assert (await desk.stored(Application, some[0].id)).stage is Stage.SUBMITTED
    moved = await desk.browser.submit(page, path, stage="interview", application=boxes[:2])
    assert "2 applicants moved on" in (await desk.browser.follow(moved)).text
    for each in some[:2]:
        assert (await desk.stored(Application, each.id)).stage is Stage.INTERVIEW
    garbage = await desk.browser.submit(page, path, stage="interview", application=["x:y"])
    assert "could not read what was chosen" in (await desk.browser.follow(garbage)).text
    nowhere = await desk.browser.submit(page, path, stage="the moon", application=boxes[:2])
    assert "could not read what was chosen" in (await desk.browser.follow(nowhere)).text


async def test_changing_the_company(desk: Desk) -> None:
    path = f"/employer/companies/{desk.company.id}"
    page = await desk.browser.get(path)
    wrong = await desk.browser.submit(page, path, name="", website="nowhere")
    assert wrong.status == 422
    assert wrong.form(path).fields["website"] == ["nowhere"]
    changed = await desk.browser.submit(page, path, name="Mill", website="https://mill.example")
    assert "Your changes are saved" in (await desk.browser.follow(changed)).text
    assert (await desk.stored(Company, desk.company.id)).name == "Mill"


async def test_the_logo(desk: Desk) -> None:
    path = f"/employer/companies/{desk.company.id}"
    page = await desk.browser.get(path)
    assert "at most 5 MB" in page.text
    for files, words in [
        ({}, "Choose a picture first"),
        ({"file": ("a.png", b"no picture", "image/png")}, "can read no picture in this"),
        ({"file": ("a.png", b"x" * (5 * 1024 * 1024 + 1), "image/png")}, "larger than 5 MB"),
    ]:
        refused = await desk.browser.submit(page, f"{path}/logo", files=files or None)
        assert refused.status in {413, 422}
        assert words in refused.text
        assert 'id="f-file-wrong"' in refused.html
    files = {"file": ("logo.png", picture(), "image/png")}
    shown = await desk.browser.follow(await desk.browser.submit(page, f"{path}/logo", files=files))
    assert "This is your logo now" in shown.text
    assert 'src="/images/' in shown.html
    gone = await desk.browser.submit(shown, f"{path}/logo", do="remove")
    assert 'src="/images/' not in (await desk.browser.follow(gone)).html


async def test_the_team(desk: Desk) -> None:
    path = f"/employer/companies/{desk.company.id}"
    colleague, colleagues = await desk.another(Role.EMPLOYER, full_name="Rae Recruiter")
    page = await desk.browser.get(path)
    wrong = await desk.browser.submit(page, f"{path}/members", email="nobody")
    assert wrong.status == 422
    assert wrong.form(f"{path}/members").fields["email"] == ["nobody"]
    last = await desk.browser.submit(page, f"{path}/members/{desk.owner.id}/remove")
    assert "only owner" in (await desk.browser.follow(last)).text
    await make_member(desk.session, desk.company, colleague)
    more = {"email": colleague.actor.email, "role": "owner"}
    page = await desk.browser.follow(await desk.browser.submit(page, f"{path}/members", **more))
    assert "Saved what Rae Recruiter may do" in page.text
    await desk.browser.submit(page, f"{path}/members", email=colleague.actor.email)
    theirs = await colleagues.get(path)
    assert not theirs.offers(path)
    assert not theirs.offers(f"{path}/members/{desk.owner.id}/remove")
    left = await colleagues.submit(theirs, f"{path}/members/{colleague.id}/remove")
    assert "You have left" in (await colleagues.follow(left)).text
    members = await desk.session.scalars(select(CompanyMember.role))
    assert members.all() == [MemberRole.OWNER]


async def test_a_recruiter_posts_but_does_not_manage(desk: Desk) -> None:
    recruiter, browser = await desk.another(Role.EMPLOYER)
    await make_member(desk.session, desk.company, recruiter)
    page = await browser.get("/employer/jobs/new")
    saved = await browser.submit(page, "/employer/jobs/new", title="Baker", do="save")
    assert saved.status == 303
    token = page.form("/employer/jobs/new").fields["csrf_token"]
    company = f"/employer/companies/{desk.company.id}"
    refused = await browser.post(company, {"csrf_token": token, "name": "Mine"})
    assert refused.status == 403
