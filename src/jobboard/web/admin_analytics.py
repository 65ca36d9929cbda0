"""The board in numbers, for moderators: how the API does, and what people search for."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from jobboard.analytics import hitreport
from jobboard.analytics.rollups import BY_NAME
from jobboard.analytics.schemas import (
    Bucket,
    Grouping,
    HitReport,
    HitRow,
    HitSearch,
    SearchReport,
    SearchTerm,
)
from jobboard.analytics.searches import report as search_report
from jobboard.clock import now
from jobboard.errors import Unavailable
from jobboard.infra.mongo import asking
from jobboard.web import charts
from jobboard.web.charts import Chart, Kind, Place, Series
from jobboard.web.deps import EnginesDep
from jobboard.web.desk import AdminAloneDep, href
from jobboard.web.formatting import count, plural
from jobboard.web.rendering import render
from jobboard.web.tables import csv_response, json_response

router = APIRouter(prefix="/admin/analytics", include_in_schema=False)

ROUTES = 25
TERMS = 12
VIEWS = ((Grouping.ALL, True), (Grouping.ROUTE, False))  # all by time; routes over all of it


class Period(StrEnum):
    """What the page looks back on."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Back:
    """So many pieces of time, the last one still going on."""

    words: str
    bucket: Bucket
    pieces: int
    days: int  # of searches, which are kept by the day

    def search(self) -> HitSearch:
        """The question for it: every route, status and piece of time."""
        level = BY_NAME[self.bucket]
        since = level.floor(now()) - (self.pieces - 1) * level.length
        return HitSearch(since=since, bucket=self.bucket)


BACK = {
    Period.HOUR: Back("Last hour", Bucket.MINUTE, 60, 1),
    Period.DAY: Back("Last day", Bucket.HOUR, 24, 1),
    Period.MONTH: Back("Last 30 days", Bucket.DAY, 30, 30),
}


@router.get("")
async def show_analytics(
    request: Request, engines: EnginesDep, _actor: AdminAloneDep, period: Period = Period.DAY
) -> HTMLResponse:
    """Charts of what the API answered, the busiest routes, and searches."""
    back = BACK[period]
    found: dict[str, Any] = {"silent": None}
    try:
        async with asking(engines.mongo) as database:
            (by_time, by_route), searches = await asyncio.gather(
                hitreport.reports(database, back.search(), VIEWS),
                search_report(database, back.days),
            )
    except Unavailable as error:
        found["silent"] = error.message
    else:
        found |= {
            "total": by_time.total,
            "as_of": by_time.as_of,
            "charts": _charts(by_time, back),
            "pieces": _pieces(by_time, back),
            "routes": by_route.items[:ROUTES],
            "more_routes": max(len(by_route.items) - ROUTES, 0),
            "searches": searches,
            "terms_shown": TERMS,
        }
    return render(
        request,
        "admin/analytics.html",
        private=True,
        periods=[
            (each.value, href("/admin/analytics", period=each), BACK[each].words) for each in Period
        ],
        period=period,
        back=back,
        milliseconds=charts.milliseconds,
        **found,
    )


def _pieces(report: HitReport, back: Back) -> list[tuple[Place, HitRow | None]]:
    """Every piece of time, with what is known of it; the places of the charts."""
    rows = {row.bucket: row for row in report.items}
    length = BY_NAME[back.bucket].length
    starts = [report.since + index * length for index in range(back.pieces)]
    return [(Place(at, _words(at, back, rows.get(at))), rows.get(at)) for at in starts]


def _words(at: datetime, back: Back, row: HitRow | None) -> str:
    """A tooltip."""
    said = [_when(at, back)]
    if row is None:
        return f"{said[0]}: no requests"
    said.append(plural(row.count, "request", "requests"))
    said.append(f"{percent(row.error_share)} errors")
    times = (("median", row.p50_ms), ("95 % in", row.p95_ms), ("99 % in", row.p99_ms))
    told = (f"{what} {charts.milliseconds(ms)}" for what, ms in times if ms is not None)
    said.append(", ".join(told))
    return "\n".join(said)


