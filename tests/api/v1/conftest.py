"""A small cast for the API's tests: an employer with a company, a candidate, an admin."""

from dataclasses import dataclass

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.companies.models import Company
from jobboard.infra import line, silence
from jobboard.settings import Settings
from tests.factories.companies import make_company
from tests.factories.people import User, make_user


@dataclass(frozen=True)
class Cast:
    """Who plays."""

    employer: User
    company: Company
    candidate: User
    admin: User
    rival: User  # an employer of another company


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test machine that stalls for a moment must not pass for a Redis that is gone."""
    monkeypatch.setattr(line, "ANSWER_SECONDS", 10.0)
    monkeypatch.setattr(silence, "REST_SECONDS", 0.0)


@pytest.fixture
async def cast(session: AsyncSession, settings: Settings) -> Cast:
    """Everybody, made anew."""
    employer = await make_user(session, settings, Role.EMPLOYER, full_name="Erin Employer")
    company = await make_company(session, employer)
    rival = await make_user(session, settings, Role.EMPLOYER, full_name="Rory Rival")
    await make_company(session, rival)
    return Cast(
        employer,
        company,
        await make_user(session, settings, full_name="Cam Candidate"),
        await make_user(session, settings, Role.ADMIN, full_name="Ali Admin"),
        rival,
    )
