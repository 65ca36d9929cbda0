"""The verbs of applications: apply, read, move on, note, withdraw."""

from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, Who, require
from jobboard.accounts.models import Person
from jobboard.accounts.queries import require_verified
from jobboard.accounts.schemas import Actor
from jobboard.applications import hooks, lifecycle, queries
from jobboard.applications.models import (
    Application,
    ApplicationEvent,
    ApplicationNote,
    Side,
    Stage,
)
from jobboard.applications.schemas import (
    BLANK,
    ApplicationBrief,
    ApplicationCreate,
    ApplicationRead,
    ApplicationUpdate,
)
from jobboard.clock import now
from jobboard.companies import queries as companies
from jobboard.errors import Conflict, NotFound, require_version
from jobboard.jobs import queries as jobs
from jobboard.jobs.models import Job, JobStatus
from jobboard.notifications.service import notify
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor
from jobboard.uploads import service as uploads
from jobboard.webhooks.events import Event


async def apply(
    session: AsyncSession, actor: Actor, job_id: UUID, data: ApplicationCreate
) -> Application:
    """Apply to a live job, once. Raises NotFound, Forbidden, Conflict (closed, applied before)."""
    job, company = await jobs.get(session, actor, job_id)
    require(actor, Right.APPLY)
    require_verified(actor)
    _require_open(job)
    if data.resume_id is not None:
        await uploads.require_own_resume(session, actor.id, data.resume_id)
    application = await _insert(session, actor, job, data)
    _record(session, application, Side.CANDIDATE, actor)
    news = {
        "title": job.title,
        "company": company.name,
        "candidate": actor.full_name,
        "application_id": str(application.id),
    }
    for person_id in await companies.member_ids(session, job.company_id):
        notify(session, person_id, "application_received", news)
    notify(session, actor.id, "application_sent", news)
    await session.flush()
    await hooks.tell(session, Event.APPLICATION_CREATED, application, job)
    return application


def _require_open(job: Job) -> None:
    if job.status is not JobStatus.PUBLISHED or job.expires_at is None or job.expires_at <= now():
        raise Conflict("This job takes no more applications.", code="job_closed")
    if job.apply_url:
        raise Conflict(
            f"This company takes applications on its own site: {job.apply_url}",
            code="applies_elsewhere",
        )


async def _insert(
    session: AsyncSession, actor: Actor, job: Job, data: ApplicationCreate
) -> Application:
    application = Application(
        job_id=job.id,
        person_id=actor.id,
        cover_letter=data.cover_letter,
        resume_id=data.resume_id,
        stage=Stage.SUBMITTED,
    )
    try:
        async with session.begin_nested():
            session.add(application)
    except IntegrityError:
        raise Conflict(
            "You have applied to this job already. Look under your applications.",
            code="already_applied",
        ) from None
    return application


def _record(
    session: AsyncSession, application: Application, side: Side, actor: Actor, message: str = ""
) -> None:
    session.add(
        ApplicationEvent(
            application_id=application.id,
            stage=application.stage,
            side=side,
            person_id=actor.person_id,
            message=message,
        )
    )


async def read(session: AsyncSession, actor: Actor, application_id: UUID) -> ApplicationRead:
    """One application. The first time that someone of the company reads it, it becomes viewed; a
    program that fetches it with a key has not looked at it."""
    application, job = await queries.get(session, actor, application_id)
    member = await companies.role_of(session, actor, job.company_id) is not None
    person = member and not actor.is_key
    if person and application.person_id != actor.id and application.stage is Stage.SUBMITTED:
        await _mark_viewed(session, actor, application, job)
    return await _shape(session, actor, application, _reader(actor, application, member=member))


async def _mark_viewed(
    session: AsyncSession, actor: Actor, application: Application, job: Job
) -> None:
    """One statement, so that of colleagues who look at the same moment none is refused."""
    viewed = await session.scalar(
        update(Application)
        .where(Application.id == application.id, Application.stage == Stage.SUBMITTED)
        .values(stage=Stage.VIEWED, version=Application.version + 1, updated_at=now())
        .returning(Application.id)
        .execution_options(synchronize_session=False)
    )
    await session.refresh(application)
    if viewed is not None:
        _record(session, application, Side.COMPANY, actor)
        await session.flush()
        await hooks.tell_moved(session, application, job, Stage.SUBMITTED)


async def list_own(
    session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int
) -> Page[ApplicationBrief]:
    """What `actor` applied to, newest first."""
    require(actor, Right.LIST_OWN_APPLICATIONS)
    return await _page(
        session, actor, Application.person_id == actor.id, cursor=cursor, limit=limit
    )


async def list_for_job(
    session: AsyncSession,
    actor: Actor,
    job_id: UUID,
    *,
    stage: Stage | None = None,
    cursor: str | None,
    limit: int,
) -> Page[ApplicationBrief]:
    """Who applied to a job, newest first, for the people of its company."""
    job, _ = await jobs.get(session, actor, job_id)
    await companies.require(session, actor, Right.SEE_APPLICATION, job.company_id)
    where = [Application.job_id == job_id]
    if stage is not None:
        where.append(Application.stage == stage)
    return await _page(session, actor, *where, cursor=cursor, limit=limit)


