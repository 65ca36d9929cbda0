"""The jobs that are published already, into the table that searches read."""

from collections.abc import Sequence

from alembic import op

from jobboard.infra.batches import in_batches

revision: str = "b2e15d8ca042"
down_revision: str | Sequence[str] | None = "a1f04c7b9d31"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The rows are locked, so that none is closed between our reading and our writing.
FILL = """
INSERT INTO live_jobs (id, company_id, published_at, expires_at, featured_until, country, remote,
    employment_type, experience, currency, pay, tags, times, kinds, search, head, place_search)
SELECT id, company_id, published_at, expires_at, featured_until, country, remote,
    employment_type, experience, currency, coalesce(yearly_max, yearly_min), tags,
    jobboard_times(published_at),
    jobboard_kinds(country, remote, employment_type, experience, company_id, tags, currency,
                   coalesce(yearly_max, yearly_min)),
    search, ts_filter(search, '{a,b,c}'), place_search
  FROM (SELECT * FROM jobs WHERE status = 'published' AND id > :after AND id <= :upto
         ORDER BY id FOR NO KEY UPDATE) AS published
ON CONFLICT (id) DO NOTHING
"""


def upgrade() -> None:
    in_batches("jobs", FILL)


def downgrade() -> None:
    op.execute("DELETE FROM live_jobs")
