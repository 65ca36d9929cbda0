"""How PostgreSQL plans a search, and what it says of it before."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, Row, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs import walk
from jobboard.jobs.criteria import JobSearch, Sort
from jobboard.jobs.words import READINGS, texts

# A walk has one good plan, whatever the words are: it is made once for each shape of search. Only
# the best paid of a rare word and of a common one need different plans. A bitmap of matches that
# outgrows work_mem forgets the rows and keeps only their pages: many times slower. And the planner
# takes it for cheap to look for words in every row, so it may not: an index can tell.
# On the way: whether any job is featured, since most boards need not look for those that fit,
# about how many jobs there are and how new the newest are, what the pay is in euros, and how
# PostgreSQL reads the words.
PLANNING = (
    text(
        "SELECT set_config('plan_cache_mode', :plans, true),"
        " set_config('work_mem', '64MB', true),"
        " set_config('enable_seqscan', 'off', true),"
        " EXISTS (SELECT FROM live_jobs WHERE featured_until > now()) AS featured,"
        " (SELECT reltuples FROM pg_class WHERE oid = CAST('live_jobs' AS regclass)) AS jobs,"
        " (SELECT max(published_at) FROM live_jobs) AS newest,"
        " (SELECT published_at FROM live_jobs"
        f" ORDER BY published_at DESC OFFSET {walk.RECENT - 1} LIMIT 1) AS recent,"
        " jobboard_in_euros(CAST(:least AS bigint), CAST(:currency AS text)) AS euros,"
        " (SELECT jsonb_build_object('currency', currency, 'per_euro', CAST(per_euro AS text),"
        " 'rate_date', day, 'rate_source', source)"
        " FROM exchange_rates WHERE currency = CAST(:currency AS text)"
        " ORDER BY day DESC LIMIT 1) AS rate,"
        f" ({READINGS}) AS readings"
    )
    .bindparams(bindparam("texts", type_=ARRAY(Text)))
    .columns(featured=Boolean, jobs=Float, euros=BigInteger, rate=JSONB, readings=JSONB)
)


async def plan(session: AsyncSession, data: JobSearch) -> Row[Any]:
    """Set how the statements of this search are planned; a row with what PLANNING learns."""
    mode = "force_custom_plan" if data.order is Sort.SALARY else "force_generic_plan"
    pays = data.salary_min is not None
    asked = {
        "plans": mode,
        "texts": texts(data.q),
        "least": data.salary_min,
        "currency": data.currency if pays else None,
    }
    return (await session.execute(PLANNING, asked)).one()
