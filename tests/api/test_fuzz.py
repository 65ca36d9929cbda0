"""Schemathesis asks every operation of the API for everything, good and bad, as everybody: what
the schema says is what happens, with all of its checks."""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
import requests
from schemathesis.specs.openapi.checks import ignored_auth
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.api.fuzzing import BEYOND_WORDS, DOCUMENT, PARTS, examples, excluded, may, read_schema
from tests.api.goodwill import amend, point_to_things
from tests.api.stage import Stage

pytestmark = pytest.mark.slow
EXAMPLES = 100  # of each operation, the least
RANDOM = 25  # of these, the least: some operations have a hundred rules to keep and break
# One in so many has a file that can be read, sent by who may: a process reads each picture.
FILES = 8
OPERATIONS = [
    (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
]


@cache
def schema() -> OpenApiSchema:
    """Read once, by the first test that needs it."""
    return read_schema({})


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    """A client that keeps its connection, and looks for no settings of the machine."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def asker(label: str, number: int) -> str:
    """Who asks: half of the time someone who may."""
    everybody = list(PARTS.values())
    chosen = (may(label) or everybody) if number % 2 else everybody
    return chosen[number // 2 % len(chosen)]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_operation_does_what_the_schema_says(
    method: str, path: str, stage: Stage, http: requests.Session
) -> None:
    operation = schema()[path][method]
    answers = Counter[str]()
    for number, case in enumerate(examples(operation, at_least=EXAMPLES, drawn=RANDOM)):
        who = asker(operation.label, number)
        point_to_things(case, stage, who)
        if case.meta is not None and case.meta.generation.mode.is_positive:
            amend(case, stage, who, with_file=number % FILES == 1)
        # Schemathesis's own runs ask, too, only once whether who is not logged in is kept out.
        checks = excluded(case) + [ignored_auth] * (answers["good"] > 0)
        response = case.call_and_validate(
            base_url=stage.address, session=http, headers=stage.headers(who), excluded_checks=checks
        )
        answers["good" if response.status_code < 300 else "bad"] += 1
    assert answers.total() >= EXAMPLES, answers
    assert answers["good"] or operation.label in BEYOND_WORDS, "nobody ever got through"
