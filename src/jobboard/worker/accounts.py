"""What happens to accounts by themselves."""

from jobboard.accounts import logins
from jobboard.worker.context import Context


async def forget_old_logins(context: Context) -> None:
    """Delete the log-ins that were over a while ago, a batch to a transaction."""
    while True:
        async with context.database.transaction() as session:
            if not await logins.forget_old_logins(session):
                return
