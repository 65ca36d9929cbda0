"""A board with one company, and browsers for whoever comes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import async_playwright
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.companies.models import Company
from jobboard.jobs.models import Job, JobStatus
from jobboard.settings import Settings
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.web.browser import Browser, log_in


@dataclass
class Town:
    """What stands before a test begins."""

    client: httpx2.AsyncClient
    session: AsyncSession
    settings: Settings
    owner: User
    company: Company

    @property
    def stranger(self) -> Browser:
        """Someone without an account."""
        return Browser(self.client)

    async def person(self, role: Role = Role.CANDIDATE, **fields: Any) -> tuple[User, Browser]:
        """Someone new, logged in."""
        user = await make_user(self.session, self.settings, role, **fields)
        return user, await self.browser(user)

    async def browser(self, user: User) -> Browser:
        """A new browser of someone who is there."""
        return await log_in(self.client, self.session, self.settings, user)

    async def job(self, status: JobStatus = JobStatus.PUBLISHED, **fields: Any) -> Job:
        """A job of the company."""
        return await make_job(self.session, self.owner, self.company, status=status, **fields)


@pytest.fixture
async def town(client: httpx2.AsyncClient, session: AsyncSession, settings: Settings) -> Town:
    """A company and nothing else."""
    owner = await make_user(session, settings, Role.EMPLOYER, full_name="Erin Employer")
    return Town(client, session, settings, owner, await make_company(session, owner, "Bakery"))


@pytest.fixture(scope="session")
async def chromium(anyio_backend: Any) -> AsyncIterator[Chromium]:
    """One for all tests; each opens windows of its own."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        await chromium.close()
