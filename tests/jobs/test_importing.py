"""Sources of jobs, clean and dirty: what becomes a job, what is refused and why, and twice."""

import asyncio
import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.errors import Invalid
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Message
from jobboard.jobs import news
from jobboard.jobs.importing import ashby, greenhouse, jsonl, lever
from jobboard.jobs.importing.dates import read_date
from jobboard.jobs.importing.model import MAX_DESCRIPTION, ImportedJob, Reading, Rejected
from jobboard.jobs.importing.service import Summary, import_jobs
from jobboard.jobs.models import Job, JobStatus
from jobboard.settings import Settings

AD: dict[str, Any] = {
    "source": "harbour", "id": "17", "title": "Senior Baker", "company": "Harbour Bakery",
    "location": "Hamburg, Germany", "description": "<p>Bake bread.</p>",
    "salary": "40.000 € im Jahr",
    "employment_type": "Full-time", "remote": False, "posted": "2026-03-01T08:00:00Z",
    "url": "https://bakery.example.com/17",
}  # fmt: skip


def rows(*ads: Any) -> list[Reading]:
    """The readings of a file of these lines (objects are written as JSON)."""
    lines = [ad if isinstance(ad, str) else json.dumps(ad) for ad in ads]
    return list(jsonl.read_all("\n".join(lines).encode("utf-8", "surrogatepass"), None))


def job(*ads: Any) -> ImportedJob:
    """The one job in a file."""
    (reading,) = rows(*ads)
    assert isinstance(reading, ImportedJob), reading
    return reading


def test_a_clean_line() -> None:
    read = job(AD)
    assert (read.source, read.external_id, read.title) == ("harbour", "17", "Senior Baker")
    assert (read.location.city, read.location.country, read.remote) == ("Hamburg", "DE", "onsite")
    assert read.salary is not None
    assert (read.salary.min, read.salary.currency, read.salary.period) == (4_000_000, "EUR", "year")
    assert (read.employment_type, read.experience) == ("full_time", "senior")
    assert read.posted_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert read.apply_url == "https://bakery.example.com/17"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": None}, "it has no title"),
        ({"title": " \u200b&nbsp;"}, "it has no title"),
        ({"company": []}, "it names no company: say --company NAME"),
        ({"description": "<p></p>", "url": None}, "it has neither a description nor an address"),
        ({"description": None, "url": "javascript:alert(1)"},
         "it has neither a description nor an address"),
    ],
)  # fmt: skip
def test_what_is_refused(change: dict[str, Any], reason: str) -> None:
    (refused,) = rows(AD | change)
    assert isinstance(refused, Rejected)
    assert (refused.row, refused.reason) == (1, reason)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "it is not an object"),
        ("null", "it is not an object"),
        ('{"title": "' + "x" * 10_000_000 + '"}', "it is longer than 1 MB"),
    ],
)
def test_lines_that_are_no_ads(line: str, reason: str) -> None:
    refused, read = rows(line, AD)
    assert isinstance(refused, Rejected)
    assert refused.reason == reason
    assert isinstance(read, ImportedJob)


def test_a_line_that_nobody_wrote_by_hand_is_refused_unread() -> None:
    (refused,) = rows("{" + " " * jsonl.MAX_ROW)
    assert isinstance(refused, Rejected)
    assert (refused.reason, len(refused.raw) < 10_000) == ("it is longer than 1 MB", True)


