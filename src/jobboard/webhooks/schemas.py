"""Shapes of webhooks and their deliveries, shared by all doors."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema

from jobboard.infra.guard import MAX_URL
from jobboard.schema import Input, NotNull, WholeNumber, absent
from jobboard.webhooks.events import Event
from jobboard.webhooks.models import DeliveryState, WebhookState

WebhookName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
# Whether it may be called is said by the board's settings: the service asks `infra/guard.py`.
Url = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_URL),
    WithJsonSchema({"type": "string", "format": "uri", "minLength": 1, "maxLength": MAX_URL}),
]


def _each_once(events: list[Event]) -> list[Event]:
    return [event for event in Event if event in events]


Events = Annotated[list[Event], Field(min_length=1, max_length=50), AfterValidator(_each_once)]
URL = "https://hooks.bakery.example.com/jobboard"


class WebhookCreate(Input):
    """An address that a company wants called."""

    company_id: UUID
    name: WebhookName = Field(examples=["Our applicant system"], description="What receives it.")
    url: Url = Field(
        examples=[URL],
        description="https, at a public address; redirects are not followed.",
    )
    events: Events = Field(examples=[["application.created", "application.withdrawn"]])


class WebhookUpdate(Input):
    """What changes. Absent keeps."""

    name: Annotated[WebhookName, NotNull] = Field(default_factory=absent)
    url: Annotated[Url, NotNull] = Field(default_factory=absent)
    events: Annotated[Events, NotNull] = Field(default_factory=absent)
    active: Annotated[bool, Field(strict=True), NotNull] = Field(
        default_factory=absent,
        description="False pauses: events wait. True goes on, also after the board turned it off.",
    )
    version: WholeNumber | None = Field(
        None, description="The `version` that you read; a change by someone else since is a 409."
    )


class WebhookRead(BaseModel):
    """A webhook as its company sees it."""

    id: UUID
    company_id: UUID
    company_name: str
    name: str
    url: str
    events: list[str]
    state: WebhookState = Field(
        description="`paused`: events wait. `gone`: it answered 410. `failing`: it failed for "
        "days. In the last two, events are not kept until you set `active`."
    )
    failing_since: datetime | None = Field(description="Null once it answered well.")
    previous_secret_until: datetime | None = Field(
        description="Until then the secret before signs, too."
    )
    created_at: datetime
    version: int


class WebhookMade(WebhookRead):
    """A webhook in the answer that makes a secret, the only one that holds it."""

    secret: str | None = Field(
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
        description="What signs. Null where the answer is given again for an Idempotency-Key: it "
        "is not kept.",
    )


class DeliveryRead(BaseModel):
    """An event on its way to a webhook, and how it went."""

    id: UUID
    webhook_id: UUID
    message_id: str = Field(description="The `webhook-id` that the receiver sees, at each try.")
    event: str
    state: DeliveryState
    attempts: int = Field(description="Tries so far, since it was sent or sent again.")
    created_at: datetime
    under_way: bool = Field(False, exclude=True)  # whether it is being sent this moment
    next_attempt_at: datetime | None = Field(description="Null where there is none.")
    last_attempt_at: datetime | None
    last_status: int | None = Field(description="HTTP status of the last answer.")
    last_error: str | None = Field(description="What went wrong with the last try.")


class AttemptRead(BaseModel):
    """One try."""

    at: datetime
    took_ms: int
    status: int | None
    error: str | None
    answer: str = Field(description="How the answer's body began: at most 2,000 bytes.")


class DeliveryDetail(DeliveryRead):
    """A delivery with what was sent, and each try, latest first."""

    url: str
    request: dict[str, Any] = Field(description="The body.")
    history: list[AttemptRead]


class WebhookLine(BaseModel):
    """The deliveries of all companies now."""

    waiting: int = Field(description="Due, or a worker has it now. Of webhooks that are on.")
    postponed: int = Field(description="For later, after a failed try; or of a paused webhook.")
    oldest_waiting_seconds: float = Field(description="How long the oldest has been due.")
    failing: int = Field(description="Webhooks that were turned off after days of failures.")
