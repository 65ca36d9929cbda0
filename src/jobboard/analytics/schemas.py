"""Shapes of questions about hits, and of their answers."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from jobboard.analytics.events import Name
from jobboard.clock import AskedMoment
from jobboard.schema import Input, filled


class Bucket(StrEnum):
    """How long a piece of time is."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class Grouping(StrEnum):
    """What is counted together."""

    STATUS = "status"  # each route, method and status
    ROUTE = "route"  # each route and method
    ALL = "all"


Milliseconds = Annotated[float | None, Field(description="Within 5 %; null where nothing was.")]


class HitSearch(Input):
    """Which hits, and what of them is counted together."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    since: AskedMoment | None = Field(
        None, alias="from", description="Not before; by default a day before `to`."
    )
    until: AskedMoment | None = Field(None, alias="to", description="Before; by default now.")
    by: Grouping = Field(
        Grouping.STATUS, description="`route` counts all statuses together, `all` also all routes."
    )
    bucket: Bucket | None = Field(None, description="A row for each piece of time as well.")
    route: str | None = Field(
        None, max_length=300, description="One route as its template: /api/v1/jobs/{id}."
    )
    method: str | None = Field(None, max_length=10, description="One method, as GET.")
    status: int | None = Field(None, ge=100, le=599, description="One status.")

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, query: dict[str, Any]) -> dict[str, Any]:
        return filled(query)


class HitStats(BaseModel):
    """How many, how many of them went wrong, and how long they took."""

    count: int
    error_share: float = Field(description="Of 0 to 1: answers from status 400 on.")
    server_error_share: float = Field(description="Of 0 to 1: answers from status 500 on.")
    mean_ms: float | None
    p50_ms: Milliseconds
    p95_ms: Milliseconds
    p99_ms: Milliseconds


class HitRow(HitStats):
    """The same of one route, status or piece of time; null where these are counted together."""

    route: str | None = Field(examples=["/api/v1/jobs/{id}"])
    method: str | None
    status: int | None
    bucket: datetime | None = Field(description="The beginning of the piece of time.")


class HitReport(BaseModel):
    """Counted are whole pieces of `step`, from `from` until before `to`."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    items: list[HitRow] = Field(description="Busiest first; with `bucket` oldest first.")
    total: HitStats
    since: datetime = Field(alias="from")
    until: datetime = Field(alias="to")
    step: Bucket
    as_of: datetime | None = Field(
        description="When a worker last counted: later hits are not in it. Null: never yet."
    )
    truncated: bool = Field(description="Whether there are more rows than an answer holds.")


class Referrer(BaseModel):
    """A site that led people to a job."""

    host: str | None = Field(
        examples=["news.example"], description="Null: this board itself, or nobody knows."
    )
    views: int
    opens: int = Field(description="Of the form to apply, or of the site where one applies.")
    applies: int = Field(description="Applications here that began with a page opened from there.")


class SearchTerm(BaseModel):
    """Words that people searched for. A person counts once a day."""

    term: str = Field(examples=["baker"])
    searches: int
    found_nothing: int = Field(description="How many of the searches found no job.")
    results: float = Field(description="Jobs found, on average.")


class SearchReport(BaseModel):
    """What was searched since then. Of each day the thousand terms searched most and the thousand
    that found nothing most often are kept; the sums are of all."""

    since: datetime
    as_of: datetime | None = Field(
        description="Counted up to here; null as long as nobody has counted."
    )
    searches: int
    found_nothing: int
    top: list[SearchTerm] = Field(description="Searched most, 100 at most.")
    in_vain: list[SearchTerm] = Field(description="Found nothing most often, 100 at most.")


class EventProperties(Input):
    """What it happened to."""

    job_id: UUID | None = Field(None, description="One job.")
    job_ids: list[UUID] = Field(
        default_factory=list, max_length=100, description="Several, for `impression`."
    )
    referrer: str | None = Field(
        None, max_length=2000, description="The page that led here; only its host is kept."
    )


class EventCreate(Input):
    """Something that a visitor did with a job, or with several that stood in a list."""

    name: Name
    properties: EventProperties
