"""Asks the search, for the tests of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs.criteria import JobSearch
from jobboard.jobs.models import Job
from jobboard.jobs.search import JobSearchResult, search

Post = Callable[..., Awaitable[Job]]


async def find(session: AsyncSession, **query: Any) -> JobSearchResult:
    """One page; each is a request of its own."""
    result = await search(session, JobSearch.model_validate(query))
    await session.commit()
    return result


async def titles(session: AsyncSession, **query: Any) -> list[str]:
    """The titles on one page."""
    return [card.title for card in (await find(session, **query)).items]


async def walk(session: AsyncSession, **query: Any) -> list[str]:
    """The titles on all pages."""
    found, cursor = [], None
    while True:
        page = await find(session, **query, cursor=cursor)
        found += [card.title for card in page.items]
        assert len(page.items) <= query["limit"]
        assert page.items or not cursor, "a cursor led to nothing"
        assert len(found) < 100, "the pages go round in circles"
        if not (cursor := page.next_cursor):
            return found
        assert len(page.items) == query["limit"]


def pay(low: int | None, high: int | None, currency: str = "EUR") -> dict[str, Any]:
    """A salary for a year."""
    return {"min": low, "max": high, "currency": currency, "period": "year"}
