"""Words that mean the same, in a table that admins edit; a set to begin with."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "5e90d7b3c218"
down_revision: str | Sequence[str] | None = "c81e5d3a7f04"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each finds the others.
SAME = """
full stack, fullstack
front end, frontend
back end, backend
dev ops, devops
dev sec ops, devsecops
e commerce, ecommerce
e mail, email
e learning, elearning
on site, onsite
part time, parttime
full time, fulltime
free lance, freelance
home office, remote work, work from home
data base, database
web site, website
start up, startup
sr, senior
jr, junior
vp, vice president
ceo, chief executive officer
cto, chief technology officer
cfo, chief financial officer
coo, chief operating officer
cmo, chief marketing officer
ciso, chief information security officer
hr, human resources
it, information technology
qa, quality assurance
ux, user experience
ui, user interface
ml, machine learning
ai, artificial intelligence
nlp, natural language processing
sre, site reliability engineer
dba, database administrator
k8s, kubernetes
js, javascript
ts, typescript
postgres, postgresql
nodejs, node js
reactjs, react js
vuejs, vue js
nextjs, next js
aspnet, asp dotnet
cicd, ci cd
rnd, research and development
software engineer, software developer, programmer, software entwickler, softwareentwickler
web developer, web engineer, webentwickler
frontend developer, frontend engineer
backend developer, backend engineer
full stack developer, full stack engineer
data scientist, data science
system administrator, sysadmin, systems administrator, systemadministrator
infosec, information security
nurse, rn, registered nurse, krankenpfleger, krankenschwester, pflegefachkraft
licensed practical nurse, lpn
certified nursing assistant, cna
physician, medical doctor
doctor, physician
attorney, lawyer, rechtsanwalt
cpa, certified public accountant
accountant, buchhalter
cook, koch
waiter, waitress, kellner
teacher, lehrer
janitor, custodian
cashier, kassierer
recruiter, talent acquisition
human resources manager, hr manager, personalleiter
customer service, customer support, kundenservice
sales representative, sales rep
account executive, sales executive
truck driver, hgv driver, lkw fahrer
electrician, elektriker
plumber, klempner
carpenter, tischler, schreiner
welder, schweißer
warehouse worker, lagerarbeiter, lagermitarbeiter
internship, praktikum
intern, praktikant
apprenticeship, ausbildung
bachelor of science, bsc, b sc
phd, ph d
"""
# The first finds the others, and is found by itself alone: it stands for more than one thing.
FIRST = """
pm, project manager, product manager
pa, personal assistant, physician assistant
pt, physical therapist
er, emergency room
ba, business analyst
"""
# In a search, "it" is IT.
FORMS = r"""
CREATE FUNCTION jobboard_forms(written text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY[phraseto_tsquery('jobboard_english', terms)::text,
                 phraseto_tsquery('jobboard_plain', terms)::text,
                 phraseto_tsquery('jobboard_german', terms)::text]
      FROM (SELECT jobboard_terms(regexp_replace(written, '\mit\M', 'IT', 'gi')) AS terms
            OFFSET 0) AS made
$$
"""
KEYS = """
CREATE FUNCTION jobboard_keys(terms text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg((jobboard_forms(term))[1] ORDER BY place)
      FROM unnest(terms) WITH ORDINALITY AS each (term, place)
$$
"""
# Whatever a saved search asks that has one of these words is to be filed anew.
OUTDATE = r"""
CREATE FUNCTION jobboard_outdate_saved_searches() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    key text;
    wanted tsquery := '';
BEGIN
    -- Who files a search meanwhile holds the other half of this lock (alerts/index.py).
    PERFORM pg_advisory_xact_lock(4839201767);
    FOREACH key IN ARRAY coalesce(OLD.keys, '{}') || coalesce(NEW.keys, '{}') LOOP
        wanted := wanted || key::tsquery;
    END LOOP;
    UPDATE saved_searches SET stale = true
     WHERE NOT stale AND to_tsvector('jobboard_english', jobboard_terms(
               regexp_replace(criteria ->> 'q', '\mit\M', 'IT', 'gi'))) @@ wanted;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    for function in (FORMS, KEYS, OUTDATE):
        op.execute(function)
    op.create_table(
        "synonyms",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("terms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("both_ways", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "keys",
            postgresql.ARRAY(sa.Text()),
            sa.Computed("jobboard_keys(terms)", persisted=True),
            nullable=True,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("cardinality(terms) BETWEEN 2 AND 20", name="several"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synonyms")),
        sa.UniqueConstraint("terms", name=op.f("uq_synonyms_terms")),
    )
    op.create_index("ix_synonyms_keys", "synonyms", ["keys"], postgresql_using="gin")
    op.execute(
        "CREATE TRIGGER outdate_saved_searches AFTER INSERT OR UPDATE OR DELETE ON synonyms"
        " FOR EACH ROW EXECUTE FUNCTION jobboard_outdate_saved_searches()"
    )
    terms = sa.column("terms", postgresql.ARRAY(sa.Text))
    table = sa.table("synonyms", terms, sa.column("both_ways", sa.Boolean))
    op.bulk_insert(
        table,
        [
            {"terms": line.split(", "), "both_ways": both_ways}
            for lines, both_ways in ((SAME, True), (FIRST, False))
            for line in lines.strip().splitlines()
        ],
    )


def downgrade() -> None:
    op.drop_table("synonyms")
    op.execute("DROP FUNCTION jobboard_outdate_saved_searches()")
    op.execute("DROP FUNCTION jobboard_keys(text[])")
    op.execute("DROP FUNCTION jobboard_forms(text)")
    op.execute("UPDATE saved_searches SET stale = true WHERE criteria ? 'q'")
