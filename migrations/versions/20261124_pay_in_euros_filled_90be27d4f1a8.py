"""The pay of each job that is there, in euros; in batches, while the board runs.

Saved searches for pay are filed anew by the worker: they find jobs in other currencies now.
"""

from collections.abc import Sequence

from jobboard.infra.batches import in_batches

revision: str = "90be27d4f1a8"
down_revision: str | Sequence[str] | None = "5f83d09c6b17"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The trigger of `jobs` does the rest, for those that have no figure yet.
FILL = """
UPDATE jobs SET currency = currency
 WHERE id > :after AND id <= :upto AND currency IS NOT NULL
   AND coalesce(yearly_min, yearly_max) IS NOT NULL AND coalesce(euros_min, euros_max) IS NULL
"""
OUTDATE = """
UPDATE saved_searches SET stale = true
 WHERE id > :after AND id <= :upto AND NOT stale AND criteria ? 'salary_min'
"""


def upgrade() -> None:
    in_batches("jobs", FILL, size=500)
    in_batches("saved_searches", OUTDATE)


def downgrade() -> None:
    """The columns go with the migration before."""
