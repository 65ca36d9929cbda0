"""Wallets for the people and companies that were there before there were wallets."""

from collections.abc import Sequence

from jobboard.infra.batches import in_batches

revision: str = "6d2f0a9c71e8"
down_revision: str | Sequence[str] | None = "05a2b4d0e452"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Whoever comes meanwhile gets theirs from the trigger.
FILL = """
INSERT INTO wallets ({owner}, currency)
SELECT id, (SELECT currency FROM wallets WHERE board = 'issued' ORDER BY id LIMIT 1)
  FROM {table}
 WHERE id > :after AND id <= :upto
   AND NOT EXISTS (SELECT FROM wallets WHERE {owner} = {table}.id)
    ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    for owner, table in (("person_id", "people"), ("company_id", "companies")):
        in_batches(table, FILL.format(owner=owner, table=table))


def downgrade() -> None:
    pass
