"""Every error has one shape for programs, a page for people, and tells nothing of our insides."""

import httpx2
import pytest
import structlog
from fastapi import FastAPI

from jobboard.infra.postgres import Database

pytestmark = pytest.mark.anyio
PROBLEM = "application/problem+json"
HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
KINDS = {
    "invalid": (422, "too_little"),
    "unauthenticated": (401, "unauthenticated"),
    "forbidden": (403, "forbidden"),
    "not_found": (404, "job_not_found"),
    "conflict": (409, "conflict"),
    "too_large": (413, "too_large"),
    "unsupported": (415, "unsupported_media_type"),
    "rate_limited": (429, "rate_limited"),
    "unavailable": (503, "unavailable"),
    "stale": (409, "edited_meanwhile"),
    "refused": (503, "unavailable"),
    "several": (503, "unavailable"),
    "timeout": (503, "unavailable"),
    "missing_file": (500, "internal_error"),
    "crash": (500, "internal_error"),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_has_one_status_and_a_stable_code(
    probing: httpx2.AsyncClient, kind: str
) -> None:
    answer = await probing.get(f"/api/probe/raise/{kind}")
    status, code = KINDS[kind]
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == PROBLEM
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"


async def test_the_message_and_the_field_are_told(probing: httpx2.AsyncClient) -> None:
    problem = (await probing.get("/api/probe/raise/invalid")).json()
    assert problem["detail"] == "Too little."
    assert problem["errors"] == [{"pointer": "/salary/min", "message": "Too little."}]


async def test_headers_say_how_to_go_on(probing: httpx2.AsyncClient) -> None:
    assert (await probing.get("/api/probe/raise/rate_limited")).headers["retry-after"] == "17"
    assert (await probing.get("/api/probe/raise/refused")).headers["retry-after"] == "5"
    challenge = await probing.get("/api/probe/raise/unauthenticated")
    assert challenge.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/api/probe/raise/crash", "/probe/raise/crash"])
async def test_a_crash_tells_nothing_of_our_insides(probing: httpx2.AsyncClient, path: str) -> None:
    answer = await probing.get(path, headers=HTML)
    assert answer.status_code == 500
    for secret in ("hunter2", "postgresql", "RuntimeError", "Traceback", "probe.py"):
        assert secret not in answer.text


async def test_a_crash_is_logged_with_its_traceback(probing: httpx2.AsyncClient) -> None:
    with structlog.testing.capture_logs() as lines:
        await probing.get("/api/probe/raise/crash")
    (crash,) = [line for line in lines if line["event"] == "request.crashed"]
    assert crash["log_level"] == "error"
    assert crash["exc_info"]


async def test_people_get_a_page(probing: httpx2.AsyncClient) -> None:
    for path, status in (("/probe/raise/crash", 500), ("/nowhere", 404)):
        answer = await probing.get(path, headers=HTML)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert "<h1" in answer.text


async def test_a_program_gets_a_problem_for_a_page_too(probing: httpx2.AsyncClient) -> None:
    answer = await probing.get("/nowhere", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_api_never_answers_with_a_page(probing: httpx2.AsyncClient) -> None:
    answer = await probing.get("/api/v1/nowhere", headers=HTML)
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)


async def test_a_wrong_method_names_all_right_ones(probing: httpx2.AsyncClient) -> None:
    answer = await probing.put("/api/probe/things/1")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


async def test_validation_points_at_each_input(probing: httpx2.AsyncClient) -> None:
    body = {"name": "x", "pay": {"min": -1}, "tags": ["ok", 3], "colour": "red"}
    answer = await probing.post("/api/probe/echo", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert {error["pointer"]: error["message"] for error in answer.json()["errors"]} == {
        "/name": "This must have at least 2 characters.",
        "/pay/min": "This must be 0 or more.",
        "/tags/1": "This must be text.",
        "/colour": "There is no such field here.",
    }


async def test_validation_points_at_parameters(probing: httpx2.AsyncClient) -> None:
    answer = await probing.get("/api/probe/things/0?limit=many")
    assert {error["pointer"]: error["message"] for error in answer.json()["errors"]} == {
        "/path/number": "This must be 1 or more.",
        "/query/limit": "This must be a whole number.",
    }


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b'{"name": ', 400, "This is not valid JSON: Expecting value."),
        (b"", 422, "This is needed."),
        (b"[1]", 422, "This must be an object with fields."),
    ],
)
async def test_a_body_that_is_no_json_is_explained(
    probing: httpx2.AsyncClient, content: bytes, status: int, message: str
) -> None:
    answer = await probing.post(
        "/api/probe/echo", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status
    assert answer.json()["errors"] == [{"pointer": "", "message": message}]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (rb'{"name": "a\u0000b"}', "/name"),
        (rb'{"name": "half \ud83d of a pair"}', "/name"),
        (rb'{"name": "ok", "tags": ["fine", "\u0000"]}', "/tags/1"),
        (rb'{"name": "ok", "extra": {"deep": [{"er": "\udc00"}]}}', "/extra/deep/0/er"),
        (rb'{"name": "ok", "extra": {"\u0000": 1}}', "/extra"),
    ],
)
async def test_text_that_cannot_be_stored_is_refused(
    probing: httpx2.AsyncClient, body: bytes, pointer: str
) -> None:
    answer = await probing.post(
        "/api/probe/echo", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert "cannot be stored" in error["message"]


async def test_an_unknown_field_with_an_impossible_name_is_no_crash(
    probing: httpx2.AsyncClient,
) -> None:
    answer = await probing.post(
        "/api/probe/echo",
        content=rb'{"name": "ok", "a/b~\ud800": 1}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422


@pytest.mark.parametrize("depth", [40, 900, 200_000])
async def test_deep_nesting_is_refused(probing: httpx2.AsyncClient, depth: int) -> None:
    body = '{"name": "ok", "extra": {"x": %s}}' % ("[" * depth + "]" * depth)
    answer = await probing.post(
        "/api/probe/echo", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/api/probe/things/%00", "/path"),
        ("/api/probe/things/1?limit=%00", "/query/limit"),
        ("/api/probe/things/1?%00=1", "/query/\x00"),
        ("/api/nowhere/%00", "/path"),
    ],
)
async def test_a_nul_byte_in_the_address_is_refused(
    probing: httpx2.AsyncClient, path: str, pointer: str
) -> None:
    answer = await probing.get(path)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("value", ["a%00b", "a%ED%A0%80b"])
async def test_a_form_is_checked_like_a_body(probing: httpx2.AsyncClient, value: str) -> None:
    answer = await probing.post(
        "/api/probe/form",
        content=f"name={value}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    if "%00" in value:
        assert answer.status_code == 422
    else:  # decoded with replacement characters, which are fine
        assert answer.json()["name"].encode()


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())", 503),
        ("SET LOCAL statement_timeout = 5; SELECT pg_sleep(1)", 500),
        ("SELECT 3000000000::int", 422),
        ("SELECT nothing FROM nowhere", 500),
    ],
)
async def test_what_the_database_says_is_translated(
    probing: httpx2.AsyncClient, db: Database, statement: str, status: int
) -> None:
    answer = await probing.get("/api/probe/sql", params={"statement": statement})
    assert answer.status_code == status
    assert (await probing.get("/api/probe/sql", params={"statement": "SELECT 1"})).json() == {
        "answer": "1"
    }


async def test_the_schema_tells_of_problems(app: FastAPI) -> None:
    schema = app.openapi()
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    responses = schema["paths"]["/api/v1/jobs"]["post"]["responses"]
    problem = {"$ref": "#/components/schemas/Problem"}
    assert responses["4XX"]["content"] == {PROBLEM: {"schema": problem}}
    assert "errors" in schema["components"]["schemas"]["Problem"]["properties"]
