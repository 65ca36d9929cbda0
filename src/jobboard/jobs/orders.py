"""In which order jobs are listed, and the cursors that lead from one page to the next.

The newest come first; or the best paid (`bestpaid.py`); or the best matches. Equals are sorted by
(published_at, id), highest first, so that no two jobs tie. A cursor names the last job of a page by
those values: the next page holds what sorts after it, whatever was added or closed meanwhile.

The best of a million matches cannot be told without looking at each. Up to RANKED are sorted by
`score` all together. Where there are more, those come first that hold all words without their
descriptions (lane `head`), then all others (`rest`); of each lane the newest RANKED are sorted by
score, then the next (a Window). Cursors name the edges of their window, so that pages hold still.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Double,
    Integer,
    Select,
    all_,
    bindparam,
    cast,
    extract,
    func,
    literal,
    literal_column,
    not_,
    null,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, REAL
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from jobboard.jobs import walk
from jobboard.jobs.asked import once, read_one, words
from jobboard.jobs.criteria import JobSearch, Sort
from jobboard.jobs.estimates import HEAD, Expected
from jobboard.jobs.live import LiveJob
from jobboard.pagination import (
    decode_cursor,
    encode_cursor,
    read_id,
    read_moment,
    wrong_cursor,
)

WEIGHTS = [0.1, 0.2, 0.4, 1.0]  # of the text, the location, tags and company, the title
TITLE_ALONE, BY_LENGTH = [0.0, 0.0, 0.0, 1.0], 2  # for ts_rank: by how many words there are
ALL = 3.0  # for a title that has all words; for all in title, tags, company and place as well
FIT = 2.0  # how much it counts that a title says nothing else
NO_FIT = 0.02  # what a title counts for that has none of the words
HALF_LIFE = 30 * 86_400  # seconds; a job this much older must match twice as well
FAINTEST = 1e-6  # matches by exclusions alone have rank 0, which has no logarithm
RANKED = 500  # jobs that are sorted by score at once
CAME_LATER = 4  # times as many, where some came into a window since its first page
BEST = 2.0**62  # a key above every score
KEYS = {Sort.RELEVANCE: float, Sort.NEWEST: NoneType, Sort.SALARY: int}
# Of sort=salary: see bestpaid.py.
GROUP = re.compile(r"compared( [0-9]{1,3})?|alone [A-Z]{3}( [0-9]{1,3})?|others")
NO_KEY = 0  # in cursors, of jobs whose pay is not known
EDGE = re.compile(r"(\d{1,17})-([0-9a-f]{32})")
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)

Edge = tuple[datetime, UUID]
Lane = Literal["all", "head", "rest"]
LANES: tuple[Lane, ...] = ("all", "head", "rest")


@dataclass(frozen=True, slots=True)
class Window:
    """Matches that are sorted by score: those of a lane below `high`, down to `low`."""

    lane: Lane
    high: Edge | None = None
    low: Edge | None = None

    @property
    def may_stop(self) -> bool:
        """Whether a walk through it may end for lack of time: not where it was walked before, by
        the page before or by the count, since the rest of it would be lost."""
        return self.lane != "all" and self.low is None

    def next(self, low: Edge | None, jobs: int) -> "Window | None":
        """What comes after it, once it is known to hold so many jobs down to `low`."""
        if self.lane != "all" and low and (self.low or jobs >= RANKED):
            return Window(self.lane, high=low)
        return Window("rest") if self.lane == "head" else None


@dataclass(frozen=True, slots=True)
class Mark:
    """The last job of a page. `group` is that of sort=salary, of those alone with the currency;
    `first` are the featured jobs that began the first page; `window` is of the best matches."""

    key: float | int | None
    published_at: datetime
    id: UUID
    group: str = ""
    first: tuple[UUID, ...] = ()
    window: Window | None = None


def score(data: JobSearch, row: Any) -> ColumnElement[float]:
    """How well a job matches, and how new it is: ln(ts_rank) + FIT * ln(share) + ALL * whole +
    ln(2) * published_at / HALF_LIFE, where `share` is the title's own ts_rank by its length.

    The order is that of the match * 2 ** (-age / HALF_LIFE) at any moment: age shifts all jobs
    alike, so the score needs no clock and pages stay stable. `make bench-relevance` weighs it.
    """
    rank = func.ts_rank(cast(WEIGHTS, ARRAY(REAL)), row.search, once(words(data)))
    match = func.ln(cast(func.greatest(rank, FAINTEST), Double))
    title = func.ts_filter(row.head, literal_column("CAST('{a}' AS \"char\"[])"))
    asked = once(words(data))
    share = func.ts_rank(cast(TITLE_ALONE, ARRAY(REAL)), title, asked, BY_LENGTH)
    fit = func.ln(cast(share, Double) + NO_FIT) * FIT
    in_title, in_head = (part.bool_op("@@")(asked) for part in (title, row.head))
    whole = (cast(in_title, Integer) + cast(in_head, Integer)) * ALL
    published = cast(extract("epoch", row.published_at), Double)
    return match + fit + whole + published * (math.log(2) / HALF_LIFE)


def best(
    data: JobSearch,
    window: Window,
    after: Mark | None,
    first: Collection[UUID],
    expected: Expected,
) -> Select:
    """(id, key) of the best matches of a window below a mark, a page of them and one more; in each
    row the window's last job (low_at, low_id), how many it has, and `until` where the walk had to
    stop. Without an id: none is left.
    """
    found = walk.newest_until(
        [LiveJob.id, LiveJob.published_at, LiveJob.search, LiveJob.head],
        [*_lane(data, window, expected), *unless(first)],
        _spans(data, None, window, expected),
        RANKED if window.may_stop else RANKED * CAME_LATER,
        may_stop=window.may_stop,
    )
    some = found.cte("some").prefix_with("MATERIALIZED")
    stop = select(func.max(some.c.until).label("until")).cte("stop")
    edge = (
        select(
            some.c.published_at.label("low_at"),
            some.c.id.label("low_id"),
            func.count().over().label("jobs"),
        )
        .where(some.c.id.is_not(None))
        .order_by(some.c.published_at, some.c.id)
        .limit(1)
        .cte("edge")
    )
    scored = select(some.c.id, some.c.published_at, score(data, some.c).label("key"))
    scored = scored.where(some.c.id.is_not(None))
    page = _page(scored.subquery("scored"), data.limit, after).subquery("page")
    beside = stop.outerjoin(edge, literal(True)).outerjoin(page, literal(True))
    return select(page.c.id, page.c.key, edge, stop.c.until).select_from(beside)


def _page(scored: Any, limit: int, after: Mark | None) -> Select:
    columns = (scored.c.key, scored.c.published_at, scored.c.id)
    page = select(scored.c.id, scored.c.key).order_by(*(column.desc() for column in columns))
    if after:
        key = cast(bindparam("after_key", after.key), Double)
        page = page.where(tuple_(*columns) < tuple_(key, *_mark(after)))
    return page.limit(limit + 1)


def _mark(after: Mark) -> list[ColumnElement[Any]]:
    at, job_id = bindparam("after_at", after.published_at), bindparam("after_id", after.id)
    return [cast(at, DateTime(timezone=True)), cast(job_id, PG_UUID)]


def _lane(data: JobSearch, window: Window, expected: Expected) -> list[ColumnElement[bool]]:
    place = tuple_(LiveJob.published_at, LiveJob.id)
    conditions = expected.in_head(data) if window.lane == "head" else expected.conditions(data)
    if window.lane == "rest":
        conditions.append(not_(LiveJob.head.bool_op("@@")(once(words(data)))))
    if window.high:
        conditions.append(place < _edge("high", window.high))
    if window.low:
        conditions.append(place >= _edge("low", window.low))
    return conditions


def _edge(name: str, edge: Edge) -> Any:
    at, job_id = bindparam(f"{name}_at", edge[0]), bindparam(f"{name}_id", edge[1])
    return tuple_(cast(at, DateTime(timezone=True)), cast(job_id, PG_UUID))


def parameters(
    data: JobSearch,
    after: Mark | None,
    first: Collection[UUID],
    window: Window | None,
    expected: Expected,
) -> dict[str, Any]:
    """Of the statements `best` and of the newest: what changes from one question to the next."""
    edges = {"high": window.high, "low": window.low} if window else {}
    values: dict[str, Any] = {**read_one(data), **expected.named(data)}
    if keys := _spans(data, after, window, expected):
        values["spans"] = keys
    for name, edge in edges.items():
        if edge:
            values |= {f"{name}_at": edge[0], f"{name}_id": edge[1]}
    if after:
        values |= {"after_at": after.published_at, "after_id": after.id}
        values |= {"after_key": after.key} if after.key is not None else {}
    return values | ({"first": list(first)} if first else {})


def _spans(
    data: JobSearch, after: Mark | None, window: Window | None, expected: Expected
) -> list[int]:
    if window is None:
        return expected.spans(data, high=after.published_at if after is not None else None)
    high, low = (edge and edge[0] for edge in (window.high, window.low))
    return expected.spans(data, HEAD if window.lane == "head" else "", high, low)


def unless(first: Collection[UUID]) -> list[ColumnElement[bool]]:
    """Without the jobs that stand above."""
    above = bindparam("first", list(first), ARRAY(PG_UUID))
    return [LiveJob.id != all_(above)] if first else []


def newest(
    data: JobSearch, after: Mark | None, first: Collection[UUID], expected: Expected
) -> Select:
    """(id, key) of the newest below a mark, at most `limit` jobs and one more, which tells that
    there is more."""
    return newest_of(data, [*expected.conditions(data), *unless(first)], after, expected)


def newest_of(
    data: JobSearch,
    conditions: list[ColumnElement[bool]],
    after: Mark | None,
    expected: Expected,
) -> Select:
    if after:
        place = tuple_(LiveJob.published_at, LiveJob.id)
        conditions = [*conditions, place < tuple_(*_mark(after))]
    keys = _spans(data, after, None, expected)
    columns = [LiveJob.id, null().label("key")]
    return walk.newest_until(columns, conditions, keys, data.limit + 1)


def going_on(until: int, lane: Lane | None, first: tuple[UUID, ...], group: str = "") -> Mark:
    """Where a list goes on that had to stop there: before the first job that is older."""
    edge = (walk.edge_of(until), UUID(int=0))
    if lane is None:
        return Mark(None, *edge, group, first)
    return Mark(BEST, *edge, group, first, Window(lane, high=edge))


def write_cursor(data: JobSearch, last: Mark) -> str:
    """The cursor of the page that ends with this job."""
    key = NO_KEY if data.order is Sort.SALARY and last.key is None else last.key
    moment = last.published_at.isoformat()
    first = " ".join(each.hex for each in last.first)
    window = [_window_text(last.window)] if last.window else []
    return encode_cursor(data.fingerprint(), key, moment, str(last.id), last.group, first, *window)


def read_cursor(data: JobSearch) -> Mark | None:
    """Where the page begins; None on the first. Raises Invalid unless this search wrote it."""
    if data.cursor is None:
        return None
    shape = [str, KEYS[data.order], str, str, str, str]
    if data.order is Sort.RELEVANCE:
        shape.append(str)
    fingerprint, key, moment, job_id, group, first, *window = decode_cursor(data.cursor, *shape)
    known = GROUP.fullmatch(group) if data.order is Sort.SALARY else not group
    if fingerprint != data.fingerprint() or not _storable(key) or not known:
        raise wrong_cursor()
    above = tuple(read_id(each) for each in first.split())
    mark = Mark(key, read_moment(moment), read_id(job_id), group, above)
    return replace(mark, window=_read_window(window[0])) if window else mark


def _window_text(window: Window) -> str:
    return ",".join([window.lane, _edge_text(window.high), _edge_text(window.low)])


def _edge_text(edge: Edge | None) -> str:
    return f"{(edge[0] - BEGINNING) // timedelta(microseconds=1)}-{edge[1].hex}" if edge else ""


def _read_window(text: str) -> Window:
    lane, *edges = text.split(",")
    known: dict[str, Lane] = {each: each for each in LANES}
    if lane not in known or len(edges) != 2:
        raise wrong_cursor()
    return Window(known[lane], *(_read_edge(edge) for edge in edges))


def _read_edge(edge: str) -> Edge | None:
    if not edge:
        return None
    read = EDGE.fullmatch(edge)
    if read is None:
        raise wrong_cursor()
    return BEGINNING + timedelta(microseconds=int(read[1])), UUID(read[2])


def _storable(key: float | int | None) -> bool:
    """JSON holds numbers that a column does not: larger ones, and NaN."""
    return key is None or -(2**63) <= key < 2**63
