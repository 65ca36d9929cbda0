"""The audit log's page: sentences, links and what narrows it."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.audit import service
from jobboard.audit.models import Action, Subject
from jobboard.web.admin_audit import SENTENCES
from tests.factories.people import PASSWORD
from tests.web.browser import Browser
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio
PATH = "/admin/audit-log"


def test_there_is_a_sentence_for_everything() -> None:
    assert set(SENTENCES) == set(Action)


async def test_only_moderators_read_it(town: Town) -> None:
    _, browser = await town.person()
    assert (await browser.get(PATH)).status == 403
    assert (await town.stranger.get(PATH)).location.startswith("/log-in")


async def test_what_happened_is_said_in_sentences(town: Town) -> None:
    admin, desk = await town.person(Role.ADMIN, full_name="Ali <b>Admin</b>")
    user, _ = await town.person(full_name="Nina New")
    await log_in(town.stranger, user.actor.email, "wrong")
    log_in_page = await log_in(town.stranger, user.actor.email, PASSWORD)
    assert log_in_page.status == 303
    person = await desk.get(f"/admin/people/{user.id}")
    await desk.submit(person, f"/admin/people/{user.id}", reason="A scam.")
    page = await desk.get(PATH)
    assert "The board refused a log-in of Nina New" in page.text
    assert "Nina New logged in on the pages" in page.text
    assert "suspended Nina New" in page.text
    assert "<b>Admin</b>" not in page.html
    assert "from 127.0.0.0/24" in page.text
    only = await desk.get(f"{PATH}?who={admin.actor.email.upper()}&action=&since=&until=")
    assert "suspended Nina New" in only.text
    assert "logged in on the pages" not in only.text


async def log_in(browser: Browser, email: str, password: str):
    page = await browser.get("/log-in")
    return await browser.submit(page, "/log-in", email=email, password=password)


async def test_names_of_who_and_what_is_gone(town: Town, session: AsyncSession) -> None:
    _, desk = await town.person(Role.ADMIN)
    job, nobody = await town.job(), town.owner.actor.login_session_id
    about = [(Subject.JOB, nobody), (Subject.COMPANY, nobody), (Subject.PERSON, nobody)]
    for subject in about:
        service.record(session, Action.JOB_APPROVED, person_id=nobody, subject=subject)
    service.record(session, Action.JOB_REMOVED, person_id=None, subject=(Subject.JOB, job.id))
    ours = (Subject.COMPANY, town.company.id)
    service.record(session, Action.WEBHOOK_MADE, person_id=None, key_id=nobody, subject=ours)
    member = {"member": str(town.owner.id), "role": "owner"}
    company = (Subject.COMPANY, town.company.id)
    service.record(
        session, Action.COMPANY_MEMBER_SET, person_id=nobody, subject=company, details=member
    )
    await session.commit()
    page = await desk.get(PATH)
    for said in (
        "Someone who is gone approved the job a job that is gone",
        "a company that is gone",
        "someone that is gone",
        "The board removed the job Baker",
        "Someone who is gone (with an API key) added a webhook for Bakery",
        "let a colleague act for Bakery as an owner",
    ):
        assert said in page.text, said


async def test_it_is_narrowed_by_days_and_paged(town: Town, session: AsyncSession) -> None:
    _, desk = await town.person(Role.ADMIN)
    for _ in range(51):
        service.record(session, Action.LOGIN_ENDED, person_id=town.owner.id)
    await session.commit()
    first = await desk.get(f"{PATH}?action=login.ended&since=2026-01-01&until=2999-12-31")
    assert first.text.count("Erin Employer logged out") == 50
    href = first.html.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert (await desk.get(href)).text.count("Erin Employer logged out") == 1
    none = await desk.get(f"{PATH}?until=2020-01-01")
    assert "Nothing like that happened" in none.text


async def test_what_cannot_be_asked_is_said(town: Town) -> None:
    _, desk = await town.person(Role.ADMIN)
    unknown = await desk.get(f"{PATH}?who=nobody@example.com")
    assert unknown.status == 422
    assert "Nobody has this e-mail address" in unknown.text
    assert (await desk.get(f"{PATH}?since=soon")).status == 422
    assert (await desk.get(f"{PATH}?until=9999-12-31")).status == 422
