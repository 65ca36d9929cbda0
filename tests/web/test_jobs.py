"""A job's page, applying, reporting; and a company's page."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from jobboard.accounts.models import Role
from jobboard.applications.models import Application
from jobboard.clock import now
from jobboard.companies import service as companies
from jobboard.companies.schemas import CompanyUpdate
from jobboard.jobs.models import Job, JobReport, JobStatus
from jobboard.jobs.schemas import SalaryInput
from jobboard.uploads.models import Upload
from tests.conftest import BASE_URL
from tests.factories.companies import make_company
from tests.factories.files import docx, pdf
from tests.web.browser import Browser, Page
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio
SCRIPT = "</script><script>alert(1)</script>"
LETTER = {"cover_letter": "I rise early.", "consent": "yes"}


async def test_a_job_shows_what_matters_and_leads_to_the_form(town: Town) -> None:
    job = await town.job(
        title="Baker",
        location="Hamburg, Germany",
        salary=SalaryInput(min=1650, currency="EUR", period="hour"),
        description="We **knead**.",
    )
    page = await town.stranger.get(f"/jobs/{job.slug}")
    assert page.status == 200
    for words in ("Baker", "Bakery", "From €16.50 an hour", "About from €34,320 a year"):
        assert words in page.text, words
    assert "<strong>knead</strong>" in page.html
    assert f'href="/jobs/{job.slug}/apply"' in page.html
    assert f'<link rel="canonical" href="{town.settings.base_url}/jobs/{job.slug}">' in page.html


async def test_a_job_that_applies_elsewhere_leads_there(town: Town) -> None:
    job = await town.job(apply_url="https://www.jobs.example.com/1?a=1&b=2")
    page = await town.stranger.get(f"/jobs/{job.slug}")
    assert 'href="https://www.jobs.example.com/1?a=1&amp;b=2"' in page.html
    assert "Apply on jobs.example.com" in page.text
    _, candidate = await town.person()
    assert (await candidate.get(f"/jobs/{job.slug}/apply")).status == 409


@pytest.mark.parametrize("status", [JobStatus.CLOSED, JobStatus.EXPIRED])
async def test_a_job_that_is_over_stays_and_shows_others(town: Town, status: JobStatus) -> None:
    job = await town.job(status, title="Over")
    await town.job(title="Still there")
    page = await town.stranger.get(f"/jobs/{job.slug}")
    assert page.status == 200
    assert "takes no more applications" in page.text
    assert "Still there" in page.text
    assert "/apply" not in page.html
    assert 'content="noindex"' in page.html
    assert "ld+json" not in page.html
    _, candidate = await town.person()
    assert (await candidate.get(f"/jobs/{job.slug}/apply")).status == 409


async def test_a_live_job_shows_what_is_like_it(town: Town) -> None:
    job = await town.job(title="Night baker", location="Berlin, Hamburg or Munich")
    await town.job(title="Day baker")
    page = await town.stranger.get(f"/jobs/{job.slug}")
    assert "Similar jobs" in page.text
    assert "Day baker" in page.text
    assert "Similar jobs" not in (await town.stranger.get(f"/jobs/{job.slug}/apply")).text


async def test_a_job_past_its_day_is_over_before_the_clock_marks_it(town: Town) -> None:
    job = await town.job(expires_at=now() - timedelta(minutes=1))
    assert "takes no more applications" in (await town.stranger.get(f"/jobs/{job.slug}")).text


@pytest.mark.parametrize(
    "status", [JobStatus.DRAFT, JobStatus.PENDING, JobStatus.REJECTED, JobStatus.REMOVED]
)
async def test_what_is_not_public_is_a_preview_for_its_people(
    town: Town, status: JobStatus
) -> None:
    job = await town.job(status)
    path = f"/jobs/{job.slug}"
    assert (await town.stranger.get(path)).status == 404
    rival, rivals = await town.person(Role.EMPLOYER)
    await make_company(town.session, rival)
    assert (await rivals.get(path)).status == 404
    own = await town.browser(town.owner)
    for browser in (own, (await town.person(Role.ADMIN))[1]):
        page = await browser.get(path)
        assert page.status == 200
        assert 'class="notice"' in page.html
        assert f"{path}/apply" not in page.html
        assert "Still open" not in page.text
        assert 'id="share"' not in page.html
        assert ("disabled>Apply for this job" in page.html) == (status is not JobStatus.REMOVED)


async def test_only_a_live_job_has_a_link_to_copy(town: Town) -> None:
    job = await town.job()
    assert 'id="share"' in (await town.stranger.get(f"/jobs/{job.slug}")).html


async def test_search_engines_read_a_live_job(town: Town) -> None:
    job = await town.job(
        title=f"Baker {SCRIPT}",
        description="Bread & rolls",
        location="Hamburg, Germany",
        remote="onsite",
        employment_type="part_time",
        salary=SalaryInput(min=1650, max=2000, currency="EUR", period="hour"),
    )
    page = await town.stranger.get(f"/jobs/{job.slug}")
    assert page.html.count("</script>") == 3  # the data's own, and the modules'
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page.html, re.S)
    assert found
    posting = json.loads(found[1])
    assert posting["title"] == f"Baker {SCRIPT}"
    assert posting["description"] == "<p>Bread &amp; rolls</p>"
    assert posting["employmentType"] == "PART_TIME"
    assert posting["directApply"] is True
    assert posting["validThrough"] > posting["datePosted"]
    assert posting["hiringOrganization"]["name"] == "Bakery"
    assert posting["jobLocation"]["address"]["addressCountry"] == "DE"
    assert posting["baseSalary"] == {
        "@type": "MonetaryAmount",
        "currency": "EUR",
        "value": {
            "@type": "QuantitativeValue",
            "unitText": "HOUR",
            "minValue": 16.5,
            "maxValue": 20,
        },
    }
    assert "jobLocationType" not in posting


async def test_search_engines_learn_no_more_than_is_known(town: Town) -> None:
    town.company.logo_key = f"images/{'0' * 32}-logo.webp"
    pay = SalaryInput(min=1650, max=2000, currency="EUR")
    job = await town.job(remote="remote", location="Germany", salary=pay)
    job.currency = None  # as of an imported ad: "20,000 to 25,000 a year"
    await town.session.commit()
    page = await town.stranger.get(f"/jobs/{job.slug}")
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page.html, re.S)
    assert found
    posting = json.loads(found[1])
    assert posting["applicantLocationRequirements"] == {"@type": "Country", "name": "DE"}
    assert posting["hiringOrganization"]["logo"] == f"{BASE_URL}/{town.company.logo_key}"
    assert "baseSalary" not in posting
    assert "About" not in page.text  # that much is the year's pay


async def test_only_a_wholly_remote_job_is_telecommuting(town: Town) -> None:
    for remote, wanted in (("remote", True), ("hybrid", False)):
        job = await town.job(remote=remote)
        page = await town.stranger.get(f"/jobs/{job.slug}")
        assert ("TELECOMMUTE" in page.html) is wanted


async def test_what_employers_write_is_never_markup(town: Town) -> None:
    script = "<script>alert(1)</script>"
    await companies.change(
        town.session,
        town.owner.actor,
        town.company.id,
        CompanyUpdate(name=f"Bakery {script}", description=f"About {script}"),
    )
    await town.session.commit()
    await town.session.refresh(town.company)
    job = await town.job(
        title=f"Baker {script}",
        description=f"Text {script} <img src=x onerror=alert(1)> [x](javascript:alert(1))",
        location=script,
        tags=[script],
    )
    for path in (f"/jobs/{job.slug}", f"/companies/{town.company.slug}", "/"):
        page = await town.stranger.get(path)
        assert page.status == 200, path
        assert "<script>alert" not in page.html, path
        assert "<img src=x" not in page.html, path
        assert 'href="javascript' not in page.html, path
        assert script in page.text, path


async def test_a_stranger_is_led_to_the_log_in_and_back(town: Town) -> None:
    job = await town.job()
    page = await town.stranger.get(f"/jobs/{job.slug}/apply")
    assert page.status == 303
    assert page.location == f"/log-in?next=%2Fjobs%2F{job.slug}%2Fapply"


async def test_only_candidates_apply(town: Town) -> None:
    job = await town.job()
    own = await town.browser(town.owner)
    assert (await own.get(f"/jobs/{job.slug}/apply")).status == 403
    assert f"/jobs/{job.slug}/apply" not in (await own.get(f"/jobs/{job.slug}")).html


async def send(browser: Browser, job: Job, **fields: Any) -> Page:
    path = f"/jobs/{job.slug}/apply"
    return await browser.submit(await browser.get(path), path, **fields)


async def test_an_application_with_a_resume(town: Town) -> None:
    job = await town.job()
    candidate, browser = await town.person()
    form = await browser.get(f"/jobs/{job.slug}/apply")
    assert "at most 5 MB" in form.text
    sent = await send(browser, job, **LETTER, files={"file": ("cv.pdf", pdf())})
    assert sent.location == "/me/applications"
    assert "on its way to Bakery" in (await browser.follow(sent)).text
    stored = await town.session.scalar(
        select(Application).where(Application.person_id == candidate.id)
    )
    assert stored is not None
    assert stored.cover_letter == "I rise early."
    assert stored.resume_id is not None
    assert "You applied" in (await browser.get(f"/jobs/{job.slug}")).text
    other = await town.job(title="Another")
    again = await browser.get(f"/jobs/{other.slug}/apply")
    assert again.form(f"/jobs/{other.slug}/apply").fields["resume_id"] == [str(stored.resume_id)]


async def test_a_second_application_is_explained(town: Town) -> None:
    job = await town.job()
    _, browser = await town.person()
    form = await browser.get(f"/jobs/{job.slug}/apply")
    await send(browser, job, **LETTER)
    again = await browser.submit(form, f"/jobs/{job.slug}/apply", **LETTER)
    assert again.status == 409
    assert "applied to this job already" in again.text
    assert "See your application" in again.text
    assert await town.session.scalar(select(func.count()).select_from(Application)) == 1


@pytest.mark.parametrize(
    ("fields", "files", "status", "words"),
    [
        ({"cover_letter": "Hello"}, None, 422, "if you agree"),
        ({"consent": "yes"}, None, 422, "few words or add a résumé"),
        (LETTER, {"file": ("cv.exe", b"MZ")}, 422, "PDF or a Word file"),
        (LETTER, {"file": ("cv.pdf", b"")}, 422, "empty"),
        (LETTER, {"file": ("cv.pdf", b"%PDF-" + b"x" * 5_300_000)}, 413, "larger than 5 MB"),
        (LETTER, {"file": ("cv.pdf", b"%PDF-" + b"x" * 20_000_000)}, 413, "larger than 5 MB"),
        (LETTER | {"resume_id": "nonsense"}, None, 422, "not an id"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    town: Town, fields: dict[str, str], files: Any, status: int, words: str
) -> None:
    job = await town.job()
    _, browser = await town.person()
    page = await send(browser, job, **fields, files=files)
    assert page.status == status
    assert words in page.text
    kept = page.form(f"/jobs/{job.slug}/apply").fields
    assert kept["cover_letter"] == [fields.get("cover_letter", "")]
    assert await town.session.scalar(select(func.count()).select_from(Application)) == 0


async def test_a_resume_is_kept_and_chosen_when_the_rest_is_wrong(town: Town) -> None:
    job = await town.job()
    _, browser = await town.person()
    page = await send(browser, job, files={"file": ("cv.docx", docx())})
    assert page.status == 422
    upload = await town.session.scalar(select(Upload))
    assert upload is not None
    path = f"/jobs/{job.slug}/apply"
    assert page.form(path).fields["resume_id"] == [str(upload.id)]
    assert (await browser.submit(page, path, consent="yes")).status == 303


async def test_the_resume_of_someone_else_cannot_be_sent(town: Town) -> None:
    job = await town.job()
    _, one = await town.person()
    await send(one, job, **LETTER, files={"file": ("cv.pdf", pdf())})
    stolen = await town.session.scalar(select(Upload.id))
    _, other = await town.person()
    page = await send(other, job, **LETTER, resume_id=str(stolen))
    assert page.status == 422
    assert "not one of your résumés" in page.text


@pytest.mark.parametrize("known", [True, False])
async def test_a_report_reaches_the_moderators(town: Town, known: bool) -> None:
    job = await town.job()
    path = f"/jobs/{job.slug}"
    browser = (await town.person())[1] if known else town.stranger
    page = await browser.get(path)
    empty = await browser.submit(page, f"{path}/report", note="Look!")
    assert empty.status == 422
    assert empty.form(f"{path}/report").fields["note"] == ["Look!"]
    assert '<details class="report" open>' in empty.html
    sent = await browser.submit(page, f"{path}/report", reason="scam", note="Look!")
    assert "A moderator will look" in (await browser.follow(sent)).text
    report = (await town.session.scalars(select(JobReport))).one()
    assert (report.reason, report.note, report.person_id is None) == ("scam", "Look!", not known)


async def test_pay_is_told_in_the_money_of_the_board_where_a_job_is_paid_in_another(
    town: Town,
) -> None:
    home = await town.job(salary=SalaryInput(max=5_000_000, currency="GBP"))
    await town.job(salary=SalaryInput(min=4_000_000, currency="GBP"))
    away = await town.job(salary=SalaryInput(min=40_000, max=50_000, currency="PLN", period="day"))
    euros = await town.job(salary=SalaryInput(min=6_000_000, currency="EUR"))
    by = "(rate of 30 October 2026, European Central Bank)"
    page = await town.stranger.get(f"/jobs/{away.slug}")
    assert f"About £19,700\N{EN DASH}24,600 a year {by}" in page.text
    page = await town.stranger.get(f"/jobs/{euros.slug}")
    assert f"About from £50,000 a year {by}" in page.text
    assert by not in (await town.stranger.get(f"/jobs/{home.slug}")).text
    for _ in range(3):
        await town.job(salary=SalaryInput(min=900_000, currency="KWD"))  # has no rate
    page = await town.stranger.get(f"/jobs/{euros.slug}")
    assert "From €60,000 a year" in page.text
    assert "About from" not in page.text


async def test_pay_of_a_closed_job_is_not_told_in_the_money_of_a_board_without_any(
    town: Town,
) -> None:
    closed = await town.job(JobStatus.CLOSED, salary=SalaryInput(min=6_000_000, currency="PLN"))
    page = await town.stranger.get(f"/jobs/{closed.slug}")
    assert "About" not in page.text


async def test_a_company_shows_itself_and_its_live_jobs(town: Town) -> None:
    await town.job(title="Baker")
    await town.job(JobStatus.DRAFT, title="Secret")
    page = await town.stranger.get(f"/companies/{town.company.slug}")
    assert page.status == 200
    assert "1 open job" in page.text
    assert "Baker" in page.text
    assert "Secret" not in page.text
    assert (await town.stranger.get("/companies/nobody")).status == 404
