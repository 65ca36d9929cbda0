"""What people do here: jobs that they see in lists, read, begin to apply to; what they search.

An event names nobody. Its id is a keyed hash of the day, of what was done and of who did it, so
that it is counted once a day however often it is sent, and two events of the same person cannot
be told to be theirs: not by us, and not by who gets hold of the collection.
"""

import re
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from jobboard.analytics.recorder import Recorder, Shelf
from jobboard.analytics.visitors import Visitor
from jobboard.clock import now

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
    """Turns what visitors do into events. Never waits, never fails."""

    def __init__(self, recorder: Recorder, secret: str) -> None:
        self.recorder = recorder
        self._key = blake2b(secret.encode(), digest_size=32, person=b"jobboard events").digest()

    def note(
        self, visitor: Visitor | None, name: Name, *job_ids: UUID, referrer: str | None = None
    ) -> None:
        """Count something that a visitor did with jobs; None is nobody to be counted."""
        if visitor is None:
            return
        at = now()
        for job_id in job_ids:
            event_id = self._id(at, visitor, name, str(job_id))
            self.recorder.record(Event(event_id, at, name, str(job_id), referrer))

    def note_search(self, visitor: Visitor | None, words: str, results: int) -> None:
        """Count a search for words, and how many jobs it found. What looks private is left out."""
        term = " ".join(words.lower().split())
        if visitor is None or not term or len(term) > LONGEST_TERM or PRIVATE.search(term):
            return
        at = now()
        event_id = self._id(at, visitor, "search", term)
        self.recorder.record(Event(event_id, at, "search", term=term, results=results))

    def _id(self, at: datetime, visitor: Visitor, *what: str) -> bytes:
        parts = (at.date().isoformat(), *what, *visitor)
        said = "\0".join(parts).encode(errors="replace")
        return blake2b(said, digest_size=16, key=self._key).digest()


def shelf(database: AsyncDatabase, *, ttl_days: int) -> Shelf:
    """Where events are stored."""
    return Shelf(database[COLLECTION], ttl_days, indexes=[OF_JOB, NAMED, SEARCHED])
