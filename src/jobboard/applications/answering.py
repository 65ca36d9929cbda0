"""Applications that wait too long for an answer, and one answer for many of them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.applications import queries, service
from jobboard.applications.models import Application, Stage
from jobboard.applications.schemas import (
    Answered,
    AnswerMade,
    AnswersCreate,
    AnswersMade,
    ApplicationBrief,
    ApplicationUpdate,
)
from jobboard.companies import queries as companies
from jobboard.errors import Conflict, DomainError, NotFound
from jobboard.jobs.models import Job
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor


async def list_overdue(
    session: AsyncSession, actor: Actor, company_id: UUID, *, cursor: str | None, limit: int
) -> Page[ApplicationBrief]:
    """A company's applications that have waited for more than two weeks, longest first. Raises
    NotFound, Forbidden."""
    company = await companies.get(session, company_id)
    await companies.require(session, actor, Right.SEE_APPLICATION, company.id)
    statement = (
        queries.rows(actor)
        .where(Job.company_id == company.id, queries.is_overdue())
        .order_by(Application.created_at, Application.id)
        .limit(limit + 1)
    )
    if after := read_moment_cursor(cursor):
        statement = statement.where(
            func.row(Application.created_at, Application.id) > func.row(*after)
        )
    rows, more = cut((await session.execute(statement)).all(), limit)
    return Page(
        items=[queries.brief(row) for row in rows],
        next_cursor=moment_cursor(rows[-1].created_at, rows[-1].id) if more else None,
    )


async def list_chosen(
    session: AsyncSession, actor: Actor, company_id: UUID, application_ids: Sequence[UUID]
) -> list[ApplicationBrief]:
    """Those of these that are the company's, longest first. Raises NotFound, Forbidden."""
    company = await companies.get(session, company_id)
    await companies.require(session, actor, Right.ANSWER_APPLICATION, company.id)
    statement = (
        queries.rows(actor)
        .where(Job.company_id == company.id, Application.id.in_(application_ids))
        .order_by(Application.created_at, Application.id)
    )
    return [queries.brief(row) for row in await session.execute(statement)]


async def answer_many(
    session: AsyncSession, actor: Actor, company_id: UUID, data: AnswersCreate
) -> AnswersMade:
    """Move many applications of one company on, each as if it were alone: with its history and
    its mail. One that cannot go there says why and stops none of the others. Raises NotFound,
    Forbidden."""
    company = await companies.get(session, company_id)
    await companies.require(session, actor, Right.ANSWER_APPLICATION, company.id)
    wanted = {each.id: each for each in data.applications}
    made = [await _answer(session, actor, company.id, each, data) for each in wanted.values()]
    return AnswersMade(items=made, answered=sum(each.answered for each in made))


async def _answer(
    session: AsyncSession, actor: Actor, company_id: UUID, one: Answered, data: AnswersCreate
) -> AnswerMade:
    change = ApplicationUpdate(stage=Stage(data.stage), message=data.message, version=one.version)
    try:
        async with session.begin_nested():
            application, job = await queries.get(session, actor, one.id)
            if job.company_id != company_id:
                raise NotFound("There is no such application.", code="application_not_found")
            await service.decide(session, actor, application, job, change)
    except DomainError as error:
        return _refused(one.id, error)
    except StaleDataError:
        quicker = "This application moved on at the same moment. Load it again and look first."
        return _refused(one.id, Conflict(quicker, code="edited_meanwhile"))
    return AnswerMade(id=one.id, answered=True)


def _refused(application_id: UUID, error: DomainError) -> AnswerMade:
    return AnswerMade(id=application_id, answered=False, code=error.code, detail=error.message)
