"""Synonyms through the API: a change holds for the next search, kept answers included."""

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.api.v1.conftest import Cast
from tests.factories.jobs import make_job

pytestmark = pytest.mark.anyio
SYNONYMS = "/api/v1/admin/synonyms"


async def found(client: httpx2.AsyncClient, q: str) -> list[str]:
    answer = await client.get("/api/v1/jobs", params={"q": q})
    return [job["title"] for job in answer.json()["items"]]


async def test_admins_say_what_means_the_same(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    await make_job(session, cast.employer, cast.company, title="Torch artist")
    headers = cast.admin.headers
    assert await found(client, "welders") == []
    made = await client.post(
        SYNONYMS, json={"terms": ["Welder", " torch artist "]}, headers=headers
    )
    assert made.status_code == 201
    assert made.json()["terms"] == ["welder", "torch artist"]
    assert await found(client, "welders") == ["Torch artist"]
    assert made.json() in (await client.get(SYNONYMS, headers=headers)).json()["items"]
    again = await client.post(SYNONYMS, json={"terms": ["welder", "torch artist"]}, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "synonym_known_already")
    gone = await client.delete(f"{SYNONYMS}/{made.json()['id']}", headers=headers)
    assert gone.status_code == 204
    assert await found(client, "welders") == []
    gone = await client.delete(f"{SYNONYMS}/{made.json()['id']}", headers=headers)
    assert (gone.status_code, gone.json()["code"]) == (404, "synonym_not_found")


@pytest.mark.parametrize(
    "terms", [["alone"], ["twice", "Twice"], ["the", "baker"], ["", "baker"], ["x" * 61, "y"]]
)
async def test_terms_that_mean_nothing_are_refused(
    client: httpx2.AsyncClient, cast: Cast, terms: list[str]
) -> None:
    answer = await client.post(SYNONYMS, json={"terms": terms}, headers=cast.admin.headers)
    assert answer.status_code == 422
