"""Jobs like one: beside its page, and for those who came too late.

Like is what shares words of the title, then tags, then a place; another company is better than the
same. Compared are only the newest AMONG of those that share something: all words of the title, one
of them in one of its countries, a tag, or the company. Words are shared as lexemes, in the language
of the job.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    text,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY, REAL, TSQUERY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs import walk
from jobboard.jobs.criteria import JobSearch
from jobboard.jobs.excerpts import Excerpt, beginning
from jobboard.jobs.kept import ask
from jobboard.jobs.live import LiveJob
from jobboard.jobs.schemas import JobCard
from jobboard.jobs.search import card, cards

MOST = 4
AMONG = 60  # of each kind
WEIGHTS = [0.0, 0.0, 0.4, 1.0]  # of tags, and of the title
SAME_COUNTRY, SAME_TOWN, SAME_COMPANY = 1.3, 1.3, 0.5  # times as much like it

# The lexemes of its title (A) and tags (B) as queries; and where it is.
ABOUT = text(
    """
    WITH one AS (SELECT jobs.*, jobboard_search(language, title, tags, '', '', '') AS held
                   FROM jobs WHERE id = :id),
    lexemes AS (SELECT each.lexeme, 'A' = ANY (weights) AS in_title, format('''%s''',
                       replace(replace(each.lexeme, '\\', '\\\\'), '''', '''''')) AS quoted
                  FROM one, unnest(held) AS each)
    SELECT set_config('plan_cache_mode', 'force_generic_plan', true),
           set_config('enable_seqscan', 'off', true),
           (SELECT reltuples FROM pg_class WHERE oid = CAST('live_jobs' AS regclass)) AS jobs,
           ARRAY['company:' || company_id] AS company,
           ARRAY(SELECT 'tag:' || tag FROM unnest(tags) AS tag) AS tags,
           ARRAY(SELECT 'country:' || code
                   FROM unnest(jobboard_countries(country, places)) AS code) AS countries,
           jobboard_cells(jobboard_points(places)) AS squares,
           coalesce((SELECT string_agg(quoted, ' & ') FROM lexemes WHERE in_title), '') AS title,
           coalesce((SELECT string_agg(quoted, ' | ') FROM lexemes WHERE in_title), '') AS either,
           coalesce((SELECT string_agg(quoted, ' | ') FROM lexemes), '') AS word
      FROM one
    """
)


async def similar(session: AsyncSession, job_id: UUID) -> list[JobCard]:
    """The live jobs that are most like this one, at most MOST of them."""
    about = (await session.execute(ABOUT, {"id": job_id})).one()
    spans = walk.spans(about.jobs, walk.soon())
    names = ("company", "tags", "countries", "squares", "title", "either", "word")
    values = {name: getattr(about, name) for name in names} | {"job": job_id}
    values |= {"spans": spans} if spans else {}
    shape = ("similar", walk.PATIENCE, frozenset(values))
    rows = await ask(session, shape, lambda: cards(JobSearch(), _likest(spans)), values)
    return [card(row, Excerpt(beginning(row.text), [])) for row in rows]


def _likest(spans: Sequence[int]) -> Select:
    """(id, key) of the best of those that share something."""
    among = union(*(_some(spans, *shared) for shared in _shared())).subquery("among")
    job = among.join(LiveJob, LiveJob.id == among.c.id)
    return (
        select(LiveJob.id, _likeness().label("key"))
        .select_from(job)
        .order_by(_likeness().desc(), LiveJob.published_at.desc(), LiveJob.id.desc())
        .limit(MOST)
    )


def _shared() -> list[list[ColumnElement[bool]]]:
    """Each way to be a candidate."""
    in_head = LiveJob.head.bool_op("@@")
    return [
        [in_head(_query("title"))],
        [in_head(_query("either")), LiveJob.kinds.overlap(_texts("countries"))],
        [LiveJob.kinds.overlap(_texts("tags"))],
        [LiveJob.kinds.overlap(_texts("company"))],
    ]


def _some(spans: Sequence[int], *shared: ColumnElement[bool]) -> Select:
    mine = cast(bindparam("job", None, PG_UUID), PG_UUID)
    live = [LiveJob.expires_at > func.now(), LiveJob.id != mine]
    some = walk.newest([LiveJob.id], [*live, *shared], spans, AMONG)
    return select(some.subquery().c.id)


def _likeness() -> ColumnElement[float]:
    """How much is shared; zero words are a little."""
    words = func.ts_rank(cast(WEIGHTS, ARRAY(REAL)), LiveJob.head, _query("word")) + 0.001
    return (
        words
        * _if(LiveJob.kinds.overlap(_texts("countries")), SAME_COUNTRY)
        * _if(LiveJob.kinds.overlap(_texts("squares")), SAME_TOWN)
        * _if(LiveJob.kinds.overlap(_texts("company")), SAME_COMPANY)
    )


def _if(condition: ColumnElement[bool], factor: float) -> Any:
    return case((condition, literal(factor)), else_=literal(1.0))


def _query(name: str) -> ColumnElement:
    return select(cast(cast(bindparam(name, "", Text), Text), TSQUERY)).scalar_subquery()


def _texts(name: str) -> ColumnElement:
    return cast(bindparam(name, [], ARRAY(Text)), ARRAY(Text))
