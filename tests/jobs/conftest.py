"""Somebody who posts jobs."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.jobs.models import Job
from jobboard.settings import Settings
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.jobs.searching import Post


@pytest.fixture
async def employer(session: AsyncSession, settings: Settings) -> User:
    """Who posts."""
    return await make_user(session, settings, Role.EMPLOYER)


@pytest.fixture
async def company(session: AsyncSession, employer: User) -> Company:
    """Where the jobs are."""
    return await make_company(session, employer, "Harbour Bakery")


@pytest.fixture
def post(session: AsyncSession, employer: User, company: Company) -> Post:
    """`post(title, **fields)` puts a job on the board. `days` is how long ago."""

    async def post(title: str, *, days: float = 0, at: Company = company, **fields: Any) -> Job:
        fields.setdefault("published_at", now() - timedelta(days=days))
        fields.setdefault("description", "Come and see.")
        return await make_job(session, employer, at, title=title, **fields)

    return post
