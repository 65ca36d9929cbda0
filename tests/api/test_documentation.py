"""The documentation of the API is whole, and its examples are true."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import TypeAdapter

from jobboard.accounts.may import REFUSALS
from jobboard.api import v1
from jobboard.api.errors import FRAMEWORK
from jobboard.api.guide import GUIDE, TAGS
from jobboard.api.manual import DOCUMENTS
from jobboard.api.openapi import App
from jobboard.api.problems import PROBLEMS
from jobboard.api.v1.examples import ANSWERED, EXAMPLES, SENT
from tests.api.documented import resolved

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "api-errors.md"
# Codes that only pages and commands answer, and two that stand in for what has one of its own.
ELSEWHERE = {"cross_site", "csrf_token", "login_expired", "key_made"}
ELSEWHERE |= {"wrong_source", "demo_in_production", "webhook_made"}
ELSEWHERE |= {"backup_broken", "demo_on_a_used_board", "demo_runs_already"}
NEVER_BARE = {"error", "forbidden", "conflict"}
Schema = dict[str, Any]


def operations(app: App) -> dict[str, tuple[RouteContext, Schema]]:
    """Route and documentation of each operation of v1, by `GET /jobs`."""
    paths = app.schema_of(v1.VERSION)["paths"]
    return {
        f"{method} {path.removeprefix('/api/v1')}": (route, paths[path][method.lower()])
        for route in iter_route_contexts(app.routes)
        if (path := route.path or "") in paths
        for method in route.methods or ()
    }


def test_every_operation_says_who_may_use_it(app: App) -> None:
    assert set(operations(app)) == set(v1.VERSION.told)


def test_every_operation_is_told_in_words(app: App) -> None:
    tags = {tag["name"] for tag in TAGS}
    for name, (_, operation) in operations(app).items():
        assert operation["summary"], name
        assert "**Who may:**" in operation["description"], name
        assert set(operation["tags"]) <= tags, name
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            assert parameter.get("description") or schema.get("description"), (name, parameter)


def test_every_body_and_answer_has_an_example(app: App) -> None:
    schema = app.schema_of(v1.VERSION)
    for name, (_, operation) in operations(app).items():
        bodies = dict(operation.get("requestBody", {}).get("content", {}))
        assert all("example" in body for kind, body in bodies.items() if "multipart" not in kind)
        for status, answer in operation["responses"].items():
            answer = resolved(schema, answer)
            assert answer["description"], (name, status)
            for kind, media in answer.get("content", {}).items():
                shown = "example" in media or "examples" in media
                assert shown or status == "4XX" or "json" not in kind, (name, status)


def test_an_example_of_an_error_is_a_whole_problem(app: App) -> None:
    schema = app.schema_of(v1.VERSION)
    for name, (_, operation) in operations(app).items():
        for status, answer in operation["responses"].items():
            content = resolved(schema, answer).get("content", {})
            problems = content.get("application/problem+json", {}).get("examples", {})
            for code, shown in problems.items():
                body = resolved(schema, shown)["value"]
                assert (body["status"], body["code"]) == (int(status), code), name


def test_what_is_shown_as_sent_is_accepted(app: App) -> None:
    held = set()
    for route, operation in operations(app).values():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            if "example" in media:
                [body] = route.dependant.body_params
                TypeAdapter(body.field_info.annotation).validate_python(media["example"])
                held.add(media["schema"]["$ref"].rpartition("/")[2])
    assert held == set(SENT)


def test_what_is_shown_as_answered_is_what_is_answered(app: App) -> None:
    held = set()
    for route, operation in operations(app).values():
        for status in ("200", "201", "202"):
            content = operation["responses"].get(status, {}).get("content", {})
            model = _response_model(route)
            if "application/json" in content and model is not None:
                shown = content["application/json"]["example"]
                kind = TypeAdapter(model)
                read = kind.validate_python(_with_inner_fields(shown))
                assert kind.dump_python(read, mode="json", by_alias=True) == shown
                name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
                held.add(name.removeprefix("Page_").rstrip("_"))
    assert held == set(ANSWERED)


def _response_model(route: RouteContext) -> Any:
    endpoint = route.original_route
    return endpoint.response_model if isinstance(endpoint, APIRoute) else None


def _with_inner_fields(shown: Any) -> Any:
    """As the core has it: with a logo's key, where clients are told its address."""
    if isinstance(shown, list):
        return [_with_inner_fields(item) for item in shown]
    if not isinstance(shown, dict):
        return shown
    inner = {name: _with_inner_fields(value) for name, value in shown.items()}
    return inner | {"logo_key": None} if "logo_url" in inner else inner


