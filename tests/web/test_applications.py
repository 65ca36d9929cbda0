"""A candidate's own applications, and the files that came with them."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from jobboard.accounts.models import Role
from jobboard.applications import service as applying
from jobboard.applications.models import Application, Stage
from jobboard.applications.schemas import ApplicationUpdate
from jobboard.uploads.models import Upload
from tests.factories.companies import make_company
from tests.factories.files import pdf
from tests.factories.people import User
from tests.web.browser import Browser
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio


async def apply(town: Town) -> tuple[Application, User, Browser]:
    """A new candidate applies with a résumé."""
    job = await town.job(title="Baker")
    candidate, browser = await town.person(full_name="Cam Candidate")
    path = f"/jobs/{job.slug}/apply"
    files = {"file": ("Lebenslauf Ä.pdf", pdf())}
    form = await browser.get(path)
    sent = await browser.submit(form, path, cover_letter="<b>I</b>", consent="yes", files=files)
    assert sent.status == 303
    application = await town.session.scalar(
        select(Application).where(Application.person_id == candidate.id)
    )
    assert application is not None
    return application, candidate, browser


async def test_an_empty_list_says_what_to_do(town: Town) -> None:
    _, browser = await town.person()
    page = await browser.get("/me/applications")
    assert "You have not applied yet" in page.text
    assert "Find jobs" in page.text


async def test_the_history_says_when_it_was_first_viewed_and_what_came_of_it(town: Town) -> None:
    application, _, browser = await apply(town)
    path = f"/me/applications/{application.id}"
    page = await browser.get(path)
    assert "You sent your application" in page.text
    assert "viewed it" not in page.text
    assert "<b>I</b>" in page.text
    assert "Lebenslauf Ä.pdf" in page.text
    await applying.read(town.session, town.owner.actor, application.id)
    await applying.change(
        town.session,
        town.owner.actor,
        application.id,
        ApplicationUpdate(stage=Stage.INTERVIEW, note="Nice person"),
    )
    await town.session.commit()
    page = await browser.get(path)
    assert "Bakery viewed it for the first time" in page.text
    assert "Bakery wants to meet you" in page.text
    assert "Nice person" not in page.text
    assert "Erin" not in page.text
    listed = await browser.get("/me/applications")
    assert "Interview" in listed.text
    assert path in listed.html


async def test_a_second_look_is_not_called_the_first(town: Town) -> None:
    application, _, browser = await apply(town)
    for stage in (Stage.VIEWED, Stage.REJECTED, Stage.VIEWED):
        update = ApplicationUpdate(stage=stage)
        await applying.change(town.session, town.owner.actor, application.id, update)
    await town.session.commit()
    page = await browser.get(f"/me/applications/{application.id}")
    assert page.text.count("for the first time") == 1
    assert "takes a second look" in page.text


async def test_withdrawing_asks_first_and_cannot_be_done_twice(town: Town) -> None:
    application, _, browser = await apply(town)
    path = f"/me/applications/{application.id}"
    question = await browser.get(f"{path}/withdraw")
    assert "You cannot take this back" in question.text
    done = await browser.submit(question, f"{path}/withdraw")
    page = await browser.follow(done)
    assert "You withdrew your application" in page.text
    assert f"{path}/withdraw" not in page.html
    assert (await browser.submit(question, f"{path}/withdraw")).status == 409
    assert (await browser.get(f"{path}/withdraw")).location == path


async def test_nobody_else_gets_in(town: Town) -> None:
    application, _, _ = await apply(town)
    _, other = await town.person()
    own = await town.browser(town.owner)
    for path in (f"/me/applications/{application.id}", f"/me/applications/{uuid4()}"):
        for browser in (other, own):
            assert (await browser.get(path)).status == 404
            assert (await browser.get(f"{path}/withdraw")).status == 404
    await town.session.refresh(application)
    assert application.stage is Stage.SUBMITTED


async def test_private_pages_are_for_the_logged_in_and_never_kept(town: Town) -> None:
    application, _, browser = await apply(town)
    job = await town.job(title="Another")
    pages = [
        "/me",
        "/me/applications",
        f"/me/applications/{application.id}",
        f"/me/applications/{application.id}/withdraw",
        f"/jobs/{job.slug}/apply",
    ]
    for path in pages:
        answer = await browser._send("GET", path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store", path
        stranger = await town.stranger.get(path)
        assert stranger.status == 303, path
        assert stranger.location.startswith("/log-in?next=%2F"), path


async def test_a_resume_is_a_download_for_those_it_was_meant_for(town: Town) -> None:
    application, _, browser = await apply(town)
    upload = await town.session.get_one(Upload, application.resume_id)
    path = f"/resumes/{upload.id}"
    for reader in (browser, await town.browser(town.owner)):
        answer = await reader._send("GET", path)
        assert answer.status_code == 200
        assert answer.content == pdf()
        headers = answer.headers
        assert headers["content-type"] == "application/pdf"
        assert headers["content-disposition"].startswith("attachment;")
        assert "Lebenslauf%20%C3%84.pdf" in headers["content-disposition"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("sandbox;")
        assert headers["cache-control"] == "no-store"
    rival, rivals = await town.person(Role.EMPLOYER)
    await make_company(town.session, rival)
    for reader in (rivals, (await town.person())[1]):
        assert (await reader.get(path)).status == 404
    assert (await town.stranger.get(path)).status == 303
    assert upload.key.encode() not in answer.content


@pytest.mark.parametrize("path", ["/logos/nothing", "/logos/" + "0" * 32])
async def test_a_logo_that_is_not_there(town: Town, path: str) -> None:
    assert (await town.stranger.get(path)).status in {404, 422}
