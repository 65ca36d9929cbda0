"""Finds the saved searches that a job could fulfil, without running them.

What a search asks for is a list of clauses: of each, a job must hold at least one key, such as the
word `wbake` or the country `cDE`. The clause whose keys are rarest among the jobs is the one that a
search is filed under (`keys`, by a GIN index); those of a single key each are checked on the way
(`required`). A job has all its keys at once, and so a look-up costs what the words of one job cost,
and what it finds.

Keys only rule out. Whether a search that is left really finds the job, the search itself says: so
whatever has no key here (pay, words that must not occur) or is forgotten, costs time, and is no
second opinion.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, literal_column, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs.criteria import JobCriteria
from jobboard.jobs.filters import CHOICES, place_name, place_words, words
from jobboard.jobs.places import parse_location

Clause = frozenset[str]

ANYTHING = "*"  # the key that every job has
WORD, PLACE, TAG, COMPANY = "w", "p", "t", "o"
KINDS = {"country": "c", "remote": "r", "employment_type": "e", "experience": "x"}
# How many jobs of one hold a key that is in no statistics.
USUAL = {WORD: 0.0005, PLACE: 0.001, TAG: 0.0005, COMPANY: 0.0001, "c": 0.02}
COMMON = 0.3
TOKEN = re.compile(r"'((?:[^']|'')*)'(?::[A-D*]+)?|(<(?:-|\d+)>|[&|!()])")

# All keys of a row of `jobs`, whose company is joined.
HELD = literal_column(
    """array_remove(ARRAY['*', 'c' || jobs.country, 'r' || jobs.remote,
        'e' || jobs.employment_type, 'x' || jobs.experience, 'o' || jobs.company_id::text,
        'o' || companies.slug]
    || ARRAY(SELECT 'w' || held FROM unnest(tsvector_to_array(jobs.search)) AS held)
    || ARRAY(SELECT 'p' || held FROM unnest(tsvector_to_array(jobs.place_search)) AS held)
    || ARRAY(SELECT 't' || held FROM unnest(jobs.tags) AS held), NULL)""",
    ARRAY(Text),
)
# PostgreSQL samples them for its plans, for tables that are not tiny.
STATISTICS = text(
    """SELECT attname, value, frequency FROM pg_stats,
        LATERAL (
            SELECT * FROM unnest(most_common_elems::text::text[], most_common_elem_freqs)
            UNION ALL
            SELECT * FROM unnest(most_common_vals::text::text[], most_common_freqs)
            WHERE most_common_elems IS NULL
        ) AS known (value, frequency)
    WHERE schemaname = current_schema() AND tablename = 'jobs' AND value = ANY(:values)
        AND attname = ANY(:columns)"""
)
COLUMNS = {"search": WORD, "place_search": PLACE, "tags": TAG, **KINDS}


class Filed(NamedTuple):
    """What a search is found by."""

    keys: list[str]
    required: list[str]


async def file(session: AsyncSession, data: JobCriteria) -> Filed:
    """Where to file a search. One that nothing can fulfil has no keys."""
    clauses = await _clauses(session, data)
    known = await _frequencies(session, {key for clause in clauses for key in clause})
    best = _cheapest(clauses, known)
    single = {key for clause in clauses if len(clause) == 1 for key in clause}
    return Filed(sorted(best), sorted(single - best))


async def _clauses(session: AsyncSession, data: JobCriteria) -> list[Clause]:
    clauses = [
        frozenset(KINDS[name] + str(value) for value in getattr(data, name))
        for name in CHOICES
        if getattr(data, name)
    ]
    clauses += [frozenset({TAG + tag}) for tag in data.tag]
    if data.company:
        clauses.append(frozenset({COMPANY + _company(data.company)}))
    if data.q:
        clauses += _read(await _written(session, words(data.q)), WORD)
    if data.location:
        clauses += await _of_place(session, data.location)
    return clauses


def _company(slug_or_id: str) -> str:
    try:
        return str(UUID(slug_or_id))
    except ValueError:
        return slug_or_id.lower()


async def _of_place(session: AsyncSession, location: str) -> list[Clause]:
    """The place has all words, or lies where they were read to be: as in `jobs/filters.py`."""
    in_words = _read(await _written(session, place_words(location)), PLACE)
    read = parse_location(location)
    certain: list[Clause] = []
    if name := read.city or read.region:
        certain += _read(await _written(session, place_name(name)), PLACE)
    if read.country:
        certain.append(frozenset({KINDS["country"] + read.country}))
    if read.remote:
        certain.append(frozenset({KINDS["remote"] + read.remote}))
    return _either(in_words, certain) if certain else in_words


async def _written(session: AsyncSession, query: ColumnElement) -> str:
    return str(await session.scalar(select(cast(query, Text))) or "")


def _read(query: str, kind: str) -> list[Clause]:
    """The clauses of a tsquery as PostgreSQL writes it; `!` binds first, `|` last. An empty one
    finds nothing: a clause that no job fulfils."""
    tokens = _tokens(query)
    return _any(tokens, kind) if tokens else [frozenset()]


def _tokens(query: str) -> list[str]:
    """Last first. Words begin with a quote."""
    found = (
        match[2] or "'" + match[1].replace("''", "'").replace("\\\\", "\\")
        for match in TOKEN.finditer(query)
    )
    return list(found)[::-1]


def _any(tokens: list[str], kind: str) -> list[Clause]:
    clauses = _all(tokens, kind)
    while tokens and tokens[-1] == "|":
        tokens.pop()
        clauses = _either(clauses, _all(tokens, kind))
    return clauses


def _all(tokens: list[str], kind: str) -> list[Clause]:
    """Words side by side are at least all there."""
    clauses = _one(tokens, kind)
    while tokens and (tokens[-1] == "&" or tokens[-1].startswith("<")):
        tokens.pop()
        clauses = clauses + _one(tokens, kind)
    return clauses


def _one(tokens: list[str], kind: str) -> list[Clause]:
    token = tokens.pop()
    if token == "!":
        _one(tokens, kind)
        return []  # what must not occur is no key
    if token == "(":
        clauses = _any(tokens, kind)
        tokens.pop()
        return clauses
    return [frozenset({kind + token[1:]})]


def _either(one: list[Clause], other: list[Clause]) -> list[Clause]:
    """Every pair of clauses could be one. A few do: of each side the clause of fewest keys."""
    if not one or not other:
        return []
    return [min(one, key=_size) | min(other, key=_size)]


def _size(clause: Clause) -> tuple[int, int]:
    """Fewest keys first; of one each the longest word, which is the rarest as a rule."""
    return len(clause), -max(map(len, clause), default=0)


async def _frequencies(session: AsyncSession, keys: Iterable[str]) -> dict[str, float]:
    """How many jobs of one hold each key, where PostgreSQL's statistics tell."""
    values = sorted({key[1:] for key in keys})
    if not values:
        return {}
    asked = {"values": values, "columns": list(COLUMNS)}
    rows = await session.execute(STATISTICS, asked)
    return {COLUMNS[row.attname] + row.value: row.frequency for row in rows}


def _cheapest(clauses: list[Clause], known: dict[str, float]) -> Clause:
    """The clause that fewest jobs fulfil; where there is none, what all do."""

    def cost(clause: Clause) -> tuple[float, tuple[int, int]]:
        return sum(known.get(key, USUAL.get(key[0], COMMON)) for key in clause), _size(clause)

    return min(clauses, key=cost, default=frozenset({ANYTHING}))
