"""Job titles and skills as people write them, in a text search configuration of our own.

Each ad is stemmed by its language. The vectors that are there are made anew in batches, by the next
migration.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2f6b80c41d97"
down_revision: str | Sequence[str] | None = "e7a4905c1b38"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Ours, the one it is a copy of, and what reads words that are not plain ASCII. Stop words come
# before accents go: "für" is one, "fur" is not.
CONFIGURATIONS = {
    "jobboard_english": ("english", "unaccent, english_stem"),
    "jobboard_german": ("german", "jobboard_german_stops, unaccent, german_stem"),
    "jobboard_plain": ("simple", "unaccent, simple"),
}
# What PostgreSQL's parser would take apart, or leave out. Most texts hold none of it, and are only
# looked through. "IT" is written large, or it is a pronoun. A slash, a hyphen or a dot between
# words would make a file, a compound or a host of them.
TERMS = r"""
CREATE FUNCTION jobboard_terms(written text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF written ~ '[Cc]\+\+|[CcFfJj]#|\.[Nn][Ee][Tt]|IT|[A-Za-z]&[A-Za-z]|[Cc]-[LlSs]' THEN
        written := regexp_replace(written, '\m([Cc])\+\+', '\1plusplus ', 'g');
        written := regexp_replace(written, '\m([CcFfJj])#', '\1sharp ', 'g');
        written := regexp_replace(written, '\.(NET|Net)\M', ' dot\1', 'g');
        written := regexp_replace(written,
            '(^|[^A-Za-z0-9]|\m(?:[Aa]sp|[Aa]do|[Vv]b|[Mm]l))\.net\M', '\1 dotnet', 'g');
        written := regexp_replace(written, '\mIT\M', 'infoIT', 'g');
        written := regexp_replace(written, '\m([A-Za-z])&([A-Za-z])\M', '\1n\2', 'g');
        written := regexp_replace(written, '\m([Cc])-([Ll]evel|[Ss]uite)\M', '\1\2', 'g');
    END IF;
    RETURN replace(replace(replace(written, '/', ' '), '-', ' '), '.', ' ');
END
$$
"""
# Title first, then tags and company, then place, then the text. Titles and tags are often small:
# "it" is IT there. German stems begin with "de:", since they are English words of another meaning
# too often: "Bäcker" becomes "back".
SEARCH = r"""
CREATE FUNCTION jobboard_search(
    language text, title text, tags text[], company text, location text, body text
) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    config regconfig := CASE coalesce(language, 'en') WHEN 'en' THEN 'jobboard_english'
        WHEN 'de' THEN 'jobboard_german' ELSE 'jobboard_plain' END;
    called text := regexp_replace(title, '\mit\M', 'IT', 'gi');
    skills text := regexp_replace(jobboard_words(tags), '\mit\M', 'IT', 'gi');
    made tsvector;
BEGIN
    made := setweight(to_tsvector(config, jobboard_terms(called)), 'A')
        || setweight(to_tsvector(config, jobboard_terms(skills || ' ' || company)), 'B')
        || setweight(to_tsvector(config, jobboard_terms(coalesce(location, ''))), 'C')
        || setweight(to_tsvector(config, jobboard_terms(body)), 'D');
    IF language = 'de' THEN
        RETURN replace(' ' || made::text, ' ''', ' ''de:')::tsvector;
    END IF;
    RETURN made;
END
$$
"""
# As it was.
SEARCH_BEFORE = """
CREATE FUNCTION jobboard_search(title text, tags text[], company text, location text, body text)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('english', title), 'A')
        || setweight(to_tsvector('english', jobboard_words(tags) || ' ' || company), 'B')
        || setweight(to_tsvector('english', coalesce(location, '')), 'C')
        || setweight(to_tsvector('english', body), 'D')
