"""What ads write about pay, and what is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobboard.jobs.salary import Salary, parse_salary, yearly
from tests.timing import least_seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$71K-$119K (estimated)", (7_100_000, 11_900_000, "USD", "year")),
        ("$9-$9 Per Hour", (900, 900, "USD", "hour")),
        ("USD 100,000 - 150,000", (10_000_000, 15_000_000, "USD", "year")),
        ("EUR 3,500 - 3,500", (350_000, 350_000, "EUR", None)),
        ("CA$102.8K \u2013 CA$137K", (10_280_000, 13_700_000, "CAD", "year")),
        ("ab 45.000 € im Jahr", (4_500_000, None, "EUR", "year")),
        ("35 000 € par an", (3_500_000, 3_500_000, "EUR", "year")),
        ("CHF 90'000 - 110'000", (9_000_000, 11_000_000, "CHF", "year")),
        ("45.000,50 € pro Jahr", (4_500_050, 4_500_050, "EUR", "year")),
        ("₹5,00,000 - ₹8,00,000 per annum", (50_000_000, 80_000_000, "INR", "year")),
        ("5-8 LPA", (50_000_000, 80_000_000, "INR", "year")),
        ("$50-80K", (5_000_000, 8_000_000, "USD", "year")),
        ("$80-$130,000/yr", (8_000_000, 13_000_000, "USD", "year")),
        ("up to £60,000 p.a.", (None, 6_000_000, "GBP", "year")),
        ("£400 per day", (40_000, 40_000, "GBP", "day")),
        ("30 - 35 EUR / Stunde", (3_000, 3_500, "EUR", "hour")),
        ("$18.00 - $22.00 an hour", (1_800, 2_200, "USD", "hour")),
        ("SEK 45000/mån", (4_500_000, 4_500_000, "SEK", "month")),
        ("JPY 5,000,000 per year", (5_000_000, 5_000_000, "JPY", "year")),
        ("KWD 1,200 monthly", (1_200_000, 1_200_000, "KWD", "month")),
        ("120k+", (12_000_000, None, None, None)),
        ("0-34300", (None, 3_430_000, None, None)),
        ("$120000 a year, 401k and 10% bonus", (12_000_000, 12_000_000, "USD", "year")),
    ],
)
def test_reads_what_ads_write(text: str, expected: tuple[int, int, str, str]) -> None:
    pay = parse_salary(text)
    assert pay is not None
    assert (pay.min, pay.max, pay.currency, pay.period) == expected


@pytest.mark.parametrize(
    "text",
    [
        None, "", "competitive", "Competitive, 40 hours", "0-0", "-1", "09-Dec", "Dec-09",
        "2021-12-25 00:00:00", "20000 - 1,200,000,000", "21-63000", "401k", "4 weeks of leave",
        "2019-2020", "100%", "-$1.00", "then [8m more", "ABC 50,000 a year",
    ],
)  # fmt: skip
def test_reads_nothing_into_nonsense(text: str | None) -> None:
    assert parse_salary(text) is None


def test_a_bare_range_has_no_currency() -> None:
    assert parse_salary("20000-28000") == Salary(2_000_000, 2_800_000, None, None)


def test_the_country_says_whose_dollar_it_is_but_gives_no_currency_to_a_bare_number() -> None:
    assert parse_salary("$60,000", "CA") == Salary(6_000_000, 6_000_000, "CAD", "year")
    assert parse_salary("$60,000", "DE") == Salary(6_000_000, 6_000_000, "USD", "year")
    assert parse_salary("kr 35000 per month", "NO") == Salary(3_500_000, 3_500_000, "NOK", "month")
    assert parse_salary("60000-70000", "CA") == Salary(6_000_000, 7_000_000, None, "year")
    assert parse_salary("60000-70000", "IN") == Salary(6_000_000, 7_000_000, None, None)


def test_the_ends_are_put_in_order() -> None:
    assert parse_salary("€60k - €50k") == Salary(5_000_000, 6_000_000, "EUR", "year")


@pytest.mark.parametrize(
    ("period", "factor"), [("hour", 2080), ("day", 260), ("week", 52), ("month", 12), ("year", 1)]
)
def test_a_full_time_year(period: str, factor: int) -> None:
    assert yearly(100, None, period) == (100 * factor, None)  # ty: ignore[invalid-argument-type]


def test_no_year_without_a_period() -> None:
    assert yearly(100, 200, None) == (None, None)


@given(st.text(max_size=300))
def test_never_raises(text: str) -> None:
    parse_salary(text)


@given(
    st.integers(20_000, 400_000),
    st.integers(0, 100_000),
    st.sampled_from(["EUR {} - {}", "{}-{} EUR", "EUR {:,} to {:,} per year", "€{}\u2013€{} p.a."]),
)
def test_reads_back_what_was_written(low: int, more: int, form: str) -> None:
    assert parse_salary(form.format(low, low + more)) == Salary(
        low * 100, (low + more) * 100, "EUR", "year"
    )


@pytest.mark.parametrize("piece", ["1", "1,", "$1-", "1 000 ", "(", "p.a.", "k", "1.1.", "to "])
def test_long_input_takes_no_longer_than_its_length(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    assert least_seconds(lambda: parse_salary(text), enough=2) < 2
