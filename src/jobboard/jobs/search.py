"""The search: `search(session, JobSearch(...))` gives one page of live jobs, counted.

`criteria` reads the question, `filters` makes conditions of it, `orders` sorts and pages, `facets`
counts. The formula of relevance is `orders.score`.
"""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row, Select, false, func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies.models import Company
from jobboard.companies.schemas import CompanyBrief
from jobboard.jobs import facets, featuring
from jobboard.jobs.asked import words
from jobboard.jobs.criteria import JobSearch, Sort, UndisclosedPay
from jobboard.jobs.facets import Facets
from jobboard.jobs.filters import PAY, everything
from jobboard.jobs.models import Job
from jobboard.jobs.orders import Mark, lanes, read_cursor, write_cursor
from jobboard.jobs.schemas import JobCard, salary_of
from jobboard.pagination import cut

__all__ = ["JobSearch", "JobSearchResult", "Sort", "Total", "UndisclosedPay", "search"]

EXCERPT = 200  # characters
SAMPLE = 10_000  # jobs that are asked for the most common currency

# A plan must know the words: a rare one and a common one need different plans. A bitmap of matches
# that outgrows work_mem forgets the rows and keeps only their pages: many times slower. And the
# planner takes it for cheap to look for words in every row, so it may not, where an index can tell.
# On the way: whether any job is featured, since most boards need not look for those that fit.
PLANNING = text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('work_mem', '64MB', true),"
    " set_config('enable_seqscan', :enable_seqscan, true),"
    " EXISTS (SELECT FROM jobs WHERE status = 'published' AND featured_until > now()) AS featured"
)
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
    # Twice as long, because white space is squeezed afterwards.
    func.left(Job.description_text, 2 * EXCERPT).label("beginning"),
    Job.company_id,
    Job.company_name,
    Company.slug.label("company_slug"),
    Company.logo_key,
)


class Total(BaseModel):
    """How many jobs are found: exactly (`eq`), or at least (`gte`) this many."""

    value: int
    relation: Literal["eq", "gte"]


class JobSearchResult(BaseModel):
    """One page of a search."""

    items: list[JobCard]
    total: Total
    facets: Facets | None = Field(
        description="With `facets=true`: for each of four filters, how many jobs each of its "
        "values would bring while the other filters hold. Jobs that say nothing are not counted.",
        examples=[{"employment_type": {"full_time": 12}, "remote": {"remote": 3}}],
    )
    no_words: bool = Field(
        description="`q` holds no word to search by (only very common ones, or none): "
        "nothing is found then."
    )
    next_cursor: str | None


async def search(session: AsyncSession, data: JobSearch) -> JobSearchResult:
    """One page of the live jobs that fulfil every criterion. Raises Invalid for a wrong cursor.

    Without facets the total is exact up to facets.COUNT_CAP; with them it is always exact.
    """
    after = read_cursor(data)
    planning = {"enable_seqscan": "off" if data.q else "on"}
    some_featured = (await session.execute(PLANNING, planning)).one().featured
    above = await _featured(session, data) if some_featured and not after else []
    first = after.first if after else tuple(row.id for row in above)
    rows, lead = await _rows(session, _room(data, above), after, first)
    page, more = cut([*above, *rows], data.limit)
    total, counts = await _count(session, data)
    return JobSearchResult(
        items=[_card(row) for row in page],
        total=total,
        facets=counts,
        no_words=total.value == 0 and await _no_words(session, data.q),
        next_cursor=write_cursor(data, _mark(page[-1], lead, first)) if more else None,
    )


async def _rows(
    session: AsyncSession, data: JobSearch, after: Mark | None, first: tuple[UUID, ...]
) -> tuple[list[Row[Any]], str]:
    """Rows of CARD and the key, one more than asked for where there is more; the lead currency.
    Without those that stood `first`, so that nobody meets a job twice."""
    lead = await _lead(session, data, after)
    rows: list[Row[Any]] = []
    for lane in lanes(data, lead, after, first):
        if len(rows) <= data.limit:
            rows += (await session.execute(_cards(lane))).all()
    return rows[: data.limit + 1], lead


async def _featured(session: AsyncSession, data: JobSearch) -> Sequence[Row[Any]]:
    """The featured jobs that begin the first page: a few, drawn from all that fit the search."""
    return (await session.execute(_cards(featuring.block(data)))).all()


def _room(data: JobSearch, above: Sequence[Row[Any]]) -> JobSearch:
    """The same search for what is left of the page."""
    return data.model_copy(update={"limit": data.limit - len(above)})


async def _lead(session: AsyncSession, data: JobSearch, after: Mark | None) -> str:
    """The currency that sort=salary puts first, or "": the searcher's, else the most common one
    among the jobs found. The later pages keep that of the first."""
    if data.order is not Sort.SALARY:
        return ""
    if after:
        return after.lead
    if data.currency:
        return data.currency
    some = (
        select(Job.currency)
        .where(*everything(data), Job.currency.is_not(None), PAY.is_not(None))
        .limit(SAMPLE)
        .subquery()
    )
    ranked = select(some.c.currency).group_by(some.c.currency)
    ranked = ranked.order_by(func.count().desc(), some.c.currency).limit(1)
    return await session.scalar(ranked) or ""


def _cards(lane: Select) -> Select:
    """The columns of CARD for a page of ids. Long texts are unpacked for these rows only."""
    found = lane.subquery("found")
    return (
        select(*CARD, found.c.key)
        .select_from(found)
        .join(Job, Job.id == found.c.id)
        .join(Company, Company.id == Job.company_id)
        .order_by(found.c.key.desc(), Job.published_at.desc(), Job.id.desc())
    )


def _mark(row: Row[Any], lead: str, first: tuple[UUID, ...]) -> Mark:
    return Mark(row.key, row.published_at, row.id, lead, first)


async def _count(session: AsyncSession, data: JobSearch) -> tuple[Total, Facets | None]:
    if data.facets:
        number, counts = await facets.count_choices(session, data)
        return Total(value=number, relation="eq"), counts
    number, cap = await facets.count(session, data), facets.COUNT_CAP
    return Total(value=min(number, cap), relation="gte" if number > cap else "eq"), None


async def _no_words(session: AsyncSession, q: str | None) -> bool:
    if q is None:
        return False
    return await session.scalar(select(func.numnode(words(q)) == literal(0))) or False


def _card(row: Row[Any]) -> JobCard:
    company = CompanyBrief(
        id=row.company_id, name=row.company_name, slug=row.company_slug, logo_key=row.logo_key
    )
    return JobCard(
        **{column.key: getattr(row, column.key) for column in PLAIN},
        company=company,
        salary=salary_of(row),
        featured=row.featured,
        excerpt=excerpt(row.beginning),
    )


def excerpt(text: str, length: int = EXCERPT) -> str:
    """The beginning of a text on one line, cut at a word, with an ellipsis where it was cut."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    return line[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;:.-") + "…"
