"""The queue of messages for workers, those that failed, and mailboxes that take no mail."""

from typing import Annotated

from jobboard.accounts import mailboxes
from jobboard.accounts.mailboxes import MailBlockCreate, MailBlockRead
from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.admin import messages
from jobboard.admin.messages import FailedMessage, MessageChoice, MessagesTouched, QueueRead
from jobboard.api.deps import LIMIT, Cursor, Limit, PathId, SessionDep, acts
from jobboard.api.idempotency import IDEMPOTENT
from jobboard.api.route import Router
from jobboard.pagination import Page

router = Router(prefix="/admin", tags=["queue"])

ModeratorDep = Annotated[Actor, acts(Right.MODERATE)]


@router.get("/queue")
async def get_queue(session: SessionDep, actor: ModeratorDep) -> QueueRead:
    """How many messages wait, how long the oldest has, and what is due by the clock."""
    return await messages.queue(session, actor)


@router.get("/messages")
async def list_failed_messages(
    session: SessionDep, actor: ModeratorDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[FailedMessage]:
    """Messages that failed for good, latest first: what each was, and why it failed."""
    return await messages.failed(session, actor, cursor=cursor, limit=limit)


@router.post("/messages/retry")
async def retry_failed_messages(
    data: MessageChoice, session: SessionDep, actor: ModeratorDep
) -> MessagesTouched:
    """Try failed messages again, from the start: all, or those of a kind or with a failure."""
    return MessagesTouched(count=await messages.retry_all(session, actor, data))


@router.post("/messages/drop")
async def drop_failed_messages(
    data: MessageChoice, session: SessionDep, actor: ModeratorDep
) -> MessagesTouched:
    """Forget failed messages for good: all, or those of a kind or with a failure."""
    return MessagesTouched(count=await messages.drop_all(session, actor, data))


@router.post("/messages/{id}/retry", status_code=204)
async def retry_failed_message(
    message_id: PathId, session: SessionDep, actor: ModeratorDep
) -> None:
    """Try one failed message again, from the start."""
    await messages.retry(session, actor, message_id)


@router.post("/messages/{id}/drop", status_code=204)
async def drop_failed_message(message_id: PathId, session: SessionDep, actor: ModeratorDep) -> None:
    """Forget one failed message for good."""
    await messages.drop(session, actor, message_id)


@router.get("/mail-blocks")
async def list_mail_blocks(
    session: SessionDep, actor: ModeratorDep, cursor: Cursor = None, limit: Limit = LIMIT
) -> Page[MailBlockRead]:
    """Addresses that get no more mail because none arrives, latest first."""
    return await mailboxes.listed(session, actor, cursor=cursor, limit=limit)


@router.post("/mail-blocks", status_code=201, dependencies=[IDEMPOTENT])
async def create_mail_block(
    data: MailBlockCreate, session: SessionDep, actor: ModeratorDep
) -> MailBlockRead:
    """Say that no mail reaches an address, as a bounce told you. What was said last stands.

    Its person must verify it anew: links that they ask for are still mailed.
    """
    return await mailboxes.report(session, actor, data)


@router.delete("/mail-blocks/{id}", status_code=204)
async def delete_mail_block(block_id: PathId, session: SessionDep, actor: ModeratorDep) -> None:
    """Mail to an address again."""
    await mailboxes.allow(session, actor, block_id)
