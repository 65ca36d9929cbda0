"""Pictures: a kind of upload that says what came, and what is kept of it in which sizes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "bf6d48f84fb1"
down_revision: str | Sequence[str] | None = "b13346d6c7cc"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KIND = op.f("ck_uploads_uploadkind")
TOLD = op.f("ck_uploads_image_is_told")


def upgrade() -> None:
    op.add_column("uploads", sa.Column("image", postgresql.JSONB(), nullable=True))
    op.drop_constraint(KIND, "uploads", type_="check")
    op.create_check_constraint(KIND, "uploads", "kind IN ('resume', 'logo', 'image')")
    op.create_check_constraint(TOLD, "uploads", "kind <> 'image' OR image IS NOT NULL")


def downgrade() -> None:
    op.execute("UPDATE companies SET logo_key = NULL WHERE logo_key LIKE 'images/%'")
    op.execute("DELETE FROM uploads WHERE image IS NOT NULL")
    op.drop_constraint(TOLD, "uploads", type_="check")
    op.drop_constraint(KIND, "uploads", type_="check")
    op.create_check_constraint(KIND, "uploads", "kind IN ('resume', 'logo')")
    op.drop_column("uploads", "image")
