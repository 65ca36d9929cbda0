"""The verbs of webhooks: add, change, pause, rotate the secret, delete."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right
from jobboard.accounts.schemas import Actor
from jobboard.audit import service as audit
from jobboard.audit.models import Action, AuditEntry, Subject
from jobboard.clock import now
from jobboard.companies import queries as companies
from jobboard.companies.models import ApiKey, Company
from jobboard.errors import Conflict, Invalid, require_version
from jobboard.infra import guard
from jobboard.infra.postgres import RING
from jobboard.pagination import Page, cut, moment_cursor, read_moment_cursor
from jobboard.settings import Settings
from jobboard.webhooks import queries, signing
from jobboard.webhooks.models import DeliveryState, Webhook, WebhookDelivery, WebhookState
from jobboard.webhooks.schemas import WebhookCreate, WebhookMade, WebhookRead, WebhookUpdate

MOST = 10  # webhooks of a company
BOTH_SIGN = timedelta(hours=24)


async def require_manager(session: AsyncSession, actor: Actor, company_id: UUID) -> None:
    """Raise NotFound or Forbidden unless `actor` manages this company's webhooks."""
    await companies.get(session, company_id)
    await companies.require(session, actor, Right.MANAGE_WEBHOOKS, company_id)


async def require_callable(settings: Settings, url: str | None) -> None:
    """Raise Invalid for an address that we would not call. Asks the name server, so no transaction
    may be open meanwhile; each connection asks again."""
    if url is None:
        return
    try:
        await guard.require_callable(url, guard.policy_of(settings))
    except Invalid as error:
        raise Invalid.field("url", error.message, code=error.code) from None


async def create(
    session: AsyncSession,
    actor: Actor,
    data: WebhookCreate,
    settings: Settings,
    *,
    webhook_id: UUID | None = None,
) -> WebhookMade:
    """Have an address called from now on. Whether it may be, `require_callable` was asked before.

    Raises NotFound, Forbidden, Conflict when the company has MOST, or one with this `webhook_id`.
    """
    await require_manager(session, actor, data.company_id)
    company = await _require_room(session, data.company_id)
    if webhook_id is not None and await session.get(Webhook, webhook_id):
        raise Conflict(
            "This form has made its webhook already, and its secret was shown that one time. If "
            "you did not copy it, open the webhook and make a new secret.",
            code="webhook_made",
        )
    webhook = Webhook(
        id=webhook_id,
        company_id=company.id,
        name=data.name,
        url=data.url,
        events=[str(event) for event in data.events],
        salt=signing.new_salt(),
        created_by=actor.person_id,
    )
    session.add(webhook)
    await session.flush()
    _record(session, Action.WEBHOOK_MADE, actor, webhook)
    return _with_secret(webhook, company.name, settings)


async def _require_room(session: AsyncSession, company_id: UUID) -> Company:
    """Raise Conflict when there are enough. The company's row is locked: two cannot race."""
    locked = select(Company).where(Company.id == company_id).with_for_update(key_share=True)
    company = (await session.scalars(locked)).one()
    count = select(func.count()).where(Webhook.company_id == company_id)
    if (await session.scalar(count) or 0) >= MOST:
        raise Conflict(
            f"A company has at most {MOST} webhooks. Delete one that is not used.",
            code="too_many_webhooks",
        )
    return company


async def pause_touched_since(session: AsyncSession, person_id: UUID, moment: datetime) -> int:
    """Pause the webhooks that were made, changed or given a secret in a person's name, or with a
    key made in it, while someone else had the account; how many.

    To the audit log it is the board that does it.
    """
    touched = (Action.WEBHOOK_MADE, Action.WEBHOOK_CHANGED, Action.WEBHOOK_ROTATED)
    keys = select(ApiKey.id).where(ApiKey.created_by == person_id, ApiKey.created_at >= moment)
    since = select(cast(AuditEntry.details["webhook"].astext, PG_UUID)).where(
        or_(AuditEntry.person_id == person_id, AuditEntry.key_id.in_(keys)),
        AuditEntry.at >= moment,
        AuditEntry.action.in_(touched),
    )
    on = Webhook.state == WebhookState.ACTIVE
    found = await session.scalars(
        select(Webhook).where(Webhook.id.in_(since), on).with_for_update(key_share=True)
    )
    webhooks = found.all()
    for webhook in webhooks:
        webhook.state = WebhookState.PAUSED
        _record(session, Action.WEBHOOK_CHANGED, None, webhook)
    return len(webhooks)


