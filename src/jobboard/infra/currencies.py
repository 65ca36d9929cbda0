"""Currencies by ISO 4217, and how many minor units each has."""

from functools import cache

from babel.core import get_global


@cache
def _codes() -> frozenset[str]:
    return frozenset(get_global("all_currencies"))


def currency_code(code: str) -> str:
    """The code itself, if it is one of ISO 4217."""
    if code not in _codes():
        raise ValueError("This is not a currency code. Use three letters, such as EUR.")
    return code


def exponent(code: str | None) -> int:
    """Digits after the decimal point: 2 for EUR, 0 for JPY, 3 for KWD (CLDR's table)."""
    fractions = get_global("currency_fractions")
    digits, *_ = fractions.get(code, fractions["DEFAULT"])
    return digits
