"""Sign up, log in, log out, one's account; and who may send which form."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from starlette.responses import Response

from jobboard.accounts import limits
from jobboard.accounts.models import LoginSession, Person, Role
from jobboard.audit.models import AuditEntry
from jobboard.clock import now
from jobboard.settings import Settings
from jobboard.web import cookies
from jobboard.web.cookies import LOGIN
from jobboard.web.deps import local_path
from tests.factories.people import PASSWORD, make_user
from tests.web.browser import SAME_ORIGIN
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio
NEWCOMER = {
    "role": "employer",
    "full_name": "Ada Lovelace",
    "email": "ada@example.com",
    "password": PASSWORD,
}


async def test_from_sign_up_to_ones_own_pages(town: Town) -> None:
    browser = town.stranger
    form = await browser.get("/sign-up?role=employer")
    assert form.form("/sign-up").fields["role"] == ["employer"]
    done = await browser.submit(form, "/sign-up", **NEWCOMER)
    log_in = await browser.follow(done)
    assert "log in to begin" in log_in.text
    assert log_in.form("/log-in").fields["email"] == ["ada@example.com"]
    inside = await browser.submit(log_in, "/log-in", password=PASSWORD)
    assert inside.location == "/employer"
    assert "Ada Lovelace" in (await browser.get("/")).text
    assert "log in to begin" not in (await browser.get("/")).text


async def test_an_address_that_is_taken_gets_the_same_answer(town: Town) -> None:
    await make_user(town.session, town.settings, email="ada@example.com")
    browser, other = town.stranger, town.stranger
    taken = await browser.post("/sign-up", NEWCOMER)
    free = await other.post("/sign-up", NEWCOMER | {"email": "bob@example.com"})
    assert taken.status == free.status == 303
    assert taken.location == free.location
    one, two = (await browser.follow(taken)).html, (await other.follow(free)).html
    assert one == two.replace("bob@example.com", "ada@example.com")


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"email": "no address"}, "email", "e-mail"),
        ({"full_name": " "}, "full_name", "must not be empty"),
        ({"password": "short"}, "password", "at least 12"),
        ({"password": "passwordpassword"}, "password", "easy to guess"),
        ({"role": "admin"}, "role", "candidate"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(
    town: Town, changes: dict[str, str], field: str, words: str
) -> None:
    page = await town.stranger.post("/sign-up", NEWCOMER | changes)
    assert page.status == 422
    assert words in page.text
    assert f'href="#f-{field}"' in page.html
    assert f'id="f-{field}"' in page.html
    kept = page.form("/sign-up").fields
    typed = NEWCOMER | changes
    assert kept["email"] == [typed["email"]]
    assert kept["full_name"] == [typed["full_name"]]
    assert typed["password"] not in page.html
    assert await town.session.scalar(select(func.count()).select_from(Person)) == 1  # the owner


async def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_form(town: Town) -> None:
    wrong = {"full_name": " ", "email": "no address", "password": "short"}
    page = await town.stranger.post("/sign-up", NEWCOMER | wrong)
    summary = page.html.partition('id="wrong"')[2].partition("</ul>")[0]
    places = [summary.index(f"{name}: ") for name in ("Your name", "E-mail", "Password")]
    assert places == sorted(places)


async def test_a_wrong_password_says_no_more_than_a_wrong_address(town: Town) -> None:
    user, _ = await town.person()
    pages = [
        await town.stranger.post("/log-in", {"email": email, "password": "not the one at all"})
        for email in (user.actor.email, "nobody@example.com")
    ]
    assert [page.status for page in pages] == [422, 422]
    assert pages[0].html == pages[1].html.replace("nobody@example.com", user.actor.email)


async def test_of_many_wrong_passwords_the_audit_log_hears_enough(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FAILURES", "2/hour")
    user, _ = await town.person()
    wrong = {"email": user.actor.email, "password": "not the one at all"}
    assert [(await town.stranger.post("/log-in", wrong)).status for _ in range(3)] == [422] * 3
    assert len((await town.session.scalars(select(AuditEntry))).all()) == 2


async def test_log_in_is_throttled_by_person_and_address(town: Town) -> None:
    user, _ = await town.person()
    wrong = {"email": user.actor.email, "password": "not the one at all"}
    statuses = [(await town.stranger.post("/log-in", wrong)).status for _ in range(11)]
    assert statuses == [422] * 10 + [429]
    right = await town.stranger.post("/log-in", wrong | {"password": PASSWORD})
    assert right.status == 429
    assert "Too many tries. Try again in 5 minutes." in right.text
    assert 240 < int(right.headers["retry-after"]) <= 300
    assert right.headers.get_list("ratelimit-policy") == ['"login";q=10;w=300']  # what refused
    assert right.headers["ratelimit-remaining"] == "0"
    other, _ = await town.person()
    fine = {"email": other.actor.email, "password": PASSWORD}
    assert (await town.stranger.post("/log-in", fine)).status == 303


@pytest.mark.parametrize(
    ("role", "home"),
    [(Role.CANDIDATE, "/"), (Role.EMPLOYER, "/employer"), (Role.ADMIN, "/admin")],
)
async def test_everyone_starts_at_their_own_page(town: Town, role: Role, home: str) -> None:
    user = await make_user(town.session, town.settings, role)
    browser = town.stranger
    credentials = {"email": user.actor.email.upper(), "password": PASSWORD}
    assert (await browser.post("/log-in", credentials)).location == home
    assert (await browser.get("/log-in")).location == home
    assert (await browser.get("/sign-up?next=/me")).location == "/me"
    assert (await browser.get(home)).status == 200


HOSTILE = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/x\r\nSet-Cookie: a=b",
    "evil.example",
    "",
]


@pytest.mark.parametrize("target", HOSTILE)
async def test_a_log_in_never_leads_to_another_site(town: Town, target: str) -> None:
    assert local_path(target) == "/"
    user, _ = await town.person()
    credentials = {"email": user.actor.email, "password": PASSWORD, "next": target}
    assert (await town.stranger.post("/log-in", credentials)).location == "/"


def test_a_page_of_ours_is_one() -> None:
    assert local_path("/me/applications?cursor=a%20b#x") == "/me/applications?cursor=a%20b#x"


async def test_the_cookie_of_a_log_in(town: Town) -> None:
    user, _ = await town.person()
    answer = await town.client.post(
        "/log-in", data={"email": user.actor.email, "password": PASSWORD}, headers=SAME_ORIGIN
    )
    [cookie] = [c for c in answer.headers.get_list("set-cookie") if c.startswith(LOGIN)]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert f"Max-Age={400 * 86400}" in cookie
    assert "Secure" not in cookie
    assert answer.headers["location"] == "/"


def test_in_production_the_cookie_is_secure_and_of_this_host_alone(settings: Settings) -> None:
    production = settings.model_copy(update={"environment": "production"})
    response = Response()
    cookies.write_login(response, "token", production)
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(f"__Host-{LOGIN}=token; HttpOnly;")
    assert "Secure" in cookie
    assert "Path=/;" in cookie
    assert "Domain" not in cookie


async def test_a_new_log_in_ends_the_old_one_of_this_browser(town: Town) -> None:
    user, browser = await town.person()
    _, elsewhere = user, await town.browser(user)
    page = await browser.get("/me")
    token = page.form("/log-out").fields["csrf_token"][0]
    again = {"email": user.actor.email, "password": PASSWORD, "csrf_token": token}
    assert (await browser.post("/log-in", again)).status == 303
    assert (await browser.get("/me")).status == 200
    assert (await elsewhere.get("/me")).status == 200
    ended = select(func.count()).select_from(LoginSession).where(LoginSession.ended_at.is_not(None))
    assert await town.session.scalar(ended) == 1


async def test_log_out_ends_the_log_in_for_good(town: Town) -> None:
    user, browser = await town.person()
    thief = await town.browser(user)
    thief._cookies |= browser._cookies
    page = await browser.get("/me")
    out = await browser.submit(page, "/log-out")
    assert "logged out" in (await browser.follow(out)).text
    assert (await thief.get("/me")).status == 303


async def test_name_and_password_are_changed_by_their_owner(town: Town) -> None:
    user, browser = await town.person()
    elsewhere = await town.browser(user)
    page = await browser.get("/me")
    named = await browser.submit(page, "/me", full_name="Kim Newname")
    assert "Kim Newname" in (await browser.follow(named)).text
    assert (await browser.submit(page, "/me", full_name=" ")).status == 422
    page = await browser.get("/me/security")
    wrong = await browser.submit(
        page, "/me/password", current_password="not it", new_password="another quiet sentence"
    )
    assert wrong.status == 422
    assert 'href="#f-current_password"' in wrong.html
    short = await browser.submit(
        page, "/me/password", current_password=PASSWORD, new_password="short"
    )
    assert 'href="#f-new_password"' in short.html
    empty = await browser.submit(page, "/me/password", current_password="", new_password="")
    assert empty.status == 422
    changed = await browser.submit(
        page, "/me/password", current_password=PASSWORD, new_password="another quiet sentence"
    )
    assert "password is changed" in (await browser.follow(changed)).text
    assert (await elsewhere.get("/me")).status == 303


OTHER_SITES = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"},
    {"Sec-Fetch-Site": "", "Origin": "http://127.0.0.1:8000"},
]


@pytest.mark.parametrize("headers", OTHER_SITES)
async def test_forms_of_other_sites_are_refused(town: Town, headers: dict[str, str]) -> None:
    page = await town.stranger.post("/sign-up", NEWCOMER, headers=headers)
    assert page.status == 403
    assert await town.session.scalar(select(func.count()).select_from(Person)) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://127.0.0.1:8000"}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({}, 403),
    ],
)
async def test_without_sec_fetch_site_the_origin_decides(
    town: Town, headers: dict[str, str], status: int
) -> None:
    answer = await town.client.post("/sign-up", data=NEWCOMER, headers=headers)
    assert answer.status_code == status


async def test_whoever_is_logged_in_needs_the_token_of_this_log_in(town: Town) -> None:
    user, browser = await town.person()
    other = await (await town.browser(user)).get("/me")
    foreign = other.form("/me").fields["csrf_token"][0]
    for token in ("", "x", "é", foreign):
        page = await browser.post("/me", {"full_name": "Forged", "csrf_token": token})
        assert page.status == 403, token
    assert "Forged" not in (await browser.get("/me")).text


async def test_a_flash_that_we_did_not_write_is_not_shown(town: Town) -> None:
    browser = town.stranger
    browser._cookies["jobboard_flash"] = "eyJ0ZXh0IjogImhpIn0=.0000"
    page = await browser.get("/log-in")
    assert page.status == 200
    assert 'class="notice"' not in page.html


async def test_a_log_in_that_is_used_lives_on(town: Town) -> None:
    user, browser = await town.person()
    old = now() - timedelta(days=2)
    mine = LoginSession.person_id == user.id
    change = {"last_seen_at": old, "expires_at": now() + timedelta(days=1)}
    await town.session.execute(update(LoginSession).where(mine).values(change))
    await town.session.commit()
    await browser.get("/me")
    ends = await town.session.scalars(
        select(LoginSession.expires_at).where(mine, LoginSession.last_seen_at > old)
    )
    assert ends.one() > now() + timedelta(days=town.settings.login_days - 1)
