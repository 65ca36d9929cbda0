"""The places of each ad that is there, read from its location; in batches, while the board runs."""

import json
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from jobboard.infra.batches import each_batch
from jobboard.jobs.places import parse_location
from jobboard.jobs.points import written

revision: str = "b8a35f0c7d12"
down_revision: str | Sequence[str] | None = "4d7e92b1f630"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

READ = sa.text("SELECT id, location FROM jobs WHERE id > :after AND id <= :upto AND places IS NULL")
WRITE = sa.text(
    "UPDATE jobs SET places = CAST(known.places AS jsonb)"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS text[])) AS known (id, places)"
    " WHERE jobs.id = known.id AND jobs.places IS NULL"
)


def upgrade() -> None:
    if op.get_context().as_sql:  # nobody reads the ads: their main place counts alone
        return
    each_batch("jobs", _read, size=500)


def _read(connection: sa.Connection, batch: dict[str, UUID]) -> None:
    rows = connection.execute(READ, batch).all()
    places = [json.dumps(written(parse_location(row.location))) for row in rows]
    connection.execute(WRITE, {"ids": [row.id for row in rows], "places": places})


def downgrade() -> None:
    """The column goes with the migration before."""
