"""The front page: search. All of its state is in the address."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies import queries as companies
from jobboard.errors import Invalid, NotFound
from jobboard.infra.rates import SEARCH, limited
from jobboard.jobs import near, public
from jobboard.jobs.corrections import search
from jobboard.jobs.exchange.translation import Translated, translated
from jobboard.jobs.models import EmploymentType, Experience, Workplace
from jobboard.jobs.search import JobSearch, JobSearchResult, Total
from jobboard.schema import field_errors
from jobboard.web import formatting, places
from jobboard.web.deps import EnginesDep, EventsDep, FreshDep, ReaderDep, ViewerDep
from jobboard.web.money import parse_money
from jobboard.web.rendering import render

router = APIRouter(include_in_schema=False)

Pairs = list[tuple[str, str]]

LISTS = {"country", "remote", "employment_type", "experience", "tag"}
SINGLE = {
    "q",
    "location",
    "radius_km",
    "include_remote",
    "company",
    "posted_within",
    "pay_from",
    "currency",
    "undisclosed_pay",
    "sort",
    "cursor",
    "exact",
}
SHOWN = {"cursor", "sort", "exact"}  # not what is searched, but how
PAY = {"pay_from", "currency", "undisclosed_pay"}  # one filter to a person
PLACE = {"location", "radius_km", "include_remote"}
FILTERS = (  # in the order of the chips; `q` and `location` have their own boxes
    "radius_km",
    "include_remote",
    "company",
    "tag",
    "remote",
    "employment_type",
    "experience",
    "country",
    "posted_within",
    "pay_from",
    "undisclosed_pay",
)
KINDS: dict[str, type[StrEnum]] = {
    "remote": Workplace,
    "employment_type": EmploymentType,
    "experience": Experience,
}
GROUPS = {
    "remote": "Workplace",
    "employment_type": "Contract",
    "experience": "Experience",
    "country": "Country",
}
RADII = ["10", "25", "50", "100", "200"]  # km
AGES = [("1", "Last 24 hours"), ("3", "Last 3 days"), ("7", "Last week"), ("30", "Last month")]
SORTS = [("relevance", "Best match"), ("newest", "Newest first"), ("salary", "Best paid first")]
CURRENCIES = [
    "EUR",
    "USD",
    "GBP",
    "AUD",
    "CAD",
    "CHF",
    "CZK",
    "DKK",
    "INR",
    "JPY",
    "NOK",
    "PLN",
    "SEK",
]
# What a relaxed search is called: with another value, and without one.
SAID = {"radius_km": "Within {} km", "include_remote": "With remote jobs", "q": "“{}”"}
UNSAID = {
    "q": "Without the words",
    "location": "In any place",
    "company": "At any company",
    "posted_within": "Posted at any time",
    "salary_min": "With any pay",
}

BESIDE = {"radius_km", "include_remote", "undisclosed_pay"}  # what goes with another of them


@dataclass(frozen=True, slots=True)
class Choice:
    """A box to tick: how many jobs it would bring, where that is known."""

    value: str
    words: str
    jobs: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that holds, and the address without it."""

    words: str
    href: str


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A search that finds something by asking for less."""

    words: str
    href: str
    total: Total


class Asked:
    """What the address asks for: its pairs, tidied, and the search that they make."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = list(_tidy(pairs))
        self.pay_error = ""
        self.place_error = ""
        self.search = self._search()

    def value(self, name: str) -> str:
        """One parameter as it was typed."""
        return next((value for key, value in self.pairs if key == name), "")

    def values(self, name: str) -> list[str]:
        """All of a parameter that may be there several times."""
        return [value for key, value in self.pairs if key == name]

    def href(self, *, cursor: str | None = None) -> str:
        """The address of this search, of its first page or of the one that a cursor names."""
        kept = [pair for pair in self.pairs if pair[0] != "cursor"]
        if cursor:
            kept.append(("cursor", cursor))
        return "/?" + urlencode(kept) if kept else "/"

    def href_for(self, q: str) -> str:
        """The address of the same search for other words."""
        return self._href([("q", q)])

    def exact_href(self) -> str:
        """The address of this search without corrections."""
        return self._href([("q", self.value("q")), ("exact", "true")])

    def _href(self, words: Pairs) -> str:
        kept = [pair for pair in self.pairs if pair[0] not in {"q", "exact", "cursor"}]
        return "/?" + urlencode([*words, *kept])

    def query(self) -> str:
        """The search alone, without how it is shown."""
        return urlencode([pair for pair in self.pairs if pair[0] not in SHOWN])

    def alert_href(self, q: str) -> str:
        """Where to be told of new jobs that this finds for `q`: every filter goes along."""
        kept = [pair for pair in self.pairs if pair[0] not in SHOWN | {"q"}]
        query = urlencode([*([("q", q)] if q else []), *kept])
        return f"/me/alerts/new?{query}" if query else "/me/alerts/new"

    def bare_href(self) -> str:
        """The address with nothing but the words and the place."""
        boxes = [pair for pair in self.pairs if pair[0] in {"q", "location"}]
        return "/?" + urlencode(boxes) if boxes else "/"

    def less(self, name: str, value: str) -> "Asked":
        """The same search without one of its pairs."""
        dropped = {"pay_from": PAY, "location": PLACE}.get(name, ())
        kept = [pair for pair in self.pairs if pair != (name, value) and pair[0] not in dropped]
        return Asked(kept)

    def changed(self, changes: dict[str, Any]) -> "Asked":
        """The same with other values of some parameters of the API; None leaves one out."""
        gone = {*changes, "cursor", *(PAY if "salary_min" in changes else ())}
        kept = [pair for pair in self.pairs if pair[0] not in gone]
        return Asked([*kept, *(pair for each in changes.items() for pair in _pairs(*each))])

    def filters(self) -> Pairs:
        """The pairs that narrow the search, without those of the two boxes and unreadable pay."""
        unread = {"pay_from": self.pay_error, "radius_km": self.place_error}
        names = [name for name in FILTERS if not unread.get(name)]
        known = [pair for name in names for pair in self.pairs if pair[0] == name]
        return [pair for pair in dict.fromkeys(known) if pair != ("undisclosed_pay", "include")]

    @property
    def asks(self) -> bool:
        """Whether it asks for anything at all."""
        return bool(self.filters() or self.value("q") or self.value("location"))

    def _search(self) -> JobSearch:
        asked: dict[str, Any] = {}
        for name, value in self.pairs:
            if name in LISTS:
                asked.setdefault(name, []).append(value)
            else:
                asked[name] = value
        asked |= {"facets": True, "salary_min": self._pay_from(asked)}
        asked.pop("limit", None)
        self._leave_out_what_has_no_centre(asked)
        try:
            return JobSearch.model_validate(asked)
        except ValidationError as error:
            raise Invalid(errors=field_errors(error.errors())) from None

    def _leave_out_what_has_no_centre(self, asked: dict[str, Any]) -> None:
        """A radius around what is no known town is said beside the field and asks nothing."""
        if "radius_km" not in asked:
            return
        try:
            near.centre(asked["location"], tuple(asked.get("country", ())))
        except ValueError as error:
            self.place_error = str(error)
            del asked["radius_km"]

    def _pay_from(self, asked: dict[str, Any]) -> int | None:
        """Pay in minor units. What cannot be read is said beside the field and asks nothing."""
        if "pay_from" not in asked:
            return None
        asked.setdefault("currency", CURRENCIES[0])
        try:
            return parse_money(asked["pay_from"], asked["currency"])
        except ValueError as error:
            self.pay_error = str(error)
            return None


