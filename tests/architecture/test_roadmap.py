"""docs/roadmap.md leads from each concept and task to files, tests, commands and addresses that are
there. Its links are looked after by scripts/site.py."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from jobboard.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
BENCHMARKS = re.findall(
    r'^    "(\w+)": ', (ROOT / "benchmarks/__main__.py").read_text(), re.MULTILINE
)
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
CELL = re.compile(r"(?<!\\)\|")
QUOTED = re.compile(r"`([^`]+)`")
FILE = re.compile(r"`([^`\s\[(]*[/.][^`\s]*)`(?: \(`([^`]+)`\))?")  # and what stands in it
ADDRESS = re.compile(r"(?:http://127\.0\.0\.1:8000|\bGET )(/[^\s'`,]*)")
NOWHERE = "/api/v1/nothing"  # shows what is answered where there is nothing
# What is learnt in each part, by the beginning of its row.
TOLD = {
    "Phases 1 and 2": """variables, data types, operators | conditional statements and loops
        | functions and modules | lists, tuples, sets, dictionaries | file handling
        | object orientation | exception handling | decorators and context managers
        | comprehensions | generators and iterators | the standard library | to-do list
        | calculator | word frequencies | class-based book library | decorator that logs calls
        | regular expressions for e-mail and phone | generator of Fibonacci numbers""",
    "Phase 3": """path, query and body parameters | request validation with Pydantic
        | response models and status codes | dependency injection | forms and file uploads
        | middleware and exception handling | practice: CRUD of a *Task* resource
        | practice: input validated by Pydantic | practice: an image upload
        | practice: a custom middleware that logs requests""",
    "Phase 4": """API design | versioning | environment variables, configuration
        | authentication (OAuth2, JWT) | authorization | logging and error handling
        | async programming, aiohttp | practice: a route secured by OAuth2 with the password flow
        | practice: unit and integration tests | practice: rate limiting, and API keys
        | practice: dependency injection and routers""",
    "Phase 5": """SQLAlchemy, PostgreSQL with asyncpg | MongoDB | Alembic migrations
        | transactions with FastAPI | practice: create, read, update and delete
        | practice: store logs in MongoDB | practice: a money transfer""",
    "Phase 6": """routers, models, services | people sign up and log in
        | token-based log-in and roles | full-text search with `tsvector`
        | log all API hits in MongoDB | companies post, people apply, admins moderate
        | unit and integration tests | all of it in containers""",
    "Bonus": """a cache for everybody's answers | background jobs with Celery | WebSockets
        | rate limiting in the words of slowapi | gunicorn and nginx
        | continuous integration with GitHub Actions
        | a strategy for documentation and versions of the API""",
}


@dataclass(frozen=True)
class Row:
    """A line of a table below a heading."""

    part: str
    what: str
    code: str
    test: str
    see: str


def read() -> Iterator[Row]:
    part = ""
    for line in (ROOT / "docs" / "roadmap.md").read_text("utf-8").splitlines():
        if line.startswith("## "):
            part = line[3:]
        elif line.startswith("| ") and not line.endswith("| see it |"):
            cells = [cell.strip().replace(r"\|", "|") for cell in CELL.split(line)[1:-1]]
            yield Row(part, *cells)


ROWS = list(read())
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what[:40])


@pytest.mark.parametrize("part", TOLD)
def test_every_concept_and_task_has_its_row(part: str) -> None:
    there = [row.what for row in ROWS if row.part.startswith(part)]
    missing = [
        told
        for told in map(str.strip, " ".join(TOLD[part].split()).split(" | "))
        if not any(what.startswith(told) for what in there)
    ]
    assert not missing


@each_row
def test_what_a_row_names_is_there(row: Row) -> None:
    named = FILE.findall(row.code) + FILE.findall(row.test)
    assert row.code
    assert row.see
    # What only measures is its own test.
    assert row.test or re.search(r"`(?:benchmarks|scripts)/", row.code)
    for file, within in named:
        assert (ROOT / file).exists(), file
        if within:
            assert within in (ROOT / file).read_text("utf-8"), (file, within)


@each_row
def test_its_commands_can_be_given(row: Row) -> None:
    for command in QUOTED.findall(f"{row.test} {row.see}"):
        for program, rest in re.findall(r"(\.venv/bin/\w+|\bmake|\bbash) ([^&]+)", command):
            check(program, rest.split())


def check(program: str, arguments: list[str]) -> None:
    """Raise where there is no such thing."""
    first = next(each for each in arguments if each != "-s")
    if program.endswith("/jobboard"):
        assert first in COMMANDS
    elif program.endswith("/python"):
        assert find_spec(arguments[arguments.index("-m") + 1])
    elif program == "make":
        assert re.search(rf"^{first}:", MAKEFILE, re.MULTILINE)
        if first == "bench":
            given = " ".join(arguments[1:]).removeprefix("ARGS=").strip('"')
            assert set(given.split()) <= set(BENCHMARKS)
    for each in arguments:
        if each.startswith(("tests/", ".ci/")):
            assert (ROOT / each).exists(), each


@pytest.mark.anyio
async def test_its_addresses_lead_somewhere(client: httpx2.AsyncClient) -> None:
    named = {found for row in ROWS for found in ADDRESS.findall(row.see)}
    assert len(named) > 20
    for address in named - {NOWHERE}:
        answer = await client.get(address.replace("{id}", str(uuid4())))
        assert answer.status_code in {200, 303, 307, 401, 422}, (address, answer.status_code)