$$
"""
WORDS_BEFORE = """
UPDATE live_jobs SET search = made.words, head = ts_filter(made.words, '{a,b,c}')
  FROM (SELECT id, jobboard_search(title, tags, company_name, location, description_text) AS words
          FROM jobs WHERE status = 'published') AS made
 WHERE made.id = live_jobs.id
"""
# The trigger's function, but for one call in it.
KEEP = """
DO $do$ BEGIN
    EXECUTE replace(pg_get_functiondef('jobboard_keep_live'::regproc), 'jobboard_search({old}',
                    'jobboard_search({new}');
END $do$
"""
BEFORE, SINCE = "NEW.title", "NEW.language, NEW.title"
ASKED = (
    "status", "company_id", "company_name", "published_at", "expires_at", "featured_until",
    "title", "description_text", "location", "city", "region", "country", "remote",
    "employment_type", "experience", "currency", "yearly_min", "yearly_max", "tags",
)  # fmt: skip
TRIGGER = """
CREATE TRIGGER keep_live AFTER UPDATE ON jobs FOR EACH ROW
WHEN ((OLD.status = 'published' OR NEW.status = 'published')
      AND ({new}) IS DISTINCT FROM ({old}))
EXECUTE FUNCTION jobboard_keep_live()
"""


def _follow(*columns: str) -> None:
    """Make the trigger look at changes of these."""
    op.execute("DROP TRIGGER keep_live ON jobs")
    new, old = (", ".join(f"{row}.{name}" for name in columns) for row in ("NEW", "OLD"))
    op.execute(TRIGGER.format(new=new, old=old))


def upgrade() -> None:
    # A trusted extension: whoever may create in the database may make it.
    op.execute("CREATE EXTENSION IF NOT EXISTS unaccent")
    op.execute(
        "CREATE TEXT SEARCH DICTIONARY jobboard_german_stops"
        " (TEMPLATE = simple, STOPWORDS = german, ACCEPT = false)"
    )
    for name, (like, dictionaries) in CONFIGURATIONS.items():
        op.execute(f"CREATE TEXT SEARCH CONFIGURATION {name} (COPY = {like})")
        op.execute(
            f"ALTER TEXT SEARCH CONFIGURATION {name}"
            f" ALTER MAPPING FOR word, hword, hword_part WITH {dictionaries}"
        )
        # Addresses are taken apart; what is left of them here says nothing.
        op.execute(
            f"ALTER TEXT SEARCH CONFIGURATION {name}"
            " DROP MAPPING FOR email, url, url_path, host, file"
        )
    op.execute(TERMS)
    op.add_column("jobs", sa.Column("language", sa.Text(), nullable=True))
    op.execute(SEARCH)
    op.execute(KEEP.format(old=BEFORE, new=SINCE))
    _follow(*ASKED, "language")
    op.execute("DROP FUNCTION jobboard_search(text, text[], text, text, text)")
    # True for all that are there, at no cost: they are filed by the words of before.
    op.add_column(
        "saved_searches",
        sa.Column("stale", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.alter_column("saved_searches", "stale", server_default=sa.text("false"))
    op.create_index(
        "ix_saved_searches_stale", "saved_searches", ["id"], postgresql_where=sa.text("stale")
    )


def downgrade() -> None:
    op.drop_index("ix_saved_searches_stale", table_name="saved_searches")
    op.drop_column("saved_searches", "stale")
    op.execute(SEARCH_BEFORE)
    op.execute(KEEP.format(old=SINCE, new=BEFORE))
    _follow(*ASKED)
    op.execute(WORDS_BEFORE)
    op.drop_column("jobs", "language")
    op.execute("DROP FUNCTION jobboard_search(text, text, text[], text, text, text)")
    op.execute("DROP FUNCTION jobboard_terms(text)")
    for name in CONFIGURATIONS:
        op.execute(f"DROP TEXT SEARCH CONFIGURATION {name}")
    op.execute("DROP TEXT SEARCH DICTIONARY jobboard_german_stops")
