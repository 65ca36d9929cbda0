"""The terms of the jobs that are live already.

In one statement, so that the jobs that are counted and the changes that are struck off the list are
of one moment; nobody waits for it. A million jobs take two minutes.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "c9d47a02be15"
down_revision: str | Sequence[str] | None = "b3c5e1d86f40"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Who works through the list meanwhile (jobs/vocabulary.py) has this lock.
ALONE = "SELECT pg_advisory_xact_lock(4839201769)"
COUNT = """
WITH counted AS (DELETE FROM term_changes)
INSERT INTO terms (kind, key, shown, jobs)
SELECT split_part(term, ':', 1), jobboard_folded(substr(term, strpos(term, ':') + 1)),
       min(substr(term, strpos(term, ':') + 1)), sum(jobs)
  FROM (SELECT term, count(*) AS jobs
          FROM jobs, unnest(jobboard_terms_of(title, tags, company_name, city, country)) AS term
         WHERE status = 'published' GROUP BY term) AS each
 GROUP BY 1, 2
"""


def upgrade() -> None:
    op.execute(ALONE)
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute("SET LOCAL work_mem = '64MB'")
    op.execute("DELETE FROM terms")
    op.execute(COUNT)


def downgrade() -> None:
    """The tables go with the migration before."""
