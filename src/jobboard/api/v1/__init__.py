"""Version 1 of the REST API. A module for each area; each only parses, calls, renders."""

from fastapi import APIRouter

from jobboard.api.v1 import applications, auth, companies, jobs, me, moderation, resumes

PREFIX = "/api/v1"


def routers() -> list[APIRouter]:
    """Every router of this version."""
    return [
        auth.router,
        me.router,
        companies.router,
        jobs.router,
        applications.router,
        resumes.router,
        moderation.router,
    ]
