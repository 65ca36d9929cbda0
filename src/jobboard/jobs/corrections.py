"""The search that forgives typing: where `q` finds nothing, what was likely meant is searched.

`search` here is the one of `search.py` for people; saved searches ask for what they say. What has
hits is never replaced: of few hits it is only said what else may have been meant. Nor are words
that any title, tag or company has. Where that finds nothing, too, the jobs with most of the words
are shown, else those with any of them.
"""

from collections.abc import Iterable
from time import monotonic

from pydantic import ValidationError
from sqlalchemy import BigInteger, Boolean, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs import search as searching
from jobboard.jobs import walk
from jobboard.jobs.atoms import bare_words, loosened
from jobboard.jobs.criteria import MAX_WORDS, JobCriteria, JobSearch
from jobboard.jobs.search import Correction, JobSearchResult
from jobboard.jobs.spelling import MOST, Known, Word, mended, pairs, spots
from jobboard.jobs.words import understand
from jobboard.pagination import MAX_CURSOR, decode_cursor, encode_cursor, wrong_cursor

FEW = 5  # hits; with as many nobody asks what else was meant
BETTER = 3  # times as many hits must have what is only suggested
RARE = 5  # jobs; a word that more have is meant
MANY = 1_000_000  # jobs, roughly, among which a word is looked for: any large number will do
COMMONER = 20  # times as common as the rarest is what says nothing: "senior" of a "senior pilot"
PATIENCE = 0.15  # seconds from the beginning, after which no way to ask for fewer words is tried
SEAM = "."  # in a cursor, between that of the corrected search and what it is a correction of
# Of each word: how many jobs have it, what is near to it, and the two words that it may be.
KNOWN = text(
    """
WITH given AS MATERIALIZED (
    SELECT written, alone, key,
           jobboard_slips(key, CASE WHEN length(key) < 8 THEN 1 ELSE 2 END) AS slips
      FROM (SELECT written, alone, jobboard_folded(written) AS key
              FROM unnest(CAST(:words AS text[]), CAST(:alone AS boolean[]))
                   AS each (written, alone)
            OFFSET 0) AS folded)
SELECT written, given.key, alone, coalesce(own.jobs, 0) AS jobs,
       (SELECT jsonb_agg(jsonb_build_array(key, shown, jobs, 0))
          FROM (SELECT key, shown, jobs FROM terms
                 WHERE terms.slips && given.slips
                   AND abs(length(key) - length(given.key)) <= 2 AND key <> given.key
                   AND alone AND coalesce(own.jobs, 0) <= :rare
                 ORDER BY jobs DESC LIMIT 100) AS near) AS near,
       (SELECT jsonb_build_array(one.key || ' ' || other.key, one.shown || ' ' || other.shown,
                                 least(one.jobs, other.jobs), 1)
          FROM generate_series(3, length(given.key) - 3) AS at
          JOIN terms AS one ON one.kind = 'word' AND one.key = left(given.key, at)
          JOIN terms AS other ON other.kind = 'word' AND other.key = substr(given.key, at + 1)
         WHERE alone AND own.jobs IS NULL
         ORDER BY least(one.jobs, other.jobs) DESC LIMIT 1) AS two
  FROM given
  LEFT JOIN terms AS own ON own.kind = 'word' AND own.key = given.key
"""
).bindparams(
    bindparam("words", type_=ARRAY(Text)),
    bindparam("alone", type_=ARRAY(Boolean)),
    bindparam("rare", RARE),
)

# Those of several queries that find something: a common one in the first span, a rare one in few.
ANYWHERE = text(
    """
SELECT words FROM unnest(CAST(:queries AS text[])) AS asked (words)
 WHERE EXISTS (
       SELECT FROM unnest(CAST(:spans AS bigint[])) AS span (key), LATERAL (
              SELECT FROM live_jobs
               WHERE times @> ARRAY[span.key] AND search @@ CAST(asked.words AS tsquery)
                 AND expires_at > now()
               LIMIT 1) AS hit)
"""
).bindparams(bindparam("queries", type_=ARRAY(Text)), bindparam("spans", type_=ARRAY(BigInteger)))


async def search(session: AsyncSession, data: JobSearch) -> JobSearchResult:
    """One page of the jobs that fulfil every criterion, or, where `q` has none, of those that were
    likely meant. Raises Invalid for a wrong cursor."""
    if data.cursor and SEAM in data.cursor:
        return await _later_page(session, data)
    began = monotonic()
    result = await searching.search(session, data)
    if not data.q or data.exact or data.cursor or result.no_words or not _few(result):
        return result
    known = await _known(session, data.q)
    sure = mended(data.q, known, rare=False) if not result.total.value else None
    if sure and (corrected := await _corrected(session, data, sure)):
        return corrected
    if not result.total.value and (some := await _with_some(session, data, sure or data.q, began)):
        return some
    likely = mended(data.q, known, rare=True)
    if not likely or likely == sure:
        return result
    return await _suggested(session, result, data, likely)


