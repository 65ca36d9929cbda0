"""All places of a job, and where they lie: for filters, for words, and for circles on the map.

What is there is read by the next migration. The release before searches the country of the first
place in `live_jobs.country`, which therefore stays until a release after this one.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "4d7e92b1f630"
down_revision: str | Sequence[str] | None = "b7d21e64f0a9"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COUNTRIES = """
CREATE FUNCTION jobboard_countries(country text, places jsonb)
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT code), '{}')
      FROM (SELECT country AS code
             UNION ALL
            SELECT place ->> 'country' FROM jsonb_array_elements(places) AS place) AS every
     WHERE code IS NOT NULL
$$
"""
# Degrees north and east of each town, one after the other.
POINTS = """
CREATE FUNCTION jobboard_points(places jsonb)
RETURNS double precision[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(degrees ORDER BY n, part), '{}')
      FROM jsonb_array_elements(places) WITH ORDINALITY AS each (place, n),
           LATERAL (VALUES (1, CAST(place ->> 'lat' AS double precision)),
                           (2, CAST(place ->> 'lon' AS double precision))) AS half (part, degrees)
     WHERE place ? 'lat'
$$
"""
# The squares of three grids: jobs/near.py covers a circle by them.
CELLS = """
CREATE FUNCTION jobboard_cells(points double precision[])
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT concat_ws(':', 'at', grid,
               floor((points[2 * n - 1] + 90) / size), floor((points[2 * n] + 180) / size))), '{}')
      FROM generate_series(1, cardinality(points) / 2) AS n,
           (VALUES (0, 0.25::double precision), (1, 1), (2, 4)) AS grids (grid, size)
$$
"""
# To the nearest of the points, in km (haversine).
KM = """
CREATE FUNCTION jobboard_km(points double precision[], north double precision,
                            east double precision)
RETURNS double precision LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    half double precision;
    least_half double precision;
BEGIN
    FOR n IN 1 .. cardinality(points) / 2 LOOP
        half := sind((points[2 * n - 1] - north) / 2) ^ 2 + cosd(north) * cosd(points[2 * n - 1])
            * sind((points[2 * n] - east) / 2) ^ 2;
        least_half := least(half, least_half);
    END LOOP;
    RETURN 2 * 6371 * asin(least(1, sqrt(least_half)));
END
$$
"""
KINDS = """
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
PLACE = """
CREATE FUNCTION jobboard_place_search(location text, city text, region text, country text,
                                      places jsonb)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', concat_ws(' ', location, city, region, country,
        (SELECT string_agg(concat_ws(' ', place ->> 'city', place ->> 'region',
                                     place ->> 'country'), ' ' ORDER BY n)
           FROM jsonb_array_elements(places) WITH ORDINALITY AS each (place, n) WHERE n > 1)))
$$
"""
# As they were.
KINDS_BEFORE = """
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
PLACE_BEFORE = """
CREATE FUNCTION jobboard_place_search(location text, city text, region text, country text)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', coalesce(location, '') || ' ' || coalesce(city, '') || ' '
        || coalesce(region, '') || ' ' || coalesce(country, ''))
$$
"""
BEFORE = {
    "id": "NEW.id",
    "company_id": "NEW.company_id",
    "published_at": "NEW.published_at",
    "expires_at": "NEW.expires_at",
    "featured_until": "NEW.featured_until",
    "remote": "NEW.remote",
    "employment_type": "NEW.employment_type",
    "experience": "NEW.experience",
    "currency": "NEW.currency",
    "pay": "pay",
    "tags": "NEW.tags",
    "times": "jobboard_times(NEW.published_at)",
    "kinds": "jobboard_kinds(NEW.country, NEW.remote, NEW.employment_type, NEW.experience,"
    " NEW.company_id, NEW.tags, NEW.currency, pay)",
    "search": "words",
    "head": "ts_filter(words, '{a,b,c}')",
    "place_search": "jobboard_place_search(NEW.location, NEW.city, NEW.region, NEW.country)",
    "country": "NEW.country",
}
SINCE = {
    **BEFORE,
    "kinds": "jobboard_kinds(countries, NEW.remote, NEW.employment_type, NEW.experience,"
    " NEW.company_id, NEW.tags, NEW.currency, pay, points)",
    "place_search": "jobboard_place_search(NEW.location, NEW.city, NEW.region, NEW.country,"
    " NEW.places)",
    "countries": "countries",
    "points": "points",
}
DECLARED = """
    countries text[] := jobboard_countries(NEW.country, NEW.places);
    points double precision[] := jobboard_points(NEW.places);
