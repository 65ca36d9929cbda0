"""Pages of one's identity: links by mail, two-step log-in, where one is logged in."""

from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from jobboard.accounts import codes, limits
from jobboard.accounts.models import LoginSession, Person, Role
from jobboard.clock import now
from jobboard.infra.engines import Engines
from jobboard.infra.queue import Message
from tests.factories.people import PASSWORD, User
from tests.letters import Mailbox
from tests.web.browser import Browser, Page
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio

NEW = "another quiet sentence"
MOVED = "moved@example.com"


async def press(browser: Browser, path: str, token: str) -> Page:
    """Open a link twice, as a scanner and then a person does, and press its button."""
    await Browser(browser._client).get(f"{path}?token={token}")
    return await browser.submit(await browser.get(f"{path}?token={token}"), path)


async def test_an_address_is_confirmed_with_a_press_and_not_by_a_scanner(
    town: Town, mailbox: Mailbox
) -> None:
    user, browser = await town.person()
    page = await browser.get("/me")
    assert "Not confirmed" in page.text
    await browser.submit(page, "/me/verify-email")
    for _ in range(4):
        await browser.submit(page, "/me/verify-email")
    enough = await browser.follow(await browser.submit(page, "/me/verify-email"))
    assert "tomorrow" in enough.text
    token = await mailbox.link(user.actor.email, "/verify-email")
    done = await press(browser, "/verify-email", token)
    assert "is confirmed" in (await browser.follow(done)).text
    assert "Not confirmed" not in (await browser.get("/me")).text
    again = await browser.get(f"/verify-email?token={token}")
    assert again.status == 422
    assert "used before" in again.text
    assert not again.offers("/verify-email")


async def test_a_forgotten_password(town: Town, mailbox: Mailbox) -> None:
    user, inside = await town.person()
    browser = town.stranger
    form = await browser.get("/forgot-password")
    asked = await browser.submit(form, "/forgot-password", email=user.actor.email)
    other = await town.stranger.post("/forgot-password", {"email": "nobody@example.com"})
    assert (asked.status, asked.location) == (other.status, other.location)
    assert "is on its way" in (await browser.follow(asked)).text
    token = await mailbox.link(user.actor.email, "/reset-password")
    page = await browser.get(f"/reset-password?token={token}")
    nowhere = await town.stranger.post("/forgot-password", {"email": "nowhere"})
    assert (nowhere.status, 'href="#f-email"' in nowhere.html) == (422, True)
    for _ in range(5):  # and no word of it when no more is mailed
        last = await town.stranger.post("/forgot-password", {"email": user.actor.email})
        assert (last.status, last.location) == (303, "/log-in")
    assert len(await mailbox.read()) == 4
    short = await browser.submit(page, "/reset-password", password="short")
    assert 'href="#f-password"' in short.html
    done = await browser.submit(short, "/reset-password", password=NEW)
    log_in = await browser.follow(done)
    assert log_in.form("/log-in").fields["email"] == [user.actor.email]
    assert (await browser.submit(log_in, "/log-in", password=NEW)).status == 303
    assert (await inside.get("/me")).status == 303
    dead = await browser.get(f"/reset-password?token={token}")
    assert not dead.offers("/reset-password")
    posted = await town.stranger.post("/reset-password", {"token": token, "password": NEW})
    assert posted.status == 422
    assert "Send me a new link" in posted.text


async def test_an_account_moves_and_the_old_address_takes_it_back(
    town: Town, mailbox: Mailbox
) -> None:
    user, browser = await town.person()
    page = await browser.get("/me")
    wrong = await browser.submit(page, "/me/email", email=MOVED, current_password="not it")
    assert wrong.status == 422
    assert wrong.form("/me/email").fields["email"] == [MOVED]
    await browser.submit(page, "/me/email", email=MOVED, current_password=PASSWORD)
    done = await press(browser, "/change-email", await mailbox.link(MOVED, "/change-email"))
    assert MOVED in (await browser.follow(done)).text
    undo = await mailbox.link(user.actor.email, "/undo-change-email")
    await set_up(browser)
    stranger = town.stranger
    back = await press(stranger, "/undo-change-email", undo)
    assert back.location == "/log-in"
    assert "Two-step log-in, which was turned on" in (await stranger.follow(back)).text
    assert (await browser.get("/me")).status == 303
    assert await mailbox.link(user.actor.email, "/reset-password")