@pytest.mark.parametrize("paragraphs", [1, 100])
def test_a_book_is_cut_where_a_paragraph_ends(paragraphs: int) -> None:
    book = "\n\n".join(["We bake. " * (10_000 // paragraphs)] * paragraphs)
    description = job(AD | {"description": book}).description
    assert 40_000 < len(description) <= MAX_DESCRIPTION
    assert description.endswith("\n\n…")
    if paragraphs > 1:
        assert description.removesuffix("\n\n…").endswith("We bake.")


def test_a_file_of_any_bytes() -> None:
    good = json.dumps(AD).encode()
    data = (
        b"\xef\xbb\xbf" + good + b"\r\n\r\n\xff\xfe\x00\n" + good.replace(b"Senior", b"\xe4lterer")
    )
    read = list(jsonl.read_all(data, None))
    assert [type(row) for row in read] == [ImportedJob, Rejected, ImportedJob]
    assert [row.row for row in read] == [1, 3, 4]


@pytest.mark.parametrize(
    "dirty",
    ["null", "true", "0", "3.5", "NaN", "1" + "0" * 4000, '""', "[]", "[1]", "{}", '{"name": "x"}'],
    ids=lambda written: written[:9],
)
@pytest.mark.parametrize("field", sorted(AD))
def test_any_type_in_any_field(field: str, dirty: str) -> None:
    (reading,) = rows(json.dumps(AD | {field: "DIRTY"}).replace('"DIRTY"', dirty))
    assert isinstance(reading, ImportedJob | Rejected)


def test_values_of_other_types_are_read_where_they_say_something() -> None:
    read = job(
        AD | {"title": 1984, "location": ["Leeds, UK", "York, UK"], "company": {"name": "B"}}
    )
    assert (read.title, read.company) == ("1984", "B")
    assert read.location_text == "Leeds, UK, York, UK"


def test_an_ad_without_an_id_gets_the_same_one_again() -> None:
    without = {key: value for key, value in AD.items() if key != "id"}
    again = without | {"description": "New words.", "title": " senior  BAKER"}
    assert job(without).external_id == job(again).external_id
    assert job(without).external_id != job(without | {"location": "Bremen"}).external_id


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=4,
)
FIELDS = [*AD, "jobs", "text", "categories", "content", "location", "metadata", "compensation"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5) | JSON, max_size=3))
def test_no_source_makes_a_reader_raise(ads: list[Any]) -> None:
    data = json.dumps({"jobs": ads}).encode()
    assert len(list(greenhouse.read_all(data, "B"))) == len(ads)
    assert len(list(ashby.read_all(data, "B"))) == len(ads)
    assert len(list(lever.read_all(json.dumps(ads).encode(), "B"))) == len(ads)
    assert len(list(jsonl.read_all("\n".join(map(json.dumps, ads)).encode(), "B"))) == len(ads)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-01T08:00:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01T08:00:00-04:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T08:00:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01 08:00:00 UTC", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 08:00:00 +0000", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (1772352000, datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (1772352000000, datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("1772352000000", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (0, None), ("1970-01-01", None), ("0000-00-00", None), ("2999-01-01", None), ("", None),
        (None, None), (True, None), ("soon", None), ([], None), (1e300, None), (float("nan"), None),
        ("Sun, 99 Mar 2026", None), ("-", None),
    ],
)  # fmt: skip
def test_dates_in_every_form(written: Any, moment: datetime | None) -> None:
    assert read_date(written) == moment


def test_tomorrow_is_a_time_zone_next_week_is_an_error() -> None:
    assert read_date((now() + timedelta(hours=20)).isoformat()) is not None
    assert read_date((now() + timedelta(days=7)).isoformat()) is None


def one(reading: Any) -> ImportedJob:
    (read,) = reading
    assert isinstance(read, ImportedJob), read
    return read


def test_greenhouse() -> None:
    posting = {
        "id": 5, "internal_job_id": 9, "title": "Baker", "company_name": "Harbour Bakery ",
        "location": {"name": "Leeds, UK"}, "absolute_url": "https://jobs.example.com/5",
        "content": "&lt;h2&gt;Bread &amp;amp; rolls&lt;/h2&gt;&lt;p&gt;Bake.&lt;/p&gt;",
        "first_published": "2026-02-01T10:00:00-05:00", "departments": [{"name": "Ovens"}],
        "metadata": [{"name": "Employment Type", "value": "Part-time"}],
        "pay_input_ranges": [
            {"min_cents": 2500000, "max_cents": 3000000, "currency_type": "GBP", "title": "Pay"}
        ],
    }  # fmt: skip
    half = posting | {"pay_input_ranges": [{"min_cents": 2500000, "currency_type": "GBP"}]}
    assert one(greenhouse.read_all(json.dumps({"jobs": [half]}).encode(), "Other")).salary is None
    prospect = posting | {"internal_job_id": None}
    read, refused = greenhouse.read_all(json.dumps({"jobs": [posting, prospect]}).encode(), "Other")
    assert isinstance(read, ImportedJob)
    assert (read.external_id, read.company, read.employment_type) == (
        "5",
        "Harbour Bakery",
        "part_time",
    )
    assert read.description == "## Bread & rolls\n\nBake."
    assert read.salary is not None
    assert (read.salary.max, read.salary.currency, read.tags) == (3_000_000, "GBP", ("ovens",))
    assert isinstance(refused, Rejected)
    assert "prospect" in refused.reason


def test_lever() -> None:
    posting = {
        "id": "a-b", "text": "Baker", "country": "FR", "workplaceType": "hybrid",
        "categories": {"location": "Lyon", "commitment": "CDI", "allLocations": ["Lyon", "Paris"]},
        "description": "<div>We bake.</div>", "additional": "<div>Write to us.</div>",
        "lists": [{"text": "Duties", "content": "<li>Bread</li><li>Rolls</li>"}],
        "createdAt": 1772352000000, "hostedUrl": "https://jobs.example.com/a-b",
        "salaryRange": {"currency": "EUR", "interval": "per-month-salary",
                        "min": 2000, "max": 2500},
    }  # fmt: skip
    read = one(lever.read_all(json.dumps([posting]).encode(), "Harbour Bakery"))
    assert read.description == "We bake.\n\n### Duties\n\n- Bread\n- Rolls\n\nWrite to us."
    assert (read.location.city, read.location.country, read.remote) == ("Lyon", "FR", "hybrid")
    assert [spot.city for spot in read.location.places] == ["Lyon", "Paris"]
    assert read.salary is not None
    assert (read.salary.min, read.salary.period) == (200_000, "month")
    (refused,) = lever.read_all(json.dumps([posting]).encode(), None)
    assert isinstance(refused, Rejected)
    assert "--company" in refused.reason


def test_ashby() -> None:
    address = {"postalAddress": {"addressCountry": "Canada"}}
    posting = {
        "id": "x", "title": "Baker", "location": "Toronto, Ontario", "address": address,
        "secondaryLocations": [{"location": "Leeds", "address": {}}], "isRemote": True,
        "workplaceType": "Hybrid", "employmentType": "FullTime", "isListed": True,
        "publishedAt": "2026-04-20T22:43:56.531+00:00", "jobUrl": "https://jobs.example.com/x",
        "descriptionHtml": "<p style='color:red'>Bake.</p>",
        "compensation": {"compensationTiers": [{"components": [
            {"compensationType": "Salary", "interval": "1 YEAR", "currencyCode": "CAD",
             "minValue": 40000, "maxValue": 50000}]}]},
    }  # fmt: skip
    hidden = posting | {"isListed": False}
    read, refused = ashby.read_all(json.dumps({"jobs": [posting, hidden]}).encode(), "B")
    assert isinstance(read, ImportedJob)
    assert (read.location.region, read.location.country) == ("Ontario", "CA")
    assert (read.remote, read.employment_type) == ("hybrid", "full_time")
    assert read.salary is not None
    assert (read.salary.min, read.salary.currency) == (4_000_000, "CAD")
    assert isinstance(refused, Rejected)
    assert "not listed" in refused.reason
    silent = posting | {"shouldDisplayCompensationOnJobPostings": False}
    equity = {"compensationTiers": [{"components": [{"compensationType": "Equity"}]}]}
    for without in (silent, posting | {"compensation": equity}):
        assert one(ashby.read_all(json.dumps({"jobs": [without]}).encode(), "B")).salary is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"jobs": 1}', b"\xff\xfe", b"<html>"])
