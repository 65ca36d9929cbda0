"""Jobs like one: what is like it, and what never is."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.jobs import walk
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.similar import MOST, similar
from tests.factories.companies import make_company
from tests.factories.people import User
from tests.jobs.searching import Post

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True, params=[False, True], ids=["at once", "by spans"])
def by_spans(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small board is looked at all at once; here a large one's way is tried on it, too."""
    if request.param:
        monkeypatch.setattr(walk, "FEW", -2)


async def alike(session: AsyncSession, job: Job) -> list[str]:
    """The titles of the likest."""
    found = await similar(session, job.id)
    await session.commit()
    return [card.title for card in found]


async def test_titles_tell_more_than_tags_and_places(
    session: AsyncSession, post: Post, employer: User
) -> None:
    other = await make_company(session, employer, "Mill")
    job = await post("Night baker", location="Hamburg, Germany", tags=["bread"])
    await post("Clerk", at=other, location="Hamburg, Germany", tags=["bread"])
    await post("Baker", at=other, location="Hamburg, Germany")
    await post("Night baker, here", location="Hamburg, Germany", tags=["bread"])
    await post("Night baker, away", at=other, location="Lyon, France", tags=["bread"])
    await post("Night bakers", at=other, location="Hamburg, Germany", tags=["bread"])
    await post("Plumber", at=other, location="Hamburg, Germany")
    assert await alike(session, job) == [
        "Night bakers",
        "Night baker, away",
        "Night baker, here",
        "Baker",
    ]


async def test_only_live_jobs_are_like_one_and_never_itself(
    session: AsyncSession, post: Post
) -> None:
    for status in JobStatus:
        await post(f"Baker {status}", status=status)
    await post("Baker, over", expires_at=now() - timedelta(seconds=1))
    job = await post("Baker")
    assert await alike(session, job) == ["Baker published"]
    for status in (JobStatus.CLOSED, JobStatus.EXPIRED):
        over = await post("Baker", status=status)
        assert sorted(await alike(session, over)) == ["Baker", "Baker published"]


async def test_of_many_there_are_a_few(session: AsyncSession, post: Post) -> None:
    jobs = [await post("Baker") for _ in range(MOST + 3)]
    assert len(await alike(session, jobs[0])) == MOST


@pytest.mark.parametrize("title", ["The", "C++ 'n' \\ \"R&D\" | (!", "🎉", "Bäcker für Brötchen"])
async def test_no_title_is_an_error(
    session: AsyncSession, post: Post, company: Company, title: str
) -> None:
    job = await post(title, tags=["it's", "c++", "\\"])
    await post(f"{title} again")
    assert await alike(session, job) == [f"{title} again"]
