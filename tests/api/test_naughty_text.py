"""Text of every kind in every field, parameter and form that the schema knows: it comes back as it
was sent, or is refused with a problem; nothing breaks."""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests

from jobboard.api.links import LEADS_TO
from tests.api.fuzzing import DOCUMENT, may
from tests.api.stage import Stage
from tests.architecture.access_table import ROUTES, Access
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.slow
STORABLE = {
    "emoji, one of five code points": "\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea",
    "beyond the first plane": "\U00020bb7\U0001d54f\U0010fffd",
    "from right to left, and turned": "\u05e9\u05dc\u05d5\u05dd \u202eabc\u202c \u2067x\u2069",
    "accents apart, and many": "e\u0301 n\u0303 Z\u0351\u036b\u0343\u0310\u0314",
    "one letter in two ways": "\u00e9 e\u0301 \u212b \u00c5 \ufb01",
    "nothing to see": "a\u200b\u200c\u2060\ufeff\u00adb",
    "odd blanks inside": "a\u00a0b\u2003c\u3000d\u2028e\u0085f",
    "control characters": "a\x01\x08\x0b\x1b[31m\x7f\x9bb",
    "lines and tabs": "a\tb\nc\r\nd",
    "quotes": "'\"`\u2018\u201c\u00ab\\' \\\" \\\\",
    "for a database": "x'; DROP TABLE jobs; -- %_ $1 :name E'\\000'",
    "for a browser": "<script>alert(1)</script><img src=x onerror=alert(1)>&lt;&#0;]]>",
    "for templates and formats": "{{7*7}} ${7*7} #{7} {0} {self.__class__} %s %n %(a)s <%= 1 %>",
    "for a shell or a path": "$(id) `id` | ; ../../etc/passwd C:\\ file:///",
    "for a header": "a\r\nSet-Cookie: b=c",
    "no value": "null undefined NaN -0 1e999 0x1F true",
    "numerals": "\u0661\u0662\u0663 \u2160 \u00bd 1\u066c000",
    "not a character": "\ufffe\uffff\ufdd0",
    "cases that grow": "\u00df\u0130\u0149\u1e9e\u03c2",
}
ALL_AT_ONCE = "|".join(STORABLE.values())
REFUSED = {
    "NUL": "a\x00b",
    "half of a pair": "a\ud800b",
    "the other half": "\udfff",
    "a pair the wrong way round": "\ude00\ud83d",
}
# What is done to text before it is kept; all other text stays as it is, to the last blank.
STRIPPED = {"title", "name", "full_name", "location", "reason", "tags", "memo", "q"}
LOWERED = {"tags", "tag"}
# Where an answer tells text under another name than it was sent.
TOLD_AS = {"reason": ("status_reason",), "note": ("note", "notes")}
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
Place = tuple[str | int, ...]


def is_text(schema: dict[str, Any]) -> bool:
    """A string that is no word of a list and no date, number or id in letters."""
    formats = {"date", "date-time", "uuid", "uuid4", "binary"}
    told = schema.keys() & {"enum", "const"} or schema.get("format") in formats
    return schema.get("type") == "string" and not told


