"""Pay for a year in euro cents, fixed when a job is posted, so that currencies can be compared.

A trigger fixes it: whoever writes a job, the release before too, leaves it comparable. What is
there is filled by the next migration.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "5f83d09c6b17"
down_revision: str | Sequence[str] | None = "e1b7c4f20a93"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# An amount in minor units, in euro cents.
CENTS = """
CREATE FUNCTION jobboard_cents(amount bigint, per_euro numeric, digits integer) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT least(round(amount * power(10::numeric, 2 - digits) / per_euro),
                 9223372036854775807)::bigint
$$
"""
# The same by the newest rate; NULL where there is none.
IN_EUROS = """
CREATE FUNCTION jobboard_in_euros(amount bigint, code text) RETURNS bigint
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE code WHEN 'EUR' THEN amount ELSE (
        SELECT jobboard_cents(amount, per_euro, digits) FROM exchange_rates
         WHERE currency = code ORDER BY day DESC LIMIT 1) END
$$
"""
# The rate that held at a moment, or else the oldest one.
RATE = """
CREATE FUNCTION jobboard_rate(code text, moment timestamptz) RETURNS exchange_rates
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    rate exchange_rates;
BEGIN
    SELECT * INTO rate FROM exchange_rates
     WHERE currency = code AND day <= (moment AT TIME ZONE 'UTC')::date ORDER BY day DESC LIMIT 1;
    IF NOT FOUND THEN
        SELECT * INTO rate FROM exchange_rates WHERE currency = code ORDER BY day LIMIT 1;
    END IF;
    RETURN rate;
END
$$
"""
FIX = """
CREATE FUNCTION jobboard_fix_pay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := coalesce(NEW.published_at, now());
    rate exchange_rates;
BEGIN
    NEW.rate_date := NULL;
    NEW.rate_source := NULL;
    IF NEW.currency = 'EUR' THEN
        NEW.euros_min := NEW.yearly_min;
        NEW.euros_max := NEW.yearly_max;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.currency, NEW.yearly_min, NEW.yearly_max)
                            IS DISTINCT FROM (OLD.currency, OLD.yearly_min, OLD.yearly_max) THEN
        moment := now();
    END IF;
    rate := jobboard_rate(NEW.currency, moment);
    NEW.euros_min := jobboard_cents(NEW.yearly_min, rate.per_euro, rate.digits);
    NEW.euros_max := jobboard_cents(NEW.yearly_max, rate.per_euro, rate.digits);
    IF coalesce(NEW.euros_min, NEW.euros_max) IS NOT NULL THEN
        NEW.rate_date := rate.day;
        NEW.rate_source := rate.source;
    END IF;
    RETURN NEW;
END
$$
"""
# When the pay is written, when the job is first published; and again where there was no rate.
FIXES = (
    """CREATE TRIGGER fix_pay_of_new BEFORE INSERT ON jobs FOR EACH ROW
    WHEN (NEW.currency IS NOT NULL) EXECUTE FUNCTION jobboard_fix_pay()""",
    """CREATE TRIGGER fix_pay BEFORE UPDATE ON jobs FOR EACH ROW
    WHEN ((NEW.currency, NEW.yearly_min, NEW.yearly_max, NEW.published_at)
          IS DISTINCT FROM (OLD.currency, OLD.yearly_min, OLD.yearly_max, OLD.published_at)
          OR NEW.currency IS NOT NULL AND coalesce(NEW.yearly_min, NEW.yearly_max) IS NOT NULL
             AND coalesce(NEW.euros_min, NEW.euros_max) IS NULL)
    EXECUTE FUNCTION jobboard_fix_pay()""",
)
# Half an octave is a step.
STEP = """
CREATE FUNCTION jobboard_step(amount bigint) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT floor(2 * ln(greatest(amount, 1)) / ln(2))::integer
$$
"""
# jobs/filters.py asks for them. In euros up to step 60, ten million a year: what is paid more is
# in that, too.
KINDS = """
CREATE FUNCTION jobboard_kinds(countries text[], remote text, employment_type text,
                               experience text, company_id uuid, tags text[], currency text,
                               pay bigint, points double precision[], euros bigint)
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_remove(ARRAY['remote:' || remote,
            'employment_type:' || employment_type, 'experience:' || experience,
            'company:' || company_id,
            CASE WHEN currency IS NULL OR pay IS NULL THEN 'pay:?'
                 ELSE 'pay:' || currency || ':' || jobboard_step(pay) END,
            CASE WHEN euros IS NOT NULL THEN 'euros:' || least(jobboard_step(euros), 60) END,
            CASE WHEN remote = 'remote' AND countries = '{}' THEN 'from:*' END],
            NULL)
        || ARRAY(SELECT 'country:' || country FROM unnest(countries) AS country)
        || ARRAY(SELECT 'from:' || country FROM unnest(countries) AS country
                  WHERE remote = 'remote')
        || ARRAY(SELECT 'tag:' || tag FROM unnest(tags) AS tag)
        || jobboard_cells(points)
