"""Shapes of mail choices."""

from pydantic import BaseModel, Field, StrictBool

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
