"""Exchange rates: read from files, and what pay in other currencies is compared by."""

import zipfile
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.errors import Invalid
from jobboard.infra.currencies import exponent
from jobboard.jobs import service
from jobboard.jobs.criteria import Sort
from jobboard.jobs.exchange.eurofxref import Rate, read, shipped
from jobboard.jobs.exchange.rates import fix, load, newest
from jobboard.jobs.models import Job
from jobboard.jobs.schemas import JobUpdate, SalaryInput
from tests.factories.people import User
from tests.jobs.searching import Post, pay, titles, walk

anyio = pytest.mark.anyio

HISTORY = b"Date,USD,JPY,RUB,\n2026-10-30,1.1172,175.68,N/A,\n2026-10-29,1.113,,117.2010,\n"
NEWEST = b"\xef\xbb\xbfDate, USD, JPY, \r\n30 October 2026, 1.1172, 175.68, \r\n"


def zipped(*files: bytes) -> bytes:
    """A ZIP of these."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, data in enumerate(files):
            archive.writestr(f"{number}.csv", data)
    return packed.getvalue()


def test_both_forms_of_the_bank_are_read() -> None:
    day = date(2026, 10, 30)
    of_that_day = [Rate("USD", day, Decimal("1.1172"), 2), Rate("JPY", day, Decimal("175.68"), 0)]
    assert read(NEWEST) == read(zipped(NEWEST)) == of_that_day
    before = date(2026, 10, 29)
    assert read(HISTORY) == [
        *of_that_day,
        Rate("USD", before, Decimal("1.113"), 2),
        Rate("RUB", before, Decimal("117.2010"), 2),
    ]
    assert {"USD", "GBP", "CHF", "PLN"} <= {rate.currency for rate in shipped()}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no exchange rates"),
        (b"\xff\xfe", "no exchange rates"),
        (b"{}", "no exchange rates"),
        (b'Date,USD\n2026-10-30,"1', "no exchange rates"),
        (b"Date,USD\n", "no rate in it"),
        (b"Date\n2026-10-30\n", "no rate in it"),
        (b"Date,USD\n2026-10-30,N/A\n", "no rate in it"),
        (b"Date,dollar\n2026-10-30,1\n", "Line 1: .dollar. is no currency"),
        (b"Date,USD,EUR\n2026-10-30,1,1\n", "Line 1: EUR needs no rate"),
        (b"Date,USD,USD\n2026-10-30,1,1\n", "Line 1: A currency stands there twice"),
        (b"Date,USD\n\n30.10.2026,1\n", "Line 3: .30.10.2026. is no day"),
        (b"Date,USD\n2026-10-30,1,1\n", "Line 2: There are more numbers"),
        (b"Date,USD\n2026-10-30,1\n30 October 2026,1\n", "Line 3: 2026-10-30 stands .* twice"),
        *(
            (f"Date,USD\n2026-10-30,{wrong}\n".encode(), f"Line 2: .{wrong}. is no rate of USD")
            for wrong in ("0", "-1", "1e3", "NaN", "abc", "0.00001", "9999999999", "٣")
        ),
        (b"PK\x03\x04", "ZIP cannot be read"),
        (zipped(NEWEST, NEWEST), "more than one file"),
        (zipped(b" " * 17_000_000), "more than 16 MB"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(data: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read(data)


async def told(session: AsyncSession, currency: str, per_euro: str, days: int = 0) -> None:
    """Load a rate of so many days ago."""
    day = now().date() - timedelta(days=days)
    await load(session, [Rate(currency, day, Decimal(per_euro), exponent(currency))], "Us")
    await session.commit()


def figures(job: Job) -> tuple[Any, ...]:
    """What is fixed of its pay; the rate's day as so many days ago."""
    days = job.rate_date and (now().date() - job.rate_date).days
    return job.euros_min, job.euros_max, days, job.rate_source


@anyio
async def test_pay_keeps_the_rate_of_the_day_it_was_posted(
    session: AsyncSession, post: Post, employer: User
) -> None:
    await told(session, "AED", "4", days=20)
    await told(session, "AED", "5", days=10)
    dirhams = pay(None, 4_000_000, "AED")
    job = await post("Baker", days=15, salary=dirhams)
    assert figures(job) == (None, 1_000_000, 20, "Us")
    assert figures(await post("Newer", days=10, salary=dirhams)) == (None, 800_000, 10, "Us")
    assert figures(await post("Older", days=30, salary=dirhams)) == (None, 1_000_000, 20, "Us")
    fils = pay(1_000, 4_000_000, "KWD")
    assert figures(await post("Unknown", salary=fils)) == (None, None, None, None)
    assert figures(await post("Euro", salary=pay(1, 2))) == (1, 2, None, None)
    await told(session, "AED", "8")

    async def change(**fields: Any) -> Job:
        await session.refresh(job)
        return await service.change(session, employer.actor, job.id, JobUpdate(**fields))

    assert figures(await change(tags=["bread"])) == (None, 1_000_000, 20, "Us")
    monthly = SalaryInput(min=400_000, currency="AED", period="month")
    assert figures(await change(salary=monthly)) == (600_000, None, 0, "Us")
    assert figures(await change(salary=None)) == (None, None, None, None)


