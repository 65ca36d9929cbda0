"""Shapes of news and of mail choices."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from jobboard.pagination import Page
from jobboard.schema import Input

APPLICATIONS = "News of applications: that one arrived, that it moved on."
DIGEST = "Once a week: a company's new applications, and those that wait longest."
ALERTS = "New jobs that fit a saved search."


class MailChoices(BaseModel):
    """Which mail you get. What concerns your account itself is always mailed."""

    applications: bool = Field(description=APPLICATIONS)
    digest: bool = Field(description=DIGEST)
    alerts: bool = Field(description=ALERTS)


class MailChoicesUpdate(Input):
    """What to change. Absent keeps."""

    applications: StrictBool | None = Field(None, description=APPLICATIONS)
    digest: StrictBool | None = Field(None, description=DIGEST)
    alerts: StrictBool | None = Field(None, description=ALERTS)


class NotificationRead(BaseModel):
    """A piece of news."""

    id: UUID
    kind: str = Field(description="What happened, such as `application_moved`. More may come.")
    text: str
    path: str = Field(description="The page that it leads to.")
    created_at: datetime
    read_at: datetime | None


class NotificationPage(Page[NotificationRead]):
    """A page of news, and how much is unread altogether."""

    unread: int


class NotificationsRead(Input):
    """What was read: `ids`, or all up to the one that `until` names, or all."""

    ids: list[UUID] | None = Field(None, max_length=100)
    until: UUID | None = None


class Unread(BaseModel):
    """What is left."""

    unread: int


class TicketRead(BaseModel):
    """What opens a WebSocket, once."""

    ticket: str
    expires_in: int = Field(description="Seconds.")
    path: str = Field(description="Where to connect, with `?ticket=`.")
