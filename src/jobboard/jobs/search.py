"""The search: `search(session, JobSearch(...))` gives one page of live jobs, counted.

`criteria` reads the question, `filters` makes conditions of it, `orders` sorts and pages, `facets`
counts. The formula of relevance is `orders.score`.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import (
    Row,
    Select,
    false,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies.models import Company
from jobboard.companies.schemas import CompanyBrief
from jobboard.jobs import bestpaid, excerpts, facets, featuring, walk
from jobboard.jobs.criteria import JobSearch, Sort, UndisclosedPay
from jobboard.jobs.estimates import Expected, expect
from jobboard.jobs.excerpts import EXCERPT, LOOKED_AT, Excerpt
from jobboard.jobs.exchange.translation import Exchange
from jobboard.jobs.facets import Counted, Facets, Total
from jobboard.jobs.kept import ask
from jobboard.jobs.models import Job
from jobboard.jobs.orders import (
    RANKED,
    Lane,
    Mark,
    Window,
    best,
    going_on,
    newest,
    parameters,
    read_cursor,
    write_cursor,
)
from jobboard.jobs.planning import plan
from jobboard.jobs.schemas import JobCard, salary_of
from jobboard.jobs.words import meant
from jobboard.pagination import cut

__all__ = ["JobSearch", "JobSearchResult", "Sort", "Total", "UndisclosedPay", "search"]

PLAIN = (
    Job.id,
    Job.slug,
    Job.title,
    Job.location,
    Job.city,
    Job.region,
    Job.country,
    Job.remote,
    Job.employment_type,
    Job.experience,
    Job.salary_text,
    Job.tags,
    Job.status,
    Job.published_at,
    Job.expires_at,
    Job.apply_url,
)
FEATURED = func.coalesce(Job.featured_until > func.now(), false()).label("featured")
CARD = (
    *PLAIN,
    FEATURED,
    Job.salary_min,
    Job.salary_max,
    Job.currency,
    Job.salary_period,
    Job.yearly_min,
    Job.yearly_max,
    Job.euros_min,
    Job.euros_max,
    Job.rate_date,
    Job.rate_source,
    Job.language,
    Job.company_id,
    Job.company_name,
    Company.slug.label("company_slug"),
    Company.logo_key,
)

Place = tuple[str, Window | None]  # what a cursor must know: the group of its pay, or the window
Placed = tuple[Row[Any], Place | None]
Found = tuple[list[Placed], Mark | None]  # and where to go on, where the walk was late


class Correction(BaseModel):
    """What `q` was likely meant to be."""

    q: str = Field(examples=["software engineer"])
    applied: bool = Field(
        description="Whether the jobs are those of this `q`, because the one that was asked for "
        "finds none; `exact=true` forbids that. Otherwise it is only worth a try."
    )
    partial: bool = Field(
        False, description="Whether no job has all of the words, and these have some of them."
    )


class Relaxation(BaseModel):
    """The same search with a little less in it, and what that finds."""

    changes: dict[str, Any] = Field(
        description="The parameters that are another, and what they are then; null leaves one out.",
        examples=[{"radius_km": 100}, {"country": None}, {"q": "baker"}],
    )
    total: Total


class JobSearchResult(BaseModel):
    """One page of a search."""

    items: list[JobCard]
    correction: Correction | None = None
    total: Total
    facets: Facets | None = Field(
        description="With `facets=true`: for each of four filters, how many jobs each of its "
        "values would bring while the other filters hold. Jobs that say nothing are not counted.",
        examples=[{"employment_type": {"full_time": 12}, "remote": {"remote": 3}}],
    )
    facets_relation: Literal["eq", "gte"] | None = Field(
        None, description="Whether all numbers in `facets` are exact, or some are at least so many."
    )
    no_words: bool = Field(
        description="`q` holds no word to search by (only very common ones, or none): "
        "nothing is found then."
    )
    exchange_rate: Exchange | None = Field(
        None,
        description="With `salary_min` in another currency than euros: the newest rate, by which "
        "it was compared with pay in other currencies. Null where there is none.",
    )
    relaxations: list[Relaxation] = Field(
        default_factory=list,
        description="On the first page of a search that finds fewer than five jobs: what would "
        "find more, each with how many, counted up to 100. Wider circles first, then most first.",
    )
    next_cursor: str | None


async def search(session: AsyncSession, data: JobSearch) -> JobSearchResult:
    """One page of the live jobs that fulfil every criterion. Raises Invalid for a wrong cursor.

    Total and facets are exact up to facets.COUNT_CAP.
    """
    after = read_cursor(data)
    known = await plan(session, data)
    data = meant(data, known.readings).compared(known.euros)
    above = await _featured(session, data) if known.featured and not after else []
    first = after.first if after else tuple(row.id for row in above)
    expected = await expect(session, data, known)
    counted = await facets.count(session, data, expected)
    room = _room(data, above)
    rows, stop = await _find(session, room, after, first, expected, counted)
    page, more = cut([*((row, None) for row in above), *rows], data.limit)
    stop = None if more else stop
    mark = _mark(*page[-1], first) if more else stop
    texts = [(row.language, row.text) for row, _ in page]
    shown = await excerpts.passages(session, data.words or "", texts)
    return JobSearchResult(
        items=[card(row, each) for (row, _), each in zip(page, shown, strict=True)],
        total=Total(value=counted.jobs, relation=_relation(counted.all_jobs and not stop)),
        facets=counted.choices if data.facets else None,
        facets_relation=_relation(counted.all_choices and not stop) if data.facets else None,
        no_words=data.words == "",
        exchange_rate=known.rate,
        next_cursor=write_cursor(data, mark) if mark else None,
    )


async def how_many(session: AsyncSession, data: JobSearch, *, cap: int = 0) -> Total:
    """How many jobs a search would find, up to facets.COUNT_CAP, or to `cap`."""
    plain = data.asking(facets=False)
    known = await plan(session, plain)
    plain = meant(plain, known.readings).compared(known.euros)
    expected = await expect(session, plain, known)
    return (await facets.count(session, plain, expected, cap=cap)).total


def _relation(exact: bool) -> Literal["eq", "gte"]:
    return "eq" if exact else "gte"


async def _find(
    session: AsyncSession,
    data: JobSearch,
    after: Mark | None,
    first: tuple[UUID, ...],
    expected: Expected,
    counted: Counted,
) -> Found:
    """Rows of CARD and the key, one more than asked for where there is more, each with its place.
    Without those that stood `first`, so that nobody meets a job twice."""
    if counted.all_jobs and not counted.jobs:
        return [], None
    find = {Sort.RELEVANCE: _best, Sort.SALARY: _best_paid}.get(data.order, _newest)
    return await find(session, data, after, first, expected, counted)


async def _best(
    session: AsyncSession,
    data: JobSearch,
    after: Mark | None,
    first: tuple[UUID, ...],
    expected: Expected,
    counted: Counted,
) -> Found:
    """The best matches, each with its window."""
    few = counted.all_jobs and counted.jobs <= RANKED
    window = after.window if after else Window("all" if few else "head")
    rows: list[Placed] = []
    while window and len(rows) <= data.limit:
        values = parameters(data, after, first, window, expected)
        asked = (*expected.shape(data), data.limit, frozenset(values))
        shape = ("best", window.lane, RANKED, walk.PATIENCE, *asked)
        build = partial(_best_cards, data, window, after, first, expected)
        found = await ask(session, shape, build, values)
        low = (found[0].low_at, found[0].low_id) if found[0].jobs else None
        stop = _stop(found, window.lane, first)
        low = (stop.published_at, stop.id) if stop else low
        here = window if window.low or window.lane == "all" else replace(window, low=low)
        rows += [(row, ("", here)) for row in found if row.id is not None]
        if stop:
            return rows[: data.limit + 1], stop
        window, after = window.next(window.low or low, found[0].jobs or 0), None
    return rows[: data.limit + 1], None


async def _newest(
    session: AsyncSession,
    data: JobSearch,
    after: Mark | None,
    first: tuple[UUID, ...],
    expected: Expected,
    _: Counted,
) -> Found:
    values = parameters(data, after, first, None, expected)
    asked = (*expected.shape(data), data.limit, frozenset(values))
    shape = ("newest", walk.PATIENCE, *asked)
    build = partial(_newest_cards, data, after, first, expected)
    found = await ask(session, shape, build, values)
    rows: list[Placed] = [(row, None) for row in found if row.id is not None]
    return rows[: data.limit + 1], _stop(found, None, first)


async def _best_paid(
    session: AsyncSession,
    data: JobSearch,
    after: Mark | None,
    first: tuple[UUID, ...],
    expected: Expected,
    counted: Counted,
) -> Found:
    """The best paid, each with its group."""

    async def asked(page: Select, order: Sequence[str]) -> Sequence[Row[Any]]:
        return (await session.execute(cards(data, page, order))).all()

    few = counted.all_jobs
    found, stop = await bestpaid.find(session, asked, data, after, first, expected, few=few)
    return [(row, (group, None)) for row, group in found], stop


def _stop(found: Sequence[Row[Any]], lane: Lane | None, first: tuple[UUID, ...]) -> Mark | None:
    """Where the walk for these rows had to stop, if it had to."""
    until = max((row.until for row in found if row.until is not None), default=None)
    return None if until is None else going_on(until, lane, first)


async def _featured(session: AsyncSession, data: JobSearch) -> Sequence[Row[Any]]:
    """The featured jobs that begin the first page: a few, drawn from all that fit the search."""
    return (await session.execute(cards(data, featuring.block(data)))).all()


def _room(data: JobSearch, above: Sequence[Row[Any]]) -> JobSearch:
    """The same search for what is left of the page."""
    return data.model_copy(update={"limit": data.limit - len(above)})


def _best_cards(data: JobSearch, *question: Any) -> Select:
    return cards(data, best(data, *question))


def _newest_cards(
    data: JobSearch, after: Mark | None, first: tuple[UUID, ...], expected: Expected
) -> Select:
    return cards(data, newest(data, after, first, expected))


def cards(data: JobSearch, page: Select, order: Sequence[str] = ("key",)) -> Select:
    """The columns of CARD beside those of a page of ids, in the order of some of these. Long texts
    are unpacked for these only."""
    # Twice as long as a beginning, because white space is squeezed afterwards.
    length = 2 * EXCERPT if data.words is None else LOOKED_AT
    found = page.subquery("found")
    beside = [column for column in found.c if column.name != "id"]
    by = [*(found.c[name] for name in order), Job.published_at, Job.id]
    return (
        select(*CARD, func.left(Job.description_text, length).label("text"), *beside)
        .select_from(found)
        .outerjoin(Job, Job.id == found.c.id)
        .outerjoin(Company, Company.id == Job.company_id)
        .order_by(*(column.desc() for column in by))
    )


def _mark(row: Row[Any], place: Place | None, first: tuple[UUID, ...]) -> Mark:
    group, window = place or ("", None)
    return Mark(row.key, row.published_at, row.id, group, first, window)


def card(row: Row[Any], shown: Excerpt) -> JobCard:
    """A row of CARD as we show it."""
    company = CompanyBrief(
        id=row.company_id, name=row.company_name, slug=row.company_slug, logo_key=row.logo_key
    )
    return JobCard(
        **{column.key: getattr(row, column.key) for column in PLAIN},
        company=company,
        salary=salary_of(row),
        featured=row.featured,
        excerpt=shown.text,
        excerpt_matches=shown.matches,
    )
