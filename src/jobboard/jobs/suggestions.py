"""What somebody may be about to type: titles, skills, companies and places that begin so.

The terms of live jobs (`vocabulary.py`), the commonest first. Each term has a level, the binary
logarithm of how many jobs have it; one index holds kind, level and key. So a statement asks each
level from the highest on for a few terms that begin so, until it has enough: it reads about as many
rows as it gives, whether one letter was typed or twenty, of a hundred terms or a million.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from itertools import zip_longest
from typing import Annotated, Any

from babel import Locale
from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from sqlalchemy import Row, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.schema import Input

MOST = 20
END = "\U0010ffff"  # sorts after every letter
FOUND = text(
    """
WITH asked AS (SELECT jobboard_folded(rtrim(:q, ' ,')) AS start)
SELECT each.kind, found.shown, found.jobs
  FROM asked, unnest(CAST(:kinds AS text[])) AS each (kind), LATERAL (
       SELECT one.shown, one.jobs FROM generate_series(24, 0, -1) AS step (level), LATERAL (
              SELECT shown, jobs FROM terms
               WHERE kind = each.kind AND level = step.level
                 AND key >= asked.start AND key < asked.start || :end
               ORDER BY key LIMIT :limit) AS one
        LIMIT :limit) AS found
 UNION ALL
SELECT kind, shown, jobs FROM terms WHERE kind = 'country' AND key = ANY(:countries)
"""
).bindparams(
    bindparam("kinds", type_=ARRAY(Text)), bindparam("countries", type_=ARRAY(Text)), end=END
)


class SuggestionKind(StrEnum):
    """What a suggestion is: for `q` of a search a title, a skill or a company; for `location` a
    place."""

    TITLE = "title"
    SKILL = "skill"
    COMPANY = "company"
    PLACE = "place"


class SuggestionSearch(Input):
    """What has been typed so far."""

    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] = (
        Field(examples=["bak"], description="How it begins. Accents and capitals do not matter.")
    )
    kind: Annotated[
        list[SuggestionKind], AfterValidator(lambda kinds: list(dict.fromkeys(kinds)))
    ] = Field(list(SuggestionKind), min_length=1, max_length=10, description="Any of these.")
    limit: int = Field(8, ge=1, le=MOST, description="Suggestions, the kinds taking turns.")


class Suggestion(BaseModel):
    """Something to search for, and about how many live jobs have it."""

    kind: SuggestionKind
    text: str = Field(examples=["Baker"])
    jobs: int


class Suggestions(BaseModel):
    """What begins so: by kind, of each the commonest first."""

    items: list[Suggestion]


async def suggest(session: AsyncSession, data: SuggestionSearch) -> Suggestions:
    """Terms of live jobs that begin so."""
    places = SuggestionKind.PLACE in data.kind
    asked: dict[str, Any] = {
        "q": data.q,
        "kinds": [kind.value for kind in data.kind],
        "limit": data.limit,
        "countries": _countries(data.q) if places else [],
    }
    found = map(_read, await session.execute(FOUND, asked))
    return Suggestions(items=_mixed(found, data.limit))


def _mixed(found: Iterable[Suggestion], limit: int) -> list[Suggestion]:
    """The kinds take turns until there are so many; then like stands with like."""
    by_kind: dict[SuggestionKind, list[Suggestion]] = {kind: [] for kind in SuggestionKind}
    said: set[str] = set()
    for each in sorted(found, key=lambda each: -each.jobs):
        by_kind[each.kind].append(each)
    turns = [each for row in zip_longest(*by_kind.values()) for each in row if each]
    taken: list[Suggestion] = []
    for each in turns:
        if len(taken) < limit and each.text.lower() not in said:
            said.add(each.text.lower())
            taken.append(each)
    order = list(SuggestionKind)
    return sorted(taken, key=lambda each: (order.index(each.kind), -each.jobs))


def _read(row: Row[Any]) -> Suggestion:
    if row.kind == "country":
        return Suggestion(kind=SuggestionKind.PLACE, text=_name(row.shown), jobs=row.jobs)
    if row.kind == "place":
        city, _, country = row.shown.rpartition("|")
        words = f"{city}, {_name(country)}"
        return Suggestion(kind=SuggestionKind.PLACE, text=words, jobs=row.jobs)
    return Suggestion(kind=SuggestionKind(row.kind), text=row.shown, jobs=row.jobs)


@cache
def _names() -> dict[str, str]:
    """Of countries, by their codes."""
    territories = Locale("en").territories
    return {code: name for code, name in territories.items() if len(code) == 2}


def _name(code: str) -> str:
    return _names().get(code, code)


def _countries(q: str) -> list[str]:
    """The codes of countries whose names begin so, as keys of terms."""
    start = q.casefold()
    return [code.lower() for code, name in _names().items() if name.casefold().startswith(start)]
