"""Finds the saved searches that a job could fulfil, without running them.

What a search asks for is a list of clauses: of each, a job must hold at least one key, such as the
word `wbake` or the country `cDE`. The clause whose keys are rarest among the jobs is the one that a
search is filed under (`keys`, by a GIN index); those of a single key each are checked on the way
(`required`). A job has all its keys at once, and so a look-up costs what the words of one job cost,
and what it finds.

Pay has keys in steps, in its own currency and in euros: a job holds those of all amounts up to its
own, a search asks for the last one of each below what it wants at least.

Keys only rule out. Whether a search that is left really finds the job, the search itself says: so
whatever has no key here (words that must not occur, the day it was posted) or is forgotten, costs
time, and is no second opinion.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Text, cast, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.locks import FILING
from jobboard.jobs.asked import ANY_OF, QUERIES, many, numbered, read
from jobboard.jobs.criteria import JobCriteria
from jobboard.jobs.filters import reached
from jobboard.jobs.words import understand

Clause = frozenset[str]

ANYTHING = "*"  # the key that every job has
WORD, PLACE, TAG, COMPANY, PAY, MAP = "w", "p", "t", "o", "m", "g"
PAID, UNPAID = PAY + "!", PAY + "?"  # its pay can be read, or not
EUROS = PAY + "="  # in euros: what jobs in all currencies hold for which there is a rate
NO_RATE = EUROS + "-"  # which no job holds
KINDS = {"country": "c", "remote": "r", "employment_type": "e", "experience": "x"}
# How many jobs of one hold a key that is in no statistics, by its kind; and two that never are.
USUAL = {WORD: 0.0005, PLACE: 0.001, TAG: 0.0005, COMPANY: 0.0001, MAP: 0.0002, "c": 0.02, PAY: 0.1}
PAYING = {PAID: 0.8, UNPAID: 0.2}
COMMON = 0.3
AT_ONCE = 1000  # searches whose words PostgreSQL reads in one statement
# Steps of pay, as exact as two bits: m * 2**n from 4 * 2**15 (1,310.72 a year) on.
LOWEST, HIGHEST = 15, 45
TOKEN = re.compile(r"'((?:[^']|'')*)'(:\*)?|(<(?:-|\d+)>|[&|!()])")

# All keys of a row of `live_jobs`, whose company is joined.
HELD = literal_column(
    f"""array_remove(ARRAY['*', 'r' || live_jobs.remote,
        'e' || live_jobs.employment_type, 'x' || live_jobs.experience,
        'o' || live_jobs.company_id::text,
        'o' || companies.slug]
    || ARRAY(SELECT 'w' || held FROM unnest(tsvector_to_array(live_jobs.search)) AS held)
    || ARRAY(SELECT 'p' || held FROM unnest(tsvector_to_array(live_jobs.place_search)) AS held)
    || ARRAY(SELECT 't' || held FROM unnest(live_jobs.tags) AS held)
    || ARRAY(SELECT 'c' || held FROM unnest(live_jobs.countries) AS held)
    || ARRAY(SELECT 'g' || held FROM unnest(live_jobs.kinds) AS held
              WHERE held LIKE 'at:%' OR held LIKE 'from:%')
    || CASE WHEN live_jobs.pay IS NULL OR live_jobs.currency IS NULL
        THEN ARRAY['m?']
        ELSE ARRAY['m!'] || ARRAY(
            SELECT 'm' || kind || step
            FROM (VALUES (live_jobs.currency, live_jobs.pay), ('=', live_jobs.euros))
                    AS paid (kind, amount),
                (SELECT 0 AS step UNION ALL
                 SELECT bits << moved FROM generate_series(4::bigint, 7) AS bits,
                    generate_series({LOWEST}, {HIGHEST}) AS moved) AS steps
            WHERE step <= amount)
        END, NULL)""",
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
    WHERE schemaname = current_schema() AND tablename = 'live_jobs' AND value = ANY(:values)
        AND attname = ANY(:columns)"""
)
COLUMNS = {
    "search": WORD,
    "place_search": PLACE,
    "tags": TAG,
    "kinds": MAP,
    **{"countries" if name == "country" else name: key for name, key in KINDS.items()},
}
ASKED = many()
READING = select(
    *(cast(ASKED.c[name], Text).label(name) for name in QUERIES), ASKED.c.euros
).order_by(ASKED.c.n)


