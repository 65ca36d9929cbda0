"""A job in numbers, for its company: charts by day, the way from seeing to applying, referrers."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from jobboard.accounts.schemas import Actor
from jobboard.applications import numbers
from jobboard.applications.numbers import Applied, DayNumbers, JobNumbers, Numbers
from jobboard.errors import Unavailable
from jobboard.infra.engines import Engines
from jobboard.infra.mongo import asking
from jobboard.web import charts
from jobboard.web.charts import Chart, Kind, Place, Series
from jobboard.web.deps import EnginesDep
from jobboard.web.desk import EmployerAloneDep, href
from jobboard.web.formatting import plural
from jobboard.web.rendering import render
from jobboard.web.tables import csv_response, json_response

router = APIRouter(prefix="/employer/jobs", include_in_schema=False)

PERIODS = (7, 30, 90)
HOSTS = 10
WORDS = {
    "impressions": "Saw it in a list",
    "views": "Read it",
    "opens": "Began to apply",
    "applies": "Applied here",
}
Days = Annotated[int, Query(ge=1, le=90)]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way to an application: how many came so far, of those of the step before."""

    words: str
    number: int
    share: float  # of the largest, as the length of a bar
    kept: str  # of the step before


@router.get("/{job_id}/analytics")
async def show_numbers(
    request: Request, job_id: UUID, engines: EnginesDep, actor: EmployerAloneDep, days: Days = 30
) -> HTMLResponse:
    """Charts for one job. While MongoDB is silent the page says so."""
    part = await _applied(engines, actor, job_id, days)
    found: dict[str, Any] = {"silent": None}
    try:
        async with asking(engines.mongo) as database:
            shown = await numbers.of_job(database, part)
    except Unavailable as error:
        found["silent"] = error.message
    else:
        # Someone may open the form and never have been counted on the page: no views, then.
        most = max([1, *(each.views for each in shown.referrers)])
        found |= {
            "days_shown": shown.items[::-1],
            "steps": _steps(shown.total),
            "charts": _charts(shown),
            "hosts": [(each, each.views / most) for each in shown.referrers[:HOSTS]],
        }
    here = f"/employer/jobs/{job_id}/analytics"
    return render(
        request,
        "employer/analytics.html",
        private=True,
        part=part,
        here=here,
        days=days,
        periods=[(each, href(here, days=each)) for each in PERIODS],
        words=WORDS,
        **found,
    )


async def _applied(engines: Engines, actor: Actor, job_id: UUID, days: int) -> Applied:
    async with engines.database.transaction() as session:
        return await numbers.applied(session, actor, job_id, days)


def _steps(total: Numbers) -> list[Step]:
    values = [(words, getattr(total, name)) for name, words in WORDS.items()]
    most = max(number for _, number in values)
    before = [None, *(number for _, number in values[:-1])]
    return [
        Step(words, number, number / most if most else 0, _kept(number, earlier))
        for (words, number), earlier in zip(values, before, strict=True)
    ]


def _kept(number: int, before: int | None) -> str:
    """The share that went on. Some come another way, so it may be more than all: then it is
    nothing that one could read."""
    if not before or number > before:
        return ""
    return f"{number / before:.0%}"


def _charts(shown: JobNumbers) -> list[Chart]:
    places = [Place(datetime.combine(item.day, time(), UTC), _words(item)) for item in shown.items]

    def chart(name: str, title: str, one: str, many: str, tone: str) -> Chart:
        total = getattr(shown.total, name)
        return charts.draw(
            name,
            title,
            f"{title}: {plural(total, one, many)} in {plural(len(places), 'day', 'days')}",
            kind=Kind.BARS,
            step="day",
            places=places,
            series=[Series(WORDS[name], tone, [getattr(item, name) for item in shown.items])],
            whole=True,
        )

    every = [
        ("views", "Readers by day", "reader", "readers", "main"),
        ("applies", "Applications by day", "application", "applications", "second"),
    ]
    return [chart(*each) for each in every if getattr(shown.total, each[0])]


def _words(item: DayNumbers) -> str:
    day = f"{item.day:%a} {item.day.day} {item.day:%b}"
    told = (f"{words}: {getattr(item, name)}" for name, words in WORDS.items())
    return "\n".join([day, *told])


async def _numbers(
    job_id: UUID, engines: EnginesDep, actor: EmployerAloneDep, days: Days = 30
) -> JobNumbers:
    part = await _applied(engines, actor, job_id, days)
    async with asking(engines.mongo) as database:
        return await numbers.of_job(database, part)


NumbersDep = Annotated[JobNumbers, Depends(_numbers)]


@router.get("/{job_id}/analytics.json")
async def send_numbers(shown: NumbersDep) -> Response:
    """What the charts show, for programs: as the API answers it."""
    return json_response(shown)


@router.get("/{job_id}/analytics.csv")
async def send_numbers_table(job_id: UUID, shown: NumbersDep) -> Response:
    """The same for a spreadsheet, a row for each day."""
    heads = ["day", *WORDS]
    rows = [item.model_dump(mode="json") for item in shown.items]
    return csv_response(f"job-{job_id}.csv", heads, [[row[name] for name in heads] for row in rows])
