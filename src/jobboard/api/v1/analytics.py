"""What is counted: hits of the API, for admins."""

from typing import Annotated

from fastapi import Query

from jobboard.accounts.may import Right, require
from jobboard.accounts.schemas import Actor
from jobboard.analytics import hitreport
from jobboard.analytics.schemas import HitReport, HitSearch
from jobboard.api.deps import EnginesDep, acts
from jobboard.api.route import Router
from jobboard.infra.mongo import asking

router = Router(tags=["analytics"])

AdminDep = Annotated[Actor, acts(Right.MODERATE)]


@router.get("/admin/analytics/hits")
async def count_hits(
    query: Annotated[HitSearch, Query()], engines: EnginesDep, actor: AdminDep
) -> HitReport:
    """Hits by route, status and time.

    How many requests the API answered, how many went wrong and how long they took. By default
    those of the last day, a row for each route, method and status.
    """
    require(actor, Right.MODERATE)
    with asking(engines.mongo) as database:
        return await hitreport.report(database, query)