def _record(session: AsyncSession, action: Action, actor: Actor | None, webhook: Webhook) -> None:
    audit.record(
        session,
        action,
        person_id=actor.person_id if actor else None,
        key_id=actor.id if actor and actor.is_key else None,
        subject=(Subject.COMPANY, webhook.company_id),
        details={"webhook": str(webhook.id)},
    )


def _with_secret(webhook: Webhook, company: str, settings: Settings) -> WebhookMade:
    secret = signing.secret_of(settings, webhook)
    return WebhookMade(**dict(queries.read(webhook, company)), secret=secret)


async def list_webhooks(
    session: AsyncSession,
    actor: Actor,
    *,
    company_id: UUID | None = None,
    cursor: str | None,
    limit: int,
) -> Page[WebhookRead]:
    """Those that `actor` manages, or of one company, newest first."""
    before = read_moment_cursor(cursor)
    statement = queries.listed(actor, company_id, before=before, limit=limit)
    rows, more = cut((await session.execute(statement)).all(), limit)
    last = rows[-1][0] if more else None
    return Page(
        items=[queries.read(webhook, company) for webhook, company in rows],
        next_cursor=moment_cursor(last.created_at, last.id) if last else None,
    )


async def read(session: AsyncSession, actor: Actor, webhook_id: UUID) -> WebhookRead:
    """One webhook. Raises NotFound for one that is not theirs."""
    return await _shape(session, await queries.get(session, actor, webhook_id))


async def _shape(session: AsyncSession, webhook: Webhook) -> WebhookRead:
    company = await companies.get(session, webhook.company_id)
    return queries.read(webhook, company.name)


async def change(
    session: AsyncSession, actor: Actor, webhook_id: UUID, data: WebhookUpdate
) -> WebhookRead:
    """Change what is given. Another address, or turning it on, forgets the failures so far.

    Raises NotFound, Forbidden, Conflict when `data.version` is no longer the webhook's.
    """
    webhook = await _managed(session, actor, webhook_id)
    require_version(webhook.version, data.version, "this webhook")
    given = data.model_dump(exclude_unset=True, exclude={"version", "active"})
    moved = given.get("url", webhook.url) != webhook.url
    for name, value in given.items():
        setattr(webhook, name, value)
    if data.active is not None:
        webhook.state = WebhookState.ACTIVE if data.active else WebhookState.PAUSED
    if moved or data.active:
        webhook.failures, webhook.failing_since, webhook.rests_until = 0, None, None
        session.info[RING] = True  # what waited may go at once
    _record(session, Action.WEBHOOK_CHANGED, actor, webhook)
    await session.flush()
    return await _shape(session, webhook)


async def _managed(session: AsyncSession, actor: Actor, webhook_id: UUID) -> Webhook:
    """A webhook that `actor` sees and manages, its row locked."""
    webhook = await queries.get(session, actor, webhook_id, lock=True)
    await companies.require(session, actor, Right.MANAGE_WEBHOOKS, webhook.company_id)
    return webhook


async def rotate(
    session: AsyncSession,
    actor: Actor,
    webhook_id: UUID,
    settings: Settings,
    *,
    version: int | None = None,
) -> WebhookMade:
    """A new secret. The one before signs, too, for BOTH_SIGN; of two before, only the last.

    `version` is the webhook's as the actor read it: a form that is sent twice makes one secret.
    """
    webhook = await _managed(session, actor, webhook_id)
    require_version(webhook.version, version, "this webhook")
    webhook.previous_salt, webhook.previous_until = webhook.salt, now() + BOTH_SIGN
    webhook.salt = signing.new_salt()
    _record(session, Action.WEBHOOK_ROTATED, actor, webhook)
    await session.flush()
    company = await companies.get(session, webhook.company_id)
    return _with_secret(webhook, company.name, settings)


async def delete(
    session: AsyncSession, actor: Actor, webhook_id: UUID, *, version: int | None = None
) -> Webhook:
    """Call it no more, and forget what was delivered. Raises NotFound, Forbidden, Conflict."""
    webhook = await _managed(session, actor, webhook_id)
    require_version(webhook.version, version, "this webhook")
    _record(session, Action.WEBHOOK_DELETED, actor, webhook)
    await session.delete(webhook)
    await session.flush()
    return webhook


async def shut(session: AsyncSession, webhook: Webhook, state: WebhookState) -> None:
    """The board turns a webhook off; what waits for it has failed. Its row is locked already."""
    webhook.state = state
    await session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == webhook.id,
            WebhookDelivery.state == DeliveryState.WAITING,
        )
        .values(state=DeliveryState.FAILED, done_at=now(), claimed_at=None)
        .execution_options(synchronize_session=False)
    )
