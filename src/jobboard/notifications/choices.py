"""Which mail a person wants: choosing it, and unsubscribing by a link without a log-in.

A new kind of mail that is not about the account itself gets a line in TOPICS: nothing else is
needed for it to be left out, to carry `List-Unsubscribe`, and to stand under /me/mail.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.errors import Invalid
from jobboard.notifications.models import MailOptOut, Topic
from jobboard.notifications.schemas import MailChoices, MailChoicesUpdate
from jobboard.settings import Settings

TOPICS: dict[str, Topic] = {
    "application_received": Topic.APPLICATIONS,
    "application_sent": Topic.APPLICATIONS,
    "application_moved": Topic.APPLICATIONS,
    "employer_digest": Topic.DIGEST,
    "job_alert": Topic.ALERTS,
}
PAGE = "/unsubscribe"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an unsubscribe link is good for: this person, this topic, and nothing else."""

    person_id: UUID
    topic: Topic


async def wants(session: AsyncSession, person_id: UUID, kind: str) -> bool:
    """Whether to mail this kind of news to someone."""
    topic = TOPICS.get(kind)
    if topic is None:
        return True
    out = exists().where(MailOptOut.person_id == person_id, MailOptOut.topic == topic)
    return not await session.scalar(select(out))


async def unwanted(session: AsyncSession, person_id: UUID) -> set[Topic]:
    """The topics that someone does not want mail about."""
    statement = select(MailOptOut.topic).where(MailOptOut.person_id == person_id)
    return set(await session.scalars(statement))


async def choose(
    session: AsyncSession, person_id: UUID, wanted: Collection[Topic], unwanted: Collection[Topic]
) -> None:
    """Set these topics; the others stay as they are."""
    if wanted:
        gone = delete(MailOptOut).where(
            MailOptOut.person_id == person_id, MailOptOut.topic.in_(wanted)
        )
        await session.execute(gone)
    if unwanted:
        rows = [{"person_id": person_id, "topic": topic} for topic in unwanted]
        await session.execute(insert(MailOptOut).values(rows).on_conflict_do_nothing())


async def read(session: AsyncSession, person_id: UUID) -> MailChoices:
    """What someone gets, topic by topic."""
    out = await unwanted(session, person_id)
    return MailChoices(**{topic.value: topic not in out for topic in Topic})


async def update(session: AsyncSession, person_id: UUID, data: MailChoicesUpdate) -> MailChoices:
    """Change what is given."""
    given = {Topic(name): value for name, value in data if value is not None}
    await choose(
        session,
        person_id,
        [topic for topic, wanted in given.items() if wanted],
        [topic for topic, wanted in given.items() if not wanted],
    )
    return await read(session, person_id)


def token(settings: Settings, person_id: UUID, topic: Topic) -> str:
    """What the link carries. It has no end: an old mail must work, too."""
    named = f"{person_id.hex}.{topic}"
    return f"{named}.{_signature(settings, named)}"


def _signature(settings: Settings, named: str) -> str:
    key = settings.secret_key.get_secret_value().encode()
    return hmac.digest(key, f"unsubscribe:{named}".encode(), "sha256").hex()[:40]


def read_token(settings: Settings, written: str) -> Ticket:
    """Whose mail to stop. Raises Invalid for what we did not sign."""
    named, _, signature = written.rpartition(".")
    person, _, topic = named.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(settings, named).encode()):
        raise Invalid.field(
            "token",
            "This link is incomplete. Copy it whole from the mail, or log in and choose there.",
            code="link_invalid",
        )
    return Ticket(UUID(person), Topic(topic))
