"""Jobs: search, write, and move through their life."""

from functools import partial
from typing import Annotated

from fastapi import Depends, Query, Response

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.api.conditional import IfMatchDep
from jobboard.api.deps import (
    AddressDep,
    EnginesDep,
    EventsDep,
    FreshDep,
    PathId,
    SessionDep,
    SettingsDep,
    ViewerDep,
    VisitorDep,
    acts,
    sees,
)
from jobboard.api.idempotency import IDEMPOTENT, NEEDS_KEY
from jobboard.api.route import Router
from jobboard.errors import NotFound
from jobboard.infra.rates import SEARCH, WRITES, limited
from jobboard.jobs import featuring, public, queries, service
from jobboard.jobs.corrections import search
from jobboard.jobs.schemas import (
    FeatureCreate,
    FeatureRead,
    JobCard,
    JobCreate,
    JobRead,
    JobUpdate,
    ReportCreate,
    ReportRead,
)
from jobboard.jobs.search import JobSearch, JobSearchResult
from jobboard.jobs.similar import similar
from jobboard.pagination import Page

router = Router(prefix="/jobs", tags=["jobs"])

ReaderDep = Annotated[Actor | None, sees(Right.SEE_JOB)]
WriterDep = Annotated[Actor, acts(Right.WRITE_JOB)]
SpenderDep = Annotated[Actor, acts(Right.SPEND)]


@router.get("", response_model=JobSearchResult)
@limited(SEARCH)
async def list_jobs(
    query: Annotated[JobSearch, Query()],
    engines: EnginesDep,
    fresh: FreshDep,
    events: EventsDep,
    visitor: VisitorDep,
) -> JobSearchResult | Response:
    """Search and filter live jobs."""
    question = public.first_page(query)
    if question is None:
        return await engines.reads.ask(partial(search, data=query), fresh=fresh)
    body = await engines.cache.get(question, fresh=fresh)
    if query.q:
        total = public.Counted.model_validate_json(body).total
        await events.note_search(visitor, query.q, total.value)
    return Response(body, media_type="application/json")


@router.post("", status_code=201, dependencies=[IDEMPOTENT])
async def create_job(data: JobCreate, session: SessionDep, actor: WriterDep) -> JobRead:
    """Write a job. It is a draft until you submit it."""
    return await service.read(session, actor, (await service.create(session, actor, data)).id)


@router.get("/{id}")
async def get_job(job_id: PathId, session: SessionDep, viewer: ReaderDep) -> JobRead:
    """One job: published, closed or expired for everyone; the rest for its company and admins."""
    return await service.read(session, viewer, job_id)


async def _find_alike(job_id: PathId, engines: EnginesDep, fresh: FreshDep) -> bytes | None:
    """For a job that everybody may see, from the cache."""
    try:
        return await engines.cache.get(public.alike(job_id), fresh=fresh)
    except NotFound:
        return None


@router.get("/{id}/similar", response_model=Page[JobCard])
@limited(SEARCH)
async def list_similar_jobs(
    job_id: PathId,
    found: Annotated[bytes | None, Depends(_find_alike)],  # before the viewer: see infra/cache.py
    session: SessionDep,
    viewer: ReaderDep,
) -> Page[JobCard] | Response:
    """Live jobs like this one, the likest first: a few, on one page."""
    if found is not None:
        return Response(found, media_type="application/json")
    await queries.get(session, viewer, job_id)
    return Page(items=await similar(session, job_id))


@router.patch("/{id}")
async def update_job(
    job_id: PathId, data: JobUpdate, session: SessionDep, actor: WriterDep, match: IfMatchDep
) -> JobRead:
    """Change what you send: absent keeps, null clears.

    Changing the substance of a published job sends it back to the moderators.
    """
    data.version = await match.version(lambda: service.read(session, actor, job_id), data.version)
    await service.change(session, actor, job_id, data)
    return await service.read(session, actor, job_id)


@router.delete("/{id}", status_code=204)
async def delete_job(
    job_id: PathId, session: SessionDep, actor: WriterDep, match: IfMatchDep
) -> None:
    """Throw a draft or a rejected job away."""
    version = await match.version(lambda: service.read(session, actor, job_id))
    await service.delete_job(session, actor, job_id, version=version)


@router.post("/{id}/submit")
async def submit_job(job_id: PathId, session: SessionDep, actor: WriterDep) -> JobRead:
    """Hand the job to the moderators."""
    await service.submit(session, actor, job_id)
    return await service.read(session, actor, job_id)


@router.post("/{id}/close")
async def close_job(job_id: PathId, session: SessionDep, actor: WriterDep) -> JobRead:
    """Take the job out of the search. Its page stays and says so."""
    await service.close(session, actor, job_id)
    return await service.read(session, actor, job_id)


@router.post("/{id}/reopen")
async def reopen_job(
    job_id: PathId, session: SessionDep, actor: WriterDep, settings: SettingsDep
) -> JobRead:
    """Bring a closed or expired job back; by way of the moderators if it changed since."""
    await service.reopen(session, actor, job_id, settings)
    return await service.read(session, actor, job_id)


@router.post("/{id}/features", status_code=201, dependencies=[NEEDS_KEY])
async def feature_job(
    job_id: PathId,
    data: FeatureCreate,
    session: SessionDep,
    actor: SpenderDep,
    settings: SettingsDep,
) -> FeatureRead:
    """Pay with the company's credits for a live job to stand among the first, marked as such.

    For days from now, or from the end of those that are paid for. When a moderator removes the job,
    whole days that are left are paid back.
    """
    return await featuring.feature(session, actor, job_id, data, settings)


@router.post("/{id}/reports", status_code=201, dependencies=[IDEMPOTENT])
@limited(WRITES)
async def report_job(
    job_id: PathId,
    data: ReportCreate,
    session: SessionDep,
    viewer: ViewerDep,
    engines: EnginesDep,
    address: AddressDep,
) -> ReportRead:
    """Tell the moderators that something is wrong with this job. No account needed."""
    if viewer is None:
        await engines.limiter.hit_report(address)
    return ReportRead.model_validate(await service.report(session, viewer, job_id, data))