def _few(result: JobSearchResult) -> bool:
    return result.total.relation == "eq" and result.total.value < FEW


def _asking(data: JobSearch, q: str, cursor: str | None = None) -> JobSearch | None:
    """The same search for other words; None where they are too many, or no words."""
    asked = data.model_dump(exclude_defaults=True, exclude={"cursor"})
    try:
        return JobSearch.model_validate({**asked, "q": q, "cursor": cursor})
    except ValidationError:
        return None


async def _corrected(
    session: AsyncSession, data: JobSearch, q: str, *, partial: bool = False
) -> JobSearchResult | None:
    """The first page of what was meant, if it finds anything; so do the others that follow it."""
    fixed = _asking(data, q)
    tail = encode_cursor(data.fingerprint(), q, partial)
    if fixed is None or len(tail) > MAX_CURSOR:
        return None
    result = await searching.search(session, fixed)
    return _told(result, q, partial, tail) if result.total.value else None


async def _with_some(
    session: AsyncSession, data: JobSearch, q: str, began: float
) -> JobSearchResult | None:
    """The first page of jobs that have most of the words, else of those that have any; no further
    way is tried once it is late."""
    read = await understand(session, [JobCriteria(q=word) for word in bare_words(q)[:MAX_WORDS]])
    words = [each.q for each in read if each.q and each.words][:MOST]
    known = await _known(session, " ".join(words))
    counts = {word: known[word].jobs for word in words if word in known and known[word].jobs}
    rarest = min(counts.values(), default=0)
    common = {word for word, jobs in counts.items() if jobs > COMMONER * rarest}
    for loose in loosened(words, common):
        if monotonic() - began > PATIENCE:
            return None
        if result := await _corrected(session, data, loose, partial=True):
            return result
    return None


async def _suggested(
    session: AsyncSession, result: JobSearchResult, data: JobSearch, q: str
) -> JobSearchResult:
    """The same result, and the other search, if it finds many more."""
    fixed = _asking(data, q)
    if fixed is None:
        return result
    if (await searching.how_many(session, fixed)).value <= BETTER * result.total.value:
        return result
    return result.model_copy(update={"correction": Correction(q=fixed.q or "", applied=False)})


async def _later_page(session: AsyncSession, data: JobSearch) -> JobSearchResult:
    """A page after the first of a corrected search. Raises Invalid."""
    cursor, tail = (data.cursor or "").split(SEAM, 1)
    fingerprint, q, partial = decode_cursor(tail, str, str, bool)
    fixed = _asking(data, q, cursor)
    if fixed is None or fingerprint != data.fingerprint():
        raise wrong_cursor()
    return _told(await searching.search(session, fixed), q, partial, tail)


def _told(result: JobSearchResult, q: str, partial: bool, tail: str) -> JobSearchResult:
    cursor = result.next_cursor and f"{result.next_cursor}{SEAM}{tail}"
    correction = Correction(q=q, applied=True, partial=partial)
    return result.model_copy(update={"correction": correction, "next_cursor": cursor})


async def _known(session: AsyncSession, q: str) -> dict[str, Known]:
    """What the vocabulary and the jobs know of the words of `q`, and of two as one."""
    alone = {spot.word: True for spot in spots(q)}
    every = {whole: False for _, whole in pairs(q)} | alone
    rows = await session.execute(KNOWN, {"words": list(every), "alone": list(every.values())})
    known = {
        row.written: Known(
            row.key,
            row.jobs,
            row.jobs > 0,
            [Word(*near) for near in [*(row.near or []), *([row.two] if row.two else [])]],
        )
        for row in rows
    }
    unknown = [word for word in alone if not known[word].jobs]
    for word in await _found_anywhere(session, unknown):
        known[word] = known[word]._replace(anywhere=True)
    return known


async def _found_anywhere(session: AsyncSession, written: Iterable[str]) -> set[str]:
    """Those of some words that live jobs have, in their texts perhaps; what is too common to be
    searched by counts as found."""
    asked = await understand(session, [JobCriteria(q=word) for word in written])
    queries = {each.words for each in asked if each.words}  # "enginer" and "engines" ask the same
    given = {"queries": list(queries), "spans": walk.spans(MANY, walk.soon())}
    found = set(await session.scalars(ANYWHERE, given)) if queries else set()
    return {each.q or "" for each in asked if not each.words or each.words in found}
