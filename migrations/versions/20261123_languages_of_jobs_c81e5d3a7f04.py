"""The language of each ad that is there, and with it their words anew; in batches."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from jobboard.infra.batches import each_batch
from jobboard.jobs.language import LOOKED_AT, language_of

revision: str = "c81e5d3a7f04"
down_revision: str | Sequence[str] | None = "2f6b80c41d97"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

READ = sa.text(
    "SELECT id, title, left(description_text, :looked_at) AS beginning FROM jobs"
    " WHERE id > :after AND id <= :upto AND language IS NULL"
).bindparams(looked_at=LOOKED_AT)
WRITE = sa.text(
    "UPDATE jobs SET language = known.language"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:languages AS text[])) AS known (id, language)"
    " WHERE jobs.id = known.id AND jobs.language IS NULL"
)


def upgrade() -> None:
    if op.get_context().as_sql:  # nobody reads the ads: they count as English
        op.execute("UPDATE jobs SET language = 'en' WHERE language IS NULL")
        return
    each_batch("jobs", _label, size=500)


def _label(connection: sa.Connection, batch: dict[str, UUID]) -> None:
    rows = connection.execute(READ, batch).all()
    languages = [language_of(row.title, row.beginning) for row in rows]
    connection.execute(WRITE, {"ids": [row.id for row in rows], "languages": languages})


def downgrade() -> None:
    """The column goes with the migration before."""
