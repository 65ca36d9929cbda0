"""The moderator's pages: the queue, decisions, reports, people."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.companies.models import Company
from jobboard.jobs import queries, service
from jobboard.jobs.models import Job, JobStatus, ReportReason
from jobboard.jobs.schemas import JobUpdate, ReportCreate, SalaryInput
from jobboard.settings import Settings
from jobboard.web.marking import mark, mark_text
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.web.browser import Browser, Page, log_in

pytestmark = pytest.mark.anyio
PATHS = ("/admin", "/admin/jobs", "/admin/reports", "/admin/companies", "/admin/people")
LONG = "You bake bread and rolls, from the first dough at three to the counter at seven. " * 4


@dataclass
class Desk:
    """A moderator at work, and a company that posts."""

    client: httpx2.AsyncClient
    session: AsyncSession
    settings: Settings
    admin: User
    employer: User
    company: Company
    browser: Browser

    async def another(self, role: Role, **fields: Any) -> tuple[User, Browser]:
        """Someone else, logged in."""
        user = await make_user(self.session, self.settings, role, **fields)
        return user, await log_in(self.client, self.session, self.settings, user)

    async def job(self, title: str = "Baker", **fields: Any) -> Job:
        """A job of the company, waiting unless `status` says otherwise."""
        fields = {"status": JobStatus.PENDING, **fields}
        return await make_job(self.session, self.employer, self.company, title=title, **fields)

    async def report(self, job: Job, note: str, *, by: User | None = None) -> None:
        """Someone finds something wrong."""
        data = ReportCreate(reason=ReportReason.SCAM, note=note)
        await service.report(self.session, by.actor if by else None, job.id, data)
        await self.session.commit()

    async def stored(self, kind: type, row_id: UUID) -> Any:
        """A row as it stands in the database now."""
        async with AsyncSession(self.session.bind, expire_on_commit=False) as session:
            return await session.get(kind, row_id)


@pytest.fixture
async def desk(client: httpx2.AsyncClient, session: AsyncSession, settings: Settings) -> Desk:
    admin = await make_user(session, settings, Role.ADMIN, full_name="Ali Admin")
    employer = await make_user(session, settings, Role.EMPLOYER)
    company = await make_company(session, employer, "Harbour Bakery")
    browser = await log_in(client, session, settings, admin)
    return Desk(client, session, settings, admin, employer, company, browser)


async def test_only_moderators_come_in(desk: Desk) -> None:
    job = await desk.job()
    for role in (Role.EMPLOYER, Role.CANDIDATE):
        _, browser = await desk.another(role)
        for path in (*PATHS, f"/admin/jobs/{job.id}"):
            page = await browser.get(path)
            assert page.status == 403, path
            assert "Only moderators can see this" in page.text
    for path in PATHS:
        assert (await Browser(desk.client).get(path)).location.startswith("/log-in?next=%2Fadmin")


async def test_nothing_to_do_is_said_everywhere(desk: Desk) -> None:
    words = (
        "Nothing waits for you",
        "Every job has been read",
        "No report is open",
        "No company has a new name",
    )
    for path, said in zip(PATHS, words, strict=False):
        page = await desk.browser.get(path)
        assert (page.status, said in page.text) == (200, True), path
    assert "Nobody is called that" in (await desk.browser.get("/admin/people?q=zzz")).text
    for status in JobStatus:
        assert (await desk.browser.get(f"/admin/jobs?status={status}")).status == 200


async def test_the_overview_says_what_waits(desk: Desk) -> None:
    job = await desk.job()
    await desk.job("Confectioner")
    await desk.report(job, "They ask for money.", by=desk.employer)
    page = await desk.browser.get("/admin")
    assert "2 jobs wait" in page.text
    assert "1 report is open" in page.text


async def test_the_queue_shows_why_to_look(desk: Desk) -> None:
    text = f"{LONG} <b>Write</b> to us on **WhatsApp** and pay the registration fee & more."
    pay = SalaryInput(min=150_000_000, max=150_000_000, currency="EUR", period="year")
    site = "https://else.example/x"
    job = await desk.job("Baker <i>now</i>", description=text, apply_url=site, salary=pay)
    await desk.report(job, "They ask for money.", by=desk.employer)
    page = await desk.browser.get("/admin/jobs")
    for label in ("Asks the candidate for money", "Moves the talk to a messenger"):
        assert label in page.text
    assert "<strong><mark>WhatsApp</mark></strong>" in page.html
    assert "pay the <mark>registration fee</mark> &amp; more" in page.html
    assert "&lt;b&gt;Write&lt;/b&gt;" in page.html
    assert "Baker &lt;i&gt;now&lt;/i&gt;" in page.html
    assert "First job of this company" in page.text
    assert "Pay far above the usual" in page.text
    assert "1 open report" in page.text
    assert "https://else.example/x" in page.text


async def test_of_those_that_wait_the_riskiest_come_first(desk: Desk) -> None:
    await desk.job("Baker", description=LONG)
    await desk.job("Agent", description=f"{LONG} First you pay the registration fee.")
    page = await desk.browser.get("/admin/jobs")
    assert page.html.index(">Agent<") < page.html.index(">Baker<")
    assert page.html.count("data-heavy") == 1


def test_marks_leave_tags_alone() -> None:
    html = '<p title="a > fee">fee <a href="/fee">Fee</a> &amp; fees</p>'
    marked = '<p title="a > fee"><mark>fee</mark> <a href="/fee"><mark>Fee</mark></a>'
    assert mark(html, ["fee"]) == f"{marked} &amp; <mark>fee</mark>s</p>"
    assert mark(html, []) == html
    assert mark_text("<b> & fee", ["& fee"]) == "&lt;b&gt; <mark>&amp; fee</mark>"


def order(page: Page, *titles: str) -> list[str]:
    return sorted(titles, key=lambda title: page.html.index(f"“{title}”"))


async def test_after_a_decision_comes_the_next_job(desk: Desk) -> None:
    first, second, third = [await desk.job(title) for title in ("First", "Second", "Third")]
    page = await desk.browser.get("/admin/jobs")
    assert order(page, "Third", "Second", "First") == ["First", "Second", "Third"]
    approved = await desk.browser.submit(page, f"/admin/jobs/{second.id}/approve")
    assert approved.location.endswith(f"#job-{third.id}")
    page = await desk.browser.follow(approved)
    assert "“Second” is live now" in page.text
    assert (await desk.stored(Job, second.id)).status is JobStatus.PUBLISHED
    opened = page.html.index('<details class="full" open>')
    assert page.html.index(f'id="job-{third.id}"') < opened
    back = await desk.browser.submit(page, f"/admin/jobs/{third.id}/reject", reason="Say more.")
    page = await desk.browser.follow(back)
    assert "“Third” went back to the company" in page.text
    assert (await desk.stored(Job, third.id)).status_reason == "Say more."
    last = await desk.browser.submit(page, f"/admin/jobs/{first.id}/approve")
    assert "Every job has been read" in (await desk.browser.follow(last)).text


async def test_canned_reasons_work_without_a_script(desk: Desk) -> None:
    job = await desk.job()
    path = f"/admin/jobs/{job.id}/reject"
    page = await desk.browser.get("/admin/jobs")
    both = await desk.browser.submit(page, path, canned="thin", reason="And the hours.\r\nPlease.")
    assert both.status == 303
    reason = (await desk.stored(Job, job.id)).status_reason
    assert reason.startswith("Please say more about the work")
    assert reason.endswith("\n\nAnd the hours.\nPlease.")


async def test_a_decision_needs_a_reason(desk: Desk) -> None:
    job = await desk.job()
    path = f"/admin/jobs/{job.id}/reject"
    page = await desk.browser.get("/admin/jobs")
    for reason, said in ((" ", "Choose a reason or write one"), ("y" * 2001, "at most 2000")):
        refused = await desk.browser.submit(page, path, reason=reason)
        assert refused.status == 422
        assert said in refused.text
        assert refused.form(path).fields["reason"] == [reason.strip() or reason]
        assert refused.form(path).fields["next"] == page.form(path).fields["next"]
    assert (await desk.stored(Job, job.id)).status is JobStatus.PENDING


async def test_removing_a_live_job(desk: Desk) -> None:
    job = await desk.job(status=JobStatus.PUBLISHED)
    page = await desk.browser.get("/admin/jobs?status=published")
    assert not page.offers(f"/admin/jobs/{job.id}/approve")
    removed = await desk.browser.submit(page, f"/admin/jobs/{job.id}/remove", canned="scam")
    assert "“Baker” is removed" in (await desk.browser.follow(removed)).text
    stored = await desk.stored(Job, job.id)
    assert (stored.status, stored.status_reason) == (
        JobStatus.REMOVED,
        "This is not an honest offer of work.",
    )


async def test_a_second_moderator_who_was_quicker(desk: Desk) -> None:
    job = await desk.job()
    page = await desk.browser.get("/admin/jobs")
    path = f"/admin/jobs/{job.id}"
    sent = [("approve", {}), ("reject", {"reason": "No."})] * 3
    answers = await asyncio.gather(
        *(desk.browser.submit(page, f"{path}/{verdict}", **data) for verdict, data in sent)
    )
    assert {answer.status for answer in answers} == {303}
    late = await desk.browser.submit(page, f"{path}/approve")
    assert "Someone was quicker: “Baker” is" in (await desk.browser.follow(late)).text
    events = (await desk.session.scalars(queries.history(job.id))).all()
    assert len(events) == 1


async def test_a_job_that_was_changed_while_it_was_read(desk: Desk) -> None:
    job = await desk.job()
    page = await desk.browser.get("/admin/jobs")
    change = JobUpdate(title="Baker, with a fee")
    await service.change(desk.session, desk.employer.actor, job.id, change)
    await desk.session.commit()
    late = await desk.browser.submit(page, f"/admin/jobs/{job.id}/approve")
    assert late.location == f"/admin/jobs/{job.id}"
    assert "was changed while you read it" in (await desk.browser.follow(late)).text
    assert (await desk.stored(Job, job.id)).status is JobStatus.PENDING


async def test_forged_decisions_are_refused(desk: Desk) -> None:
    job = await desk.job()
    path = f"/admin/jobs/{job.id}/approve"
    page = await desk.browser.get("/admin/jobs")
    assert (await desk.browser.submit(page, path, csrf_token="wrong")).status == 403
    _, employers = await desk.another(Role.EMPLOYER)
    token = (await employers.get("/employer/companies/new")).forms[0].fields["csrf_token"]
    for step in ("approve", "reject", "remove", "dismiss"):
        answer = await employers.post(f"/admin/jobs/{job.id}/{step}", {"csrf_token": token})
        assert answer.status == 403
    away = await desk.browser.submit(page, path, next="https://evil.example/")
    assert away.location == "/admin/jobs"


async def test_reports_are_read_together_and_closed(desk: Desk) -> None:
    job = await desk.job("Sales <script>", status=JobStatus.PUBLISHED)
    await desk.report(job, "They asked for <b>money</b>.")
    await desk.report(job, "Me too.")
    page = await desk.browser.get("/admin/reports")
    assert page.html.count("<h2>") == 1
    assert "Me too." in page.text
    assert "<b>money</b>" not in page.html
    one = await desk.browser.get(f"/admin/jobs/{job.id}")
    assert "2 open reports" in one.text
    closed = await desk.browser.submit(page, f"/admin/jobs/{job.id}/dismiss")
    page = await desk.browser.follow(closed)
    assert "The reports about “Sales <script>” are closed" in page.text
    assert "No report is open" in page.text
    assert (await desk.stored(Job, job.id)).status is JobStatus.PUBLISHED


async def test_a_decision_is_taken_back(desk: Desk) -> None:
    job = await desk.job(status=JobStatus.PUBLISHED)
    page = await desk.browser.get("/admin/jobs?status=published")
    await desk.browser.submit(page, f"/admin/jobs/{job.id}/remove", canned="scam")
    page = await desk.browser.get("/admin/jobs?status=removed")
    back = await desk.browser.submit(page, f"/admin/jobs/{job.id}/restore")
    assert "“Baker” waits for a decision again" in (await desk.browser.follow(back)).text
    stored = await desk.stored(Job, job.id)
    assert (stored.status, stored.status_reason) == (JobStatus.PENDING, None)


async def test_no_live_job_is_removed_for_what_it_no_longer_says(desk: Desk) -> None:
    job = await desk.job(status=JobStatus.PUBLISHED)
    page = await desk.browser.get("/admin/jobs?status=published")
    await service.change(desk.session, desk.employer.actor, job.id, JobUpdate(tags=["bread"]))
    await desk.session.commit()
    late = await desk.browser.submit(page, f"/admin/jobs/{job.id}/remove", canned="scam")
    assert "was changed while you read it" in (await desk.browser.follow(late)).text
    assert (await desk.stored(Job, job.id)).status is JobStatus.PUBLISHED


@pytest.mark.parametrize(
    ("location", "remote", "told"),
    [
        ("Remote, Germany", "remote", "Remote, Germany"),
        ("Hamburg", "hybrid", "Hamburg, hybrid"),
        ("Remote", "remote", "Remote"),
        (None, "remote", "Remote"),
        (None, None, "Not said"),
    ],
)
async def test_the_workplace_of_a_job_is_said_once(
    desk: Desk, location: str | None, remote: str | None, told: str
) -> None:
    await desk.job(location=location, remote=remote)
    page = await desk.browser.get("/admin/jobs?status=pending")
    assert f"<dt>Place</dt><dd>{told}</dd>" in page.html