def test_a_source_of_another_kind_is_refused_as_a_whole(data: bytes) -> None:
    for reader in (greenhouse.read_all, ashby.read_all):
        with pytest.raises(Invalid):
            list(reader(data, None))
    if data != b"[]":
        with pytest.raises(Invalid):
            list(lever.read_all(data, None))


class TestWriting:
    """Into the database, in bulk and again."""

    pytestmark = pytest.mark.anyio

    async def test_creates_published_jobs_with_their_posted_date(
        self, session: AsyncSession, settings: Settings
    ) -> None:
        assert await import_jobs(session, rows(AD), settings) == Summary(created=1)
        found = (await session.scalars(select(Job))).one()
        assert (found.status, found.title) == (JobStatus.PUBLISHED, "Senior Baker")
        assert found.published_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
        assert found.expires_at is not None
        assert found.expires_at > now()
        assert (found.yearly_min, found.currency, found.salary_text) == (
            4_000_000,
            "EUR",
            AD["salary"],
        )
        assert found.description_html == "<p>Bake bread.</p>"

    async def test_the_same_source_again_changes_nothing(
        self, session: AsyncSession, settings: Settings
    ) -> None:
        await import_jobs(session, rows(AD), settings)
        before = (await session.execute(select(Job.version, Job.updated_at, Job.slug))).one()
        assert await import_jobs(session, rows(AD), settings) == Summary(unchanged=1)
        assert (
            await session.execute(select(Job.version, Job.updated_at, Job.slug))
        ).one() == before

    async def test_a_changed_ad_keeps_its_address(
        self, session: AsyncSession, settings: Settings
    ) -> None:
        await import_jobs(session, rows(AD), settings)
        before = (await session.execute(select(Job.id, Job.slug))).one()
        changed = rows(AD | {"title": "Head Baker", "salary": ""})
        assert await import_jobs(session, changed, settings) == Summary(updated=1)
        found = (await session.execute(select(Job.title, Job.salary_min, Job.version))).one()
        assert found == ("Head Baker", None, 2)
        assert (await session.execute(select(Job.id, Job.slug))).one() == before

    @pytest.mark.parametrize("change", [{}, {"title": "Head Baker"}])
    async def test_what_is_still_in_its_source_lives_on(
        self, session: AsyncSession, settings: Settings, change: dict[str, str]
    ) -> None:
        await import_jobs(session, rows(AD), settings)
        await session.execute(update(Job).values(expires_at=now() + timedelta(days=1)))
        before = (await session.execute(select(Job.version, Job.updated_at))).one()
        await import_jobs(session, rows(AD | change), settings)
        expires_at = await session.scalar(select(Job.expires_at))
        assert expires_at is not None
        assert expires_at > now() + timedelta(days=settings.job_days - 1)
        after = (await session.execute(select(Job.version, Job.updated_at))).one()
        assert (after == before) is not bool(change)

    @pytest.mark.parametrize("status", list(JobStatus))
    async def test_what_has_ended_stays_ended(
        self, session: AsyncSession, settings: Settings, status: JobStatus
    ) -> None:
        await import_jobs(session, rows(AD), settings)
        ended = now() - timedelta(minutes=1)
        await session.execute(update(Job).values(status=status, expires_at=ended))
        assert await import_jobs(session, rows(AD), settings) == Summary(unchanged=1)
        found = (await session.execute(select(Job.status, Job.expires_at))).one()
        assert found == (status, ended)

    async def test_a_repeat_is_not_created_twice(
        self, session: AsyncSession, settings: Settings
    ) -> None:
        refused: list[Rejected] = []
        readings = rows(AD, AD, AD | {"title": "Other words"}, "{")
        summary = await import_jobs(session, readings, settings, reject=refused.append)
        assert summary == Summary(created=1, unchanged=1, rejected=2)
        assert [row.row for row in refused] == [3, 4]
        again = await import_jobs(session, readings, settings)
        assert again == Summary(unchanged=2, rejected=2)

    async def test_one_id_in_several_countries_is_several_ads(
        self, session: AsyncSession, settings: Settings
    ) -> None:
        readings = rows(AD, AD | {"location": "Lyon, France"}, AD | {"location": "Leeds, UK"})
        assert await import_jobs(session, readings, settings) == Summary(created=3)
        assert await import_jobs(session, readings, settings) == Summary(unchanged=3)
        assert set(await session.scalars(select(Job.country))) == {"DE", "FR", "GB"}

    async def test_companies_are_made_once_by_name(
        self, session: AsyncSession, settings: Settings
    ) -> None:
        names = ["Harbour Bakery", "HARBOUR  bakery ", "Harbour, Bakery", "!!!"]
        readings = rows(*(AD | {"id": n, "company": name} for n, name in enumerate(names)))
        assert (await import_jobs(session, readings, settings)).created == 4
        assert await session.scalar(select(func.count()).select_from(Company)) == 3
        slugs = list(await session.scalars(select(Company.slug)))
        assert "harbour-bakery" in slugs
        assert len(set(slugs)) == 3

    async def test_what_a_moderator_removed_stays_removed(
        self, session: AsyncSession, settings: Settings
    ) -> None:
        await import_jobs(session, rows(AD), settings)
        await session.execute(update(Job).values(status=JobStatus.REMOVED))
        refused: list[Rejected] = []
        changed = rows(AD | {"title": "Back again"})
        summary = await import_jobs(session, changed, settings, reject=refused.append)
        assert summary == Summary(rejected=1)
        assert "moderator" in refused[0].reason
        assert await session.scalar(select(Job.title)) == "Senior Baker"

    async def test_many_rows_in_batches(self, session: AsyncSession, settings: Settings) -> None:
        readings = rows(*(AD | {"id": number} for number in range(450)))
        steps: list[int] = []
        summary = await import_jobs(session, readings, settings, progress=steps.append)
        assert summary.created == 450
        assert steps == [200, 400, 450]

    async def test_text_that_a_database_cannot_hold_is_cleaned(
        self, session: AsyncSession, settings: Settings
    ) -> None:
        dirty = {key: f"{value}\x00\ud800" for key, value in AD.items() if key != "remote"}
        assert (await import_jobs(session, rows(dirty), settings)).created == 1


