"""Reads the euro foreign exchange reference rates as the European Central Bank publishes them.

CSV, or a ZIP of one such file: first `Date` and the currencies, then a line for each day with what
one euro was in each, `N/A` or nothing where there was no rate. Days are 2026-10-30 (the history) or
30 October 2026 (the newest day).
https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/
"""

import csv
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from jobboard.errors import Invalid
from jobboard.infra.currencies import currency_code, exponent

FILE = Path(__file__).parent / "eurofxref.csv"
BANK = "European Central Bank"
MAX_BYTES = 16 * 2**20  # unpacked; the whole history since 1999 has two million
LEAST, MOST = Decimal("0.0001"), Decimal(10**9)  # no currency was ever worth more, or less
_NUMBER = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,12})?")
_DAYS = ("%Y-%m-%d", "%d %B %Y")


class Rate(NamedTuple):
    """One euro is `per_euro` of a currency whose amounts have so many `digits` after the point."""

    currency: str
    day: date
    per_euro: Decimal
    digits: int


def shipped() -> list[Rate]:
    """Those that come with this release, of one day."""
    return read(FILE.read_bytes())


def read(data: bytes) -> list[Rate]:
    """Every rate of a file. Raises Invalid, naming the line, unless all of it can be read."""
    try:
        text = _unpacked(data).decode("utf-8-sig")
        lines = list(csv.reader(text.splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise _not_rates() from None
    rows = [(n, _cells(line)) for n, line in enumerate(lines, 1) if any(map(str.strip, line))]
    if not rows or rows[0][1][0].lower() != "date":
        raise _not_rates()
    currencies = _currencies(*rows[0])
    rates, days = [], set()
    for n, cells in rows[1:]:
        found = list(_of_day(n, cells, currencies))
        if found and found[0].day in days:
            raise _wrong(n, f"{found[0].day} stands in this file twice.")
        days |= {rate.day for rate in found}
        rates += found
    if not rates:
        raise Invalid("This file has no rate in it.")
    return rates


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(b"PK"):
        return data
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            [name] = archive.namelist()
            with archive.open(name) as file:
                unpacked = file.read(MAX_BYTES + 1)
    except (ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error, OSError):
        raise Invalid(
            "This ZIP cannot be read, or holds more than one file. Unpack it first.",
        ) from None
    if len(unpacked) > MAX_BYTES:
        raise Invalid(f"This file has more than {MAX_BYTES // 2**20} MB.")
    return unpacked


def _cells(line: list[str]) -> list[str]:
    """Without the blanks around them, and the empty one behind the last comma."""
    cells = [cell.strip() for cell in line]
    return cells if cells[-1] else cells[:-1]


def _currencies(n: int, header: list[str]) -> list[str]:
    codes = header[1:]
    for code in codes:
        try:
            currency_code(code)
        except ValueError:
            raise _wrong(n, f"“{code[:20]}” is no currency of ISO 4217.") from None
    if "EUR" in codes:
        raise _wrong(n, "EUR needs no rate: rates say what one euro is. Leave it out.")
    if len({*codes}) < len(codes):
        raise _wrong(n, "A currency stands there twice.")
    return codes


def _of_day(n: int, cells: list[str], currencies: list[str]) -> Iterator[Rate]:
    day = _day(n, cells[0])
    if len(cells) > len(currencies) + 1:
        raise _wrong(n, "There are more numbers than currencies in the first line.")
    for code, number in zip(currencies, cells[1:], strict=False):
        if number and number != "N/A":
            yield Rate(code, day, _number(n, code, number), exponent(code))


def _day(n: int, written: str) -> date:
    for form in _DAYS:
        with suppress(ValueError):
            return datetime.strptime(written, form).date()
    raise _wrong(n, f"“{written[:20]}” is no day such as 2026-10-30 or 30 October 2026.")


def _number(n: int, code: str, written: str) -> Decimal:
    if _NUMBER.fullmatch(written) and LEAST <= (number := Decimal(written)) <= MOST:
        return number
    raise _wrong(
        n, f"“{written[:20]}” is no rate of {code}: write how many one euro is, as 1.1172."
    )


def _wrong(n: int, sentence: str) -> Invalid:
    return Invalid(f"Line {n}: {sentence}")


def _not_rates() -> Invalid:
    return Invalid(
        "These are no exchange rates as the European Central Bank writes them. The first line names"
        " currencies: Date,USD,JPY. Each other one has a day and what one euro was:"
        " 2026-10-30,1.1172,175.68.",
    )
