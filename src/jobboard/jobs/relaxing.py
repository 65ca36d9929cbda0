"""What a search would find that asked for less: shown where it finds next to nothing.

Only what finds more is told, and at least how much: up to CAP of each, newest first, and no further
way is tried after PATIENCE.
"""

from collections.abc import Iterable, Iterator
from time import monotonic
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs.atoms import parse, plain_words
from jobboard.jobs.criteria import HOW, JobSearch, UndisclosedPay
from jobboard.jobs.near import FARTHEST
from jobboard.jobs.search import JobSearchResult, Relaxation, Total, how_many

FEW = 5  # jobs; who finds so many needs no help
CAP = 100  # jobs that are counted of each way
TRIED, TOLD = 12, 6  # ways
PATIENCE = 0.08  # seconds, after which no further way is tried
RADII = (25, 50, 100, 200, FARTHEST)  # km
WORDS = 5  # of `q`, each of which is left out once
AROUND = ("location", "radius_km", "include_remote")

Changes = dict[str, Any]


async def relaxed(
    session: AsyncSession, data: JobSearch, result: JobSearchResult
) -> JobSearchResult:
    """The first page of a search, with ways to find more if it finds few: wider circles first, then
    what finds most. Those of a corrected search change `q` as well: the words as they were typed
    may find something of their own there."""
    corrected: Changes = {}
    total = result.total
    if result.correction and result.correction.partial:
        total = Total(value=0, relation="eq")  # is what the search itself finds
    elif result.correction and result.correction.applied:
        corrected = {"q": result.correction.q}
    if data.cursor or total.relation != "eq" or total.value >= FEW:
        return result
    data = data.asking(**corrected)
    tried = list(_ways(data))[:TRIED]  # may read the gazetteer, once in a process
    found = await _finding_more(session, data, total.value, tried)
    if not found:  # then more than one filter is in the way
        alone = [changes for changes in _alone(data) if changes not in tried]
        found = await _finding_more(session, data, total.value, alone)
    ways = [way if "q" in way.changes else _with(way, corrected) for way in found]
    return result.model_copy(update={"relaxations": sorted(ways, key=_worth)[:TOLD]})


async def _finding_more(
    session: AsyncSession, data: JobSearch, jobs: int, tried: Iterable[Changes]
) -> list[Relaxation]:
    found, end = [], monotonic() + PATIENCE
    for changes in tried:
        if monotonic() > end:
            break
        total = await how_many(session, data.asking(**changes), cap=CAP)
        if total.value > jobs:
            found.append(Relaxation(changes=changes, total=total))
    return found


def _with(way: Relaxation, corrected: Changes) -> Relaxation:
    return way.model_copy(update={"changes": way.changes | corrected})


def _worth(way: Relaxation) -> tuple[bool, int]:
    return "radius_km" not in way.changes or "location" in way.changes, -way.total.value


def _ways(data: JobSearch) -> Iterator[Changes]:
    """Changes after which something is still asked, and around a town that is certain."""
    for changes in [*_places(data), *_filters(data), *_fewer_words(data)]:
        other = data.asking(**changes)
        if _asks(other) and (not other.radius_km or _has_centre(other)):
            yield changes


def _alone(data: JobSearch) -> Iterator[Changes]:
    """Only its words, and only its place."""
    asked = data.model_dump(exclude=HOW | {"currency", "exact"}, exclude_defaults=True)
    for kept in ({"q"}, {"location"}):
        if kept < asked.keys():
            yield {name: None for name in asked if name not in kept}


def _asks(data: JobSearch) -> bool:
    return bool(data.model_dump(exclude=HOW | {"currency", "exact"}, exclude_defaults=True))


def _has_centre(data: JobSearch) -> bool:
    try:
        data.centre()
    except ValueError:
        return False
    return True


def _places(data: JobSearch) -> Iterator[Changes]:
    if not data.location:
        return
    if _has_centre(data):
        wider = [km for km in RADII if km > (data.radius_km or 0)]
        yield from ({"radius_km": km} for km in wider[:2])
    if not data.include_remote:
        yield {"include_remote": True}
    yield dict.fromkeys(AROUND)


def _filters(data: JobSearch) -> Iterator[Changes]:
    """Without each filter; without each of the tags, all of which a job must have."""
    for name in ("remote", "employment_type", "experience", "country", "company", "posted_within"):
        if getattr(data, name):
            yield {name: None}
    if data.salary_min is not None or data.undisclosed_pay is UndisclosedPay.EXCLUDE:
        yield {"salary_min": None, "undisclosed_pay": None}
    for tag in data.tag:
        yield {"tag": [other for other in data.tag if other != tag] or None}


def _fewer_words(data: JobSearch) -> Iterator[Changes]:
    """Without each of its words, and without all of them."""
    if not data.q:
        return
    places = list(plain_words(data.q))
    if len(places) > 1 == len(parse(data.q)):  # of alternatives, none asks for less
        for start, end in places[:WORDS]:
            left = " ".join(f"{data.q[:start]} {data.q[end:]}".split())
            yield {"q": left}
    yield {"q": None}
