"""The pages of to-dos, and the forms that make them where one thinks of them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select

from jobboard.accounts.models import Role
from jobboard.applications import service as applying
from jobboard.applications.models import Application
from jobboard.applications.schemas import ApplicationCreate
from jobboard.clock import now
from jobboard.companies.models import CompanyMember
from jobboard.tasks import queries, service
from jobboard.tasks.models import Priority, Task
from jobboard.tasks.schemas import TaskRead, TaskUpdate
from jobboard.web import tasks as pages
from tests.factories.people import User
from tests.factories.tasks import make_task
from tests.web.browser import Browser, Page
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio
TASKS = "/me/tasks"


async def stored(town: Town, task_id: UUID | str, user: User) -> TaskRead:
    """A task as it stands now."""
    await town.session.rollback()
    return await queries.get(town.session, user.actor, UUID(str(task_id)))


async def all_of(town: Town, user: User) -> list[Task]:
    """Every task of someone, oldest first."""
    await town.session.rollback()
    own = select(Task).where(Task.person_id == user.id).order_by(Task.id)
    return list(await town.session.scalars(own, execution_options={"populate_existing": True}))


@pytest.mark.parametrize(
    ("role", "way_on"),
    [
        (Role.CANDIDATE, "/me/applications"),
        (Role.EMPLOYER, "/employer"),
        (Role.ADMIN, ""),
    ],
)
async def test_an_empty_list_says_what_to_do(town: Town, role: Role, way_on: str) -> None:
    _, browser = await town.person(role)
    page = await browser.get(TASKS)
    assert page.status == 200
    assert "Nothing to do yet" in page.text
    assert f'class="button" href="{way_on}"' in page.html or not way_on
    assert "Filter and sort" not in page.text
    assert "No task fits" in (await browser.get(f"{TASKS}?q=x")).text
    assert "Nothing is done yet" in (await browser.get(f"{TASKS}?show=done")).text


async def test_adding_one_takes_a_line_and_a_press(town: Town) -> None:
    candidate, browser = await town.person()
    page = await browser.get(TASKS)
    sent = await browser.submit(page, TASKS, title=" Iron a shirt ", in_days="3", priority="high")
    listed = await browser.follow(sent)
    assert "“Iron a shirt” is on your list" in listed.text
    assert "Due in 3 days" in listed.text
    assert "Important" in listed.text
    [task] = await all_of(town, candidate)
    assert task.title == "Iron a shirt"
    assert task.priority is Priority.HIGH
    assert task.due_at is not None
    assert abs(task.due_at - now() - timedelta(days=3)) < timedelta(minutes=5)
    plain = await browser.submit(page, TASKS, title="No date")
    assert "Due" not in (await browser.follow(plain)).text.partition("No date")[2][:30]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"title": "  "}, "This must not be empty"),
        ({"title": "x" * 201}, "at most 200"),
        ({"title": "x", "in_days": "400"}, "Choose one of these"),
        ({"title": "x", "priority": "urgent"}, "must be"),
        ({"title": "x\0"}, "cannot be stored"),
        ({"title": "x", "application_id": "7"}, "not an id of ours"),
        ({"title": "x", "job_id": str(uuid4())}, "no such job for you to see"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    town: Town, typed: dict[str, str], said: str
) -> None:
    candidate, browser = await town.person()
    page = await browser.get(TASKS)
    fields = {"notes": "Keep <me>", "back": "/me/applications"} | typed
    refused = await browser.submit(page, TASKS, fields=fields)
    assert refused.status == 422
    assert said in refused.text
    kept = refused.form(TASKS).fields
    assert kept["notes"] == ["Keep <me>"]
    assert kept["back"] == ["/me/applications"]
    assert await all_of(town, candidate) == []
    mended = {"title": "Mended", "in_days": "1", "priority": "low"}
    links = {name: "" for name in ("application_id", "job_id") if name in kept}
    again = await browser.submit(refused, TASKS, fields=mended | links)
    assert again.location == "/me/applications"


async def test_too_many_say_so(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate, browser = await town.person()
    await make_task(town.session, candidate)
    monkeypatch.setattr(service, "MOST", 1)
    page = await browser.get(TASKS)
    refused = await browser.submit(page, TASKS, title="One more")
    assert refused.status == 409
    assert "Delete some that are done" in refused.text


async def test_done_with_one_press_and_back_with_another(town: Town) -> None:
    candidate, browser = await town.person()
    task = await make_task(town.session, candidate, "Iron a shirt")
    action = f"{TASKS}/{task.id}/done"
    page = await browser.get(f"{TASKS}?sort=newest")
    listed = await browser.follow(await browser.submit(page, action))
    assert "“Iron a shirt” is done" in listed.text
    assert "All done" in listed.text
    twice = await browser.submit(page, action)  # an impatient second press
    assert twice.location == f"{TASKS}?sort=newest"
    assert (await stored(town, task.id, candidate)).done
    done = await browser.get(f"{TASKS}?show=done")
    assert "Done just now" in done.text
    await browser.submit(done, action)
    assert not (await stored(town, task.id, candidate)).done


async def test_deleting_asks_first(town: Town) -> None:
    candidate, browser = await town.person()
    first = await make_task(town.session, candidate, "First", done=True)
    second = await make_task(town.session, candidate, "Second")
    await make_task(town.session, candidate, "Third", done=True)
    done = await browser.get(f"{TASKS}?show=done")
    assert "It cannot be brought back" in done.text
    gone = await browser.submit(done, f"{TASKS}/{first.id}/delete")
    assert gone.location == f"{TASKS}?show=done"
    assert "“First” is deleted" in (await browser.follow(gone)).text
    assert (await browser.submit(done, f"{TASKS}/{first.id}/delete")).status == 404
    rest = await browser.follow(await browser.submit(done, f"{TASKS}/delete-done"))
    assert "1 task is deleted" in rest.text
    assert [task.title for task in await all_of(town, candidate)] == ["Second"]
    page = await browser.get(f"{TASKS}/{second.id}")
    assert (await browser.submit(page, f"{TASKS}/{second.id}/delete")).location == TASKS


async def test_changing_one(town: Town) -> None:
    candidate, browser = await town.person()
    task = await make_task(town.session, candidate, "Old", notes="two\nlines", priority="low")
    path = f"{TASKS}/{task.id}"
    page = await browser.get(path)
    shown = page.form(path).fields
    assert (shown["title"], shown["notes"]) == (["Old"], ["two\nlines"])
    changes = {"title": "New", "due_at": "2027-03-01T09:30", "priority": "high", "notes": ""}
    saved = await browser.submit(page, path, fields=changes)
    assert "“New” is saved" in (await browser.follow(saved)).text
    now_is = await stored(town, task.id, candidate)
    assert (now_is.title, now_is.notes, now_is.priority) == ("New", "", Priority.HIGH)
    assert now_is.due_at == datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
    page = await browser.get(path)
    assert page.form(path).fields["due_at"] == ["2027-03-01T09:30"]
    await browser.submit(page, path, due_at="")
    assert (await stored(town, task.id, candidate)).due_at is None


async def test_a_script_may_say_where_the_person_is(town: Town) -> None:
    candidate, browser = await town.person()
    task = await make_task(town.session, candidate)
    path = f"{TASKS}/{task.id}"
    page = await browser.get(path)
    await browser.submit(page, path, due_at="2027-03-01T09:30", offset="+05:45")
    due = (await stored(town, task.id, candidate)).due_at
    assert due == datetime(2027, 3, 1, 3, 45, tzinfo=UTC)
    page = await browser.get(path)
    await browser.submit(page, path, due_at="2027-03-01T09:30", offset="nonsense")
    due = (await stored(town, task.id, candidate)).due_at
    assert due == datetime(2027, 3, 1, 9, 30, tzinfo=UTC)


async def test_a_date_that_nobody_touched_keeps_its_seconds(town: Town) -> None:
    candidate, browser = await town.person()
    exact = datetime(2027, 3, 1, 9, 30, 12, 345, tzinfo=UTC)
    task = await make_task(town.session, candidate, due_at=exact)
    path = f"{TASKS}/{task.id}"
    await browser.submit(await browser.get(path), path, title="Renamed")
    assert (await stored(town, task.id, candidate)).due_at == exact


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"due_at": "soon"}, "This must be a date and time"),
        ({"due_at": "20260-01-01T00:00"}, "This must be a date and time"),
        ({"due_at": "2026-02-30T00:00"}, "This must be a date and time"),
        ({"due_at": "9999-12-31T23:59"}, "too far away"),
        ({"due_at": "0001-01-01T00:00", "offset": "+14:00"}, "too far away"),
        ({"title": ""}, "must not be empty"),
        ({"notes": "x" * 5001}, "at most 5000"),
        ({"version": "x"}, "whole number"),
    ],
)
async def test_a_wrong_change_is_not_kept(town: Town, typed: dict[str, str], said: str) -> None:
    candidate, browser = await town.person()
    task = await make_task(town.session, candidate, notes="Before", due_at=now())
    path = f"{TASKS}/{task.id}"
    page = await browser.get(path)
    refused = await browser.submit(page, path, fields={"priority": "high"} | typed)
    assert refused.status == 422
    assert said in refused.text
    kept = refused.form(path).fields
    assert kept["priority"] == ["high"]
    for name, value in typed.items():
        assert kept[name] == [value] or name == "offset"
    assert await stored(town, task.id, candidate) == task


async def test_a_change_in_another_window_is_not_overwritten_unseen(town: Town) -> None:
    candidate, browser = await town.person()
    task = await make_task(town.session, candidate, "Old")
    path = f"{TASKS}/{task.id}"
    page = await browser.get(path)
    await service.change(town.session, candidate.actor, task.id, TaskUpdate(title="Theirs"))
    await town.session.commit()
    refused = await browser.submit(page, path, title="Mine")
    assert refused.status == 409
    assert "it is “Theirs” now" in refused.text
    assert refused.form(path).fields["title"] == ["Mine"]
    assert (await stored(town, task.id, candidate)).title == "Theirs"
    assert (await browser.submit(refused, path)).status == 303
    assert (await stored(town, task.id, candidate)).title == "Mine"


def ids(page: Page) -> list[str]:
    """The ids of the tasks of a list, in order."""
    return [form.action.split("/")[3] for form in page.forms if form.action.endswith("/done")]


async def test_what_is_overdue_is_marked_and_found(town: Town) -> None:
    candidate, browser = await town.person()
    late = await make_task(town.session, candidate, "Late", due_at=now() - timedelta(days=3))
    soon = await make_task(town.session, candidate, "Soon", due_at=now() + timedelta(days=2))
    far = await make_task(
        town.session, candidate, "Far", due_at=now() + timedelta(days=90), priority="high"
    )
    page = await browser.get(TASKS)
    assert page.text.count("Overdue was due") == 1
    assert ids(page) == [str(late.id), str(soon.id), str(far.id)]
    assert ids(await browser.get(f"{TASKS}?due=overdue")) == [str(late.id)]
    assert ids(await browser.get(f"{TASKS}?due=week")) == [str(late.id), str(soon.id)]
    assert ids(await browser.get(f"{TASKS}?q=soon")) == [str(soon.id)]
    assert ids(await browser.get(f"{TASKS}?priority=high")) == [str(far.id)]
    assert ids(await browser.get(f"{TASKS}?sort=priority"))[0] == str(far.id)
    assert len(ids(await browser.get(f"{TASKS}?show=&q=+&priority=&due=&sort="))) == 3
    assert "No task fits" in (await browser.get(f"{TASKS}?q=nothing")).text
    for wrong in ("show=x", "priority=x", "due=x", "sort=x", "cursor=x", "q=" + "x" * 201):
        refused = await browser.get(f"{TASKS}?{wrong}")
        assert refused.status == 422, wrong
        assert "Something in this address is not right" in refused.text


async def test_pages_of_what_is_overdue_lead_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)
    candidate, browser = await town.person()
    for days in range(1, 6):
        await make_task(town.session, candidate, due_at=now() - timedelta(days=days))
    seen: list[str] = []
    path: str | None = f"{TASKS}?due=overdue"
    while path:
        page = await browser.get(path)
        seen += ids(page)
        _, found, rest = page.html.partition('rel="next" href="')
        path = rest.partition('"')[0].replace("&amp;", "&") if found else None
    assert len(seen) == len(set(seen)) == 5
    assert "First page" in page.text


async def apply(town: Town) -> tuple[Application, User, Browser]:
    """A new candidate applies."""
    job = await town.job(title="Baker")
    candidate, browser = await town.person(full_name="Cam Candidate")
    data = ApplicationCreate(cover_letter="I rise early.")
    application = await applying.apply(town.session, candidate.actor, job.id, data)
    await town.session.commit()
    return application, candidate, browser


async def test_both_sides_plan_a_follow_up_where_they_think_of_it(town: Town) -> None:
    application, _, candidates = await apply(town)
    owners = await town.browser(town.owner)
    for browser, path, title, about in (
        (candidates, f"/me/applications/{application.id}", "Follow up: Baker, Bakery", "Bakery"),
        (owners, f"/employer/applications/{application.id}", "Call Cam Candidate back", "for"),
    ):
        page = await browser.get(path)
        assert "Plan a follow-up" in page.text
        sent = await browser.submit(page, TASKS)
        assert sent.location == f"{path}#tasks"
        shown = await browser.follow(sent)
        assert f"“{title}” is on your list" in shown.text
        assert "Due in 7 days" in shown.text
        assert shown.text.count("Your tasks about this") == 1
        listed = await browser.get(TASKS)
        assert f'href="{path}"' in listed.html
        assert about in listed.text
        [task_id] = ids(shown)
        done = await browser.submit(shown, f"{TASKS}/{task_id}/done")
        assert done.location == f"{path}#tasks"
        assert ids(await browser.get(path)) == []
    assert "Call Cam" not in (await candidates.get(f"/me/applications/{application.id}")).text


async def test_a_task_about_a_job_of_one_s_own(town: Town) -> None:
    job = await town.job(title="Baker")
    browser = await town.browser(town.owner)
    path = f"/employer/jobs/{job.id}"
    page = await browser.get(path)
    shown = await browser.follow(await browser.submit(page, TASKS, title="Ask for more credits"))
    assert shown.text.count("Ask for more credits") > 1
    [task_id] = ids(shown)
    edit = await browser.get(f"{TASKS}/{task_id}")
    assert f'href="{path}"' in edit.html
    await browser.submit(edit, f"{TASKS}/{task_id}", forget="yes")
    task = await stored(town, task_id, town.owner)
    assert (task.title, task.job_id) == ("Ask for more credits", None)


async def test_a_note_that_is_refused_keeps_the_tasks_on_the_page(town: Town) -> None:
    application, _, _ = await apply(town)
    await make_task(town.session, town.owner, "Call back", application_id=application.id)
    browser = await town.browser(town.owner)
    path = f"/employer/applications/{application.id}"
    refused = await browser.submit(await browser.get(path), f"{path}/notes", note=" ")
    assert refused.status == 422
    assert "Call back" in refused.text


async def test_a_link_out_of_sight_shows_no_name_and_can_be_let_go(town: Town) -> None:
    application, _, _ = await apply(town)
    task = await make_task(town.session, town.owner, "Call", application_id=application.id)
    await town.session.execute(
        delete(CompanyMember).where(CompanyMember.person_id == town.owner.id)
    )
    await town.session.commit()
    browser = await town.browser(town.owner)
    page = await browser.get(f"{TASKS}/{task.id}")
    assert "Cam Candidate" not in page.text
    assert "No longer about what it was about" in page.text
    await browser.submit(page, f"{TASKS}/{task.id}", title="Call anyway")
    kept = await stored(town, task.id, town.owner)
    assert (kept.title, kept.application_id, kept.about) == ("Call anyway", application.id, None)
    page = await browser.get(f"{TASKS}/{task.id}")
    await browser.submit(page, f"{TASKS}/{task.id}", forget="yes")
    assert (await stored(town, task.id, town.owner)).application_id is None


async def test_nobody_else_gets_in(town: Town) -> None:
    candidate, own = await town.person()
    task = await make_task(town.session, candidate, "Secret")
    path = f"{TASKS}/{task.id}"
    mine = await own.get(path)
    token = mine.form(path).fields["csrf_token"]
    for role in Role:
        user, other = await town.person(role)
        theirs = await other.get(TASKS)
        assert "Secret" not in theirs.text
        token = theirs.form(TASKS).fields["csrf_token"]
        assert (await other.get(path)).status == 404
        for action in (path, f"{path}/done", f"{path}/delete"):
            answer = await other.post(action, {"csrf_token": token, "title": "Mine", "done": "yes"})
            assert answer.status == 404
        await other.post(f"{TASKS}/delete-done", {"csrf_token": token})
        assert await all_of(town, user) == []
    assert await stored(town, task.id, candidate) == task
    for page in (TASKS, path):
        stranger = await town.stranger.get(page)
        assert stranger.location.startswith("/log-in?next=%2Fme%2Ftasks")
        kept = await own._send("GET", page)
        assert kept.headers["cache-control"] == "no-store"
    assert (await own.get(f"{TASKS}/7")).status == 404


async def test_a_form_without_its_token_does_nothing(town: Town) -> None:
    candidate, browser = await town.person()
    task = await make_task(town.session, candidate, done=True)
    path = f"{TASKS}/{task.id}"
    for action in (TASKS, path, f"{path}/done", f"{path}/delete", f"{TASKS}/delete-done"):
        assert (await browser.post(action, {"title": "Forged"})).status == 403
    assert await stored(town, task.id, candidate) == task


async def test_naughty_words_are_only_words(town: Town) -> None:
    candidate, browser = await town.person()
    script = "<script>alert(1)</script> {{ 7*7 }} \"'"
    task = await make_task(town.session, candidate, script, notes=script)
    for path in (TASKS, f"{TASKS}/{task.id}"):
        page = await browser.get(path)
        assert "<script>alert" not in page.html
        assert script in page.text
    assert ids(await browser.get(f"{TASKS}?q=%3Cscript%3E")) == [str(task.id)]


async def test_the_way_back_leads_nowhere_else(town: Town) -> None:
    candidate, browser = await town.person()
    task = await make_task(town.session, candidate)
    page = await browser.get(TASKS)
    for action in (TASKS, f"{TASKS}/{task.id}/done", f"{TASKS}/{task.id}/delete"):
        token = page.form(TASKS).fields["csrf_token"]
        data = {"csrf_token": token, "title": "x", "back": "//evil.example/"}
        assert (await browser.post(action, data)).location == TASKS
