"""What people do here: jobs that they see in lists, read, begin to apply to; what they search.

An event names nobody. Its id is a keyed hash of the day, of what was done and of who did it, so
that it is counted once a day however often it is sent. Who gets hold of the collection cannot tell
two events to be of the same person; nor can we, once the day's key is gone (`salts.py`).
"""

import re
from datetime import date, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from jobboard.analytics.recorder import Recorder, Shelf
from jobboard.analytics.salts import Salts
from jobboard.analytics.visitors import Visitor
from jobboard.clock import midnight, now

COLLECTION = "events"
LONGEST_TERM = 80
# What people type into the wrong box: e-mail addresses, and numbers as long as a telephone's.
PRIVATE = re.compile(r"\S@\S|\d[\d\s()/.-]{6,}\d")
OF_JOB = IndexModel(
    [("job_id", ASCENDING), ("at", ASCENDING)],
    name="of_job",
    partialFilterExpression={"job_id": {"$gt": ""}},
)
# Not partial: SecantusDB would look through all events of a job, or even all events, for its views.
NAMED = IndexModel(
    [("job_id", ASCENDING), ("name", ASCENDING), ("at", ASCENDING)], name="job_and_name"
)
SEARCHED = IndexModel(
    [("at", ASCENDING), ("term", ASCENDING)],
    name="searched",
    partialFilterExpression={"term": {"$gt": ""}},
)


class Name(StrEnum):
    """What happened to a job, seen from outside."""

    IMPRESSION = "impression"  # it stood in a list, in sight
    VIEW = "view"  # its page was opened
    OPEN = "open"  # the form to apply was opened, or the site where one applies


# Not a Name: nobody tells it from outside, and how many there are is counted in PostgreSQL.
APPLIED = "apply"


class Event(NamedTuple):
    """One thing that somebody did, as it is stored."""

    id: bytes
    at: datetime
    name: str
    job_id: str | None = None
    referrer: str | None = None  # the site that led here
    term: str | None = None
    results: int | None = None


class Events:
    """Turns what visitors do into events. Never fails, and waits for no more than a day's salt."""

    def __init__(self, recorder: Recorder, salts: Salts) -> None:
        self.recorder = recorder
        self._salts = salts

    async def note(
        self, visitor: Visitor | None, name: Name, *job_ids: UUID, referrer: str | None = None
    ) -> None:
        """Count something that a visitor did with jobs; None is nobody to be counted."""
        await self._note(now(), visitor, name, *job_ids, referrer=referrer)

    async def note_application(
        self, visitor: Visitor | None, job_id: UUID, referrer: str | None
    ) -> None:
        """Remember which site led to an application, with the day only: the time would tell whose
        it is, beside those of applications."""
        day = midnight(now())
        await self._note(day, visitor, APPLIED, job_id, referrer=referrer)

    async def _note(
        self,
        at: datetime,
        visitor: Visitor | None,
        name: str,
        *job_ids: UUID,
        referrer: str | None,
    ) -> None:
        if visitor is None:
            return
        today = await self._salts.today()
        for job_id in job_ids:
            event_id = _id(today, visitor, name, str(job_id))
            self.recorder.record(Event(event_id, at, name, str(job_id), referrer))

    async def note_search(self, visitor: Visitor | None, words: str, results: int) -> None:
        """Count a search for words, and how many jobs it found. What looks private is left out."""
        term = " ".join(words.lower().split())
        if visitor is None or not term or len(term) > LONGEST_TERM or PRIVATE.search(term):
            return
        event_id = _id(await self._salts.today(), visitor, "search", term)
        self.recorder.record(Event(event_id, now(), "search", term=term, results=results))


def _id(today: tuple[date, bytes], visitor: Visitor, *what: str) -> bytes:
    day, salt = today
    said = "\0".join((day.isoformat(), *what, *visitor)).encode(errors="replace")
    return blake2b(said, digest_size=16, key=salt).digest()


def shelf(database: AsyncDatabase, *, ttl_days: int) -> Shelf:
    """Where events are stored."""
    return Shelf(database[COLLECTION], ttl_days, indexes=[OF_JOB, NAMED, SEARCHED])
