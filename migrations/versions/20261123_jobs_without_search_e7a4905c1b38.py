"""What `jobs` had for searches goes, now that none reads it.

By itself, since it locks `jobs` for a moment. What searches `jobs` must have ended before.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "e7a4905c1b38"
down_revision: str | Sequence[str] | None = "c3d26e9db153"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LIVE = sa.text("status = 'published'")
FEATURED = sa.text("status = 'published' AND featured_until IS NOT NULL")
SEARCH = (
    "setweight(to_tsvector('english', title), 'A') || "
    "setweight(to_tsvector('english', jobboard_words(tags) || ' ' || company_name), 'B') || "
    "setweight(to_tsvector('english', coalesce(location, '')), 'C') || "
    "setweight(to_tsvector('english', description_text), 'D')"
)
PLACE = (
    "to_tsvector('simple', coalesce(location, '') || ' ' || coalesce(city, '') || ' ' || "
    "coalesce(region, '') || ' ' || coalesce(country, ''))"
)


def upgrade() -> None:
    # Some boards are rid of it already: it once went with the revision before.
    for name in ("newest", "pay", "country", "featured"):
        op.drop_index(f"ix_jobs_live_{name}", "jobs", if_exists=True)
    op.drop_index("ix_jobs_tags", "jobs", if_exists=True)
    op.drop_column("jobs", "search", if_exists=True)  # with their indexes
    op.drop_column("jobs", "place_search", if_exists=True)


def downgrade() -> None:
    generated = {"search": SEARCH, "place_search": PLACE}
    for name, source in generated.items():
        op.execute(
            f"ALTER TABLE jobs ADD COLUMN {name} tsvector GENERATED ALWAYS AS ({source}) STORED"
        )
        op.create_index(f"ix_jobs_{name}", "jobs", [name], postgresql_using="gin")
    op.execute("ALTER TABLE jobs ALTER COLUMN search SET STATISTICS 1000")
    op.create_index("ix_jobs_tags", "jobs", ["tags"], postgresql_using="gin")
    op.create_index("ix_jobs_live_featured", "jobs", ["featured_until"], postgresql_where=FEATURED)
    op.create_index("ix_jobs_live_country", "jobs", ["country"], postgresql_where=LIVE)
    op.create_index(
        "ix_jobs_live_pay",
        "jobs",
        ["currency", sa.text("coalesce(yearly_max, yearly_min)"), "published_at", "id"],
        postgresql_where=LIVE,
    )
    op.create_index("ix_jobs_live_newest", "jobs", ["published_at", "id"], postgresql_where=LIVE)
