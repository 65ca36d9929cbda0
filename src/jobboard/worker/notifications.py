"""Mails a person's news, each once.

Before the last byte of a mail goes out, `claims.hand_over` says so in the database. A worker that
dies before that sent nothing, and another tries again; one that dies after it leaves a mail of
which nobody knows whether it arrived: nobody sends it again, and a moderator sees it. See
docs/mail.md.
"""

from functools import partial
from typing import Any
from uuid import UUID

import structlog

from jobboard.accounts import mailboxes
from jobboard.accounts.links import Letter
from jobboard.accounts.models import Person
from jobboard.infra.mailer import Refused
from jobboard.infra.queue import Failure, GiveUp, Message
from jobboard.notifications import blocks, choices, service
from jobboard.notifications.models import BlockReason
from jobboard.worker import claims
from jobboard.worker.context import Context
from jobboard.worker.letters import compose

log: Any = structlog.get_logger()


async def mail(context: Context, message: Message) -> None:
    """Send one mail. A person who is gone meanwhile, or does not want it, gets none."""
    person_id, kind = UUID(message.payload["person_id"]), message.payload["kind"]
    async with context.database.transaction() as session:
        person = await session.get(Person, person_id)
        wanted = await choices.wants(session, person_id, kind)
    if person is not None and person.erased_at is None and wanted:
        letter = Letter(kind, person.full_name, person.email, message.payload["data"])
        await post(context, message, letter, reader=person_id)


async def forget_old(context: Context) -> None:
    """Delete news that is old, a batch to a transaction."""
    while True:
        async with context.database.transaction() as session:
            if not await service.forget_old(session):
                return


async def post(
    context: Context, message: Message, letter: Letter, *, reader: UUID | None = None
) -> None:
    """Hand a letter to the mail server, unless its mailbox is known to take none.

    `reader` is who may unsubscribe from this kind of mail by its link.
    """
    async with context.database.transaction() as session:
        shut = await blocks.is_blocked(session, letter.email)
    if shut and letter.kind not in blocks.ASKED_FOR:
        log.info("mail.blocked", kind=letter.kind, message_id=str(message.id))
        return
    composed = compose(context.settings, letter, message, reader)
    try:
        await context.mailer.send(composed, before=partial(claims.hand_over, context, message))
    except Refused as error:
        if error.mailbox:
            async with context.database.transaction() as session:
                await mailboxes.block(session, letter.email, BlockReason.REFUSED, str(error))
        raise GiveUp(Failure.REFUSED, str(error)) from None
