"""The moderators' pages about people, and about companies with new names."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person, Role
from jobboard.companies import service as companies
from jobboard.companies.schemas import CompanyUpdate
from jobboard.jobs.models import Job, JobStatus
from tests.web.browser import Browser
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio


async def moderator(town: Town) -> Browser:
    return (await town.person(Role.ADMIN, full_name="Ali Admin"))[1]


async def stored(town: Town, kind: type, row_id: object):
    async with AsyncSession(town.session.bind, expire_on_commit=False) as session:
        return await session.get(kind, row_id)


async def test_finding_suspending_and_letting_back_in(town: Town) -> None:
    desk = await moderator(town)
    user, browser = await town.person(Role.EMPLOYER, full_name="Nina <b>New</b>")
    found = await desk.get("/admin/people?q=nina")
    assert "Nina <b>New</b>" in found.text
    assert "<b>New</b>" not in found.html
    path = f"/admin/people/{user.id}"
    assert path in found.html
    page = await desk.get(path)
    assert "No company" in page.text
    refused = await desk.submit(page, path, reason=" ")
    assert (refused.status, "must not be empty" in refused.text) == (422, True)
    out = await desk.submit(page, path, reason="Wrote <i>scams</i>.")
    page = await desk.follow(out)
    assert "is logged out everywhere" in page.text
    assert "Reason: Wrote <i>scams</i>." in page.text
    assert (await browser.get("/employer")).location.startswith("/log-in")
    again = await desk.submit(page, path)
    assert "can log in again" in (await desk.follow(again)).text
    person = await stored(town, Person, user.id)
    assert (person.suspended_at, person.suspension_reason) == (None, None)


async def test_nobody_suspends_themselves(town: Town) -> None:
    admin, desk = await town.person(Role.ADMIN)
    path = f"/admin/people/{admin.id}"
    page = await desk.get(path)
    assert not page.offers(path)
    data = {"suspended": "true", "reason": "Tired.", **page.forms[-1].fields}
    refused = await desk.post(path, data)
    assert (refused.status, "You cannot suspend yourself" in refused.text) == (409, True)


async def test_a_persons_doings(town: Town) -> None:
    desk = await moderator(town)
    await town.job()
    await town.job(status=JobStatus.DRAFT)
    page = await desk.get(f"/admin/people/{town.owner.id}")
    for said in ("1 draft, 1 live", "Bakery (owner, 1 live job, nobody else does)"):
        assert said in page.text, said


@pytest.mark.parametrize("too", [False, True])
async def test_jobs_of_a_company_without_people(town: Town, too: bool) -> None:
    desk = await moderator(town)
    live, waiting = await town.job(), await town.job(status=JobStatus.PENDING)
    path = f"/admin/people/{town.owner.id}"
    page = await desk.get(path)
    assert "Also take down what Bakery has live: 1 job" in page.text
    ticked = {"remove_jobs": "yes"} if too else {}
    await desk.submit(page, path, reason="A scam.", **ticked)
    target = {JobStatus.REMOVED} if too else {JobStatus.PUBLISHED, JobStatus.PENDING}
    assert {(await stored(town, Job, job.id)).status for job in (live, waiting)} == target


async def test_a_new_name_is_looked_at(town: Town) -> None:
    desk, path = await moderator(town), f"/admin/companies/{town.company.id}/name-seen"
    await town.job()
    renamed = CompanyUpdate(name="Another <b>Bank</b>")
    await companies.change(town.session, town.owner.actor, town.company.id, renamed)
    await town.session.commit()
    assert "1 company has a new name" in (await desk.get("/admin")).text
    page = await desk.get("/admin/companies")
    assert "was “Bakery”" in page.text
    assert "<b>Bank" not in page.html
    late = await desk.submit(page, path, name="Bakery")
    assert "is called “Another <b>Bank</b>” by now" in (await desk.follow(late)).text
    done = await desk.submit(page, path)
    assert "may stay" in (await desk.follow(done)).text
    assert "No company has a new name" in (await desk.get("/admin/companies")).text