def _pairs(name: str, value: Any) -> Pairs:
    values = value if isinstance(value, list) else [value]
    return [(name, "true" if each is True else str(each)) for each in values if each is not None]


def _tidy(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The parameters that we know and that say something; those of SINGLE once, the last wins."""
    single: dict[str, str] = {}
    several: dict[tuple[str, str], None] = {}
    for name, value in pairs:
        if name in LISTS:
            for part in [value] if name == "tag" else value.split(","):
                several[name, part.strip()] = None
        elif name in SINGLE:
            single[name] = value.strip()
    if not single.get("location"):
        for name in PLACE:  # around nothing
            single.pop(name, None)
    if not single.get("pay_from"):
        single.pop("currency", None)  # a form sends it always, and alone it means nothing
    yield from (pair for pair in [*single.items(), *several] if pair[1])


def read_address(request: Request) -> Asked:
    """What the address asks for."""
    return Asked(request.query_params.multi_items())


AskedDep = Annotated[Asked, Depends(read_address)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a search found, and what the page says beside it."""

    result: JobSearchResult
    company: str  # what to call the one that the address names


async def find_jobs(asked: AskedDep, engines: EnginesDep, fresh: FreshDep) -> Seen:
    """Page by page; the first one, as everybody sees it, from the cache."""
    question = public.first_page(asked.search)
    if question is None:
        search_it = partial(search, data=asked.search)
        result = await engines.reads.ask(search_it, fresh=fresh)
    else:
        found = await engines.cache.get(question, fresh=fresh)
        result = JobSearchResult.model_validate_json(found)
    if not asked.value("company"):
        return Seen(result, "")
    return Seen(result, await engines.reads.ask(partial(company_name, asked=asked), fresh=fresh))


@router.get("/")
@limited(SEARCH)
async def show_search(
    request: Request,
    asked: AskedDep,
    seen: Annotated[Seen, Depends(find_jobs)],  # before the viewer: see infra/cache.py
    _viewer: ViewerDep,
    events: EventsDep,
    reader: ReaderDep,
) -> HTMLResponse:
    """Jobs that fulfil what the address asks for."""
    if not asked.search.cursor:
        await events.note_search(reader, asked.value("q"), seen.result.total.value)
    result = seen.result
    return render(
        request,
        "search/page.html",
        asked=asked,
        result=result,
        groups=_groups(asked, result),
        chips=chips_of(asked, seen.company),
        ages=AGES,
        radii=_radii(asked),
        sorts=SORTS,
        currencies=_currencies(asked),
        abroad=_abroad(asked.search, result),
        relaxed=_relaxed(asked, result, seen.company),
        next_href=asked.href(cursor=result.next_cursor) if result.next_cursor else None,
    )


def _abroad(data: JobSearch, result: JobSearchResult) -> dict[UUID, Translated]:
    """The pay of jobs in the currency that was asked for, where they are paid in another."""
    if data.salary_min is None or data.currency is None:
        return {}
    rate = result.exchange_rate
    pays = {job.id: translated(job.salary, data.currency, rate) for job in result.items}
    return {job_id: pay for job_id, pay in pays.items() if pay}


def chips_of(asked: Asked, company: str) -> list[Chip]:
    """The filters that hold, in words."""
    return [_chip(asked, name, value, company) for name, value in asked.filters()]


async def company_name(session: AsyncSession, asked: Asked) -> str:
    """What to call the company that the address names."""
    slug = asked.value("company")
    if not slug:
        return ""
    try:
        return (await companies.get_by_slug(session, slug)).name
    except NotFound:
        return slug


def _groups(asked: Asked, result: JobSearchResult) -> dict[str, tuple[str, list[Choice]]]:
    """The filters with counts, by parameter: what each is called, and its boxes."""
    counts = result.facets or {}
    return {
        name: (words, list(_choices(asked, name, counts.get(name, {}))))
        for name, words in GROUPS.items()
    }


def _choices(asked: Asked, name: str, counts: dict[str, int]) -> Iterator[Choice]:
    """The boxes of one filter: those that would bring something, and those that are ticked."""
    ticked = {str(value) for value in getattr(asked.search, name)}
    order = [member.value for member in KINDS[name]] if name in KINDS else list(counts)
    for value in dict.fromkeys([*order, *sorted(ticked)]):
        if value in counts or value in ticked:
            yield Choice(value, _words(name, value), counts.get(value, 0), value in ticked)


def _words(name: str, value: str, company: str = "") -> str:
    """What a filter says, for a person. Values were checked by the search before."""
    if name in KINDS:
        return formatting.label(KINDS[name](value))
    match name:
        case "country":
            return places.country(value.upper())
        case "radius_km":
            return f"Within {value} km"
        case "include_remote":
            return "Remote jobs, too"
        case "posted_within":
            return dict(AGES).get(value, f"Last {value} days")
        case "undisclosed_pay":
            return "Pay is given"
        case "company":
            return company
        case _:
            return value


def _chip(asked: Asked, name: str, value: str, company: str) -> Chip:
    words = _words(name, value, company)
    if name == "pay_from":
        pay = formatting.money(asked.search.salary_min or 0, asked.search.currency)
        unsaid = "" if ("undisclosed_pay", "exclude") in asked.pairs else ", or not given"
        words = f"From {pay} a year{unsaid}"
    return Chip(words, asked.less(name, value).href())


def _radii(asked: Asked) -> list[str]:
    """The usual ones, and the one in the address."""
    radius = str(asked.search.radius_km or RADII[0])
    return sorted({*RADII, radius}, key=int)


def _currencies(asked: Asked) -> list[str]:
    """The usual ones, and the one in the address."""
    return list(dict.fromkeys([*CURRENCIES, asked.search.currency or CURRENCIES[0]]))


def _relaxed(asked: Asked, result: JobSearchResult, company: str) -> list[Relaxed]:
    """What would be found by asking for less."""
    return [
        Relaxed(_less(asked, way.changes, company), asked.changed(way.changes).href(), way.total)
        for way in result.relaxations
    ]


def _less(asked: Asked, changes: dict[str, Any], company: str) -> str:
    """What is another in that search, for a person."""
    left = asked.changed(changes).search
    if len({name for name, value in changes.items() if value is None} - BESIDE) > 1:
        return f"Only “{left.q}”" if left.q else f"Only in {left.location}"
    name, value = next(iter(changes.items()))
    if value is not None and name in SAID:
        return SAID[name].format(value)
    if name in UNSAID:
        return UNSAID[name]
    gone = [each for each in asked.values(name) if each not in (value or ())]
    return f"Without “{', '.join(_words(name, each, company) for each in gone)}”"
