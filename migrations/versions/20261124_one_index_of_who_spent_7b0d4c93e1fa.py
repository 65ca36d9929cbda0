"""One index instead of two answers who spent what of which wallet: each transfer writes it."""

from collections.abc import Sequence

from alembic import op

revision: str = "7b0d4c93e1fa"
down_revision: str | Sequence[str] | None = "e3b96f1a7c48"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for name in ("created_by", "spent"):
        op.drop_index(f"ix_transfers_{name}", "transfers")
    op.create_index(
        "ix_transfers_spent", "transfers", ["created_by", "from_wallet_id", "created_at"]
    )


def downgrade() -> None:
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    op.drop_index("ix_transfers_spent", "transfers")
    op.create_index(
        "ix_transfers_spent", "transfers", ["from_wallet_id", "created_by", "created_at"]
    )
    op.create_index("ix_transfers_created_by", "transfers", ["created_by"])
