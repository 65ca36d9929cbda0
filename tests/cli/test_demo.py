"""`jobboard demo`: a board that shows everything, the same for the same seed."""

import re
from collections.abc import Callable
from functools import cache
from io import BytesIO
from itertools import islice
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from anyio import to_thread
from pypdf import PdfReader
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.admin.risk import PHRASES
from jobboard.cli.main import make_app, run
from jobboard.clock import now
from jobboard.demo.lives import STEPS, life
from jobboard.demo.market import ODD_AGE, Ad, ads
from jobboard.demo.people import ADMIN, CANDIDATE, EMPLOYER, PASSWORD
from jobboard.demo.resume import pdf
from jobboard.demo.vocabulary import vocabulary
from jobboard.infra.richtext import markdown_to_html, plain_text
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.places import parse_location
from jobboard.jobs.schemas import JobCreate
from jobboard.models import metadata
from jobboard.settings import Settings
from tests.cli.terminals import terminal

COMPANIES = {key: UUID(int=number) for number, key in enumerate(vocabulary().employers)}
GENDERED = re.compile(
    r"\b(?:waitress|salesman|saleswoman|chairman|foreman|craftsman|draughtsman|stewardess|"
    r"policeman|fireman|businessman|handyman|he|she|his|her)\b",
    re.IGNORECASE,
)

Demo = Callable[..., int]


@cache
def dealt(count: int) -> tuple[Ad, ...]:
    """For tests that only read them."""
    return tuple(deal(count))


def deal(count: int, seed: int = 1) -> list[Ad]:
    """The first ads of a seed."""
    return list(islice(ads(seed, COMPANIES), count))


@pytest.fixture
def demo(settings: Settings, clean: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """Runs the command on the test board; its exit code."""
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("JOBBOARD_STORAGE_URL", settings.storage_url)
    app = make_app(["demo", "migrate"])
    return lambda *arguments: run(app, ["demo", *arguments])


async def counts(session: AsyncSession) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: len((await session.execute(select(table))).all())
        for table in metadata.sorted_tables
    }


async def headers(client: httpx2.AsyncClient, email: str) -> dict[str, str]:
    """A log-in with the password that the command prints."""
    answer = await client.post(
        "/api/v1/auth/token",
        data={"grant_type": "password", "username": email, "password": PASSWORD},
    )
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_the_same_seed_makes_the_same_ads() -> None:
    assert deal(200) == deal(200)
    assert deal(200)[:50] == deal(50)
    assert [ad.data.title for ad in deal(50)] != [ad.data.title for ad in deal(50, seed=2)]


def test_no_two_ads_read_alike() -> None:
    row = dealt(1000)
    assert len({ad.data.description for ad in row}) == len(row)
    offered = {(ad.employer.key, ad.data.title, ad.data.description) for ad in row[:121]}
    assert len({(key, title) for key, title, _ in offered}) > 110


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_ad_is_whole(seed: int) -> None:
    odd, *row = deal(400, seed)
    for ad in row:
        assert JobCreate.model_validate(ad.data.model_dump(mode="json")) == ad.data
        assert 150 <= len(ad.data.description.split()) <= 350
        assert "{" not in ad.data.description
        place = parse_location(ad.data.location)
        assert place.country == ad.employer.country.code
        assert ad.data.tags
    assert odd.age == ODD_AGE


def test_pay_fits_its_country_and_work() -> None:
    for ad in dealt(1000)[1:]:
        if ad.data.salary is None:
            continue
        assert ad.data.salary.currency == ad.employer.country.currency
        assert ad.data.salary.min
        assert ad.data.salary.min <= (ad.data.salary.max or ad.data.salary.min)
        assert ad.data.employment_type != "volunteer"


def test_only_the_dubious_ad_looks_dubious() -> None:
    some = dealt(1000)[:300]
    odd, *row = [
        f"{ad.data.title}\n{plain_text(markdown_to_html(ad.data.description))}" for ad in some
    ]
    signs = [pattern for *_, pattern in PHRASES]
    assert all(pattern.search(odd) for pattern in signs)
    assert not [text for text in row if any(pattern.search(text) for pattern in signs)]


def test_titles_speak_to_everyone() -> None:
    for ad in dealt(1000):
        assert not GENDERED.search(ad.data.title + " " + ad.data.description)


@pytest.mark.parametrize("status", STEPS)
def test_a_life_ends_where_it_should(status: JobStatus) -> None:
    present = now()
    lived = life(status, ODD_AGE, present, 60)
    assert lived.status == (lived.taken[-1].status if lived.taken else JobStatus.DRAFT)
    moments = [lived.created_at, *(taken.at for taken in lived.taken), present]
    assert moments == sorted(moments)


def test_the_resume_is_a_pdf_that_others_read() -> None:
    (page,) = PdfReader(BytesIO(pdf(["Noor (example)", "", "Café, Malmö"])), strict=True).pages
    assert page.extract_text().split() == ["Noor", "(example)", "Café,", "Malmö"]


