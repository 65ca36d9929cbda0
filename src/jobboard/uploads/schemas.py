"""Shapes of files."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, computed_field


class ResumeRead(BaseModel):
    """A résumé that was handed in."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    filename: str
    media_type: str
    size: int
    created_at: datetime

    @computed_field
    @property
    def url(self) -> str:
        """Where its owner, and those it was sent to, can load it."""
        return f"/api/v1/resumes/{self.id}/file"
