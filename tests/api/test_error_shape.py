"""Whatever goes wrong at whichever address: programs get a problem, people a page."""

import re
from collections.abc import Iterator
from itertools import cycle, islice

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, RouteContext, iter_route_contexts

from tests.web.browser import SAME_ORIGIN

pytestmark = pytest.mark.anyio
PROBLEM = "application/problem+json"
MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
ID = "0199c0ff-ee00-7000-8000-000000000000"
HTML = {"Accept": "text/html"}


def check(answer: httpx2.Response, status: int, code: str = "") -> None:
    """One shape: a problem below /api, a page elsewhere."""
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["cache-control"] == "no-store"
    if not answer.request.url.path.startswith("/api/"):
        assert answer.headers["content-type"].startswith("text/html")
        assert "<h1" in answer.text
        assert answer.headers["x-request-id"] in answer.text
        return
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert set(problem) - {"errors"} == MEMBERS
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == answer.headers["x-request-id"]


def routes(app: FastAPI) -> Iterator[tuple[str, RouteContext]]:
    """Each route of HTTP, with an address that leads to it."""
    for route in iter_route_contexts(app.routes):
        assert route.path
        if isinstance(route.original_route, APIWebSocketRoute):
            continue
        yield re.sub(r"\{[^}]*\}", ID, route.path), route


async def test_a_wrong_method_at_every_address(app: FastAPI, client: httpx2.AsyncClient) -> None:
    paths: dict[str, set[str]] = {}
    for path, route in routes(app):
        paths.setdefault(path, set()).update(route.methods or ())
    assert len(paths) > 60
    strange = cycle(("BREW", "TRACE"))
    for path, methods in paths.items():
        for method in (next(strange), *({"PUT", "DELETE", "GET"} - methods)):
            answer = await client.request(method, path, headers=HTML)
            if answer.status_code != 405 and method not in {"BREW", "TRACE"}:
                continue  # another address, as /{id} beside /new, takes it
            check(answer, 405, "method_not_allowed")
            allowed = set(answer.headers["allow"].split(", "))
            assert methods | {"OPTIONS"} <= allowed
            assert ("HEAD" in allowed) == ("GET" in allowed)
            assert method not in allowed


async def test_options_names_the_methods(app: FastAPI, client: httpx2.AsyncClient) -> None:
    for path, route in routes(app):
        answer = await client.options(path)
        assert (answer.status_code, answer.content) == (204, b""), path
        assert (route.methods or set()) <= set(answer.headers["allow"].split(", "))


async def test_a_body_of_the_wrong_kind_at_every_address(
    app: FastAPI, client: httpx2.AsyncClient
) -> None:
    tried = 0
    kinds = cycle(("text/plain", "application/xml", "", "a/b/c;;=", "multipart/mixed"))
    for path, route in routes(app):
        page = not path.startswith("/api/")
        original = route.original_route
        takes = page or (isinstance(original, APIRoute) and original.body_field is not None)
        for method in (route.methods or set()) & {"POST", "PUT", "PATCH"} if takes else ():
            for kind in islice(kinds, 2):  # all of them at each address would take long
                headers = HTML | SAME_ORIGIN | {"Content-Type": kind}
                answer = await client.request(method, path, content=b"x=1", headers=headers)
                check(answer, 415, "unsupported_media_type")
                tried += 1
    assert tried > 100


@pytest.mark.parametrize(
    ("method", "path", "kind", "body"),
    [
        ("POST", "/api/v1/auth/register", "application/x-www-form-urlencoded", b"email=a"),
        ("POST", "/api/v1/auth/register", "multipart/form-data; boundary=x", b"--x--"),
        ("POST", "/api/v1/auth/token", "application/json", b"{}"),
        ("POST", "/api/v1/resumes", "application/x-www-form-urlencoded", b"file=a"),
        ("POST", "/log-in", "application/json", b"{}"),
    ],
)
async def test_json_is_no_form_and_a_form_is_no_json(
    client: httpx2.AsyncClient, method: str, path: str, kind: str, body: bytes
) -> None:
    headers = HTML | SAME_ORIGIN | {"Content-Type": kind}
    answer = await client.request(method, path, content=body, headers=headers)
    check(answer, 415, "unsupported_media_type")
    assert "Content-Type" in answer.text


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "application/merge-patch+json"]
)
async def test_other_names_of_json_are_taken(client: httpx2.AsyncClient, kind: str) -> None:
    headers = {"Content-Type": kind}
    answer = await client.post("/api/v1/auth/register", content=b"{}", headers=headers)
    check(answer, 422, "invalid")


@pytest.mark.parametrize("path", ["/api/v1/auth/register", "/api/v1/auth/token", "/log-in"])
async def test_too_much_at_once(client: httpx2.AsyncClient, path: str) -> None:
    check(await client.post(path, content=b"x" * 1_000_001, headers=HTML), 413, "too_large")


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/v1/nothing", "/api/", "/nothing", "/api//v1/jobs"]
)
async def test_nothing_there(client: httpx2.AsyncClient, path: str) -> None:
    check(await client.get(httpx2.URL(path), headers=HTML), 404, "not_found")


async def test_an_unknown_parameter_at_every_list(app: FastAPI, client: httpx2.AsyncClient) -> None:
    lists = 0
    for template, operations in app.openapi()["paths"].items():
        names = {each["name"] for each in operations.get("get", {}).get("parameters", ())}
        if "cursor" not in names:
            continue
        lists += 1
        path = re.sub(r"\{[^}]*\}", ID, template)
        answer = await client.get(path, params={"cursr": "x", "utm_source": "news"})
        check(answer, 422, "invalid")
        first, second = answer.json()["errors"]
        assert (first["pointer"], second["pointer"]) == ("/query/cursr", "/query/utm_source")
        assert first["message"].endswith("Did you mean cursor?")
        assert "limit" in second["message"]
    assert lists > 8


async def test_pages_take_the_parameters_of_trackers(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/", params={"utm_source": "news", "fbclid": "x"})
    assert answer.status_code == 200


async def test_no_json(client: httpx2.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"{", b"{'a': 1}", b"{} {}", b'{"a": 01}'):
        answer = await client.post("/api/v1/auth/register", content=body, headers=headers)
        check(answer, 400, "malformed_json")
        assert answer.json()["errors"][0]["pointer"] == ""
    answer = await client.post("/api/v1/auth/register", content=b'"\xff"', headers=headers)
    check(answer, 400, "bad_request")
