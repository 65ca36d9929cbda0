"""Money as people type it, and back."""

import re
from decimal import Decimal

from jobboard.infra.currencies import exponent

NOT_AN_AMOUNT = "Write this as a number, such as 50,000."
MAX_LENGTH = 25
SPACES = re.compile(r"[\s'\u2019_]")
AMOUNT = re.compile(r"([0-9]+(?:[.,][0-9]+)*)(k?)", re.IGNORECASE)
SIGNS = re.compile(r"^[^\d.,+-]{1,4}|(?<=[\dk])[^\dk.,]{1,4}$", re.IGNORECASE)


def parse_money(text: str, currency: str | None) -> int:
    """Minor units of "50,000", "50.000", "50 000", "50'000.50", "€50k". Raises ValueError.

    A single mark with three digits behind it groups thousands (but "1.500" in a currency with
    three decimals); else the last mark is decimal.
    """
    found = AMOUNT.fullmatch(SIGNS.sub("", SPACES.sub("", text)))
    if found is None or len(found[1]) > MAX_LENGTH:
        raise ValueError(NOT_AN_AMOUNT)
    whole, decimals = _split(found[1], exponent(currency))
    amount = Decimal(f"{whole}.{decimals or 0}") * (1000 if found[2] else 1)
    minor = amount.scaleb(exponent(currency))
    if minor % 1:
        raise ValueError(f"{currency or 'This'} has no amounts as small as this.")
    return int(minor)


def _split(digits: str, places: int) -> tuple[str, str]:
    """Whole units and decimals of digits with marks between them."""
    marks = re.findall(r"[.,]", digits)
    if not marks:
        return digits, ""
    head, tail = re.split(r"[.,](?=\d+$)", digits)
    one_kind = len(set(marks)) == 1
    thousands = len(tail) == 3 and not (places == 3 and marks == ["."])
    if one_kind and (len(marks) > 1 or thousands):
        head, tail = digits, ""
    elif marks.count(marks[-1]) > 1:
        raise ValueError(NOT_AN_AMOUNT)
    groups = re.split(r"[.,]", head)
    grouped = len(groups[0]) <= 3 and all(2 <= len(group) <= 3 for group in groups[1:])
    if len(groups) > 1 and not grouped:
        raise ValueError(NOT_AN_AMOUNT)
    return "".join(groups), tail


def money_text(minor: int | None, currency: str | None) -> str | None:
    """What stands in a form field: 50,000 or 50,000.50."""
    if minor is None:
        return None
    digits = exponent(currency)
    amount = Decimal(minor).scaleb(-digits)
    return f"{amount:,.{digits}f}" if amount % 1 else f"{amount:,.0f}"
