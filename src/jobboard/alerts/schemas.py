"""Shapes of saved searches, shared by all doors."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool, StringConstraints, model_validator

from jobboard.alerts.models import Frequency
from jobboard.jobs.criteria import STORED, JobCriteria
from jobboard.jobs.near import FARTHEST
from jobboard.jobs.schemas import PayInJson
from jobboard.schema import WHOLE, Input, NotNull, WholeNumber, absent

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

NAME = "What you call it; without one it is called after what it asks."
FREQUENCY = (
    "at_once: as soon as there is a new job, at most every ten minutes. daily: at 08:00. weekly: "
    "on Mondays at 08:00. Both in the time zone of your account."
)


class SavedCriteria(JobCriteria):
    """What a job must be: the filters of `GET /jobs`, as JSON. Without any, every new job is."""

    salary_min: PayInJson | None = Field(
        None, description="For a year, in minor units of `currency`; as in `GET /jobs`."
    )
    posted_within: Annotated[int, Field(strict=True, ge=1, le=365), WHOLE] | None = Field(
        None, description="Days."
    )

    radius_km: Annotated[int, Field(strict=True, ge=1, le=FARTHEST), WHOLE] | None = Field(
        None, description="Around the town that `location` names; as in `GET /jobs`."
    )
    include_remote: StrictBool = Field(False, description="As in `GET /jobs`.")

    @model_validator(mode="before")
    @classmethod
    def _as_forms_send_it(cls, data: Any) -> Any:
        """JSON is no form: in it a list is a list, and what is empty is not absent."""
        return data

    @classmethod
    def kept(cls, stored: Mapping[str, Any]) -> Self:
        """What the database keeps, of whatever age. Raises ValidationError."""
        return cls.model_validate(stored, context=STORED)

    def stored(self) -> dict[str, Any]:
        """As the database keeps it: what means nothing is left out."""
        kept = self.model_dump(mode="json", exclude_defaults=True)
        if self.salary_min is None:
            kept.pop("currency", None)
        return kept

    def fingerprint(self) -> str:
        """Stands for all searches that ask for the same."""
        return hashlib.sha256(json.dumps(self.stored(), sort_keys=True).encode()).hexdigest()


class SavedSearchCreate(Input):
    """A search to hear of."""

    search: SavedCriteria = Field(description="What a new job must be.")
    name: Name | None = Field(None, description=NAME, examples=["Baking in Hamburg"])
    frequency: Frequency = Field(Frequency.DAILY, description=FREQUENCY)


class SavedSearchUpdate(Input):
    """What changes. Absent keeps. For another search, save another."""

    name: Annotated[Name, NotNull] = Field(default_factory=absent, description=NAME)
    frequency: Annotated[Frequency, NotNull] = Field(default_factory=absent, description=FREQUENCY)
    paused: Annotated[StrictBool, NotNull] = Field(
        default_factory=absent,
        description="While it is paused it finds nothing; what came meanwhile is not new later.",
    )
    version: WholeNumber | None = Field(
        None, description="The `version` that you read; a change since is a 409 instead of lost."
    )


class SavedSearchRead(BaseModel):
    """A saved search, as its owner sees it."""

    id: UUID
    name: str
    search: SavedCriteria
    path: str = Field(description="The page that shows what it finds, newest first.")
    frequency: Frequency
    paused: bool
    new_jobs: int = Field(description="Found since you last looked, and still open; up to 1,000.")
    told_at: datetime | None = Field(description="When we last wrote to you about it.")
    next_at: datetime | None = Field(
        description="When we would write next. Null while it is paused, and where it is at once."
    )
    version: int
    created_at: datetime
