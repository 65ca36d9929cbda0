"""What happens to accounts by themselves."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import logins
from jobboard.accounts.models import LoginKind, LoginSession, RefreshToken
from jobboard.clock import now
from jobboard.infra.mailer import ConsoleMailer
from jobboard.infra.postgres import Database
from jobboard.infra.storage import Storage
from jobboard.settings import Settings
from jobboard.worker import accounts
from jobboard.worker.context import Context
from tests.factories.people import User, make_user

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


@pytest.fixture
async def context(settings: Settings, db: Database) -> Context:
    return Context(settings, db, ConsoleMailer(), Storage(settings.storage_url))


async def log_in(
    session: AsyncSession, user: User, *, expires_at: datetime, ended_at: datetime | None = None
) -> LoginSession:
    """A log-in with one refresh token."""
    login = LoginSession(
        person_id=user.id, kind=LoginKind.API, expires_at=expires_at, ended_at=ended_at
    )
    session.add(login)
    await session.flush()
    session.add(RefreshToken(token_hash=login.id.bytes, login_session_id=login.id))
    await session.commit()
    return login


async def test_old_logins_are_forgotten_with_their_tokens_and_live_ones_kept(
    session: AsyncSession, settings: Settings, context: Context
) -> None:
    user = await make_user(session, settings)
    for expires_at, ended_at in (
        (now() - 8 * DAY, None),
        (now() + 20 * DAY, now() - 8 * DAY),
    ):
        await log_in(session, user, expires_at=expires_at, ended_at=ended_at)
    kept = [
        await log_in(session, user, expires_at=now() + DAY),
        await log_in(session, user, expires_at=now() - 6 * DAY),
        await log_in(session, user, expires_at=now() + DAY, ended_at=now() - 6 * DAY),
    ]
    await accounts.forget_old_logins(context)
    ids = {login.id for login in kept}
    assert set(await session.scalars(select(LoginSession.id))) == ids | {
        user.actor.login_session_id
    }
    assert set(await session.scalars(select(RefreshToken.login_session_id))) == ids


async def test_many_old_logins_go_in_batches(
    session: AsyncSession, settings: Settings, context: Context
) -> None:
    user = await make_user(session, settings)
    session.add_all(
        LoginSession(person_id=user.id, kind=LoginKind.WEB, expires_at=now() - 8 * DAY)
        for _ in range(250)
    )
    await session.commit()
    assert await logins.forget_old_logins(session) == 100
    await session.commit()
    await accounts.forget_old_logins(context)
    assert await session.scalar(select(func.count()).select_from(LoginSession)) == 1
