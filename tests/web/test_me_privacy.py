"""The page about one's own data."""

import io
import zipfile

import pytest

from jobboard.accounts.models import Person, Role
from jobboard.companies.models import CompanyMember
from tests.factories.people import PASSWORD
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio


async def test_taking_data_along(town: Town) -> None:
    _, browser = await town.person()
    assert "/me/export" in (await browser.get("/me/privacy")).html
    answer = await browser._send("GET", "/me/export")
    assert "account.json" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert "attachment" in answer.headers["content-disposition"]
    assert (await town.stranger.get("/me/export")).location.startswith("/log-in")


async def test_erasing_an_account(town: Town) -> None:
    user, browser = await town.person(full_name="Nina New")
    page = await browser.get("/me/privacy")
    unsure = await browser.submit(page, "/me/erase", current_password=PASSWORD)
    assert (unsure.status, "say that you are sure" in unsure.text) == (422, True)
    wrong = await browser.submit(page, "/me/erase", current_password="wrong", sure="yes")
    assert (wrong.status, "not your current password" in wrong.text) == (422, True)
    gone = await browser.submit(page, "/me/erase", current_password=PASSWORD, sure="yes")
    assert "Your account is erased" in (await browser.follow(gone)).text
    assert (await browser.get("/me")).location.startswith("/log-in")
    town.session.expire_all()
    assert (await town.session.get_one(Person, user.id)).full_name == "Erased person"


async def test_the_only_owner_is_told_what_to_do(town: Town) -> None:
    colleague, _ = await town.person(Role.EMPLOYER)
    member = CompanyMember(company_id=town.company.id, person_id=colleague.id, role="recruiter")
    town.session.add(member)
    browser = await town.browser(town.owner)
    page = await browser.get("/me/privacy")
    refused = await browser.submit(page, "/me/erase", current_password=PASSWORD, sure="yes")
    assert (refused.status, "Make one of them an owner first" in refused.text) == (409, True)
