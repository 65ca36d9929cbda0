"""The API's schema for Schemathesis, and who may do what."""

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from itertools import cycle, islice
from random import Random
from typing import Any

import schemathesis
from hypothesis import strategies as st
from hypothesis.control import BuildContext
from hypothesis.errors import StopTest, UnsatisfiedAssumption
from hypothesis.internal.conjecture.data import ConjectureData
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.generation.drivers import CoverageGenerator, ExamplesGenerator
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.overrides import Override
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from jobboard.asgi import create_app
from jobboard.settings import Settings
from tests.api.goodwill import PICTURE, RESUME
from tests.architecture.access_table import ROUTES, Access

load_all_checks()
# Only the schema is read of this one; no engine is asked.
NOWHERE = Settings(
    secret_key="a secret of the tests, thirty-two characters and more",
    database_url="postgresql://nobody@127.0.0.1:1/none",
    redis_url="redis://127.0.0.1:1",
    storage_url="file:///nonexistent",
)
DOCUMENT = create_app(NOWHERE).openapi()
CONFIG: dict[str, Any] = {
    "seed": 4,
    "checks": {
        # 412 beside the usual ones: what is bad may first of all be too old.
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "405", "409", "412", "415", "422"]
        }
    },
    "generation": {
        "deterministic": True,  # the same requests every time
        "no-shrink": True,
        "allow-x00": False,  # NUL is refused, which no schema can say: see test_naughty_text.py
        "with-security-parameters": False,  # we say who asks
    },
}
# Good data that is refused all the same, with the reason that no schema can tell.
BEYOND_WORDS = {
    "POST /api/v1/jobs/{id}/features": "needs a job that is open for as many days as are paid for",
    "POST /api/v1/companies/{id}/members": "a company has so many open invitations at most",
    "POST /api/v1/companies/{id}/answers": "braces hold one of three words",
    "POST /api/v1/admin/synonyms": "no term twice, however it is written, and none too common",
    "POST /api/v1/invitations/accept": "needs a token that was mailed",
    "POST /api/v1/auth/verify-email": "needs a token that was mailed",
    "POST /api/v1/auth/email-change": "needs a token that was mailed",
    "POST /api/v1/auth/email-change/undo": "needs a token that was mailed",
    "POST /api/v1/auth/password-reset/confirm": "needs a token that was mailed",
    "POST /api/v1/auth/token": "needs a log-in that there is, in one of two forms",
    "POST /api/v1/me/second-factor/confirm": "needs the code of this half minute",
    "POST /api/v1/me/second-factor/recovery-codes": "needs the code of this half minute",
    "POST /api/v1/me/second-factor/disable": "needs the code of this half minute",
}
# An empty parameter counts as absent, as pages' forms send it; no schema can tell that either.
EMPTY_IS_ABSENT = {
    "GET /api/v1/jobs",
    "GET /api/v1/tasks",
    "GET /api/v1/wallets/{id}/entries",
    "GET /api/v1/admin/analytics/hits",
}
WORDS = {"title", "description"}
CONTAINERS = ("path_parameters", "headers", "cookies", "query")
PARTS = {"nobody": "nobody", "candidate": "candidate", "owner": "employer", "admin": "admin"}


def read_schema(config: dict[str, Any]) -> OpenApiSchema:
    """The schema of /api/openapi.json, with settings on top of ours."""
    generation = {**CONFIG["generation"], **config.get("generation", {})}
    settings = SchemathesisConfig.from_dict({**CONFIG, **config, "generation": generation})
    return schemathesis.openapi.from_dict(DOCUMENT, config=settings)