@pytest.mark.anyio
async def test_the_board_shows_everything_and_a_second_run_adds_nothing(
    demo: Demo,
    session: AsyncSession,
    client: httpx2.AsyncClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In one test, for to make such a board takes seconds."""
    assert await to_thread.run_sync(demo) == 0
    printed = capsys.readouterr().out
    assert [line.split()[1] for line in printed.splitlines()] == [CANDIDATE, EMPLOYER, ADMIN]
    assert PASSWORD in printed
    statuses = list(await session.scalars(select(Job.status)))
    assert len(statuses) == 120
    assert {status: statuses.count(status) for status in set(statuses)} == {
        JobStatus.PUBLISHED: 113,
        JobStatus.PENDING: 3,
        JobStatus.DRAFT: 1,
        JobStatus.REJECTED: 1,
        JobStatus.CLOSED: 1,
        JobStatus.EXPIRED: 1,
    }
    before = await counts(session)
    await session.rollback()
    assert await to_thread.run_sync(demo) == 0
    assert await counts(session) == before
    await session.rollback()
    await _the_admin_has_work(client)
    await _the_log_ins_see_what_is_theirs(client)


async def _the_admin_has_work(client: httpx2.AsyncClient) -> None:
    admin = await headers(client, ADMIN)
    queue = (await client.get("/api/v1/admin/jobs?status=pending", headers=admin)).json()["items"]
    assert max(len(item["reasons"]) for item in queue) >= 5
    reports = (await client.get("/api/v1/admin/reports", headers=admin)).json()["items"]
    assert len(reports) == 1


async def _the_log_ins_see_what_is_theirs(client: httpx2.AsyncClient) -> None:
    candidate = await headers(client, CANDIDATE)
    mine = (await client.get("/api/v1/me/applications", headers=candidate)).json()["items"]
    assert {item["stage"] for item in mine} == {
        "submitted", "interview", "offer", "rejected", "withdrawn",
    }  # fmt: skip
    resume = next(item["resume_id"] for item in mine if item["resume_id"])
    file = await client.get(f"/api/v1/resumes/{resume}/file", headers=candidate)
    assert file.content.startswith(b"%PDF")

    tasks = (await client.get("/api/v1/tasks", headers=candidate)).json()["items"]
    about = {task["about"]["id"] for task in tasks if task["about"]}
    assert len(about) == 3
    assert about <= {item["id"] for item in mine}

    employer = await headers(client, EMPLOYER)
    assert (await client.get("/api/v1/tasks", headers=employer)).json()["items"]
    invited = next(item["id"] for item in mine if item["stage"] == "interview")
    application = (await client.get(f"/api/v1/applications/{invited}", headers=employer)).json()
    assert [step["stage"] for step in application["history"]] == [
        "submitted", "viewed", "interview",
    ]  # fmt: skip
    assert len(application["notes"]) == 2


@pytest.mark.anyio
async def test_a_tiny_board_is_fine_and_more_jobs_add_the_rest(
    demo: Demo, session: AsyncSession, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await to_thread.run_sync(demo, "--jobs", "1", "--if-empty") == 0
    before = await counts(session)
    assert before["jobs"] == 1
    await session.rollback()
    capsys.readouterr()
    assert await to_thread.run_sync(demo, "--jobs", "40", "--if-empty", "--seed", "7") == 0
    assert capsys.readouterr().out == ""
    assert await counts(session) == before
    await session.rollback()
    assert await to_thread.run_sync(demo, "--jobs", "30") == 0
    tasks = (await counts(session))["tasks"]
    await session.rollback()
    assert await to_thread.run_sync(demo, "--jobs", "50") == 0
    after = await counts(session)
    assert (after["jobs"], after["tasks"]) == (50, tasks)


@pytest.mark.anyio
async def test_companies_that_a_board_lacks_are_added(demo: Demo, session: AsyncSession) -> None:
    """As where an earlier release knew fewer."""
    assert await to_thread.run_sync(demo, "--jobs", "2") == 0
    before = await counts(session)
    assert before["applications"] == 1
    lacking = """
        DELETE FROM companies AS c
         WHERE NOT EXISTS (SELECT FROM jobs WHERE company_id = c.id)
           AND NOT EXISTS (SELECT FROM company_members WHERE company_id = c.id)
    """
    await session.execute(text(lacking))
    await session.commit()
    assert (await counts(session))["companies"] < before["companies"] / 2
    await session.rollback()
    assert await to_thread.run_sync(demo, "--jobs", "2") == 0
    after = await counts(session)
    for kind in ("companies", "company_members", "jobs", "applications"):
        assert after[kind] == before[kind], kind


def test_a_bar_is_shown_at_a_terminal_where_it_takes_long(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobboard.cli.demo.BAR_FROM", 2)
    with terminal(monkeypatch) as shown:
        assert demo("--jobs", "2") == 0
    assert "100%" in shown[0]


def test_not_in_production(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "ENVIRONMENT": "production",
        "SECRET_KEY": "a secret of the tests, thirty-two characters and more",
        "BASE_URL": "https://jobs.example.com",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }.items():
        monkeypatch.setenv(f"JOBBOARD_{name}", value)
    assert demo() == 1
    assert "not in production" in capsys.readouterr().err


def test_the_board_may_take_its_time(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    async def ask(session: AsyncSession, *_: object, **__: object) -> None:
        asked.append(await session.scalar(text("SHOW idle_in_transaction_session_timeout")))

    monkeypatch.setattr("jobboard.cli.demo.fill", ask)
    assert demo("--jobs", "4000") == 0
    assert asked == ["0"]