$$
"""
# As it was.
KINDS_BEFORE = """
CREATE FUNCTION jobboard_kinds(countries text[], remote text, employment_type text,
                               experience text, company_id uuid, tags text[], currency text,
                               pay bigint, points double precision[])
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_remove(ARRAY['remote:' || remote,
            'employment_type:' || employment_type, 'experience:' || experience,
            'company:' || company_id,
            CASE WHEN currency IS NULL OR pay IS NULL THEN 'pay:?'
                 ELSE 'pay:' || currency || ':' || floor(2 * ln(greatest(pay, 1)) / ln(2)) END,
            CASE WHEN remote = 'remote' AND countries = '{}' THEN 'from:*' END],
            NULL)
        || ARRAY(SELECT 'country:' || country FROM unnest(countries) AS country)
        || ARRAY(SELECT 'from:' || country FROM unnest(countries) AS country
                  WHERE remote = 'remote')
        || ARRAY(SELECT 'tag:' || tag FROM unnest(tags) AS tag)
        || jobboard_cells(points)
$$
"""
# The trigger's function, but for what it says of euros.
KEEP = """
DO $do$
DECLARE
    written text := pg_get_functiondef('jobboard_keep_live'::regproc);
BEGIN
{changes}
    EXECUTE written;
END $do$
"""
CHANGE = """
    IF position({old} IN written) = 0 THEN
        RAISE EXCEPTION 'jobboard_keep_live is not as it was expected: no %', {old};
    END IF;
    written := replace(written, {old}, {new});
"""
DECLARED = "    words tsvector;"
CHANGES = {
    DECLARED: f"{DECLARED}\n    euros bigint := coalesce(NEW.euros_max, NEW.euros_min);",
    "NEW.currency, pay, points)": "NEW.currency, pay, points, euros)",
    "countries, points)": "countries, points, euros)",
    "        points)\n": "        points,\n        euros)\n",
    "points = excluded.points": "points = excluded.points, euros = excluded.euros",
}
ASKED = (
    "status", "company_id", "company_name", "published_at", "expires_at", "featured_until",
    "title", "description_text", "location", "city", "region", "country", "remote",
    "employment_type", "experience", "currency", "yearly_min", "yearly_max", "tags", "language",
    "places",
)  # fmt: skip
TRIGGER = """
CREATE TRIGGER keep_live AFTER UPDATE ON jobs FOR EACH ROW
WHEN ((OLD.status = 'published' OR NEW.status = 'published')
      AND ({new}) IS DISTINCT FROM ({old}))
EXECUTE FUNCTION jobboard_keep_live()
"""
# What a saved search asks in euros may be another amount now.
OUTDATE = """
CREATE FUNCTION jobboard_outdate_paid_searches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Who files a search meanwhile holds the other half of this lock (alerts/index.py).
    PERFORM pg_advisory_xact_lock(4839201767);
    UPDATE saved_searches SET stale = true
     WHERE NOT stale AND criteria ? 'salary_min' AND criteria ->> 'currency' <> 'EUR';
    RETURN NULL;
