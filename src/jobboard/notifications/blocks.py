"""Mailboxes that take no mail: one refusal for good, or one bounce, and we stop until the address
is verified anew."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string, policy
from email.message import Message as Mail
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.notifications.models import BlockReason, MailBlock
from jobboard.settings import Settings

MAX_DETAIL = 500
# Mail that someone asks for this moment, and whose link would show that the mailbox is back.
ASKED_FOR = {"welcome", "verify_email", "password_reset", "email_change"}


async def is_blocked(session: AsyncSession, email: str) -> bool:
    """Whether no mail reaches this address."""
    return bool(await session.scalar(select(exists().where(_is(email)))))


def _is(email: str) -> ColumnElement[bool]:
    return func.lower(MailBlock.email) == email.lower()


async def block(session: AsyncSession, email: str, reason: BlockReason, detail: str) -> None:
    """Mail nothing more there. What was said last stands."""
    detail = detail[:MAX_DETAIL].encode(errors="replace").decode().replace("\0", "?")
    said = {"reason": reason, "detail": detail}
    statement = insert(MailBlock).values(email=email, **said)
    lower = [text("lower(email)")]
    await session.execute(statement.on_conflict_do_update(index_elements=lower, set_=said))


async def unblock(session: AsyncSession, email: str) -> None:
    """Someone read mail there."""
    await session.execute(delete(MailBlock).where(_is(email)))


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a bounce says: the local part of our Message-ID, the address in the forms that it may
    have, and why."""

    sealed: str
    addresses: tuple[str, ...]
    words: str

    def address(self, settings: Settings) -> str | None:
        """The address that we mailed, if this is about a mail of ours."""
        message_id, _, seal = self.sealed.partition(".")
        return next(
            (each for each in self.addresses if seal and seal == _seal(settings, message_id, each)),
            None,
        )


def sealed_id(settings: Settings, message_id: UUID, email: str) -> str:
    """The local part of a Message-ID. Nobody else can write one for another address, and so nobody
    can have one blocked by a bounce of their own making."""
    return f"{message_id}.{_seal(settings, str(message_id), email)}"


def _seal(settings: Settings, message_id: str, email: str) -> str:
    key = settings.secret_key.get_secret_value().encode()
    about = f"message:{message_id}:{email.lower()}"
    return hmac.digest(key, about.encode(errors="replace"), "sha256").hex()[:20]


def bounced(raw: bytes) -> Bounce | None:
    """Read a bounce (RFC 3464); None for other mail, and for word of a delay only."""
    mail = message_from_bytes(raw, policy=policy.compat32)
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status" or not part.is_multipart():
            continue
        for fields in cast("list[Mail]", part.get_payload()):
            if str(fields.get("Action", "")).strip().lower() == "failed":
                words = _value(fields, "Diagnostic-Code") or str(fields.get("Status", ""))
                names = ("Original-Recipient", "Final-Recipient")
                return Bounce(
                    next(iter(_ids(mail)), ""),
                    tuple(_value(fields, name) for name in names),
                    " ".join(words.split()),
                )
    return None


def _value(fields: Mail, name: str) -> str:
    """Without its type: `rfc822; ada@example.com`."""
    return str(fields.get(name, "")).partition(";")[2].strip().strip("<>")


def _ids(mail: Mail) -> Iterator[str]:
    """Of the mail that came back with the bounce, whole or only its head."""
    for part in mail.walk():
        kept = part
        if part.get_content_type() == "text/rfc822-headers":
            kept = message_from_string(str(part.get_payload()))
        found = str(kept.get("Message-ID", "")).strip().strip("<>").rpartition("@")[0]
        if kept is not mail and found:
            yield found