def test_no_example_is_left_over() -> None:
    assert set(EXAMPLES) == set(SENT) | set(ANSWERED)
    assert not set(SENT) & set(ANSWERED)


def _codes_of_the_core() -> set[str]:
    codes: set[Any] = {code for code, _ in (*REFUSALS.values(), *FRAMEWORK.values())}
    for path in (ROOT / "src" / "jobboard").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code":
                values = [node.value]
            else:
                continue
            codes |= {value.value for value in values if isinstance(value, ast.Constant)}
    return codes


def test_every_code_of_the_core_is_explained() -> None:
    assert _codes_of_the_core() - ELSEWHERE - NEVER_BARE - set(PROBLEMS) == set()


def _said(call: ast.Call) -> Iterator[re.Pattern[str]]:
    """The sentences among the arguments of a call; what is filled in fits anything."""
    for node in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.compile(re.escape(node.value))
        elif isinstance(node, ast.JoinedStr):
            parts = (
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".*"
                for part in node.values
            )
            yield re.compile("".join(parts))


def _sentences_of_the_core() -> dict[str, list[re.Pattern[str]]]:
    """What stands beside each code where an error is raised with one of its own."""
    found: dict[str, list[re.Pattern[str]]] = {}
    for path in (ROOT / "src" / "jobboard").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            said = list(_said(node))
            for code in PROBLEMS:
                others = [each for each in said if each.pattern != re.escape(code)]
                sentences = [each for each in others if " " in each.pattern]
                if len(others) < len(said) and sentences:
                    found.setdefault(code, []).extend(sentences)
    return found


def test_the_details_are_those_of_the_core() -> None:
    said = _sentences_of_the_core()
    assert len(said) > 50
    strange = {
        code: [each.pattern for each in said[code]]
        for code, told in PROBLEMS.items()
        if code in said and not any(each.fullmatch(told.detail) for each in said[code])
    }
    assert not strange


def test_every_explained_code_is_one_of_ours() -> None:
    told = {ROOT / "src/jobboard/api" / name for name in ("problems.py", "v1/answers.py")}
    sources = [
        path.read_text("utf-8")
        for path in (ROOT / "src" / "jobboard").rglob("*.py")
        if path not in told
    ]
    assert [code for code in PROBLEMS if not any(f'"{code}"' in text for text in sources)] == []


def test_every_explained_code_stands_at_an_operation(app: App) -> None:
    schema = app.schema_of(v1.VERSION)
    shown = {example["value"]["code"] for example in schema["components"]["examples"].values()}
    # Of no operation: an unknown address or method, and a crash.
    assert set(PROBLEMS) - shown == {
        "not_found",
        "method_not_allowed",
        "internal_error",
        "rate_limited",  # in the answer that all share
    }


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_the_manual_can_be_read_at_the_board(client: httpx2.AsyncClient, name: str) -> None:
    assert f"](/api/docs/{name})" in GUIDE
    page = await client.get(f"/api/docs/{name}")
    assert page.status_code == 200
    assert "<h1>" in page.text
    assert "](" not in page.text
    for path in re.findall(r'href="(/[^"]*)"', page.text):
        assert (await client.get(path)).status_code == 200, path


@pytest.mark.parametrize("code", PROBLEMS)
def test_the_table_of_errors_has_it(code: str) -> None:
    told = PROBLEMS[code]
    row = f"| `{code}` | {told.status} | {told.detail} | {told.advice} |"
    assert row in TABLE.read_text("utf-8").splitlines()


def test_the_table_of_errors_has_nothing_else() -> None:
    rows = re.findall(r"^\| `(\w+)` \| \d", TABLE.read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(PROBLEMS)
