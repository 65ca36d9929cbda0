"""In which order jobs are listed, and the cursors that lead from one page to the next.

An order is up to two lanes, one after the other. In a lane, jobs are sorted by its key (if it has
one), then by (published_at, id), highest first, so that no two jobs tie. A cursor names the last
job of a page by those values: the next page holds what sorts after it, whatever was added or
closed meanwhile.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from types import NoneType
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Double, Select, cast, extract, func, null, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, REAL

from jobboard.jobs.asked import words
from jobboard.jobs.criteria import JobSearch, Sort
from jobboard.jobs.filters import PAY, Column, everything
from jobboard.jobs.models import Job
from jobboard.pagination import (
    decode_cursor,
    encode_cursor,
    read_id,
    read_moment,
    wrong_cursor,
)

WEIGHTS = [0.1, 0.2, 0.4, 1.0]  # of the text, the location, tags and company, the title
HALF_LIFE = 30 * 86_400  # seconds; a job this much older must match twice as well
FAINTEST = 1e-6  # matches by exclusions alone have rank 0, which has no logarithm
OTHERS = -1  # the key, in cursors, of jobs in the second lane of the salary sort
KEYS = {Sort.RELEVANCE: float, Sort.NEWEST: NoneType, Sort.SALARY: int}
LEAD = re.compile(r"([A-Z]{3})?")


@dataclass(frozen=True, slots=True)
class Mark:
    """The last job of a page. `lead` is the currency that sort=salary puts first, or empty;
    `first` are the featured jobs that began the first page."""

    key: float | int | None
    published_at: datetime
    id: UUID
    lead: str = ""
    first: tuple[UUID, ...] = ()


def score(q: str) -> ColumnElement[float]:
    """How well a job matches, and how new it is: ln(ts_rank) + ln(2) * published_at / HALF_LIFE.

    The order is that of ts_rank * 2 ** (-age / HALF_LIFE) at any moment: age shifts all jobs
    alike, so the score needs no clock and pages stay stable.
    """
    rank = func.ts_rank(cast(WEIGHTS, ARRAY(REAL)), Job.search, words(q))
    match = func.ln(cast(func.greatest(rank, FAINTEST), Double))
    published = cast(extract("epoch", Job.published_at), Double)
    return match + published * (math.log(2) / HALF_LIFE)


def lanes(
    data: JobSearch, lead: str | None, after: Mark | None, first: Collection[UUID] = ()
) -> list[Select]:
    """Statements for the rest of the list after a mark, to be read one after the other.

    Each gives (id, key) of at most `limit` jobs and one more, which tells that there is more.
    With sort=salary come the jobs paid in the lead currency, the best paid first, then all others,
    the newest first: plain figures of different currencies do not compare.
    """
    found = everything(data)
    if first:
        found.append(Job.id.not_in(first))
    if data.order is Sort.RELEVANCE and data.q:
        return [_lane(data, found, score(data.q), after)]
    if data.order is not Sort.SALARY or not lead:
        return [_lane(data, found, None, after)]
    paid = [*found, Job.currency == lead, PAY.is_not(None)]
    others = [*found, Job.currency.is_distinct_from(lead) | PAY.is_(None)]
    if after and after.key == OTHERS:
        return [_lane(data, others, None, after)]
    return [_lane(data, paid, PAY, after), _lane(data, others, None, None)]


def _lane(
    data: JobSearch,
    conditions: list[ColumnElement[bool]],
    key: ColumnElement[Any] | None,
    after: Mark | None,
) -> Select:
    columns: list[Column] = [Job.published_at, Job.id]
    if key is not None:
        columns.insert(0, key)
    shown = null() if key is None else key
    statement = (
        select(Job.id, shown.label("key"))
        .where(*conditions)
        .order_by(*(column.desc() for column in columns))
        .limit(data.limit + 1)
    )
    if after is None:
        return statement
    last = (after.key, after.published_at, after.id)[-len(columns) :]
    return statement.where(tuple_(*columns) < last)


def write_cursor(data: JobSearch, last: Mark) -> str:
    """The cursor of the page that ends with this job."""
    key = OTHERS if data.order is Sort.SALARY and last.key is None else last.key
    moment = last.published_at.isoformat()
    first = " ".join(each.hex for each in last.first)
    return encode_cursor(data.fingerprint(), key, moment, str(last.id), last.lead, first)


def read_cursor(data: JobSearch) -> Mark | None:
    """Where the page begins; None on the first. Raises Invalid unless this search wrote it."""
    if data.cursor is None:
        return None
    shape = (str, KEYS[data.order], str, str, str, str)
    fingerprint, key, moment, job_id, lead, first = decode_cursor(data.cursor, *shape)
    if fingerprint != data.fingerprint() or not _storable(key) or not LEAD.fullmatch(lead):
        raise wrong_cursor()
    above = tuple(read_id(each) for each in first.split())
    return Mark(key, read_moment(moment), read_id(job_id), lead, above)


def _storable(key: float | int | None) -> bool:
    """JSON holds numbers that a column does not: larger ones, and NaN."""
    return key is None or -(2**63) <= key < 2**63
