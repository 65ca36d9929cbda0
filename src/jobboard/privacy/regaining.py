"""An owner takes an account back from someone who moved it to an address of theirs."""

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import addresses
from jobboard.accounts.addresses import Undone
from jobboard.accounts.links import queue_letter
from jobboard.companies import invitations, keys
from jobboard.webhooks import service as webhooks


async def undo_change(session: AsyncSession, token: str) -> Undone:
    """Go back to the old address; what was opened to the account since is shut.

    The old address gets a link to set a new password, and is told what was found and what else to
    look at. Raises Invalid for a dead link, Conflict where another account has the address.
    """
    undone = await addresses.undo_change(session, token)
    await invitations.withdraw_made_since(session, undone.person_id, undone.since)
    paused = await webhooks.pause_touched_since(session, undone.person_id, undone.since)
    revoked = await keys.revoke_made_since(session, undone.person_id, undone.since)
    queue_letter(
        session,
        "account_regained",
        person_id=undone.person_id,
        keys=str(revoked or ""),
        webhooks=str(paused or ""),
        second_factor=undone.second_factor,
    )
    return undone
