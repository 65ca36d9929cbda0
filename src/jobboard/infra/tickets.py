"""Tickets for the WebSocket: random words that stand for somebody's log-in for half a minute, and
are taken once."""

import hashlib
import json
from secrets import token_urlsafe
from uuid import UUID

from redis.asyncio import Redis

SECONDS = 30
PREFIX = "ticket:"


async def issue(redis: Redis, person_id: UUID, login_id: UUID) -> str:
    """A ticket for this log-in of theirs. Raises what redis-py raises."""
    ticket = token_urlsafe(24)
    what = json.dumps({"person_id": str(person_id), "login_id": str(login_id)})
    await redis.set(_key(ticket), what, ex=SECONDS)
    return ticket


async def take(redis: Redis, ticket: str) -> tuple[UUID, UUID] | None:
    """The two ids; None if it is unknown, too old, or was taken. Raises as above."""
    found = await redis.getdel(_key(ticket))
    if not found:
        return None
    what = json.loads(found)
    return UUID(what["person_id"]), UUID(what["login_id"])


def _key(ticket: str) -> str:
    # Hashed: who reads Redis cannot use what waits there.
    return PREFIX + hashlib.sha256(ticket.encode(errors="replace")).hexdigest()
