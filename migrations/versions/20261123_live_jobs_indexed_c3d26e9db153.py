"""The indexes of the table that searches read; what `jobs` had for searches goes.

At a million jobs the index of words takes a minute or two, in which jobs can be found and read, but
not published or closed.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "c3d26e9db153"
down_revision: str | Sequence[str] | None = "b2e15d8ca042"
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
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    op.create_index("ix_live_jobs_newest", "live_jobs", ["published_at", "id"])
    op.create_index("ix_live_jobs_pay", "live_jobs", ["currency", "pay", "published_at", "id"])
    op.create_index(
        "ix_live_jobs_featured",
        "live_jobs",
        ["featured_until"],
        postgresql_where=sa.text("featured_until IS NOT NULL"),
    )
    op.create_index(
        "ix_live_jobs_words",
        "live_jobs",
        ["times", "kinds", "search", "head", "place_search"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    for name in ("newest", "pay", "country", "featured"):
        op.drop_index(f"ix_jobs_live_{name}", "jobs")
    op.drop_index("ix_jobs_tags", "jobs")
    op.drop_column("jobs", "search")  # with their indexes
    op.drop_column("jobs", "place_search")


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
    for name in ("words", "featured", "pay", "newest"):
        op.drop_index(f"ix_live_jobs_{name}", "live_jobs")
