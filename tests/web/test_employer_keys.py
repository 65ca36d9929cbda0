"""The page for API keys: make one, copy it once, see it used, revoke it."""

import re

import httpx2

from jobboard.accounts.models import Role
from tests.factories.companies import make_company
from tests.web.conftest import Town

PATH = "/employer/api-keys"


async def use(client: httpx2.AsyncClient, key: str) -> int:
    """What a program gets that asks who applied to no job."""
    nothing = "00000000-0000-7000-8000-000000000000"
    answer = await client.get(f"/api/v1/jobs/{nothing}", headers={"Authorization": f"Bearer {key}"})
    return answer.status_code


async def test_a_key_is_made_used_and_revoked(town: Town) -> None:
    browser = await town.browser(town.owner)
    company = await browser.get(f"/employer/companies/{town.company.id}")
    assert f"{PATH}?company={town.company.id}" in company.html
    page = await browser.get(PATH)
    assert "There are none yet" in page.text
    made = await browser.submit(page, PATH, name="Careers page", scopes=["jobs:read"])
    [key] = re.findall(r"jb_\w{38}", made.html)
    assert await use(town.client, key) == 404
    page = await browser.get(PATH)
    assert key not in page.html
    assert key[:9] in page.html
    assert "Careers page" in page.text
    assert "never used" not in page.text
    [form] = [form for form in page.forms if form.action.endswith("/revoke")]
    revoked = await browser.follow(await browser.submit(page, form.action))
    assert "“Careers page” is revoked" in revoked.text
    assert await use(town.client, key) == 401


async def test_a_form_that_is_sent_again_makes_no_second_key(town: Town) -> None:
    browser = await town.browser(town.owner)
    page = await browser.get(PATH)
    first = await browser.submit(page, PATH, name="Site", scopes=["jobs:read"])
    assert re.search(r"jb_\w{38}", first.html)
    again = await browser.submit(page, PATH, name="Site", scopes=["jobs:read"])
    assert again.status == 409
    assert "has made its key already" in again.text
    assert not re.search(r"jb_\w{38}", again.html)
    assert again.html.count("/revoke") == 1
    another = await browser.submit(again, PATH, name="Site", scopes=["jobs:read"])
    assert re.search(r"jb_\w{38}", another.html)


async def test_what_lacks_is_said_beside_its_field(town: Town) -> None:
    browser = await town.browser(town.owner)
    page = await browser.submit(await browser.get(PATH), PATH, name=" ")
    assert page.status == 422
    assert "Choose at least one." in page.text
    assert "What it may do: This is needed." not in page.text
    page = await browser.submit(page, PATH, name=" ", scopes=["jobs:write"])
    assert page.status == 422
    assert "This must not be empty." in page.text
    assert re.search(r'value="jobs:write"\s+checked', page.html)


async def test_an_owner_of_two_companies_chooses(town: Town) -> None:
    other = await make_company(town.session, town.owner, "Butcher")
    browser = await town.browser(town.owner)
    page = await browser.get(f"{PATH}?company={other.id}")
    made = await browser.submit(page, PATH, name="Site", scopes=["jobs:read"])
    assert "for Butcher what you chose" in made.text


async def test_who_owns_no_company_is_told_so(town: Town) -> None:
    _, browser = await town.person(Role.EMPLOYER)
    page = await browser.get(PATH)
    assert "you own none" in page.text
    assert not page.offers(PATH)
