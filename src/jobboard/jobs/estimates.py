"""About how many jobs a search finds, before it looks: PostgreSQL's statistics know each word and
each choice of a filter, and take them for independent. Where they are not, a walk begins with too
long or too short a span, and finds the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import CTE, Row, Select, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.jobs import walk
from jobboard.jobs.asked import Condition, matched, once, words
from jobboard.jobs.criteria import JobSearch
from jobboard.jobs.filters import CHOICES, countable, everything, matching, named, within_reach
from jobboard.jobs.kept import explained
from jobboard.jobs.live import LiveJob
from jobboard.jobs.words import begins, excludes, finds_without

HEAD = "head"  # what has all words without its description
WORDS = "words"
COMMON = 6  # where one job of so many has a word that begins so, rows are read instead of the index


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a search should look.

    `jobs`: about how many it finds, by the name "", without descriptions by HEAD, and for the facet
    of each filter that is used, without that one; as `walk.as_busy` has them. `newest`: when the
    newest live job was posted. `by_words`: so few jobs have the words that the index need not know
    of filters. `in_rows`: so many begin like a word that the index need not know of words: it would
    have to gather all that begin so, for each span; or it would have to gather all jobs, because
    some are found for words that they do not have.
    """

    jobs: Mapping[str, float]
    newest: datetime
    by_words: bool = False
    in_rows: bool = False

    def shape(self, data: JobSearch) -> tuple[bool, ...]:
        """What its conditions depend on beside the parameters."""
        return self.by_words, self.in_rows, excludes(data.words or "")

    def spans(
        self,
        data: JobSearch,
        part: str = "",
        high: datetime | None = None,
        low: datetime | None = None,
    ) -> list[int]:
        """The spans that a walk looks at: of what the search asks, between two moments."""
        oldest = [low] if low else []
        if data.posted_within:
            oldest.append(now() - timedelta(days=data.posted_within))
        newest = min(high, self.newest) if high else self.newest
        return walk.spans(self.jobs[part], newest, max(oldest, default=None))

    def named(self, data: JobSearch) -> dict[str, list[str]]:
        """The parameters of `within_reach`."""
        return {} if self.by_words else named(data)

    def conditions(self, data: JobSearch, but: str = "") -> list[Condition]:
        """What is found, and in words of the index; without the filter `but`."""
        reach = [] if self.by_words else within_reach(data, but)
        return [*everything(data, but=but, in_rows=self.in_rows), *reach]

    def in_head(self, data: JobSearch) -> list[Condition]:
        """The same of what has all words without its description. What a head has its job has, too,
        unless words are shut out."""
        head = matched(LiveJob.head, once(words(data)), in_rows=self.in_rows)
        return [*self.conditions(data, "" if excludes(data.words or "") else "words"), head]


async def expect(session: AsyncSession, data: JobSearch, known: Row[Any]) -> Expected:
    """What to expect of a search. `known` are `jobs`, how many are live, about; when the `newest`
    was posted, and the `recent` of walk.RECENT."""
    newest = known.newest or now()
    recent = (newest - known.recent).total_seconds() if known.recent else 0.0
    values = {**countable(data), **named(data)}
    parts = ["", *counted_alone(data)]
    if not values:
        return Expected({"": walk.as_busy(known.jobs, known.jobs, recent)}, newest)
    asked = data.words or ""
    shape = ("estimates", data.facets, finds_without(asked), frozenset(values))
    plan = await explained(session, shape, partial(_every, data, parts), values)
    rows = {step.get("Subplan Name"): step["Plan Rows"] for step in plan["Plans"]}
    found = {part: min(known.jobs, rows[f"CTE {_name(part)}"]) for part in [*parts, HEAD, WORDS]}
    having = found.pop(WORDS)
    jobs = {part: walk.as_busy(number, known.jobs, recent) for part, number in found.items()}
    in_rows = finds_without(asked) or (begins(asked) and having * COMMON > known.jobs)
    by_words = bool(asked) and having <= walk.FEW and not in_rows
    return Expected(jobs, newest, by_words, in_rows)


def counted_alone(data: JobSearch) -> Iterator[str]:
    """The filters whose facets count what the others leave."""
    return (name for name in CHOICES if data.facets and getattr(data, name))


def _every(data: JobSearch, parts: list[str]) -> Select:
    # How many have none of some words, PostgreSQL guesses badly: as many as if nobody asked.
    without = finds_without(data.words or "")
    others = matching(data, but="words")
    matches = others if without else matching(data)
    head = LiveJob.head.bool_op("@@")(words(data)) if data.words and not without else true()
    every = [
        _rows(WORDS, matching(data)),
        _rows(HEAD, [*others, *within_reach(data), head]),
        *(_rows(part, [*matches, *within_reach(data, part)]) for part in parts),
    ]
    return select(union_all(*map(select, every)).subquery())


def _rows(part: str, conditions: list[Any]) -> CTE:
    rows = select(LiveJob.id).where(*conditions)
    return rows.cte(_name(part)).prefix_with("MATERIALIZED")


def _name(part: str) -> str:
    return f"rows_{part}"
