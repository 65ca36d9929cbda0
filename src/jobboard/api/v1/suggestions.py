"""What somebody may be about to type into the search."""

from functools import partial
from typing import Annotated

from fastapi import Query, Response

from jobboard.api.deps import EnginesDep
from jobboard.api.route import Router
from jobboard.infra.rates import SUGGESTIONS, limited
from jobboard.jobs.suggestions import Suggestions, SuggestionSearch, suggest

router = Router(prefix="/suggestions", tags=["jobs"])


@router.get("")
@limited(SUGGESTIONS)
async def list_suggestions(
    query: Annotated[SuggestionSearch, Query()], engines: EnginesDep, response: Response
) -> Suggestions:
    """Titles, skills, companies and places of live jobs that begin with what was typed.

    They follow the jobs within half a minute, and a browser may keep them for a minute.
    """
    response.headers["Cache-Control"] = "public, max-age=60"
    return await engines.reads.ask(partial(suggest, data=query))
