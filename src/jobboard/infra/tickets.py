"""Tickets: random words that stand for something for half a minute, and are taken once."""

import hashlib
import json
from secrets import token_urlsafe
from typing import Any

from redis.asyncio import Redis

SECONDS = 30
PREFIX = "ticket:"


async def issue(redis: Redis, what: dict[str, Any]) -> str:
    """A ticket for `what`, which is plain JSON. Raises what redis-py raises."""
    ticket = token_urlsafe(24)
    await redis.set(_key(ticket), json.dumps(what), ex=SECONDS)
    return ticket


async def take(redis: Redis, ticket: str) -> dict[str, Any] | None:
    """What it stands for; None if it is unknown, too old, or was taken. Raises as above."""
    found = await redis.getdel(_key(ticket))
    return json.loads(found) if found else None


def _key(ticket: str) -> str:
    # Hashed: who reads Redis cannot use what waits there.
    return PREFIX + hashlib.sha256(ticket.encode(errors="replace")).hexdigest()