class Waiting(ThreadPoolExecutor):
    """A renderer that says when it is asked, and waits to be let go on."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked, self.gate = asyncio.Event(), threading.Event()

    def submit(self, call: Any, /, *args: Any, **named: Any) -> Future[Any]:
        """As asyncio does, on its own thread."""
        self.asked.set()
        return super().submit(lambda: (self.gate.wait(10), call(*args, **named))[1])


@pytest.mark.anyio
async def test_a_company_is_not_renamed_between_its_name_being_read_and_its_ads_being_written(
    db: Database, session: AsyncSession, settings: Settings
) -> None:
    await import_jobs(session, rows(AD), settings)
    await session.commit()
    renamed = update(Company).values(name="Harbour Bakers")
    with Waiting() as renderer:
        more = rows(AD | {"id": "18"})
        importing = asyncio.create_task(import_jobs(session, more, settings, renderer=renderer))
        await renderer.asked.wait()
        async with AsyncSession(db.engine) as other:
            await other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(DBAPIError, match="lock timeout"):
                await other.execute(renamed)
        renderer.gate.set()
        assert (await importing).created == 1
    await session.commit()
    await session.execute(renamed)
    names = await session.scalars(select(Job.company_name))
    assert names.all() == ["Harbour Bakers"] * 2


@pytest.mark.anyio
async def test_a_job_that_is_removed_while_it_is_imported_is_not_told_of(
    db: Database, session: AsyncSession, settings: Settings
) -> None:
    await import_jobs(session, rows(AD), settings)
    await session.execute(update(Job).values(status=JobStatus.CLOSED))
    await session.execute(delete(Message))
    await session.commit()
    with Waiting() as renderer:
        more = rows(AD | {"title": "Head Baker"}, AD | {"id": "18"})
        importing = asyncio.create_task(import_jobs(session, more, settings, renderer=renderer))
        await renderer.asked.wait()
        async with db.transaction() as other:
            await other.execute(update(Job).values(status=JobStatus.REMOVED))
        renderer.gate.set()
        await importing
    new = await session.scalar(select(Job.id).where(Job.external_id == "18"))
    [payload] = await session.scalars(select(Message.payload).where(Message.kind == news.PUBLISHED))
    assert payload == {"job_ids": [str(new)]}