END
$$
"""
OUTDATES = """
CREATE TRIGGER outdate_saved_searches AFTER INSERT OR UPDATE OR DELETE ON exchange_rates
FOR EACH STATEMENT EXECUTE FUNCTION jobboard_outdate_paid_searches()
"""
# The release before files pay under its own currency alone. What it files is looked at for every
# job, until it is filed anew. Goes with the next release.
WIDEN = """
CREATE FUNCTION jobboard_file_pay_widely() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(NEW.keys || NEW.required) AS key WHERE key ~ '^m[A-Z]{3}[0-9]')
       AND NOT EXISTS (SELECT FROM unnest(NEW.keys || NEW.required) AS key WHERE key LIKE 'm=%')
    THEN
        NEW.keys := '{*}';
        NEW.required := '{}';
    END IF;
    RETURN NEW;
END
$$
"""
WIDENS = """
CREATE TRIGGER file_pay_widely BEFORE INSERT OR UPDATE OF keys, required ON saved_searches
FOR EACH ROW EXECUTE FUNCTION jobboard_file_pay_widely()
"""
KINDS_AS_THEY_WERE = """
UPDATE live_jobs SET kinds = jobboard_kinds(countries, remote, employment_type, experience,
                                            company_id, tags, currency, pay, points)
"""


def _quoted(text: str) -> str:
    return "E'" + text.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n") + "'"


def _keep(changes: dict[str, str]) -> str:
    return KEEP.format(
        changes="".join(
            CHANGE.format(old=_quoted(old), new=_quoted(new)) for old, new in changes.items()
        )
    )


def _follow(*columns: str) -> None:
    """Make the trigger look at changes of these."""
    op.execute("DROP TRIGGER keep_live ON jobs")
    new, old = (", ".join(f"{row}.{name}" for name in columns) for row in ("NEW", "OLD"))
    op.execute(TRIGGER.format(new=new, old=old))


def upgrade() -> None:
    kinds = {"euros_min": sa.BigInteger(), "euros_max": sa.BigInteger(), "rate_date": sa.Date()}
    for name, kind in (*kinds.items(), ("rate_source", sa.Text())):
        op.add_column("jobs", sa.Column(name, kind, nullable=True))
    op.add_column("live_jobs", sa.Column("euros", sa.BigInteger(), nullable=True))
    for statement in (CENTS, IN_EUROS, RATE, STEP, KINDS, _keep(CHANGES), FIX, *FIXES):
        op.execute(statement)
    _follow(*ASKED, "euros_min", "euros_max")
    op.execute(
        "DROP FUNCTION jobboard_kinds(text[], text, text, text, uuid, text[], text, bigint,"
        " double precision[])"
    )
    for statement in (OUTDATE, OUTDATES, WIDEN, WIDENS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER file_pay_widely ON saved_searches")
    op.execute("DROP FUNCTION jobboard_file_pay_widely()")
    op.execute("DROP TRIGGER outdate_saved_searches ON exchange_rates")
    op.execute("DROP FUNCTION jobboard_outdate_paid_searches()")
    for trigger in ("fix_pay", "fix_pay_of_new"):
        op.execute(f"DROP TRIGGER {trigger} ON jobs")
    op.execute("DROP FUNCTION jobboard_fix_pay()")
    op.execute(KINDS_BEFORE)
    op.execute(_keep({new: old for old, new in CHANGES.items()}))
    _follow(*ASKED)
    op.execute(KINDS_AS_THEY_WERE)
    op.execute("UPDATE saved_searches SET stale = true WHERE criteria ? 'salary_min'")
    op.drop_column("live_jobs", "euros")
    for name in ("euros_min", "euros_max", "rate_date", "rate_source"):
        op.drop_column("jobs", name)
    op.execute(
        "DROP FUNCTION jobboard_kinds(text[], text, text, text, uuid, text[], text, bigint,"
        " double precision[], bigint)"
    )
    op.execute("DROP FUNCTION jobboard_step(bigint)")
    op.execute("DROP FUNCTION jobboard_rate(text, timestamptz)")
    op.execute("DROP FUNCTION jobboard_in_euros(bigint, text)")
    op.execute("DROP FUNCTION jobboard_cents(bigint, numeric, integer)")
