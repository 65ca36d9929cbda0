"""What no schema can say of good data: that an id is of a thing that there is, that one field must
fit another, that a password is the right one. `amend` makes generated data good in this, too.

So a request that the schema calls good must succeed, and no check has to be softened.
"""

import re
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import schemathesis

from tests.api.stage import Stage
from tests.factories.files import pdf, picture
from tests.factories.people import PASSWORD
from tests.factories.webhooks import PUBLIC_URL

RESUME, PICTURE = pdf(), picture()
LATER = "2031-05-01T12:00:00Z"
A_DAY = {"from": "2026-05-01T12:00:00Z", "to": "2026-05-02T12:00:00Z"}  # by the minute no longer
# Text that must hold more than blanks.
NEEDED = {"title", "name", "full_name", "reason", "code", "note", "tags", "tag"}
MOMENTS = {"due_at", "due_before", "before"}
OF_THINGS = {
    "company_id": "company",
    "resume_id": "resume",
    "job_id": "job",
    "from_wallet_id": "wallet",
    "to_wallet_id": "other_wallet",
}
MOVES_MONEY = ("/transfers", "/grants", "/reverse", "/features")  # and needs a key for that


def amend(
    case: schemathesis.Case,
    stage: Stage,
    who: str,
    made: Collection[str] = frozenset(),
    *,
    with_file: bool = True,
) -> None:
    """Make good data good in what the schema leaves unsaid; ids of things `made` before stay.

    Without `with_file` an upload keeps the bytes that were generated, which no one takes.
    """
    theirs = stage.things.get(who, {})
    things = {field: theirs[name] for field, name in OF_THINGS.items() if name in theirs}
    for name in ("query", "headers"):
        if part := getattr(case, name):
            setattr(case, name, _amended(part, things, made))
    if case.method == "POST" and case.path.endswith(MOVES_MONEY):
        case.headers["Idempotency-Key"] = str(uuid4())
    if isinstance(case.body, dict):
        case.body = _amended(case.body, things, made)
        if "file" in case.body and with_file:
            case.body["file"] = RESUME if "resumes" in case.path else PICTURE
        if case.path.endswith("/applications") and not case.body.get("cover_letter", "").strip():
            case.body["cover_letter"] = "Hello"


def _amended(given: Any, things: dict[str, str], made: Collection[str]) -> dict[str, Any]:
    found = {name: _value(name, value) for name, value in given.items()}
    named = {name for name, value in found.items() if isinstance(value, str) and value not in made}
    found |= {name: thing for name, thing in things.items() if name in named}
    for name in ("cursor", "If-Match", "Idempotency-Key"):  # only we can make up a good one
        found.pop(name, None)
    if found.get("application_id") is not None:
        found["application_id"] = None  # a task is about one thing
    if found.get("stage") is None:
        found.pop("message", None)  # which goes with a step
    if found.get("new_password") is not None:
        found["current_password"] = PASSWORD
    if "from" in found or "to" in found:
        found |= A_DAY
    return _with_a_town(_with_currency(found))


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "salary":
        return _salary(value)
    if name == "search":
        return _amended(value, {}, ())
    return RULES.get(name, _as_it_is)(value) if not isinstance(value, list) else _list(name, value)


def _list(name: str, values: list[Any]) -> list[Any]:
    return [RULES.get(name, _as_it_is)(value) for value in values]


def _salary(given: dict[str, Any]) -> dict[str, Any]:
    ends = sorted(given[end] for end in ("min", "max") if given.get(end) is not None) or [0]
    return {**given, "currency": "EUR", "min": ends[0], "max": ends[-1]}


def _with_currency(found: dict[str, Any]) -> dict[str, Any]:
    """A search for pay says in which currency, one that there is."""
    if found.get("currency") is not None or found.get("salary_min") is not None:
        return {**found, "currency": "EUR"}
    return found


def _with_a_town(found: dict[str, Any]) -> dict[str, Any]:
    """A circle is around a town that there is, in its country."""
    if found.get("radius_km") is not None:
        return {**found, "location": "Hamburg", "country": ["DE"]}
    return found


def _as_it_is(value: Any) -> Any:
    return value


def _said(text: str) -> str:
    return text if text.strip() else "x"


def _address(text: str) -> str:
    return text if re.fullmatch(r"[\w.]+@[a-z]+\.com", text) else "someone@example.com"


def _link(text: str) -> str:
    parts = urlsplit("https://example.com") if text != text.strip() else _split(text)
    usable = parts.scheme in {"http", "https"} and "." in (parts.hostname or "")
    return text if usable and parts.path.isalnum() else "https://example.com/jobs"


def _split(text: str) -> Any:
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


RULES: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(NEEDED, _said),
    **dict.fromkeys(MOMENTS, lambda _: LATER),
    **dict.fromkeys(("current_password", "password", "new_password"), lambda _: PASSWORD),
    "email": _address,
    "website": _link,
    "apply_url": _link,
    "url": lambda _: PUBLIC_URL,
    "country": lambda _: "DE",
    "currency": lambda _: "EUR",
    "time_zone": lambda _: "Europe/Berlin",
    "amount": lambda _: 1,
    "properties": lambda _: {"job_id": str(uuid4())},  # of an event: one job, or several seen
}


def point_to_things(case: schemathesis.Case, stage: Stage, who: str) -> None:
    """Fill a path whose ids are well formed with ids of things that there are."""
    for name, thing in stage.ids(who, case.method, case.path).items():
        if _is_id(case.path_parameters.get(name)):
            case.path_parameters[name] = thing


def _is_id(value: Any) -> bool:
    try:
        return str(UUID(str(value))) == str(value).lower()
    except ValueError:
        return False