async def test_no_address_gets_letters_without_end(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LINKS", "1/day")
    _, browser = await town.person()
    page = await browser.get("/me")
    letters = select(func.count()).select_from(Message)
    for _ in range(2):
        asked = await browser.submit(page, "/me/email", email=MOVED, current_password=PASSWORD)
        assert MOVED in (await browser.follow(asked)).text
        assert await town.session.scalar(letters) == 1
        await town.session.rollback()


@pytest.mark.parametrize("path", ["/verify-email", "/change-email", "/undo-change-email"])
async def test_a_link_that_is_none(town: Town, path: str) -> None:
    for page in (
        await town.stranger.get(path),
        await town.stranger.get(f"{path}?token=x"),
        await town.stranger.post(path, {"token": "x"}),
    ):
        assert page.status == 422
        assert not page.offers(path)


async def set_up(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Turn two-step log-in on as a person does: what the app holds, and the recovery codes."""
    page = await browser.get("/me/security/two-step")
    wrong = await browser.submit(page, "/me/security/two-step", current_password="not it at all")
    assert (wrong.status, 'href="#f-current_password"' in wrong.html) == (422, True)
    page = await browser.follow(
        await browser.submit(page, "/me/security/two-step", current_password=PASSWORD)
    )
    assert "<svg" in page.html
    uri = page.html.partition('href="otpauth://')[2].partition('"')[0]
    app = pyotp.parse_uri("otpauth://" + uri.replace("&amp;", "&"))
    assert isinstance(app, pyotp.TOTP)
    done = await browser.submit(page, "/me/security/two-step/confirm", code=app.now())
    assert "Two-step log-in is on" in done.text
    return app, [word for word in done.text.split() if word.count("-") == 2 and len(word) == 14]


async def first_step(browser: Browser, user: User) -> Page:
    """The password; leads to the page that asks for the code."""
    answer = await browser.post("/log-in", {"email": user.actor.email, "password": PASSWORD})
    assert answer.location == "/log-in/code"
    return await browser.follow(answer)


async def test_a_log_in_in_two_steps(town: Town) -> None:
    user, inside = await town.person()
    _, elsewhere = user, await town.browser(user)
    _, recovery = await set_up(inside)
    assert (await elsewhere.get("/me")).status == 303
    assert len(recovery) == 10
    browser = town.stranger
    assert (await browser.get("/log-in/code")).location == "/log-in"
    page = await first_step(browser, user)
    assert (await browser.get("/me")).status == 303  # half a log-in opens nothing
    wrong = await browser.submit(page, "/log-in/code", code="000000")
    assert wrong.status == 422
    assert 'href="#f-code"' in wrong.html
    _, moderator = await town.person(Role.ADMIN)
    assert "in its second step" in (await moderator.get("/admin/audit-log")).text
    done = await browser.submit(wrong, "/log-in/code", code=recovery[0])
    assert done.location == "/"
    assert (await browser.get("/me/security/two-step")).location == "/me/security"  # it is on
    page = await browser.get("/me/security")
    assert "You have 9 recovery codes left" in page.text


async def test_a_new_log_in_in_two_steps_ends_the_old_one_of_this_browser(town: Town) -> None:
    user, browser = await town.person()
    _, recovery = await set_up(browser)
    mine = LoginSession.person_id == user.id, LoginSession.ended_at.is_(None)
    before = list(await town.session.scalars(select(LoginSession.id).where(*mine)))
    token = (await browser.get("/me")).form("/log-out").fields["csrf_token"][0]
    again = {"email": user.actor.email, "password": PASSWORD, "csrf_token": token}
    assert (await browser.post("/log-in", again)).location == "/log-in/code"
    code = {"code": recovery[0], "csrf_token": token}
    assert (await browser.post("/log-in/code", code)).location == "/"
    await town.session.rollback()
    after = list(await town.session.scalars(select(LoginSession.id).where(*mine)))
    assert len(after) == len(before)
    assert len({*before, *after}) == len(before) + 1


async def test_the_way_to_the_page_that_asked_leads_through_both_steps(town: Town) -> None:
    user, inside = await town.person()
    _, recovery = await set_up(inside)
    browser = town.stranger
    data = {"email": user.actor.email, "password": PASSWORD, "next": "/me/security"}
    page = await browser.follow(await browser.post("/log-in", data))
    done = await browser.submit(page, "/log-in/code", code=recovery[0])
    assert done.location == "/me/security"


async def test_half_a_log_in_ends_with_the_password_it_was_made_with(town: Town) -> None:
    user, inside = await town.person()
    _, recovery = await set_up(inside)
    browser = town.stranger
    page = await first_step(browser, user)
    page_of_owner = await inside.get("/me/security")
    await inside.submit(page_of_owner, "/me/password", current_password=PASSWORD, new_password=NEW)
    late = await browser.submit(page, "/log-in/code", code=recovery[0])
    assert late.status == 422
    assert "Log in again" in late.text
    assert (await browser.get("/me")).status == 303


async def test_a_code_without_the_first_step_leads_back_to_it(town: Town) -> None:
    page = await town.stranger.post("/log-in/code", {"code": "000000"})
    assert page.location == "/log-in"


async def test_half_a_log_in_is_no_log_in_at_the_api(
    town: Town, client: httpx2.AsyncClient
) -> None:
    user, inside = await town.person()
    await set_up(inside)
    browser = town.stranger
    await first_step(browser, user)
    headers = {"Authorization": f"Bearer {browser._cookies['jobboard_half_login']}"}
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 401


async def test_recovery_codes_are_renewed_and_two_step_log_in_turned_off(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, browser = await town.person()
    _, recovery = await set_up(browser)
    page = await browser.get("/me/security/recovery-codes")
    wrong = await browser.submit(
        page, "/me/security/recovery-codes", current_password="not it", code=recovery[0]
    )
    assert 'href="#f-current_password"' in wrong.html
    renewed = await browser.submit(
        page, "/me/security/recovery-codes", current_password=PASSWORD, code=recovery[0]
    )
    assert "Your new recovery codes" in renewed.text
    assert recovery[1] not in renewed.text
    fresh = [word for word in renewed.text.split() if word.count("-") == 2 and len(word) == 14]
    page = await browser.get("/me/security/two-step/off")
    refused = await browser.submit(
        page, "/me/security/two-step/off", current_password=PASSWORD, code=recovery[1]
    )
    assert refused.status == 422
    done = await browser.submit(
        page, "/me/security/two-step/off", current_password=PASSWORD, code=fresh[0]
    )
    assert "is off" in (await browser.follow(done)).text


async def test_a_code_that_was_used_up_at_the_set_up(town: Town) -> None:
    user, inside = await town.person()
    app, _ = await set_up(inside)
    browser = town.stranger
    page = await first_step(browser, user)
    # The very code, or one of the half minute before: neither works a second time.
    again = await browser.submit(page, "/log-in/code", code=app.at(int(now().timestamp()) - 30))
    assert again.status == 422


async def test_where_one_is_logged_in(town: Town) -> None:
    user, browser = await town.person()
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
    await town.session.execute(
        update(LoginSession)
        .where(LoginSession.id == user.actor.login_session_id)
        .values(user_agent=phone)
    )
    await town.session.commit()
    lost = await town.browser(user)
    page = await browser.get("/me/security")
    assert "Safari on iPhone" in page.text
    assert "This device" in page.text
    ends = [form.action for form in page.forms if form.action.endswith("/end")]
    assert len(ends) == 2
    assert str(user.actor.login_session_id) in ends[1]
    ended = await browser.submit(page, ends[0])
    assert "logged out" in (await browser.follow(ended)).text
    assert (await lost.get("/me")).status == 303
    assert (await browser.submit(page, ends[0])).status == 404
    third = await town.browser(user)
    all_gone = await browser.submit(page, "/me/security/log-ins/end-others")
    assert "Everywhere else" in (await browser.follow(all_gone)).text
    assert (await third.get("/me")).status == 303


class TestStrictBoards:
    """Boards that want confirmed addresses, and two steps of their admins."""

    @pytest.fixture(autouse=True)
    def strict(self, app: FastAPI) -> Iterator[None]:
        engines: Engines = app.state.engines
        changes = {"require_verified_email": "on", "require_admin_second_factor": "on"}
        app.state.engines = replace(engines, settings=engines.settings.model_copy(update=changes))
        yield
        app.state.engines = engines

    async def test_who_is_not_confirmed_looks_around_and_drafts_but_cannot_apply(
        self, town: Town
    ) -> None:
        job = await town.job()
        user, browser = await town.person()
        page = await browser.get(f"/jobs/{job.slug}/apply")
        sent = await browser.submit(
            page, f"/jobs/{job.slug}/apply", cover_letter="Hello", consent="yes"
        )
        assert sent.status == 409
        assert "Confirm your e-mail address first" in sent.text
        assert sent.form(f"/jobs/{job.slug}/apply").fields["cover_letter"] == ["Hello"]
        await self._confirm(town, user)
        sent = await browser.submit(
            page, f"/jobs/{job.slug}/apply", cover_letter="Hello", consent="yes"
        )
        assert sent.status == 303

    async def test_an_employer_who_is_not_confirmed_keeps_a_draft_but_cannot_hand_it_in(
        self, town: Town
    ) -> None:
        browser = await town.browser(town.owner)
        page = await browser.get("/employer/jobs/new")
        job = {"title": "Cook", "description": "You cook."}
        refused = await browser.submit(page, "/employer/jobs/new", **job, do="submit")
        assert "Confirm your e-mail address first" in refused.text
        assert (await browser.submit(page, "/employer/jobs/new", **job)).status == 303

    async def _confirm(self, town: Town, user: User) -> None:
        statement = update(Person).where(Person.id == user.id)
        await town.session.execute(statement.values(email_verified_at=now()))
        await town.session.commit()

    async def test_an_admin_sets_up_two_steps_before_anything_else(self, town: Town) -> None:
        user, inside = await town.person(Role.ADMIN)
        browser = town.stranger
        credentials = {"email": user.actor.email, "password": PASSWORD}
        assert (await browser.post("/log-in", credentials)).location == "/me/security/two-step"
        for path in ("/", "/me", "/admin", "/admin/people"):
            page = await inside.get(path)
            assert page.status == 403, path
            assert 'href="/me/security/two-step"' in page.html
        await set_up(inside)
        assert (await inside.get("/admin")).status == 200
        assert not (await inside.get("/me/security")).offers("/me/security/two-step/off")
        assert (await inside.submit(await inside.get("/admin"), "/log-out")).status == 303


def test_the_codes_of_this_module_are_those_of_the_app() -> None:
    """RFC 6238, appendix B, in six digits."""
    app = pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert [app.at(moment) for moment in (59, 1111111109, 20000000000)] == [
        "287082",
        "081804",
        "353130",
    ]
    assert app.interval == codes.STEP_SECONDS