class Filed(NamedTuple):
    """What a search is found by, and what its `q` means, to be held against what it could find."""

    keys: list[str]
    required: list[str]
    words: str | None


async def file(session: AsyncSession, data: JobCriteria) -> Filed:
    """Where to file a search. One that nothing can fulfil has no keys."""
    return (await file_all(session, [data]))[0]


async def file_all(session: AsyncSession, searches: Sequence[JobCriteria]) -> list[Filed]:
    """The same for many, in few statements."""
    # Synonyms that change meanwhile wait: they mark what is filed by them.
    await session.execute(select(func.pg_advisory_xact_lock_shared(FILING)))
    understood = await understand(session, searches)
    clauses = [
        each
        for start in range(0, len(searches), AT_ONCE)
        for each in await _clauses(session, understood[start : start + AT_ONCE])
    ]
    keys = {key for each in clauses for clause in each for key in clause}
    known = await _frequencies(session, keys)
    return [_filed(each, known, data.words) for each, data in zip(clauses, understood, strict=True)]


def _filed(clauses: list[Clause], known: dict[str, float], words: str | None) -> Filed:
    best = _cheapest(clauses, PAYING | known)
    single = {key for clause in clauses if len(clause) == 1 for key in clause}
    return Filed(sorted(best), sorted(single - best), words)


async def _clauses(session: AsyncSession, searches: Sequence[JobCriteria]) -> list[list[Clause]]:
    """PostgreSQL reads the words of all of them at once."""
    readings = [read(data) for data in searches]
    rows = (await session.execute(READING, {"asked": numbered(readings)})).all()
    return [
        [*_of_choices(reading), *_of_pay(reading, row), *_of_words(row), *_of_place(reading, row)]
        for reading, row in zip(readings, rows, strict=True)
    ]


def _of_choices(asked: dict[str, Any]) -> Iterator[Clause]:
    for name in ANY_OF:
        if values := asked.get(name):
            yield frozenset(KINDS[name] + value for value in values)
    for tag in asked.get("tag", ()):
        yield frozenset({TAG + tag})
    if company := asked.get("company_id") or asked.get("company_slug"):
        yield frozenset({COMPANY + company})
    if "near_km" in asked:
        yield frozenset(MAP + kind for kind in reached(asked))


def _of_pay(asked: dict[str, Any], queries: Any) -> Iterator[Clause]:
    if "readable_pay" in asked:
        yield frozenset({PAID})
    if "salary_min" in asked:
        own = f"{PAY}{asked['currency']}{_step(asked['salary_min'])}"
        compared = NO_RATE if queries.euros is None else f"{EUROS}{_step(queries.euros)}"
        yield frozenset({own, compared} | (set() if "readable_pay" in asked else {UNPAID}))


def _step(amount: int) -> int:
    """The last step of pay that is not above it."""
    moved = min(amount.bit_length() - 3, HIGHEST)
    return min(amount >> moved, 7) << moved if moved >= LOWEST else 0


def _of_words(queries: Any) -> list[Clause]:
    return [] if queries.words is None else _read(queries.words, WORD)


def _of_place(asked: dict[str, Any], queries: Any) -> list[Clause]:
    """The place has all words, or lies where they were read to be: as in `jobs/filters.py`."""
    if queries.place is None:
        return []
    certain = [] if queries.place_name is None else _read(queries.place_name, PLACE)
    if country := asked.get("place_country"):
        certain.append(frozenset({KINDS["country"] + country}))
    if remote := asked.get("place_remote"):
        certain.append(frozenset({KINDS["remote"] + remote}))
    in_words = _read(queries.place, PLACE)
    there = _either(in_words, certain) if certain else in_words
    afar = asked.get("from_afar")
    return _either(there, [frozenset(MAP + kind for kind in afar)]) if afar else there


def _read(query: str, kind: str) -> list[Clause]:
    """The clauses of a tsquery as PostgreSQL writes it; `!` binds first, `|` last. An empty one
    finds nothing: a clause that no job fulfils."""
    tokens = _tokens(query)
    return _any(tokens, kind) if tokens else [frozenset()]


def _tokens(query: str) -> list[str]:
    """Last first. Words begin with a quote; what only has to begin so is `*`."""
    found = (
        match[3] or match[2] or "'" + match[1].replace("''", "'").replace("\\\\", "\\")
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
    if token == ":*":
        return []  # it would be many keys
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
