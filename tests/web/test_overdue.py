"""No ghosting on the pages: overdue answers, what a candidate sees, how a company answers."""

import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import literal_column, select, update

from jobboard.applications import figures, service
from jobboard.applications.models import Application, Stage
from jobboard.applications.schemas import ApplicationCreate
from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.infra.mailer import ConsoleMailer
from jobboard.infra.postgres import Database
from jobboard.infra.storage import Storage
from jobboard.jobs.models import Job
from jobboard.settings import Settings
from jobboard.web import employer_overdue
from jobboard.worker.context import Context
from jobboard.worker.figures import keep
from tests.factories.companies import make_company
from tests.factories.people import User
from tests.letters import Mailbox, words
from tests.web.browser import Browser
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


@dataclass
class Applicant:
    """Someone who applied."""

    id: UUID
    user: User
    browser: Browser


async def apply(town: Town, job: Job, name: str, days: float, **values: object) -> Applicant:
    """Someone who applied so many days ago."""
    user, browser = await town.person(full_name=name)
    made = await service.apply(
        town.session, user.actor, job.id, ApplicationCreate(cover_letter="Hello.")
    )
    sent = now() - days * DAY
    row = update(Application).where(Application.id == made.id)
    await town.session.execute(
        row.values(created_at=sent, updated_at=sent, **values).execution_options(
            synchronize_session=False
        )
    )
    await town.session.commit()
    return Applicant(made.id, user, browser)


async def test_many_are_answered_at_once_after_a_look_at_the_letters(
    town: Town, db: Database
) -> None:
    job = await town.job(title="Baker")
    ada = await apply(town, job, "Ada Archer", 20)
    await apply(town, job, "Bob Baxter", 16)
    await apply(town, job, "Young Applicant", 3)
    browser = await town.browser(town.owner)
    mailbox = Mailbox(town.settings, db)
    await mailbox.read()
    desk = await browser.get("/employer")
    assert "2 applicants have waited for your answer" in desk.text
    here = f"/employer/companies/{town.company.id}/overdue"
    page = await browser.get(here)
    assert page.text.index("Ada Archer") < page.text.index("Bob Baxter")
    assert "Young Applicant" not in page.text
    boxes = page.form(here).fields["application"]
    assert len(boxes) == 2
    preview = await browser.submit(page, here)
    assert "Hello Ada Archer, thank you for applying as Baker" in preview.text
    assert "Hello Bob Baxter" in preview.text
    assert await mailbox.read() == []
    await service.withdraw(town.session, ada.user.actor, ada.id)
    await town.session.commit()
    done = await browser.submit(preview, here, send="yes")
    assert "1 applicant answered." in done.text
    assert "Ada Archer: This application was changed in the meantime" in done.text
    (mail,) = await mailbox.read()
    assert "Hello Bob Baxter," in words(mail)
    assert "Everyone has an answer" in (await browser.get(here)).text


async def test_a_change_of_mind_keeps_what_was_chosen_and_written(town: Town) -> None:
    job = await town.job()
    await apply(town, job, "Ada Archer", 20)
    await apply(town, job, "Bob Baxter", 20)
    browser = await town.browser(town.owner)
    here = f"/employer/companies/{town.company.id}/overdue"
    page = await browser.get(here)
    first = page.form(here).fields["application"][0]
    preview = await browser.submit(page, here, application=first, message="Hi {name}!")
    assert "Hi Ada Archer!" in preview.text
    assert "Bob Baxter" not in preview.text
    fields = preview.form(here).fields
    again = await browser.post(f"{here}/again", fields)
    assert again.form(here).fields["application"] == [first]
    assert again.form(here).fields["message"] == ["Hi {name}!"]
    wrong = await browser.submit(again, here, message="Hi {nmae}!")
    assert wrong.status == 422
    assert "There is no {nmae} to fill in" in wrong.text


async def test_a_later_page_stays_itself_and_what_was_unticked_stays_so(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(employer_overdue, "PAGE", 1)
    job = await town.job()
    await apply(town, job, "Ada Archer", 20)
    await apply(town, job, "Bob Baxter", 16)
    browser = await town.browser(town.owner)
    here = f"/employer/companies/{town.company.id}/overdue"
    (after,) = re.findall(r'cursor=([^"&]+)"', (await browser.get(here)).html)
    page = await browser.get(f"{here}?cursor={after}")
    preview = await browser.submit(page, here)
    again = await browser.post(f"{here}/again", preview.form(here).fields)
    fields = again.form(here).fields
    del fields["application"]
    refused = await browser.post(here, fields)
    assert refused.status == 422
    for shown in (again, refused):
        assert "Bob Baxter" in shown.text
        assert "Ada Archer" not in shown.text
    assert "application" not in refused.form(here).fields


async def test_a_candidate_sees_since_when_nothing_moved(town: Town, settings: Settings) -> None:
    job = await town.job(title="Baker")
    made = await apply(town, job, "Ada Archer", 18)
    page = await made.browser.get(f"/me/applications/{made.id}")
    assert "Nothing has moved since" in page.text
    assert "for 18 days. That is longer than it should take." in page.text
    assert "No answer for 18 days." in (await made.browser.get("/me/applications")).text
    owner = await town.browser(town.owner)
    here = f"/employer/companies/{town.company.id}/overdue"
    preview = await owner.submit(await owner.get(here), here, message="No, {name}.")
    sent = await owner.submit(preview, here, send="yes")
    assert "1 applicant answered." in (await owner.follow(sent)).text
    page = await made.browser.get(f"/me/applications/{made.id}")
    assert "No, Ada Archer." in page.text
    assert "Nothing has moved" not in page.text


async def test_how_a_company_answers_stands_on_its_page_and_on_its_jobs(
    town: Town, db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await town.job()
    answered = {"stage": Stage.REJECTED, "answered_at": now() - 17.5 * DAY}
    for number in range(8):
        await apply(town, job, f"A {number}", 20, **(answered if number else {}))
    pages = [f"/companies/{town.company.slug}", f"/jobs/{job.slug}"]
    for path in pages:
        assert "of applications" not in (await town.stranger.get(path)).text
    context = Context(settings, db, ConsoleMailer(), Storage(settings.storage_url))
    other = await make_company(town.session, town.owner, "Butcher")
    before = await versions(db)
    monkeypatch.setattr(figures, "BATCH", 1)
    await keep(context)
    after = await versions(db)
    assert after[town.company.id] != before[town.company.id]
    assert after[other.id] == before[other.id], "there is nothing to say of them"
    for path in pages:
        text = (await town.stranger.get(path)).text
        assert "88% of applications, half of them within 3 days" in text
        assert "8 applications of the last six months" in text
    await keep(context)
    assert await versions(db) == after, "nothing changed"


async def versions(db: Database) -> dict[UUID, str]:
    """Of each company's row; any write makes a new one."""
    async with db.transaction() as session:
        rows = await session.execute(select(Company.id, literal_column("xmin::text")))
        return dict(rows.all())
