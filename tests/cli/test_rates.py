"""`jobboard rates`: shown, loaded from a file, and a line that says why not."""

from datetime import timedelta
from pathlib import Path

import pytest
from anyio import to_thread
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.audit.models import Action, AuditEntry
from jobboard.cli.main import make_app, run
from jobboard.clock import now
from jobboard.jobs.models import Job
from jobboard.settings import Settings
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import make_user


@pytest.mark.anyio
async def test_rates_are_shown_and_loaded(
    session: AsyncSession,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("JOBBOARD_REDIS_URL", settings.redis_url.get_secret_value())
    app = make_app(["rates", "migrate"])
    owner = await make_user(session, settings, Role.EMPLOYER)
    company = await make_company(session, owner)
    job = await make_job(session, owner, company, salary={"min": 8_000, "currency": "KWD"})

    async def call(*arguments: str) -> tuple[int, str, str]:
        code = await to_thread.run_sync(run, app, ["rates", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    code, shown, _ = await call()
    assert (code, "USD       1.1172  2026-10-30  European Central Bank" in shown) == (0, True)
    assert "KWD" not in shown
    yesterday = now().date() - timedelta(days=1)
    file = tmp_path / "rates.csv"
    file.write_text(f"Date,AED,KWD\n{yesterday},4.1,0.4\n2026-01-05,4.2,N/A\n")
    code, shown, told = await call(str(file), "--source", "A newspaper")
    assert f"AED          4.1  {yesterday}  A newspaper\n" in shown
    assert (code, told) == (
        0,
        "jobboard: 3 of 3 rates are new\njobboard: jobs that can be compared from now on: 1\n",
    )
    await session.refresh(job)
    assert (job.euros_min, job.rate_date, job.rate_source) == (2_000, yesterday, "A newspaper")
    assert (await call(str(file), "--source", "A newspaper"))[2] == (
        "jobboard: 0 of 3 rates are new\n"
    )
    # As a call leaves them that ended between the rates and the jobs.
    await session.execute(text("ALTER TABLE jobs DISABLE TRIGGER fix_pay"))
    await session.execute(update(Job).values(euros_min=None, rate_date=None, rate_source=None))
    await session.execute(text("ALTER TABLE jobs ENABLE TRIGGER fix_pay"))
    await session.commit()
    assert "compared from now on: 1\n" in (await call(str(file), "--source", "A newspaper"))[2]
    await session.refresh(job)
    assert (job.euros_min, job.rate_date) == (2_000, yesterday)
    entries = await session.scalars(
        select(AuditEntry.details).where(AuditEntry.action == Action.RATES_LOADED)
    )
    assert entries.all() == [{"rates": 3, "newest": yesterday.isoformat()}]
    file.write_text("Date,AED\n2026-01-05,much\n")
    code, _, told = await call(str(file))
    assert (code, told.startswith("jobboard: Line 2: “much” is no rate of AED")) == (1, True)
    file.write_text(f"Date,AED\n{yesterday + timedelta(days=4)},4\n")
    assert "still to come" in (await call(str(file)))[2]
    assert (await call(str(file), "--source", " "))[0] == 1
    assert (await call(str(tmp_path / "none.csv")))[0] == 1
    with file.open("wb") as large:
        large.truncate(17 * 2**20)
    assert "larger than 16 MB" in (await call(str(file)))[2]
