"""Résumés of one's own: which there are, what they went with, and taking one back."""

from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.applications.models import Application, Stage
from jobboard.applications.schemas import OwnResume
from jobboard.errors import Conflict
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor
from jobboard.uploads import service as uploads
from jobboard.uploads.models import Upload, UploadKind


async def list_own(
    session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int
) -> Page[OwnResume]:
    """One's own résumés, latest first. Raises Invalid for a wrong cursor."""
    sent = (
        select(func.count())
        .where(Application.resume_id == Upload.id, _holds_on())
        .correlate(Upload)
        .scalar_subquery()
    )
    statement = (
        select(
            Upload.id,
            Upload.filename,
            Upload.media_type,
            Upload.size,
            Upload.created_at,
            sent.label("applications"),
        )
        .where(Upload.person_id == actor.id, Upload.kind == UploadKind.RESUME)
        .order_by(Upload.created_at.desc(), Upload.id.desc())
        .limit(limit + 1)
    )
    if before := read_moment_cursor(cursor):
        statement = statement.where(func.row(Upload.created_at, Upload.id) < func.row(*before))
    rows, more = cut((await session.execute(statement)).all(), limit)
    return Page(
        items=[OwnResume.model_validate(row) for row in rows],
        next_cursor=moment_cursor(rows[-1].created_at, rows[-1].id) if more else None,
    )


def _holds_on() -> ColumnElement[bool]:
    """Whether an application keeps its résumé. One that was withdrawn lets go of it."""
    return Application.stage != Stage.WITHDRAWN


async def delete_own(session: AsyncSession, actor: Actor, resume_id: UUID) -> None:
    """Take a résumé back. Raises NotFound, or Conflict while an application keeps it."""
    # Locked: nobody applies with it between the count and the end.
    await uploads.lock_own_resume(session, actor.id, resume_id)
    kept = select(func.count()).where(Application.resume_id == resume_id, _holds_on())
    if number := await session.scalar(kept):
        which = "an application" if number == 1 else f"{number} applications"
        raise Conflict(
            f"You sent this résumé with {which}: who got it can read it until you withdraw.",
            code="resume_in_use",
        )
    await uploads.forget(session, Upload.id == resume_id)