"""
KEEP = """
CREATE OR REPLACE FUNCTION jobboard_keep_live() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    pay bigint := coalesce(NEW.yearly_max, NEW.yearly_min);
    words tsvector;{declared}
BEGIN
    IF NEW.status <> 'published' THEN
        DELETE FROM live_jobs WHERE id = NEW.id;
        RETURN NULL;
    END IF;
    words := jobboard_search(NEW.language, NEW.title, NEW.tags, NEW.company_name, NEW.location,
                             NEW.description_text);
    INSERT INTO live_jobs ({columns})
    VALUES ({values})
    ON CONFLICT (id) DO UPDATE SET {changes};
    RETURN NULL;
END $$
"""
ASKED = (
    "status", "company_id", "company_name", "published_at", "expires_at", "featured_until",
    "title", "description_text", "location", "city", "region", "country", "remote",
    "employment_type", "experience", "currency", "yearly_min", "yearly_max", "tags", "language",
)  # fmt: skip
TRIGGER = """
CREATE TRIGGER keep_live AFTER UPDATE ON jobs FOR EACH ROW
WHEN ((OLD.status = 'published' OR NEW.status = 'published')
      AND ({new}) IS DISTINCT FROM ({old}))
EXECUTE FUNCTION jobboard_keep_live()
"""
KINDS_AND_PLACES_BEFORE = """
UPDATE live_jobs SET
    kinds = jobboard_kinds(jobs.country, jobs.remote, jobs.employment_type, jobs.experience,
                           jobs.company_id, jobs.tags, jobs.currency, live_jobs.pay),
    place_search = jobboard_place_search(jobs.location, jobs.city, jobs.region, jobs.country)
  FROM jobs WHERE jobs.id = live_jobs.id
"""


def _keep(columns: dict[str, str], declared: str) -> str:
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name != "id")
    return KEEP.format(
        declared=declared,
        columns=", ".join(columns),
        values=",\n        ".join(columns.values()),
        changes=changes,
    )


def _follow(*columns: str) -> None:
    """Make the trigger look at changes of these."""
    op.execute("DROP TRIGGER keep_live ON jobs")
    new, old = (", ".join(f"{row}.{name}" for name in columns) for row in ("NEW", "OLD"))
    op.execute(TRIGGER.format(new=new, old=old))


def upgrade() -> None:
    op.add_column("jobs", sa.Column("places", postgresql.JSONB(), nullable=True))
    none = sa.text("'{}'")
    columns = {"countries": sa.Text(), "points": sa.Double()}
    for name, kind in columns.items():
        op.add_column(
            "live_jobs",
            sa.Column(name, postgresql.ARRAY(kind), server_default=none, nullable=False),
        )
    for function in (COUNTRIES, POINTS, CELLS, KM, KINDS, PLACE, _keep(SINCE, DECLARED)):
        op.execute(function)
    _follow(*ASKED, "places")
    op.execute("DROP FUNCTION jobboard_place_search(text, text, text, text)")
    op.execute("DROP FUNCTION jobboard_kinds(text, text, text, text, uuid, text[], text, bigint)")


def downgrade() -> None:
    for function in (KINDS_BEFORE, PLACE_BEFORE, _keep(BEFORE, "")):
        op.execute(function)
    _follow(*ASKED)
    op.execute(KINDS_AND_PLACES_BEFORE)
    op.drop_column("live_jobs", "points")
    op.drop_column("live_jobs", "countries")
    op.drop_column("jobs", "places")
    op.execute(
        "DROP FUNCTION jobboard_kinds(text[], text, text, text, uuid, text[], text, bigint,"
        " double precision[])"
    )
    op.execute("DROP FUNCTION jobboard_place_search(text, text, text, text, jsonb)")
    op.execute("DROP FUNCTION jobboard_km(double precision[], double precision, double precision)")
    op.execute("DROP FUNCTION jobboard_cells(double precision[])")
    op.execute("DROP FUNCTION jobboard_points(jsonb)")
    op.execute("DROP FUNCTION jobboard_countries(text, jsonb)")