def places(schema: dict[str, Any], at: Place = ()) -> Iterator[Place]:
    """Where a body may hold text; a list is asked with one item."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    for variant in schema.get("anyOf", ()):
        yield from places(variant, at)
    if is_text(schema):
        yield at
    for name, inner in schema.get("properties", {}).items():
        yield from places(inner, (*at, name))
    if "items" in schema:
        yield from places(schema["items"], (*at, 0))


def fields(operation: str, kind: str) -> list[Place]:
    """The places for text in the body of an operation."""
    content = OPERATIONS[operation].get("requestBody", {}).get("content", {})
    return list(dict.fromkeys(places(content[kind]["schema"]))) if kind in content else []


BODIES = [operation for operation in OPERATIONS if fields(operation, JSON)]
FORMS = [operation for operation in OPERATIONS if fields(operation, FORM)]
QUERIES = [
    operation
    for operation, found in OPERATIONS.items()
    if any(parameter["in"] in {"query", "path"} for parameter in found.get("parameters", ()))
]


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    """A client that keeps its connection."""
    with requests.Session() as session:
        session.trust_env = False  # which would look for settings of the machine at each request
        yield session


def good_body(operation: str, things: dict[str, str]) -> dict[str, Any]:
    """A body that gets through, with all that the schema needs."""
    access = ROUTES[operation]
    first = access if isinstance(access, Access) else access[0]
    text = json.dumps(first.send.get("json", {}))
    for name, thing in {**things, "password": PASSWORD}.items():
        text = text.replace(f"{{{name}}}", thing)
    return json.loads(text)


def put(body: dict[str, Any], place: Place, value: str) -> dict[str, Any]:
    """The body with `value` at `place`."""
    name, rest = str(place[0]), list(place[1:])
    if not rest:
        return {**body, name: value}
    if rest == [0]:
        return {**body, name: [value]}
    group = body.get(name) or ({"min": 1, "currency": "EUR"} if name == "salary" else {})
    return {**body, name: put(group, tuple(rest), value)}


def kept(place: Place, value: str) -> str:
    """What is kept of `value` there."""
    value = value.strip() if STRIPPED & set(place) else value
    return value.lower() if LOWERED & set(place) else value


def told(answer: Any, place: Place) -> str | None:
    """The text at `place` of an answer; None where it tells nothing of it."""
    name, *rest = place
    for word in TOLD_AS.get(str(name), (name,)):
        found = answer.get(word) if isinstance(answer, dict) else None
        if isinstance(found, list) and found:
            found = found[-1]["body"] if isinstance(found[-1], dict) else found[-1]
        elif rest:
            found = told(found, tuple(rest)) if isinstance(found, dict) else None
        if isinstance(found, str):
            return found
    return None


def check(answer: requests.Response, value: str, place: Place = ()) -> None:
    """Taken and told as it was sent, or refused with a problem."""
    assert answer.status_code < 500, (place, value[:80], answer.text[:300])
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"]
        return
    found = told(answer.json(), place) if place and answer.content else None
    if found is not None:
        assert found == kept(place, value), place


def one_by_one(answer: requests.Response) -> Iterable[str]:
    """What is still to try where all at once was too long or has one that is refused."""
    return STORABLE.values() if answer.status_code == 422 else ()


class Asker:
    """One operation of one stage, asked by someone who may."""

    def __init__(self, http: requests.Session, stage: Stage, operation: str) -> None:
        self.http, self.stage = http, stage
        self.method, self.path = operation.split(" ")
        parts = may(operation) or ["employer"]  # where nobody of the stage knows the right code
        self.who = next(p for p in ("employer", "candidate", "admin", "nobody") if p in parts)
        self.things = stage.things.get(self.who, stage.things["candidate"])
        self.ids = stage.ids(self.who, self.method, self.path)
        self.needs_key = any(
            parameter["name"] == "Idempotency-Key" and parameter["required"]
            for parameter in OPERATIONS[operation].get("parameters", ())
        )

    def ask(self, **sent: Any) -> requests.Response:
        """Send this."""
        ids = {**self.ids, **sent.pop("ids", {})}
        address = self.stage.address + self.path.format_map(ids)
        headers = self.stage.headers(self.who)
        if self.needs_key:
            headers = headers | {"Idempotency-Key": str(uuid4())}
        return self.http.request(self.method, address, headers=headers, **sent)

    def ask_at(self, inside: str, name: str, value: str) -> requests.Response:
        """Send this, quoted already, as the parameter `name` inside the path or the query."""
        if inside == "path":
            return self.ask(ids={name: value})
        return self.ask(params=f"{name}={value}")


@pytest.mark.parametrize("operation", BODIES)
def test_text_in_a_body(operation: str, stage: Stage, http: requests.Session) -> None:
    asker = Asker(http, stage, operation)
    body = good_body(operation, asker.things)
    for place in fields(operation, JSON):
        answer = asker.ask(json=put(body, place, ALL_AT_ONCE))
        check(answer, ALL_AT_ONCE, place)
        _check_again(asker, operation, answer, place)
        for value in ("", " \t\u00a0 ", *one_by_one(answer)):
            check(asker.ask(json=put(body, place, value)), value, place)
        for value in REFUSED.values():
            answer = asker.ask(json=put(body, place, value))
            assert answer.status_code in {401, 409, 422}, (place, answer.text[:300])
            check(answer, value, place)
        for size in (900_000, 1_000_000):
            answer = asker.ask(json=put(body, place, "x" * size))
            assert answer.status_code in {413, 422}, (place, answer.text[:300])
            check(answer, "", place)


def _check_again(asker: Asker, operation: str, answer: requests.Response, place: Place) -> None:
    """What was kept is also what is read later."""
    below = operation.replace("/api/v1", "")
    reads = [to for to in LEADS_TO.get(below, ()) if to.startswith("GET") and to.endswith("{id}")]
    if answer.ok and reads:
        path = reads[0].removeprefix("GET ").replace("{id}", answer.json()["id"])
        again = asker.http.get(
            f"{asker.stage.address}/api/v1{path}", headers=asker.stage.headers(asker.who)
        )
        check(again, ALL_AT_ONCE, place)


@pytest.mark.parametrize("operation", FORMS)
def test_text_in_a_form(operation: str, stage: Stage, http: requests.Session) -> None:
    asker = Asker(http, stage, operation)
    for (name,) in fields(operation, FORM):
        rest = {"grant_type": "password", "username": "a@example.com", "password": "x" * 12}
        if operation.endswith("/revoke"):
            rest = {"token": "x"}
        for value in (*STORABLE.values(), "a\x00b", "", "x" * 900_000):
            check(asker.ask(data={**rest, name: value}), value)
        for raw in ("%ED%A0%80", "%FF", "%", "%u0041"):  # no UTF-8, and no escape at all
            text = "&".join(f"{key}={quote(value)}" for key, value in rest.items() if key != name)
            headers = {"Content-Type": FORM}
            address = asker.stage.address + asker.path
            answer = http.post(address, data=f"{text}&{name}={raw}", headers=headers)
            check(answer, raw)


@pytest.mark.parametrize("operation", QUERIES)
def test_text_in_an_address(operation: str, stage: Stage, http: requests.Session) -> None:
    """In each parameter, and escapes that are none."""
    asker = Asker(http, stage, operation)
    for parameter in OPERATIONS[operation]["parameters"]:
        name, inside = parameter["name"], parameter["in"]
        if inside not in {"query", "path"}:
            continue
        answer = asker.ask_at(inside, name, quote(ALL_AT_ONCE, safe=""))
        check(answer, ALL_AT_ONCE)
        free = any(places(parameter["schema"]))
        single = [quote(value, safe="") for value in one_by_one(answer)] if free else []
        for value in (*single, "a%00b", "%ED%A0%80", "%FF", "x" * 9_000):
            check(asker.ask_at(inside, name, value), value)
