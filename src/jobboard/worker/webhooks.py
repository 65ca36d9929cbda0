"""Calls companies' webhooks: many at once, few of each, and never one that the guard refuses."""

import asyncio
from time import monotonic
from typing import Any

import structlog

from jobboard import __version__
from jobboard.clock import now
from jobboard.errors import Invalid, Unavailable
from jobboard.infra import outbound
from jobboard.infra.guard import policy_of
from jobboard.webhooks import events, queries, sending, signing
from jobboard.webhooks.sending import Claimed, Outcome
from jobboard.worker.context import Context

AT_ONCE = 40  # calls of one process
SPELL = 20.0  # seconds until a process takes no more, so that other work gets its turn
BROKE = "Something broke on our side during this call."
LOOK_SECONDS = 1.0  # between two looks at the line while calls are under way
log: Any = structlog.get_logger()


async def deliver_due(context: Context) -> None:
    """Call until nothing is due, or for a while; then wait for the calls under way."""
    calls: set[asyncio.Task[None]] = set()
    ends = monotonic() + SPELL
    async with asyncio.TaskGroup() as group:
        while True:
            others = bool(calls)  # one that ended while we asked may have made room
            if len(calls) < AT_ONCE and monotonic() < ends and (mine := await _claim(context)):
                call = group.create_task(_deliver(context, mine))
                calls.add(call)
                call.add_done_callback(calls.discard)
            elif calls:
                await asyncio.wait(calls, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            elif not others:
                return


async def _claim(context: Context) -> Claimed | None:
    """None, too, where the line cannot be read: calls under way go on, and so does mail."""
    try:
        async with context.database.transaction() as session:
            return await sending.claim(session)
    except Exception as error:  # noqa: BLE001 - the bell rings again
        log.warning("webhook.line_broke", error=type(error).__name__)
        return None


async def _deliver(context: Context, claimed: Claimed) -> None:
    """One try, written down. What breaks here is this delivery's alone: if not even BROKE can be
    noted, its lease ends some day."""
    try:
        await _note(context, claimed, await _call(context, claimed))
    except Exception as error:  # noqa: BLE001 - nobody else's call or mail may end with it
        _warn(claimed, error)
        try:
            await _note(context, claimed, Outcome(0, error=BROKE))
        except Exception as error:  # noqa: BLE001 - see above
            _warn(claimed, error)


def _warn(claimed: Claimed, error: Exception) -> None:
    """By the name of the error alone: its words may hold what the receiver answered."""
    log.warning(
        "webhook.broke",
        delivery_id=str(claimed.delivery.id),
        webhook_id=str(claimed.webhook.id),
        error=type(error).__name__,
    )


async def _note(context: Context, claimed: Claimed, outcome: Outcome) -> None:
    delivery = claimed.delivery
    async with context.database.transaction() as session:
        ours = await sending.note(session, claimed, outcome)
    log.info(
        "webhook.called",
        delivery_id=str(delivery.id),
        webhook_id=str(delivery.webhook_id),
        status=outcome.status,
        ms=outcome.took_ms,
        ours=ours,
    )


async def _call(context: Context, claimed: Claimed) -> Outcome:
    """One try. Whatever goes wrong is the outcome."""
    delivery, settings = claimed.delivery, context.settings
    body = events.written(
        events.body_of(settings, delivery.event, delivery.created_at, delivery.data)
    )
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Jobboard/{__version__} (webhooks)",
        "Accept-Encoding": "identity",
        **signing.headers(settings, claimed.webhook, queries.message_id(delivery.id), body, now()),
    }
    began = monotonic()
    try:
        answer = await outbound.post(claimed.webhook.url, body, headers, policy=policy_of(settings))
    except (Invalid, Unavailable) as error:
        return Outcome(_since(began), error=error.message)
    return Outcome(_since(began), answer.status, _wrong(answer), answer.text)


def _since(began: float) -> int:
    return round((monotonic() - began) * 1000)


def _wrong(answer: outbound.Answer) -> str | None:
    """What to mend, for the receiver's people; None where all is well."""
    if 200 <= answer.status < 300:
        return None
    if 300 <= answer.status < 400:
        to = f" to {answer.location}" if answer.location else ""
        return f"It answered with a redirect ({answer.status}){to}. Redirects are not followed."
    return f"It answered {answer.status}. A receiver answers 2xx."


async def forget_old(context: Context) -> None:
    """Delete old deliveries, a batch to a transaction."""
    while True:
        async with context.database.transaction() as session:
            if not await sending.forget_old(session):
                return
