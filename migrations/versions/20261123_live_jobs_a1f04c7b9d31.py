"""A table of published jobs for searches to read, and the trigger that keeps it in step.

What words a job is found by is said by two functions; whoever replaces them writes the vectors
anew (`UPDATE jobs SET title = title WHERE ...` by batches: the trigger does the rest).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "a1f04c7b9d31"
down_revision: str | Sequence[str] | None = "f9e3f0577f98"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Title first, then tags and company, then place, then the text.
SEARCH = """
CREATE FUNCTION jobboard_search(title text, tags text[], company text, location text, body text)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('english', title), 'A')
        || setweight(to_tsvector('english', jobboard_words(tags) || ' ' || company), 'B')
        || setweight(to_tsvector('english', coalesce(location, '')), 'C')
        || setweight(to_tsvector('english', body), 'D')
$$
"""
PLACE = """
CREATE FUNCTION jobboard_place_search(location text, city text, region text, country text)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', coalesce(location, '') || ' ' || coalesce(city, '') || ' '
        || coalesce(region, '') || ' ' || coalesce(country, ''))
$$
"""
# The spans of 2 ** level seconds since 2020 in which a moment lies: jobs/walk.py asks for them.
TIMES = """
CREATE FUNCTION jobboard_times(moment timestamptz)
RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg((greatest(0, extract(epoch FROM moment) - 1577836800)::bigint >> level) * 64
                     + level)
      FROM unnest(ARRAY[9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 34])
           AS level
$$
"""
# What the filters ask for: jobs/filters.py names it so, too. Pay in steps of half an octave.
KINDS = """
CREATE FUNCTION jobboard_kinds(country text, remote text, employment_type text, experience text,
                               company_id uuid, tags text[], currency text, pay bigint)
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_remove(ARRAY['country:' || country, 'remote:' || remote,
            'employment_type:' || employment_type, 'experience:' || experience,
            'company:' || company_id,
            CASE WHEN currency IS NULL OR pay IS NULL THEN 'pay:?'
                 ELSE 'pay:' || currency || ':' || floor(2 * ln(greatest(pay, 1)) / ln(2)) END],
            NULL)
        || ARRAY(SELECT 'tag:' || tag FROM unnest(tags) AS tag)
$$
"""
COLUMNS = """id, company_id, published_at, expires_at, featured_until, country, remote,
    employment_type, experience, currency, pay, tags, times, kinds, search, head, place_search"""
KEEP = f"""
CREATE FUNCTION jobboard_keep_live() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    pay bigint := coalesce(NEW.yearly_max, NEW.yearly_min);
    words tsvector;
BEGIN
    IF NEW.status <> 'published' THEN
        DELETE FROM live_jobs WHERE id = NEW.id;
        RETURN NULL;
    END IF;
    words := jobboard_search(NEW.title, NEW.tags, NEW.company_name, NEW.location,
                             NEW.description_text);
    INSERT INTO live_jobs ({COLUMNS})
    VALUES (NEW.id, NEW.company_id, NEW.published_at, NEW.expires_at, NEW.featured_until,
        NEW.country, NEW.remote, NEW.employment_type, NEW.experience, NEW.currency, pay, NEW.tags,
        jobboard_times(NEW.published_at),
        jobboard_kinds(NEW.country, NEW.remote, NEW.employment_type, NEW.experience,
                       NEW.company_id, NEW.tags, NEW.currency, pay),
        words, ts_filter(words, '{{a,b,c}}'),
        jobboard_place_search(NEW.location, NEW.city, NEW.region, NEW.country))
    ON CONFLICT (id) DO UPDATE SET ({COLUMNS}) = ROW (excluded.*);
    RETURN NULL;
END $$
"""
# Most changes of a job concern no search: its version, who approved it.
ASKED = (
    "status", "company_id", "company_name", "published_at", "expires_at", "featured_until",
    "title", "description_text", "location", "city", "region", "country", "remote",
    "employment_type", "experience", "currency", "yearly_min", "yearly_max", "tags",
)  # fmt: skip
NEW, OLD = (", ".join(f"{row}.{name}" for name in ASKED) for row in ("NEW", "OLD"))
TRIGGERS = (
    """CREATE TRIGGER keep_live_of_new AFTER INSERT ON jobs FOR EACH ROW
    WHEN (NEW.status = 'published') EXECUTE FUNCTION jobboard_keep_live()""",
    f"""CREATE TRIGGER keep_live AFTER UPDATE ON jobs FOR EACH ROW
    WHEN ((OLD.status = 'published' OR NEW.status = 'published')
          AND ({NEW}) IS DISTINCT FROM ({OLD}))
    EXECUTE FUNCTION jobboard_keep_live()""",
)


def upgrade() -> None:
    moment, long = sa.DateTime(timezone=True), sa.BigInteger()
    op.create_table(
        "live_jobs",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("company_id", sa.UUID(), nullable=False),
        sa.Column("published_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("featured_until", moment, nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("remote", sa.Text(), nullable=True),
        sa.Column("employment_type", sa.Text(), nullable=True),
        sa.Column("experience", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("pay", long, nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("times", postgresql.ARRAY(long), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.Column("head", postgresql.TSVECTOR(), nullable=False),
        sa.Column("place_search", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["jobs.id"], name="fk_live_jobs_id_jobs", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_live_jobs"),
    )
    # Packing costs more than it saves: whoever ranks a job would unpack it again.
    op.execute("ALTER TABLE live_jobs ALTER COLUMN search SET STORAGE EXTERNAL")
    # A word that is in no statistics is taken for half as common as the rarest that is: with the
    # default of 100, for thousands of jobs of a million.
    op.execute("ALTER TABLE live_jobs ALTER COLUMN search SET STATISTICS 1000")
    for statement in (SEARCH, PLACE, TIMES, KINDS, KEEP, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_live ON jobs")
    op.execute("DROP TRIGGER keep_live_of_new ON jobs")
    op.drop_table("live_jobs")
    op.execute("DROP FUNCTION jobboard_keep_live()")
    op.execute("DROP FUNCTION jobboard_kinds(text, text, text, text, uuid, text[], text, bigint)")
    op.execute("DROP FUNCTION jobboard_times(timestamptz)")
    op.execute("DROP FUNCTION jobboard_place_search(text, text, text, text)")
    op.execute("DROP FUNCTION jobboard_search(text, text[], text, text, text)")
