"""Reads what ads write about pay: "$71K-$119K", "EUR 52,800 - 72,200", "ab 45.000 € im Jahr".

The rule is to read what stands there and to invent nothing; what is not certain stays None, and
the text itself is always kept beside the reading.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from jobboard.infra.textrepair import tidy
from jobboard.jobs.money import SHARED_SIGNS, SIGNS, currency_of, minor_units

Period = Literal["hour", "day", "week", "month", "year"]

# A full-time year: 40 hours x 52 weeks, 5 days x 52 weeks, 52 weeks, 12 months.
PER_YEAR: dict[Period, int] = {"hour": 2080, "day": 260, "week": 52, "month": 12, "year": 1}

_MAX_TEXT = 500
_WIDEST_RANGE = 20  # a top of more than this many times the bottom says nothing
_HIGHEST = {"hard": 10_000_000, "unknown": 100_000_000, "soft": 10_000_000_000}  # for one period
_HARD = frozenset({"USD", "EUR", "GBP", "CAD", "AUD", "NZD", "CHF", "SGD"})
# Countries whose pay, in their own money, is of the order of the hard currencies'.
_HARD_COUNTRIES = frozenset({
    "US", "CA", "GB", "IE", "AU", "NZ", "CH", "SG", "DE", "AT", "FR", "BE", "NL", "LU", "ES",
    "IT", "PT", "FI",
})  # fmt: skip

_PERIODS: tuple[tuple[Period, str], ...] = (
    ("hour", r"hours?|hourly|hr|hrs|ph|stunde|std|stundenlohn|heure|uur|hora|ora|h"),
    ("day", r"days?|daily|per diem|pd|tag|tagessatz|jour|dag|d[ií]a"),
    ("week", r"weeks?|weekly|wk|pw|woche|semaine|semana"),
    (
        "month",
        r"months?|monthly|mo|mth|pm|pcm|monat|monatlich|mois|mensuel|maand|mån|månad|mes|mese",
    ),
    (
        "year",
        r"years?|yearly|annum|annual|annually|yr|yrs|pa|jahr|jährlich"
        r"|(?<=par )an|jaar|año|anno|lpa",
    ),
)
_PERIOD = re.compile(
    "|".join(rf"(?P<{name}>(?:(?<=/)|(?<=/ )|\b)(?:{words})(?![a-z]))" for name, words in _PERIODS),
    re.IGNORECASE,
)
_ABBREVIATED = re.compile(r"\bp\.?\s?([ahdwm])\.?(?![a-z])", re.IGNORECASE)  # p.a., p. m.

_NUMBER = r"\d{1,3}(?:[ '\u2019.,]\d{2,3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"
_SCALES = {
    "k": 1000, "tsd": 1000, "m": 1_000_000, "mio": 1_000_000, "million": 1_000_000,
    "lakh": 100_000, "lakhs": 100_000, "lac": 100_000, "lpa": 100_000,
}  # fmt: skip
_SCALED = re.compile(rf"(?<=\d)\s?(?:{'|'.join(_SCALES)})(?![a-z])", re.IGNORECASE)
_SIGN = "|".join(
    re.escape(sign) + (r"(?![a-z])" if sign[-1].isalpha() else "")
    for sign in sorted({*SIGNS, *SHARED_SIGNS}, key=len, reverse=True)
)
_MONEY = rf"(?:(?i:{_SIGN})|[A-Z]{{3}}(?![A-Za-z])|(?i:usd|eur|gbp|cad|aud|chf|inr)(?![a-z]))"


def _amount(number: str) -> str:
    scale = "|".join(sorted(_SCALES, key=len, reverse=True))
    return (
        rf"(?:(?P<sign{number}>{_MONEY})\s?)?(?P<number{number}>{_NUMBER})"
        rf"\s?(?P<scale{number}>(?i:{scale})(?![a-z]))?\+?"
        rf"(?:\s?(?P<tail{number}>{_MONEY}))?"
    )


_BETWEEN = r"\s*(?:/?[a-z]{1,6}\.?\s*)?(?:[-\u2013—~]|\.\.+|(?i:to|bis|à|until|and|und|a)\s)\s*"
_RANGE = re.compile(rf"(?<![\w.,]){_amount('1')}(?:{_BETWEEN}{_amount('2')})?")
_NOT_PAY = re.compile(
    r"401\s?\(?k\)?|\b\d+(?:[.,]\d+)?\s?%|^\s*\d{4}-\d\d-\d\d|^\s*\d\d?-[A-Za-z]{3}\b"
    r"|^\s*[A-Za-z]{3}-\d\d\s*$",
    re.IGNORECASE,
)
_FROM = re.compile(r"\b(?:from|starting at|at least|minimum|min|ab|à partir de|desde)\W*$", re.I)
_UP_TO = re.compile(r"\b(?:up to|upto|maximum|max|bis(?: zu)?|jusqu'à|hasta)\W*$", re.I)


@dataclass(frozen=True, slots=True)
class Salary:
    """A reading. Amounts in minor units of `currency` (hundredths where it is not known)."""

    min: int | None
    max: int | None
    currency: str | None
    period: Period | None


def yearly(
    low: int | None, high: int | None, period: Period | None
) -> tuple[int | None, int | None]:
    """The same pay for a full-time year: 2,080 hours, 260 days, 52 weeks or 12 months.

    That is 40 hours and 5 days in each of 52 weeks, the usual figure of US payrolls.
    Both are None where the period is not known.
    """
    if period is None:
        return None, None
    factor = PER_YEAR[period]
    return low and low * factor, high and high * factor


def parse_salary(text: str | None, country: str | None = None) -> Salary | None:
    """Read one salary text; None where it holds none, or nonsense (0-0, -1, a date).

    `country` (ISO 3166-1 alpha-2) says whose `$` or `kr` it is; elsewhere a bare `$` is the US
    dollar, as in international ads. It never gives a currency to a bare number. A period that is
    not written is taken from the numbers only where pay has one order of magnitude, in a hard
    currency or such a country: 20,000 and more (or "15K") is a year's, below 100 an hour's.
    """
    line = " ".join(tidy(text or "")[:_MAX_TEXT].split())
    if not line or line[0] == "-" or (_NOT_PAY.search(line) and not re.search("[$€£]", line)):
        return None
    line = _NOT_PAY.sub(" ", line)
    period = _written_period(line)
    for found in _RANGE.finditer(line):
        if salary := _read(found, line, period, country):
            return salary
    return None


def _written_period(line: str) -> Period | None:
    if abbreviated := _ABBREVIATED.search(line):
        letters: dict[str, Period] = {
            "a": "year", "h": "hour", "d": "day", "w": "week", "m": "month",
        }  # fmt: skip
        return letters[abbreviated[1].lower()]
    after_number = re.search(r"\d", line)
    found = _PERIOD.search(line, after_number.start() if after_number else 0)
    found = found or _PERIOD.search(line)
    return next((name for name, _ in _PERIODS if found and found[name]), None)


def _read(
    found: re.Match[str], line: str, period: Period | None, country: str | None
) -> Salary | None:
    signs = [found[name] for name in ("sign1", "tail1", "sign2", "tail2") if found[name]]
    currency = next((c for sign in signs if (c := currency_of(sign, country))), None)
    signs = [sign for sign in signs if currency or sign.lower() in SHARED_SIGNS]
    scales = [found["scale1"], found["scale2"]]
    if "lpa" in (scale.lower() for scale in scales if scale):
        currency = currency or "INR"
    if not signs and not _only_numbers(line):
        return None
    low, high = _ends(found)
    if not _is_plausible(low, high, currency, period, country):
        return None
    thousands = 10_000 if any(scales) else 20_000
    period = period or _guessed_period(low, high, currency, country, thousands)
    bottom, top = _open_ends(found, line, low, high)
    return Salary(
        None if not bottom else minor_units(bottom, currency),
        None if not top else minor_units(top, currency),
        currency,
        period,
    )


def _only_numbers(line: str) -> bool:
    """Whether nothing but numbers and a period is there: "20000-28000", "15 per hour"."""
    rest = _SCALED.sub(" ", _ABBREVIATED.sub(" ", _PERIOD.sub(" ", line)))
    rest = re.sub(r"(?i)\b(?:per|to|bis|pro|par|salary|pay|gross|brutto|from|up)\b", " ", rest)
    return not re.search(r"[^\W\d_]", rest)


def _ends(found: re.Match[str]) -> tuple[Decimal, Decimal]:
    """Bottom and top in whole units, the smaller first; "50-80K" and "$80-$130,000" made even."""
    low, scale = _number(found["number1"]), found["scale1"]
    if not found["number2"]:
        low *= _scale(scale)
        return low, low
    high, last = _number(found["number2"]), found["scale2"]
    if last and not scale and low < 1000:
        scale = last
    low, high = low * _scale(scale), high * _scale(last)
    if low < 1000 <= high and re.search(r"\d[.,]000$", found["number2"]) and low <= high / 1000:
        low *= 1000
    return min(low, high), max(low, high)


def _scale(written: str | None) -> int:
    return _SCALES[written.lower()] if written else 1


def _number(written: str) -> Decimal:
    """A number with any of the world's separators: 52,800 45.000,50 35 000 90'000 5,00,000."""
    digits = re.sub(r"[ '\u2019]", "", written)
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return Decimal(digits)
    whole, part = digits[:last], digits[last + 1 :]
    one_kind = digits[last] not in whole
    if len(part) == 3 or not one_kind:  # a separator of thousands; a decimal point comes once
        whole, part = whole + part, ""
    return Decimal(re.sub(r"[.,]", "", whole) + "." + (part or "0"))


def _is_plausible(
    low: Decimal, high: Decimal, currency: str | None, period: Period | None, country: str | None
) -> bool:
    if high <= 0 or (low > 0 and high > low * _WIDEST_RANGE):
        return False
    if high > _HIGHEST["unknown" if not currency else "hard" if currency in _HARD else "soft"]:
        return False
    if currency or period:
        return True
    is_years = high - low <= 1 and 2015 <= low <= 2035 and country is None
    return high >= 10 and not is_years


def _guessed_period(
    low: Decimal, high: Decimal, currency: str | None, country: str | None, a_year: int
) -> Period | None:
    if currency not in _HARD and (currency or country not in _HARD_COUNTRIES):
        return None
    if (low or high) >= a_year:
        return "year"
    return "hour" if (low or high) >= 5 and high < 100 else None


def _open_ends(
    found: re.Match[str], line: str, low: Decimal, high: Decimal
) -> tuple[Decimal | None, Decimal | None]:
    before = line[: found.start()]
    if not found["number2"] and (_FROM.search(before) or "+" in found[0]):
        return low, None
    if not found["number2"] and _UP_TO.search(before):
        return None, high
    return low or None, high
