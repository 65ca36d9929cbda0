"""What is counted: hits of the API, what visitors do with jobs, what they search for."""

from typing import Annotated

from fastapi import Query

from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Accepted, Actor
from jobboard.analytics import hitreport
from jobboard.analytics.events import Name
from jobboard.analytics.schemas import EventCreate, HitReport, HitSearch, SearchReport
from jobboard.analytics.searches import report as search_report
from jobboard.analytics.visitors import referrer_host
from jobboard.api.deps import (
    EnginesDep,
    EventsDep,
    PathId,
    SessionDep,
    VisitorDep,
    acts_alone,
)
from jobboard.api.route import Router
from jobboard.applications import numbers
from jobboard.applications.numbers import JobNumbers
from jobboard.errors import Invalid
from jobboard.infra.mongo import asking
from jobboard.infra.rates import EVENTS, limited
from jobboard.jobs import queries as jobs

router = Router(tags=["analytics"])

# What waits for MongoDB must hold no transaction.
AdminDep = Annotated[Actor, acts_alone(Right.MODERATE)]
MemberDep = Annotated[Actor, acts_alone(Right.SEE_NUMBERS)]
Days = Annotated[int, Query(ge=1, le=90, description="So many days, today among them, in UTC.")]


@router.post("/analytics/events", status_code=202)
@limited(EVENTS)
async def tell_event(
    data: EventCreate,
    session: SessionDep,
    engines: EnginesDep,
    events: EventsDep,
    visitor: VisitorDep,
) -> Accepted:
    """Tell that a visitor saw, read or began to apply to a job.

    It is counted once a day for each visitor, told apart by address and browser, neither of which
    is kept. Crawlers, and who sends `DNT: 1` or `Sec-GPC: 1`, are answered the same and not
    counted; nor are jobs that are not public.
    """
    told = data.properties
    job_ids = [*told.job_ids, *([told.job_id] if told.job_id else [])]
    if not job_ids:
        raise Invalid.field("properties/job_id", "This is needed.")
    if told.job_ids and data.name is not Name.IMPRESSION:
        raise Invalid.field("properties/job_ids", "Only for `impression`: send `job_id`.")
    if visitor is not None:
        public = await jobs.public_among(session, job_ids)
        referrer = referrer_host(told.referrer, engines.settings.base_url)
        await events.note(visitor, data.name, *public, referrer=referrer)
    return Accepted(detail="Thank you.")


@router.get("/jobs/{id}/analytics")
async def count_job(
    job_id: PathId, engines: EnginesDep, actor: MemberDep, days: Days = 30
) -> JobNumbers:
    """A job in numbers.

    How many people saw it in lists, read it, opened the form and applied, by day, and from which
    sites they came.
    """
    async with engines.database.transaction() as session:
        part = await numbers.applied(session, actor, job_id, days)
    async with asking(engines.mongo) as database:
        return await numbers.of_job(database, part)


@router.get("/admin/analytics/hits")
async def count_hits(
    query: Annotated[HitSearch, Query()], engines: EnginesDep, actor: AdminDep
) -> HitReport:
    """Hits by route, status and time.

    How many requests the API answered, how many went wrong and how long they took. By default
    those of the last day, a row for each route, method and status.
    """
    require(actor, Right.MODERATE)
    async with asking(engines.mongo) as database:
        return await hitreport.report(database, query)


@router.get("/admin/analytics/searches")
async def count_searches(engines: EnginesDep, actor: AdminDep, days: Days = 30) -> SearchReport:
    """What people search for.

    The words searched most, and those that found nothing. Each person counts once a day; words
    that look like an address or a telephone number are left out.
    """
    require(actor, Right.MODERATE)
    async with asking(engines.mongo) as database:
        return await search_report(database, days)
