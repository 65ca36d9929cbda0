"""What the worker does by the clock. `infra/schedule.py` sees that each due time is taken once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from jobboard.infra import schedule
from jobboard.infra.schedule import Every
from jobboard.worker import (
    accounts,
    alerts,
    analytics,
    answers,
    companies,
    digest,
    figures,
    jobs,
    notifications,
    outbox,
    privacy,
    uploads,
    webhooks,
)
from jobboard.worker.context import Context

log: Any = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Work:
    """Something to do every so often. It may run twice: a run that dies is begun again."""

    every: Every
    run: Callable[[Context], Awaitable[None]]


def _every(run: Callable[[Context], Awaitable[None]], **length: float) -> Work:
    return Work(Every(timedelta(**length)), run)


WORKS: dict[str, Work] = {
    "roll_up_hits": _every(analytics.roll_up, seconds=10),
    "roll_up_searches": _every(analytics.roll_up_searches, minutes=5),
    "count_terms": _every(jobs.count_terms, seconds=30),
    "expire_jobs": _every(jobs.expire_due, minutes=1),
    "refile_alerts": _every(alerts.refile, minutes=1),
    "tell_alerts": _every(alerts.tell_due, minutes=1),
    "keep_answer_figures": _every(figures.keep, hours=1),
    "clean_outbox": _every(outbox.forget_old, hours=1),
    "forget_old_answers": _every(answers.forget_old, hours=1),
    "forget_old_logins": _every(accounts.forget_old_logins, hours=1),
    "forget_told_jobs": _every(alerts.forget_old, hours=6),
    "forget_news": _every(notifications.forget_old, hours=1),
    "forget_deliveries": _every(webhooks.forget_old, hours=1),
    "forget_invitations": _every(companies.forget_invitations, hours=1),
    "expire_rejected": _every(privacy.expire_rejected, hours=1),
    # Mondays at seven, UTC: companies have no time zone.
    "employer_digests": Work(Every(timedelta(days=7), timedelta(hours=7)), digest.send_digests),
    "sweep_files": _every(uploads.sweep, hours=6),
}


async def tick(context: Context) -> None:
    """Do what is due, one after the other; another worker that ticks meanwhile takes the rest."""
    async with context.database.transaction() as session:
        await schedule.know(session, {name: work.every for name, work in WORKS.items()})
    async with context.database.transaction() as session:
        due = await schedule.due(session)
    for name in due:
        if name in WORKS:
            await _run(context, name, WORKS[name])


async def _run(context: Context, name: str, work: Work) -> None:
    async with context.database.transaction() as session:
        taken = await schedule.claim(session, name)
    if taken is None:
        return
    error = await _attempt(context, work)
    async with context.database.transaction() as session:
        mine = await schedule.finish(session, taken, work.every, error)
    if error or not mine:
        log.warning("schedule.failed", name=name, error=error or "it took too long")


async def _attempt(context: Context, work: Work) -> str | None:
    try:
        await work.run(context)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others must still be done
        return f"{type(error).__name__}: {error}"[:500]
    return None
