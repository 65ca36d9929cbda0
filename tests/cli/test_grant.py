"""`jobboard grant`: credits from the command line, and a line that says why not."""

import asyncio
from collections.abc import Callable

import pytest
from anyio import to_thread
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.cli.main import make_app, run
from jobboard.infra.postgres import Database
from jobboard.settings import Settings
from jobboard.wallet import service
from jobboard.wallet.schemas import GrantCreate
from tests.factories.companies import make_company
from tests.factories.people import make_user
from tests.factories.wallets import make_wallet
from tests.timing import waiting_for_locks

pytestmark = pytest.mark.anyio
Grant = Callable[..., int]


@pytest.fixture
def grant(settings: Settings, clean: None, monkeypatch: pytest.MonkeyPatch) -> Grant:
    """Runs the command on the test board; its exit code."""
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", settings.database_url.get_secret_value())
    app = make_app(["wallet", "migrate"])
    return lambda *arguments: run(app, ["grant", *arguments])


async def test_people_and_companies_get_credits(
    grant: Grant,
    session: AsyncSession,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    owner = await make_user(session, settings, Role.EMPLOYER, full_name="Erin Employer")
    company = await make_company(session, owner, "Bakery")
    assert await to_thread.run_sync(grant, owner.actor.email.upper(), "150") == 0
    assert await to_thread.run_sync(grant, company.slug, "2000", "--memo", "Welcome") == 0
    said = capsys.readouterr().out
    assert "Erin Employer has 1.50 EUR now." in said
    assert "Bakery has 20.00 EUR now." in said
    assert (await make_wallet(session, company=company.id)).balance == 2000


async def test_the_balance_that_is_said_counts_what_came_meanwhile(
    grant: Grant,
    session: AsyncSession,
    db: Database,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    user = await make_user(session, settings)
    wallet = await make_wallet(session, person=user.id)
    async with db.transaction() as other:
        await service.issue(other, None, wallet, GrantCreate(amount=500))
        granting = asyncio.create_task(to_thread.run_sync(grant, user.actor.email, "150"))
        await waiting_for_locks(db)
    assert await granting == 0
    assert "has 6.50 EUR now." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody@example.com", "5"), "no account"),
        (("no-such-company", "5"), "no such company"),
        (("no-such-company", "0"), "amount: This must be more than 0."),
    ],
)
async def test_why_not(
    grant: Grant, arguments: tuple[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await to_thread.run_sync(grant, *arguments) == 1
    assert words in capsys.readouterr().err
