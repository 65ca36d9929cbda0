"""A saved search as a page of the board, and in a few words."""

from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlencode

from jobboard.infra.currencies import exponent
from jobboard.jobs.criteria import JobCriteria, Sort, UndisclosedPay

MAX_NAME = 200


def page_path(data: JobCriteria) -> str:
    """The search page with these filters, the newest first."""
    return "/?" + urlencode([*pairs(data), ("sort", Sort.NEWEST.value)])


def pairs(data: JobCriteria) -> Iterator[tuple[str, str]]:
    """The parameters of the page. It takes pay in whole units, as people type it."""
    for name in ("q", "location", "radius_km", "company", "posted_within"):
        if value := getattr(data, name):
            yield name, str(value)
    for name in ("tag", "remote", "employment_type", "experience", "country"):
        for value in getattr(data, name):
            yield name, str(value)
    if data.include_remote:
        yield "include_remote", "true"
    if data.salary_min is not None and data.currency:
        yield "pay_from", _amount(data.salary_min, data.currency)
        yield "currency", data.currency
    if data.undisclosed_pay is UndisclosedPay.EXCLUDE:
        yield "undisclosed_pay", data.undisclosed_pay.value


def _amount(minor: int, currency: str) -> str:
    digits = exponent(currency)
    amount = Decimal(minor).scaleb(-digits)
    return f"{amount:.{digits}f}" if amount % 1 else f"{amount:.0f}"


def name_of(data: JobCriteria) -> str:
    """What to call a search that has no name: "baker, Hamburg, part time"."""
    kinds = [*data.remote, *data.employment_type, *data.experience]
    said = [data.q, _where(data), *data.tag, *data.country]
    said += [kind.value.replace("_", " ") for kind in kinds]
    if data.salary_min is not None and data.currency:
        said.append(f"from {_amount(data.salary_min, data.currency)} {data.currency}")
    said.append(data.company)
    return _joined([part for part in said if part]) or "All jobs"


def _where(data: JobCriteria) -> str | None:
    if not data.location:
        return None
    circle = f"{data.radius_km} km around " if data.radius_km else ""
    return f"{circle}{data.location}{' or remote' if data.include_remote else ''}"


def _joined(parts: list[str]) -> str:
    """As many of them as a name has room for; of the first as much."""
    name = ", ".join(parts)
    while len(name) > MAX_NAME and len(parts) > 1:
        parts = parts[:-1]
        name = ", ".join(parts) + ", …"
    return name[:MAX_NAME].strip()