def examples(operation: APIOperation, *, at_least: int, drawn: int) -> Iterator[schemathesis.Case]:
    """Cases for an operation: the examples that its schema gives, one for each rule that can be
    kept or broken, and random ones, good and bad: `drawn` of them or more.

    What takes no input at all has a single case, which then comes again and again.
    """
    generation = operation.schema.config.generation_for(operation=operation)
    same: dict[str, Any] = {"operation": operation, "override": Override()}
    told = [
        *ExamplesGenerator(**same, feedback=NO_FEEDBACK, fill_missing=False),
        *CoverageGenerator(
            **same,
            feedback=NO_FEEDBACK,
            generation_modes=generation.modes,
            generation_config=generation,
            auth_storage=None,
        ),
    ]
    free = random_ones(operation, max(at_least - len(told), drawn))
    yield from told
    yield from free
    yield from islice(cycle(free), max(at_least - len(told) - len(free), 0))


_drawn: dict[str, list[schemathesis.Case]] = {}


def random_ones(operation: APIOperation, number: int) -> list[schemathesis.Case]:
    """So many random cases. Those of operations that take the same are the same, from one seed:
    they are drawn once and copied, as a draw takes longer than to send what it found."""
    known = _drawn.setdefault(taken(operation), [])
    if len(known) < number:
        of_both_kinds = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
        known[:] = draw(st.one_of(of_both_kinds), number)
    return [copied(case, operation) for case in known[:number]]


def taken(operation: APIOperation) -> str:
    """All that the schema says of what an operation takes, but for words."""
    told = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return json.dumps(_without_words([told.get("parameters"), told.get("requestBody")]))


def _without_words(told: Any) -> Any:
    if isinstance(told, list):
        return [_without_words(each) for each in told]
    if not isinstance(told, dict):
        return told
    kept = {k: v for k, v in told.items() if not (k in WORDS and isinstance(v, str))}
    return {name: _without_words(value) for name, value in kept.items()}


def copied(case: schemathesis.Case, operation: APIOperation) -> schemathesis.Case:
    """A case of one operation as one of another, to be changed freely."""
    parts = {name: deepcopy(getattr(case, name)) for name in CONTAINERS}
    body = deepcopy(case.body) if isinstance(case.body, dict | list) else case.body
    return operation.Case(
        **parts,
        body=body,
        media_type=case.media_type,
        multipart_content_types=case.multipart_content_types,
        _meta=deepcopy(case._meta),
    )


def draw(strategy: st.SearchStrategy[Any], number: int) -> list[Any]:
    """So many random values, the same ones every time.

    Hypothesis's engine looks for values near those that it has tried, to make a failure small: a
    third of its values come twice, and they take twice as long as drawing each afresh.
    """
    random = Random(CONFIG["seed"])
    found: list[Any] = []
    for _ in range(20 * number):
        if len(found) == number:
            break
        with suppress(StopTest, UnsatisfiedAssumption):  # not every draw fits together
            data = ConjectureData(random=random)
            with BuildContext(data, is_final=False, wrapped_test=draw):
                found.append(data.draw(strategy))
    assert len(found) == number, f"only {len(found)} of {number} could be drawn"
    return found


def may(operation: str) -> list[str]:
    """Who of the stage gets through to `POST /api/v1/jobs`."""
    access = ROUTES.get(operation, [])
    lines = [access] if isinstance(access, Access) else access
    return [PARTS[name] for name in PARTS if any(name in line.through for line in lines)]


def excluded(case: schemathesis.Case) -> list[Any]:
    """The checks that do not fit this request. All others hold."""
    file = case.body.get("file") if isinstance(case.body, dict) else None
    ours = file in (RESUME, PICTURE)
    # The schema of a file says no more than that it has bytes.
    if case.operation.label in BEYOND_WORDS or (file is not None and not ours):
        return [positive_data_acceptance]
    # A file of ours in place of the generated one looks to the checks like one that is bad.
    if ours or (case.operation.label in EMPTY_IS_ABSENT and _has_empty(case.query)):
        return [negative_data_rejection]
    return []


def _has_empty(query: dict[str, Any]) -> bool:
    """Whether a parameter is sent without a value, or with blanks only."""
    values = [item for value in query.values() for item in _each(value)]
    return any(item is None or not str(item).strip() for item in values)


def _each(value: Any) -> list[Any]:
    return (value or [""]) if isinstance(value, list) else [value]
