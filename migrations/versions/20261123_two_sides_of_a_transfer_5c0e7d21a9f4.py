"""A transfer's two sides by a unique key, which spares a trigger for each entry."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "5c0e7d21a9f4"
down_revision: str | Sequence[str] | None = "74a74d79b09c"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "uq_entries_sides", "entries", ["transfer_id", sa.text("(amount > 0)")], unique=True
    )
    op.drop_index("ix_entries_transfer_id", table_name="entries")
    op.execute("DROP TRIGGER balanced ON entries")


def downgrade() -> None:
    op.execute(
        "CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION jobboard_transfer_balanced()"
    )
    op.create_index("ix_entries_transfer_id", "entries", ["transfer_id"])
    op.drop_index("uq_entries_sides", table_name="entries")
