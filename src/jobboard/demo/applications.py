"""Puts the stories into the tables: applications, their history, the company's notes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.applications import lifecycle
from jobboard.applications.models import (
    Application,
    ApplicationEvent,
    ApplicationNote,
    Side,
    Stage,
)
from jobboard.demo.stories import STORIES, Story

FIRST_READ = timedelta(hours=2)  # from posting a job to the first application


@dataclass(frozen=True, slots=True)
class Post:
    """A job that people applied to, and who answers for its company."""

    job_id: UUID
    posted_at: datetime
    until: datetime
    contact_id: UUID | None


async def applications(
    session: AsyncSession,
    posts: dict[str, list[Post]],
    people: dict[str, UUID],
    resume_id: UUID,
) -> dict[Story, UUID]:
    """Write every story whose job is there: the ids of their applications. `posts` by `where`."""
    told = [
        (story, posts[story.where][story.job])
        for story in STORIES
        if story.job < len(posts[story.where])
    ]
    if not told:
        return {}
    rows = [_application(story, post, people, resume_id) for story, post in told]
    statement = insert(Application).returning(Application.id, sort_by_parameter_order=True)
    ids = list(await session.scalars(statement, rows))
    events, notes = [], []
    for application_id, (story, post) in zip(ids, told, strict=True):
        events += _events(application_id, story, post, people)
        notes += _notes(application_id, story, post)
    await session.execute(insert(ApplicationEvent), events)
    if notes:
        await session.execute(insert(ApplicationNote), notes)
    return dict(zip((story for story, _ in told), ids, strict=True))


def _moments(story: Story, post: Post) -> list[datetime]:
    """One moment for sending, one for each step, evenly spread until now or the job's end."""
    start = min(post.posted_at + FIRST_READ, post.until)
    part = (post.until - start) / (len(story.path) + 2)
    return [start + part * number for number in range(1, len(story.path) + 2)]


def _application(
    story: Story, post: Post, people: dict[str, UUID], resume_id: UUID
) -> dict[str, object]:
    sent, *moved = _moments(story, post)
    return {
        "job_id": post.job_id,
        "person_id": people[story.candidate],
        "stage": story.path[-1] if story.path else Stage.SUBMITTED,
        "cover_letter": story.letter,
        "resume_id": resume_id if story.resume else None,
        "created_at": sent,
        "updated_at": moved[-1] if moved else sent,
        "answered_at": next(
            (at for stage, at in zip(story.path, moved, strict=True) if stage in lifecycle.ANSWERS),
            None,
        ),
    }


def _events(
    application_id: UUID, story: Story, post: Post, people: dict[str, UUID]
) -> Iterator[dict[str, object]]:
    current = Stage.SUBMITTED
    for stage, at in zip((current, *story.path), _moments(story, post), strict=True):
        by_candidate = stage in (Stage.SUBMITTED, Stage.WITHDRAWN)
        side = Side.CANDIDATE if by_candidate else Side.COMPANY
        if stage is not current:
            lifecycle.require(current, stage, side)
        current = stage
        yield {
            "application_id": application_id,
            "stage": stage,
            "side": side,
            "person_id": people[story.candidate] if by_candidate else post.contact_id,
            "at": at,
        }


def _notes(application_id: UUID, story: Story, post: Post) -> Iterator[dict[str, object]]:
    moments = _moments(story, post)[1:]
    for body, at in zip(story.notes, moments, strict=False):
        yield {
            "application_id": application_id,
            "person_id": post.contact_id,
            "body": body,
            "created_at": at + timedelta(minutes=7),
        }
