"""The API's schema for Schemathesis, and who may do what."""

from typing import Any

import schemathesis
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from jobboard.asgi import create_app
from jobboard.settings import Settings
from tests.architecture.access_table import ROUTES, Access

load_all_checks()
# Only the schema is read of this one; no engine is asked.
NOWHERE = Settings(
    secret_key="a secret of the tests, thirty-two characters and more",
    database_url="postgresql://nobody@127.0.0.1:1/none",
    redis_url="redis://127.0.0.1:1",
    storage_url="file:///nonexistent",
)
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
    "/members": "needs the address of someone who has an account",
    "/auth/verify-email": "needs a token that was mailed",
    "/auth/email-change": "needs a token that was mailed",
    "/auth/email-change/undo": "needs a token that was mailed",
    "/auth/password-reset/confirm": "needs a token that was mailed",
    "/auth/token": "needs a log-in that there is, in one of two forms",
    "/me/second-factor/confirm": "needs the code of this half minute",
    "/me/second-factor/recovery-codes": "needs the code of this half minute",
    "/me/second-factor/disable": "needs the code of this half minute",
}
PARTS = {"nobody": "nobody", "candidate": "candidate", "owner": "employer", "admin": "admin"}


def read_schema(config: dict[str, Any]) -> OpenApiSchema:
    """The schema of /api/openapi.json, with settings on top of ours."""
    generation = {**CONFIG["generation"], **config.get("generation", {})}
    settings = SchemathesisConfig.from_dict({**CONFIG, **config, "generation": generation})
    return schemathesis.openapi.from_dict(create_app(NOWHERE).openapi(), config=settings)


def may(operation: str) -> list[str]:
    """Who of the stage gets through to `POST /api/v1/jobs`."""
    access = ROUTES.get(operation, [])
    lines = [access] if isinstance(access, Access) else access
    return [PARTS[name] for name in PARTS if any(name in line.through for line in lines)]


def excluded(case: schemathesis.Case, *, good: bool) -> list[Any]:
    """The checks that do not fit this request. All others hold."""
    checks = []
    if case.path.endswith(tuple(BEYOND_WORDS)):
        checks.append(positive_data_acceptance)
    # A file that we put into good data is not what the generator knows, so it takes it for bad.
    if good or _may_be_good(case.query):
        checks.append(negative_data_rejection)
    return checks


def _may_be_good(query: dict[str, Any]) -> bool:
    """Empty parameters count as absent, as forms send them, and of a parameter that is repeated
    the last one holds."""
    return any(not value or isinstance(value, list | dict) for value in query.values())
