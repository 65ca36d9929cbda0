"""Error pages, and the rule that every page that writes checks where its form is from."""

import re
from inspect import unwrap

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from jobboard.accounts.models import Role
from jobboard.jobs.models import JobStatus
from jobboard.web.csrf import require_own_page
from jobboard.web.deps import _own_form, get_form, get_form_alone
from tests.factories.files import pdf
from tests.web.browser import read
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio


async def test_an_unknown_address_offers_a_search(client: httpx2.AsyncClient) -> None:
    page = read(await client.get("/no/such/page"))
    assert page.status == 404
    assert "There is nothing here" in page.text
    assert page.offers("/")
    assert 'href="/"' in page.html


async def test_what_is_no_id_leads_nowhere_on_every_page(town: Town, app: FastAPI) -> None:
    paths = {
        re.sub(r"\{[^}]*\}", "no-id", route.path or "")
        for route in iter_route_contexts(app.routes)
        if "{" in (route.path or "") and "GET" in (route.methods or ())
    }
    pages = {path for path in paths if not path.startswith("/api/")}
    assert len(pages) > 15
    browsers = [(await town.person(role))[1] for role in Role]
    for path in pages:
        answers = {(page := await browser.get(path)).status: page for browser in browsers}
        assert set(answers) <= {303, 403, 404}, path
        assert "There is nothing here" in answers[404].text, path


async def test_a_wrong_method_has_a_page_too(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/", headers={"Accept": "text/html"})
    assert answer.status_code == 405
    assert "That does not work here" in answer.text


async def test_what_is_not_for_you_says_so_without_losing_you(town: Town) -> None:
    _, browser = await town.person()
    page = await browser.get("/admin")
    assert page.status == 403
    assert "Only moderators" in page.text
    assert "Kim Example" in page.text


async def test_an_unknown_address_knows_who_looks(town: Town) -> None:
    _, browser = await town.person(Role.EMPLOYER, full_name="Erin Else")
    page = await browser.get("/no/such/page")
    assert page.status == 404
    assert "Erin Else" in page.text
    assert 'href="/employer/jobs/new"' in page.html
    assert "Log in" not in page.text
    assert "Log in" in (await town.stranger.get("/no/such/page")).text


async def test_an_error_page_does_without_a_viewer_when_the_database_is_gone(
    town: Town, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise ConnectionRefusedError

    _, browser = await town.person()
    monkeypatch.setattr(app.state.engines.database, "transaction", gone)
    page = await browser.get("/no/such/page")
    assert page.status == 404
    for words in ("Log in", "Kim Example", "Post a job", "For employers"):
        assert words not in page.text, words


async def test_a_database_that_is_gone_is_told_as_a_pause(
    town: Town, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(app.state.engines.database, "transaction", gone)
    page = await town.stranger.get("/")
    assert (page.status, page.headers["retry-after"]) == (503, "5")
    assert "What was there is safe: try again in a moment." in page.text
    assert 'href="/">Try again' in page.html


async def test_what_is_too_large_is_said_in_megabytes(town: Town) -> None:
    job = await town.job()
    _, browser = await town.person()
    page = await browser.post(
        f"/jobs/{job.slug}/apply",
        {"cover_letter": "Hello"},
        files={"file": ("cv.pdf", pdf())},
        headers={"Content-Length": "900000000"},  # refused unread
    )
    assert page.status == 413
    assert "64 MB" in page.text
    assert "bytes" not in page.text
    assert "still on the page before" in page.text


async def test_an_address_that_only_takes_forms_leads_to_its_page(town: Town) -> None:
    job = await town.job(JobStatus.PENDING)
    _, admin = await town.person(Role.ADMIN)
    page = await admin.get(f"/admin/jobs/{job.id}/reject")
    assert page.status == 405
    assert f'href="/admin/jobs/{job.id}"' in page.html
    assert "See all jobs" in page.text


async def test_an_error_is_not_kept_and_names_the_request(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/jobs/nothing")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"] in answer.text


async def test_a_crash_shows_nothing_of_the_inside(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("jobboard.web.search.render", crash)
    page = await town.stranger.get("/?q=a")
    assert page.status == 500
    assert "Something broke on our side" in page.text
    assert "secret inside" not in page.html
    assert 'href="/?q=a"' in page.html


async def test_markup_in_an_address_stays_text(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/?cursor=%3Cscript%3Ealert(1)%3C/script%3E&q=%22%3E%3Cb%3E")
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


async def test_moderators_see_how_many_jobs_wait(town: Town) -> None:
    _, admin = await town.person(Role.ADMIN)
    waiting = '<span class="number">1</span>'
    assert waiting not in (await admin.get("/me")).html
    await town.job(JobStatus.PENDING)
    assert waiting in (await admin.get("/me")).html


ONE_CLICK = "/unsubscribe"  # by programs without our cookie: the token in its address speaks


async def test_every_page_that_writes_checks_its_form(app: FastAPI) -> None:
    checked = 0
    for route in iter_route_contexts(app.routes):
        endpoint = getattr(route, "endpoint", None)
        if endpoint is None or not endpoint.__module__.startswith("jobboard.web"):
            continue
        if not (route.methods or set()) <= {"GET", "HEAD"}:
            calls = {dependency.call for dependency in _all(route.dependant)}
            if route.path != ONE_CLICK:
                assert calls & {get_form, get_form_alone}, route.path
            checked += 1
    assert checked > 10
    for form in (get_form, get_form_alone):
        assert _own_form.__name__ in form.__code__.co_names
    assert require_own_page.__name__ in unwrap(_own_form).__code__.co_names


def _all(dependant: object) -> list:
    inner = getattr(dependant, "dependencies", [])
    return [*inner, *(deep for each in inner for deep in _all(each))]
