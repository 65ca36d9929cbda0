"""Letters with links, and what happens to accounts by themselves."""

from jobboard.accounts import keeping, links, logins
from jobboard.infra.queue import Message
from jobboard.worker.context import Context
from jobboard.worker.notifications import post


async def send_letter(context: Context, message: Message) -> None:
    """Make the link and mail it. A second run makes another link; the first one works, too."""
    async with context.database.transaction() as session:
        letter = await links.write(session, message)
    if letter is not None:
        await post(context, message, letter)


async def forget_old_logins(context: Context) -> None:
    """Delete the log-ins that were over a while ago, a batch to a transaction; and old links,
    and addresses that are kept no longer."""
    async with context.database.transaction() as session:
        await links.forget_expired(session)
        await keeping.forget_expired(session)
    while True:
        async with context.database.transaction() as session:
            if not await logins.forget_old_logins(session):
                return