@anyio
async def test_a_first_rate_lets_jobs_that_are_there_be_compared(
    session: AsyncSession, post: Post
) -> None:
    jobs = [await post(f"{n}", days=n, salary=pay(None, 1_000_000, "KWD")) for n in range(3)]
    version = jobs[0].version
    assert await titles(session, salary_min=1, currency="EUR") == []
    await told(session, "KWD", "0.5")
    await told(session, "KWD", "0.25", days=1)
    first = await fix(session, ["KWD"], jobs[0].id)
    rest = await fix(session, ["KWD"], jobs[0].id)
    assert (sorted(each.id for each in jobs[1:]), []) == (first, rest)
    await session.commit()
    for each in jobs[1:]:
        await session.refresh(each)
    assert figures(jobs[1]) == (None, 400_000, 1, "Us")
    assert (jobs[0].version, jobs[0].euros_max) == (version, None)
    assert await titles(session, salary_min=400_000, currency="EUR") == ["1", "2"]


@anyio
async def test_rates_are_added_and_mended(session: AsyncSession) -> None:
    day = now().date()
    rate = Rate("AED", day, Decimal("4.1"), 2)
    assert await load(session, [rate], "Us") == 1
    assert await load(session, [rate], "Us") == 0
    assert await load(session, [rate._replace(per_euro=Decimal("4.2"))], "Us") == 1
    found = {each.currency: each for each in await newest(session)}
    assert (found["AED"].day, found["AED"].per_euro, found["AED"].source) == (
        day,
        Decimal("4.2"),
        "Us",
    )
    with pytest.raises(Invalid, match="still to come"):
        await load(session, [rate._replace(day=day + timedelta(days=2))], "Us")
    await session.rollback()


@pytest.fixture
async def world(session: AsyncSession, post: Post) -> None:
    """The same pay in three currencies, after which one of them fell; and what has no rate."""
    await told(session, "AED", "4", days=20)
    await told(session, "CLP", "150", days=20)
    await post("euro", days=1, salary=pay(800_000, 1_000_000))
    await post("dirham", days=2, salary=pay(None, 4_000_000, "AED"))
    await post("peso", days=3, salary=pay(1_500_000, None, "CLP"))
    await post("dinar", days=4, salary=pay(None, 9_000_000, "KWD"))
    await post("unsaid", days=5)
    await post("king", days=6, salary=pay(None, 20_000_000_000, "AED"))
    await told(session, "AED", "8")


KING = 5_000_000_000  # euro cents


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (1_000_000, "EUR", ["euro", "dirham", "peso", "king"]),
        (1_000_001, "EUR", ["king"]),
        (KING, "EUR", ["king"]),
        (KING + 1, "EUR", []),
        (1_500_000, "CLP", ["euro", "dirham", "peso", "king"]),
        # To the dirham in its own currency, to the euro in others, at the newest rate.
        (4_000_000, "AED", ["euro", "dirham", "peso", "king"]),
        (4_000_001, "AED", ["euro", "peso", "king"]),
        (8_000_000, "AED", ["euro", "peso", "king"]),
        (8_000_005, "AED", ["king"]),
        (20_000_000_001, "AED", []),
        (9_000_000, "KWD", ["dinar"]),
        (9_000_001, "KWD", []),
        (1, "TWD", []),
    ],
)
@anyio
async def test_pay_is_found_in_every_currency_that_has_a_rate(
    session: AsyncSession, world: None, amount: int, currency: str, expected: list[str]
) -> None:
    asked: dict[str, Any] = {"salary_min": amount, "currency": currency}
    disclosed = await titles(session, **asked, undisclosed_pay="exclude", sort="newest")
    assert disclosed == expected
    for sort in Sort:
        assert {*await titles(session, **asked, sort=sort)} == {*expected, "unsaid"}


NO_RATE = {"more dinar", "dinar", "lari"}


@anyio
async def test_the_best_paid_come_first_in_whatever_currency(
    session: AsyncSession, world: None, post: Post
) -> None:
    await post("more dinar", days=7, salary=pay(None, 9_000_001, "KWD"))
    await post("lari", days=8, salary=pay(None, 99_000_000, "GEL"))
    await post("unsaid, too", days=0)
    await post("pound", days=0, salary=pay(None, 5_000_000, "GBP"))
    expected = [
        "king", "pound", "euro", "dirham", "peso", "more dinar", "dinar", "lari", "unsaid, too",
        "unsaid",
    ]  # fmt: skip
    for limit in (1, 2, 3, 5, 10, 11):
        assert await walk(session, sort="salary", limit=limit) == expected
        asked: dict[str, Any] = {"salary_min": 1, "currency": "EUR", "sort": "salary"}
        comparable = [title for title in expected if title not in NO_RATE]
        assert await walk(session, **asked, limit=limit) == comparable
    paid = await walk(session, sort="salary", undisclosed_pay="exclude", limit=3)
    assert paid == expected[:-2]