def _when(at: datetime, back: Back) -> str:
    if back.bucket is Bucket.DAY:
        return f"{at:%a} {charts.moment_text(at, 'day')}"
    end = at + BY_NAME[back.bucket].length
    return f"{charts.moment_text(at, 'day')}, {at:%H:%M} to {end:%H:%M} UTC"


def percent(share: float) -> str:
    """2 %, 0.3 %"""
    return f"{share * 100:.2g} %" if 0 < share < 0.1 else f"{share * 100:.0f} %"


def _charts(report: HitReport, back: Back) -> dict[str, Chart]:
    pieces = _pieces(report, back)
    places = [place for place, _ in pieces]
    rows = [row for _, row in pieces]
    failed = [round(row.count * row.error_share) if row else 0 for row in rows]
    fine = [row.count - bad if row else 0 for row, bad in zip(rows, failed, strict=True)]
    busiest = max((row for row in rows if row), key=lambda row: row.count, default=None)
    requests = f"{plural(report.total.count, 'request', 'requests')} by {back.bucket}"
    if busiest is not None and busiest.bucket is not None:
        requests += f", most {_when(busiest.bucket, back)}: {count(busiest.count)}"
    times = [
        ("Half within", "main", "p50_ms"),
        ("95 % within", "second", "p95_ms"),
        ("99 % within", "third", "p99_ms"),
    ]
    return {
        "requests": charts.draw(
            "requests",
            f"Requests by {back.bucket}",
            requests,
            kind=Kind.BARS,
            step=back.bucket,
            places=places,
            series=[Series("Answered", "main", fine), Series("Errors (4xx, 5xx)", "bad", failed)],
            whole=True,
        ),
        "times": charts.draw(
            "times",
            "Time to answer",
            f"Time to answer by {back.bucket}: half, 95 % and 99 % of requests",
            kind=Kind.LINES,
            step=back.bucket,
            places=places,
            series=[
                Series(words, tone, [getattr(row, name) if row else None for row in rows])
                for words, tone, name in times
            ],
            words=charts.milliseconds,
        ),
    }


async def _hits(
    engines: EnginesDep, _actor: AdminAloneDep, period: Period = Period.DAY
) -> HitReport:
    async with asking(engines.mongo) as database:
        return await hitreport.report(database, BACK[period].search())


async def _searches(
    engines: EnginesDep, _actor: AdminAloneDep, period: Period = Period.MONTH
) -> SearchReport:
    async with asking(engines.mongo) as database:
        return await search_report(database, BACK[period].days)


HitsDep = Annotated[HitReport, Depends(_hits)]
SearchesDep = Annotated[SearchReport, Depends(_searches)]


@router.get("/hits.json")
async def send_hits(report: HitsDep) -> Response:
    """What the charts show, for programs: as the API answers it."""
    return json_response(report)


@router.get("/hits.csv")
def send_hits_table(report: HitsDep) -> Response:
    """The same for a spreadsheet. Not `async`: thousands of rows are written in a thread."""
    heads = list(HitRow.model_fields)
    return csv_response(f"hits-by-{report.step}.csv", heads, map(attrgetter(*heads), report.items))


@router.get("/searches.json")
async def send_searches(report: SearchesDep) -> Response:
    """What people search for, for programs."""
    return json_response(report)


@router.get("/searches.csv")
async def send_searches_table(report: SearchesDep) -> Response:
    """The same for a spreadsheet: the words searched most, and those that found nothing."""
    every = {term.term: term for term in [*report.top, *report.in_vain]}.values()
    rows = [list(term.model_dump().values()) for term in every]
    name = f"searches-since-{report.since:%Y-%m-%d}.csv"
    return csv_response(name, list(SearchTerm.model_fields), rows)
