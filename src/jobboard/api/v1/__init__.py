"""Version 1 of the REST API. A module for each area; each only parses, calls, renders."""

from inspect import cleandoc

from fastapi import APIRouter
from fastapi.routing import APIRoute

from jobboard.api.v1 import (
    analytics,
    answers,
    api_keys,
    applications,
    auth,
    companies,
    examples,
    images,
    invitations,
    jobs,
    me,
    moderation,
    notifications,
    queue,
    resumes,
    saved_searches,
    second_factor,
    suggestions,
    synonyms,
    tasks,
    wallet,
    webhooks,
)
from jobboard.api.versions import Version


def _routers() -> list[APIRouter]:
    """Every router of this version, each operation named by the first line of its docstring."""
    every = [
        auth.router,
        me.router,
        second_factor.router,
        api_keys.router,
        companies.router,
        companies.mine,
        invitations.router,
        jobs.router,
        suggestions.router,
        applications.router,
        resumes.router,
        images.router,
        saved_searches.router,
        notifications.router,
        tasks.router,
        wallet.router,
        webhooks.router,
        moderation.router,
        queue.router,
        synonyms.router,
        analytics.router,
    ]
    routes = [route for router in every for route in router.routes]
    for route in (route for route in routes if isinstance(route, APIRoute)):
        first, _, rest = (route.endpoint.__doc__ or "").partition("\n")
        route.summary, route.description = first.rstrip("."), cleandoc(rest)
    return every


VERSION = Version("v1", _routers(), answers.OPERATIONS, examples.EXAMPLES)
