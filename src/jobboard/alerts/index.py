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
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
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
AT_ONCE = 100  # searches whose words PostgreSQL reads in one statement
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
    return (await file_all(session, [data]))[0]


async def file_all(session: AsyncSession, searches: Sequence[JobCriteria]) -> list[Filed]:
    """The same for many, in few statements."""
    clauses = [
        each
        for start in range(0, len(searches), AT_ONCE)
        for each in await _clauses(session, searches[start : start + AT_ONCE])
    ]
    keys = {key for each in clauses for clause in each for key in clause}
    known = await _frequencies(session, keys)
    return [_filed(each, known) for each in clauses]


def _filed(clauses: list[Clause], known: dict[str, float]) -> Filed:
    best = _cheapest(clauses, known)
    single = {key for clause in clauses if len(clause) == 1 for key in clause}
    return Filed(sorted(best), sorted(single - best))


async def _clauses(session: AsyncSession, searches: Sequence[JobCriteria]) -> list[list[Clause]]:
    """PostgreSQL reads the words of all of them at once."""
    asked = [list(_queries(data)) for data in searches]
    every = [cast(query, Text) for queries in asked for query in queries]
    written = iter((await session.execute(select(*every))).one()) if every else iter(())
    return [
        [*_of_choices(data), *_of_words(data, list(islice(written, len(queries))))]
        for data, queries in zip(searches, asked, strict=True)
    ]


def _queries(data: JobCriteria) -> Iterator[ColumnElement]:
    """What PostgreSQL reads of a search: the words, those of the place, the name of the place."""
    if data.q:
        yield words(data.q)
    if data.location:
        yield place_words(data.location)
        if name := _name(data.location):
            yield place_name(name)


def _name(location: str) -> str | None:
    read = parse_location(location)
    return read.city or read.region


def _of_choices(data: JobCriteria) -> Iterator[Clause]:
    for name in CHOICES:
        if values := getattr(data, name):
            yield frozenset(KINDS[name] + str(value) for value in values)
    for tag in data.tag:
        yield frozenset({TAG + tag})
    if data.company:
        yield frozenset({COMPANY + _company(data.company)})


def _of_words(data: JobCriteria, written: list[str]) -> list[Clause]:
    clauses: list[Clause] = []
    if data.q:
        clauses += _read(written.pop(0), WORD)
    if data.location:
        in_words, *name = (_read(each, PLACE) for each in written)
        clauses += _of_place(data.location, in_words, name[0] if name else [])
    return clauses


def _of_place(location: str, in_words: list[Clause], name: list[Clause]) -> list[Clause]:
    """The place has all words, or lies where they were read to be: as in `jobs/filters.py`."""
    read = parse_location(location)
    certain = list(name)
    if read.country:
        certain.append(frozenset({KINDS["country"] + read.country}))
    if read.remote:
        certain.append(frozenset({KINDS["remote"] + read.remote}))
    return _either(in_words, certain) if certain else in_words


def _company(slug_or_id: str) -> str:
    try:
        return str(UUID(slug_or_id))
    except ValueError:
        return slug_or_id.lower()


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
