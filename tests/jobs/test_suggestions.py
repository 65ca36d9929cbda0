"""What begins as somebody types: of live jobs, the commonest first."""

import httpx2
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.postgres import Database
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.suggestions import SuggestionSearch, suggest
from tests.jobs.searching import Post
from tests.jobs.test_corrections import count
from tests.statements import statements

pytestmark = pytest.mark.anyio


async def said(session: AsyncSession, q: str, **more: object) -> list[str]:
    found = await suggest(session, SuggestionSearch.model_validate({"q": q, **more}))
    await session.commit()
    return [f"{each.kind} {each.text} {each.jobs}" for each in found.items]


@pytest.fixture
async def baker(session: AsyncSession, post: Post) -> Job:
    for number in range(3):
        job = await post("Bäcker", tags=["baking"], location="Basel, Switzerland")
        await post(f"Bank clerk {number}", tags=["haggling"], location="Hamburg, Germany")
    await count(session)
    return job


async def test_each_kind_is_suggested(session: AsyncSession, baker: Job) -> None:
    assert await said(session, "BA") == [
        "title Bäcker 3",
        "title Bank clerk 0 1",
        "title Bank clerk 1 1",
        "title Bank clerk 2 1",
        "skill baking 3",
        "place Basel, Switzerland 3",
    ]
    assert await said(session, "bac") == ["title Bäcker 3"]
    assert await said(session, "hab") == []
    assert await said(session, "har", kind=["company"]) == ["company Harbour Bakery 6"]
    assert await said(session, "basel,", kind=["place"]) == ["place Basel, Switzerland 3"]
    assert await said(session, "ger", kind=["place", "title"]) == ["place Germany 3"]
    assert await said(session, "h", limit=2) == ["skill haggling 3", "company Harbour Bakery 6"]
    assert await said(session, "%") == []


async def test_what_is_gone_is_not_suggested(session: AsyncSession, baker: Job) -> None:
    bakers = update(Job).where(Job.title == baker.title)
    await session.execute(bakers.values(status=JobStatus.CLOSED))
    await count(session)
    assert await said(session, "bac") == []
    assert await said(session, "h", kind=["company"]) == ["company Harbour Bakery 3"]


@pytest.mark.usefixtures("baker")
async def test_the_api_says_it_in_one_statement(db: Database, client: httpx2.AsyncClient) -> None:
    with statements(db) as asked:
        answer = await client.get("/api/v1/suggestions?q=bac&kind=title&kind=skill")
    assert answer.json() == {"items": [{"kind": "title", "text": "Bäcker", "jobs": 3}]}
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert len(asked) == 1
    for wrong in ("", "q=", "q=a&kind=word", "q=a&limit=21", f"q={'a' * 101}"):
        assert (await client.get(f"/api/v1/suggestions?{wrong}")).status_code == 422
