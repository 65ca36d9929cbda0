"""Money as people type it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobboard.web.money import money_text, parse_money


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("50000", "EUR", 5_000_000),
        ("50,000", "EUR", 5_000_000),
        ("50.000", "EUR", 5_000_000),
        ("50 000", "EUR", 5_000_000),
        ("50\N{NO-BREAK SPACE}000", "EUR", 5_000_000),
        ("50'000.50", "CHF", 5_000_050),
        ("1.234.567,89", "EUR", 123_456_789),
        ("1,234,567.8", "EUR", 123_456_780),
        ("5,00,000", "INR", 50_000_000),
        ("16,5", "EUR", 1_650),
        ("€50k", "EUR", 5_000_000),
        ("12.5k", "USD", 1_250_000),
        ("USD 50,000", "USD", 5_000_000),
        ("50000 EUR", "EUR", 5_000_000),
        ("350,000", "JPY", 350_000),
        ("1.5", "KWD", 1_500),
        ("0", "EUR", 0),
    ],
)
def test_what_is_read(typed: str, currency: str, minor: int) -> None:
    assert parse_money(typed, currency) == minor


@pytest.mark.parametrize(
    "typed",
    ["", "abc", "-5", "1,2,3", "1.2.3,4,5", "1234,567,8.9", "1e9", "٣٠", "9" * 40, "5.", ",5"],
)
def test_what_is_not_an_amount(typed: str) -> None:
    with pytest.raises(ValueError, match="number"):
        parse_money(typed, "EUR")


@pytest.mark.parametrize(("typed", "currency"), [("0.5", "JPY"), ("1.2345", "EUR")])
def test_an_amount_too_small_for_its_currency(typed: str, currency: str) -> None:
    with pytest.raises(ValueError, match="small"):
        parse_money(typed, currency)


@given(st.integers(0, 10**13), st.sampled_from(["EUR", "JPY", "KWD", "USD"]))
def test_what_stands_in_a_form_is_read_as_it_was(minor: int, currency: str) -> None:
    text = money_text(minor, currency)
    assert text is not None
    assert parse_money(text, currency) == minor


@given(st.text(max_size=30))
def test_anything_typed_is_an_amount_or_refused(typed: str) -> None:
    minor = 0
    with suppress(ValueError):
        minor = parse_money(typed, "EUR")
    assert minor >= 0