async def board(
    session: AsyncSession, actor: Actor, job_id: UUID, *, each: int
) -> dict[Stage, list[ApplicationBrief]]:
    """The newest `each` applications of every stage of a job, for the people of its company."""
    job, _ = await jobs.get(session, actor, job_id)
    await companies.require(session, actor, Right.SEE_APPLICATION, job.company_id)
    columns: dict[Stage, list[ApplicationBrief]] = {stage: [] for stage in Stage}
    for row in await session.execute(queries.board(actor, job_id, each=each)):
        columns[row.stage].append(queries.brief(row))
    return columns


async def _page(
    session: AsyncSession,
    actor: Actor,
    *where: ColumnElement[bool],
    cursor: str | None,
    limit: int,
) -> Page[ApplicationBrief]:
    statement = queries.page(actor, *where, before=read_moment_cursor(cursor), limit=limit)
    rows, more = cut((await session.execute(statement)).all(), limit)
    last = rows[-1] if more else None
    return Page(
        items=[queries.brief(row) for row in rows],
        next_cursor=moment_cursor(last.created_at, last.id) if last else None,
    )


def _reader(actor: Actor, application: Application, *, member: bool) -> Side | None:
    """The side that reads; None for an admin, who looks on and takes no step."""
    if application.person_id == actor.id:
        return Side.CANDIDATE
    return Side.COMPANY if member else None


async def _shape(
    session: AsyncSession, actor: Actor, application: Application, side: Side | None
) -> ApplicationRead:
    row = (await session.execute(queries.rows(actor).where(Application.id == application.id))).one()
    return ApplicationRead(
        **dict(queries.brief(row)),
        cover_letter=application.cover_letter,
        history=await queries.history(session, application.id),
        notes=await queries.notes(session, application.id) if side is Side.COMPANY else None,
        next_stages=list(lifecycle.possible(application.stage, side)) if side else [],
    )


async def _move(
    session: AsyncSession,
    actor: Actor,
    application: Application,
    job: Job,
    target: Stage,
    side: Side,
    message: str = "",
) -> None:
    before = application.stage
    lifecycle.require(before, target, side)
    application.stage = target
    application.updated_at = moment = now()
    if target in lifecycle.ANSWERS and side is Side.COMPANY:
        application.answered_at = application.answered_at or moment
    _record(session, application, side, actor, message)
    await session.flush()
    await hooks.tell_moved(session, application, job, before)


async def change(
    session: AsyncSession, actor: Actor, application_id: UUID, data: ApplicationUpdate
) -> ApplicationRead:
    """The company moves an application on, or notes something about it, or both."""
    application, job = await queries.get(session, actor, application_id)
    await companies.require(session, actor, Right.ANSWER_APPLICATION, job.company_id)
    await decide(session, actor, application, job, data)
    return await _shape(session, actor, application, Side.COMPANY)


async def decide(
    session: AsyncSession, actor: Actor, application: Application, job: Job, data: ApplicationUpdate
) -> None:
    """The same with what was loaded, for one who may."""
    require_version(application.version, data.version, "this application")
    if data.note is not None:
        session.add(
            ApplicationNote(
                application_id=application.id, person_id=actor.person_id, body=data.note
            )
        )
    if data.stage is not None:
        message = await _filled(session, application, job, data.message or "")
        await _move(session, actor, application, job, data.stage, Side.COMPANY, message)
        notify(
            session,
            application.person_id,
            "application_moved",
            {
                "title": job.title,
                "company": job.company_name,
                "stage": data.stage,
                "message": message,
                "application_id": str(application.id),
            },
        )
    await session.flush()


async def _filled(session: AsyncSession, application: Application, job: Job, message: str) -> str:
    """A message with its blanks filled in."""
    if not message:
        return ""
    candidate = await session.get_one(Person, application.person_id)
    return fill(message, name=candidate.full_name, job=job.title, company=job.company_name)


def fill(message: str, *, name: str, job: str, company: str) -> str:
    """What a candidate reads of a message. What a name holds is not filled in again."""
    values = {"name": name, "job": job, "company": company}
    return BLANK.sub(lambda blank: values.get(blank[1], blank[0]), message)


async def withdraw(session: AsyncSession, actor: Actor, application_id: UUID) -> ApplicationRead:
    """The candidate takes an application back."""
    application, job = await queries.get(session, actor, application_id)
    require(actor, Right.WITHDRAW, *((Who.SELF,) if application.person_id == actor.id else ()))
    await _move(session, actor, application, job, Stage.WITHDRAWN, Side.CANDIDATE)
    return await _shape(session, actor, application, Side.CANDIDATE)


async def require_resume(session: AsyncSession, actor: Actor, resume_id: UUID) -> None:
    """Raise NotFound unless the résumé is the actor's, or came with an application to them."""
    if await uploads.is_own(session, actor.id, resume_id):
        return
    if not await queries.resume_visible(session, actor, resume_id):
        raise NotFound("There is no such file.", code="file_not_found")
