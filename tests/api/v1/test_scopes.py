"""OAuth2 scopes: a token can be made to do less than its person may, and never more."""

from typing import Any

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.factories.jobs import make_job
from tests.factories.people import PASSWORD, User

TOKEN = "/api/v1/auth/token"
Client = httpx2.AsyncClient


async def log_in(client: Client, user: User, scope: str = "") -> httpx2.Response:
    form = {"grant_type": "password", "username": user.actor.email, "password": PASSWORD}
    return await client.post(TOKEN, data={**form, "scope": scope})


async def refresh(client: Client, pair: dict[str, Any], scope: str = "") -> httpx2.Response:
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    return await client.post(TOKEN, data={**form, "scope": scope})


def bearer(answer: httpx2.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_without_a_scope_a_token_has_all_that_its_person_has(
    client: Client, cast: Cast
) -> None:
    candidate = (await log_in(client, cast.candidate)).json()["scope"].split()
    admin = (await log_in(client, cast.admin)).json()["scope"].split()
    assert {"account", "jobs:write", "tasks:read"} < set(candidate)
    assert set(admin) - set(candidate) == {"moderation"}


async def test_a_narrowed_token_does_only_that(
    client: Client, cast: Cast, session: AsyncSession
) -> None:
    job = await make_job(session, cast.employer, cast.company)
    answer = await log_in(client, cast.employer, "applications:read  jobs:read")
    assert answer.json()["scope"] == "jobs:read applications:read"
    path = f"/api/v1/jobs/{job.id}"
    assert (await client.get(f"{path}/applications", headers=bearer(answer))).status_code == 200
    refused = await client.post(f"{path}/close", headers=bearer(answer))
    assert refused.status_code == 403
    assert refused.json()["code"] == "insufficient_scope"
    assert "jobs:write" in refused.json()["detail"]
    challenge = 'Bearer error="insufficient_scope", scope="jobs:write"'
    assert refused.headers["www-authenticate"] == challenge
    assert (await client.get("/api/v1/me", headers=bearer(answer))).status_code == 403


async def test_a_refresh_keeps_the_scope_and_can_only_narrow_it(client: Client, cast: Cast) -> None:
    first = await log_in(client, cast.employer, "jobs:read jobs:write")
    same = await refresh(client, first.json())
    assert same.json()["scope"] == "jobs:read jobs:write"
    wider = await refresh(client, same.json(), "jobs:read account")
    assert wider.json()["scope"] == "jobs:read"
    whole = await refresh(client, wider.json())
    assert whole.json()["scope"] == "jobs:read jobs:write"  # RFC 6749, section 6


@pytest.mark.parametrize("scope", ["jobs:reed", "moderation", "all", "jobs:read\u00a0x"])
async def test_a_scope_that_cannot_be_had(client: Client, cast: Cast, scope: str) -> None:
    answer = await log_in(client, cast.candidate, scope)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_scope"
    assert answer.json()["errors"][0]["pointer"] == "/scope"


async def test_a_refused_scope_does_not_use_the_refresh_token_up(
    client: Client, cast: Cast
) -> None:
    first = await log_in(client, cast.candidate, "tasks:read")
    assert (await refresh(client, first.json(), "account")).status_code == 422
    assert (await refresh(client, first.json())).json()["scope"] == "tasks:read"


async def test_what_is_not_ones_own_is_left_out(client: Client, cast: Cast) -> None:
    answer = await log_in(client, cast.candidate, "moderation tasks:read")
    assert answer.json()["scope"] == "tasks:read"


async def test_the_schema_names_the_scope_of_each_operation(
    client: Client, settings: Settings
) -> None:
    schema = (await client.get("/api/openapi.json")).json()
    operations = schema["paths"]
    flow = schema["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]["password"]
    assert "jobs:write" in flow["scopes"]
    asked = operations["/api/v1/jobs"]["post"]["security"]
    assert {"OAuth2PasswordBearer": ["jobs:write"]} in asked
    assert {"ApiKey": []} in asked
    assert {} not in asked
    assert {} in operations["/api/v1/jobs/{id}"]["get"]["security"]  # public ones need no token
    assert {"ApiKey": []} not in operations["/api/v1/me"]["get"]["security"]
    assert "security" not in operations["/api/v1/jobs"]["get"]
