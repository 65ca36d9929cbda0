"""The words, titles, skills, companies and places of live jobs: a table that corrections and
suggestions read, and triggers that note each change of a job for it.

Nothing is counted here: who publishes adds one row to a list, and waits for nobody.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "b3c5e1d86f40"
down_revision: str | Sequence[str] | None = "5e90d7b3c218"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# By what terms are found: small letters without accents.
FOLDED = r"""
CREATE FUNCTION jobboard_folded(written text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(lower(unaccent('unaccent', written)), '\s+', ' ', 'g'))
$$
"""
# What is left of the beginning of a word without any one letter, or any two: words that are so
# near to each other share one of these. (Wolf Garbe's symmetric deletions.)
SLIPS = """
CREATE FUNCTION jobboard_slips(word text, most integer) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT slip) FROM (
        SELECT left(word, 7)
        UNION ALL
        SELECT left(word, i - 1) || substr(left(word, 7), i + 1)
          FROM generate_series(1, least(length(word), 7)) AS i
        UNION ALL
        SELECT left(word, i - 1) || substr(word, i + 1, j - i - 1) || substr(left(word, 7), j + 1)
          FROM generate_series(1, least(length(word), 7)) AS i,
               generate_series(i + 1, least(length(word), 7)) AS j
         WHERE most > 1
    ) AS made (slip)
$$
"""
# Words as they are written in title, tags and company, and these themselves. A place is a city
# with its country.
TERMS = r"""
CREATE FUNCTION jobboard_terms_of(
    title text, tags text[], company text, city text, country text
) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN array_remove(
        ARRAY['title:' || title, 'company:' || company, 'place:' || city || '|' || country,
              'country:' || country]
        || ARRAY(SELECT 'skill:' || tag FROM unnest(tags) AS tag)
        || ARRAY(SELECT 'word:' || word
                   FROM unnest(tsvector_to_array(to_tsvector('simple', translate(
                        title || ' ' || jobboard_words(tags) || ' ' || company, './-', '   '))))
                        AS word
                  WHERE length(word) BETWEEN 3 AND 40 AND word !~ '[^[:alpha:]]'), NULL);
END
$$
"""
# One row for a statement, however many jobs it writes.
OF = "jobboard_terms_of({0}.title, {0}.tags, {0}.company_name, {0}.city, {0}.country)"
ASKED = "({0}.status, {0}.title, {0}.tags, {0}.company_name, {0}.city, {0}.country)"
NOTE = f"""
CREATE FUNCTION jobboard_note_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO term_changes (changes)
        SELECT jsonb_object_agg(term, jobs)
          FROM (SELECT term, count(*) AS jobs FROM came, unnest({OF.format("came")}) AS term
                 WHERE came.status = 'published' GROUP BY term) AS counted
        HAVING count(*) > 0;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO term_changes (changes)
        SELECT jsonb_object_agg(term, jobs)
          FROM (SELECT term, -count(*) AS jobs FROM went, unnest({OF.format("went")}) AS term
                 WHERE went.status = 'published' GROUP BY term) AS counted
        HAVING count(*) > 0;
    ELSE
        INSERT INTO term_changes (changes)
        SELECT jsonb_object_agg(term, jobs)
          FROM (SELECT term, sum(job) AS jobs
                  FROM (SELECT unnest({OF.format("came")}), 1 FROM came JOIN went USING (id)
                         WHERE came.status = 'published'
                           AND {ASKED.format("came")} IS DISTINCT FROM {ASKED.format("went")}
                        UNION ALL
                        SELECT unnest({OF.format("went")}), -1 FROM went JOIN came USING (id)
                         WHERE went.status = 'published'
                           AND {ASKED.format("came")} IS DISTINCT FROM {ASKED.format("went")}
                       ) AS each (term, job)
                 GROUP BY term HAVING sum(job) <> 0) AS counted
        HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$
"""
SEEN = {
    "INSERT": "NEW TABLE AS came",
    "UPDATE": "OLD TABLE AS went NEW TABLE AS came",
    "DELETE": "OLD TABLE AS went",
}
TRIGGER = """
CREATE TRIGGER note_terms_of_{0} AFTER {0} ON jobs REFERENCING {1}
FOR EACH STATEMENT EXECUTE FUNCTION jobboard_note_terms()
"""
KINDS = "('word', 'title', 'skill', 'company', 'place', 'country')"


def upgrade() -> None:
    for function in (FOLDED, SLIPS, TERMS):
        op.execute(function)
    op.create_table(
        "terms",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column(
            "level",
            sa.SmallInteger(),
            sa.Computed("CAST(floor(log(2, jobs)) AS smallint)", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "slips",
            postgresql.ARRAY(sa.Text()),
            sa.Computed(
                "CASE WHEN kind = 'word' THEN"
                " jobboard_slips(key, CASE WHEN length(key) < 6 THEN 1 ELSE 2 END) END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(f"kind IN {KINDS}", name=op.f("ck_terms_kind")),
        sa.CheckConstraint("jobs > 0", name=op.f("ck_terms_used")),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_terms"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index("ix_terms_begin", "terms", ["kind", "level", "key"])
    op.create_index(
        "ix_terms_slips",
        "terms",
        ["slips"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
        postgresql_where=sa.text("slips IS NOT NULL"),
    )
    op.create_table(
        "term_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_term_changes"),
    )
    op.execute(NOTE)
    for verb, seen in SEEN.items():
        op.execute(TRIGGER.format(verb.lower(), seen))


def downgrade() -> None:
    for verb in SEEN:
        op.execute(f"DROP TRIGGER note_terms_of_{verb.lower()} ON jobs")
    op.execute("DROP FUNCTION jobboard_note_terms()")
    op.drop_table("term_changes")
    op.drop_table("terms")
    op.execute("DROP FUNCTION jobboard_terms_of(text, text[], text, text, text)")
    op.execute("DROP FUNCTION jobboard_slips(text, integer)")
    op.execute("DROP FUNCTION jobboard_folded(text)")
