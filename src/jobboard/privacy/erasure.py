"""Erasing a person in PostgreSQL at once, and in files and MongoDB right after the commit.

Requests of theirs may be under way meanwhile, the erasing one for example, whose hit is written
when it is over: so the second half is done once more, some minutes later.

Their row stays as a line without a name, so that what others keep still holds together: a company
sees that someone applied, moderators see that someone decided. Nothing leads back to who it was.
"""

import json
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import service as accounts
from jobboard.accounts.models import (
    EmailLink,
    LeftAddress,
    LoginSession,
    Person,
    RecoveryCode,
    Role,
    SecondFactor,
)
from jobboard.accounts.schemas import Actor
from jobboard.alerts.models import SavedSearch
from jobboard.applications import hooks
from jobboard.applications.lifecycle import ACTIVE
from jobboard.applications.models import Application, ApplicationEvent, Side, Stage
from jobboard.audit import service as audit
from jobboard.audit.models import Action, Subject
from jobboard.clock import now
from jobboard.companies.models import (
    ApiKey,
    Company,
    CompanyInvitation,
    CompanyMember,
    MemberRole,
)
from jobboard.errors import Conflict
from jobboard.infra.idempotency import KeptAnswer
from jobboard.infra.queue import Message, enqueue
from jobboard.jobs.lifecycle import Step
from jobboard.jobs.models import Job, JobReport, JobStatus
from jobboard.jobs.steps import take
from jobboard.notifications import blocks
from jobboard.notifications.models import MailOptOut, Notification
from jobboard.tasks.models import Task
from jobboard.uploads import service as uploads
from jobboard.uploads.models import Upload
from jobboard.wallet.models import Entry, Transfer, TransferMemo, Wallet
from jobboard.webhooks.models import Webhook

NOBODY = "Erased person"
FORGET_REST = "privacy.forget_rest"  # payload: {person_id}
ONCE_MORE = timedelta(minutes=10)  # no request lasts longer, and no hit waits longer to be stored
OWN = (
    Task,
    LoginSession,
    EmailLink,
    LeftAddress,
    SecondFactor,
    RecoveryCode,
    CompanyMember,
    KeptAnswer,
    MailOptOut,
    Notification,
    SavedSearch,
)


async def erase(session: AsyncSession, actor: Actor) -> None:
    """Forget a person for good.

    Raises Conflict for the last moderator, and while colleagues would be left without an owner.
    What they posted stays their companies'; a company that was theirs alone closes its jobs.
    """
    person = await accounts.get_account(session, actor.id)
    await session.refresh(person, with_for_update=True)
    if person.role is Role.ADMIN:
        await accounts.keep_an_admin(session, person.id)
    await _leave_companies(session, actor)
    await forget_rows(session, person.id)
    await _forget_mentions(session, person)
    _blank(person)
    for later in (timedelta(), ONCE_MORE):
        enqueue(session, FORGET_REST, {"person_id": str(person.id)}, later=later)
    about = (Subject.PERSON, person.id)
    audit.record(session, Action.PERSON_ERASED, person_id=person.id, subject=about)
    await session.flush()


async def forget_rows(session: AsyncSession, person_id: UUID) -> None:
    """All that is theirs in PostgreSQL, but the line that stays. A second run does no harm."""
    await _empty_applications(session, person_id)
    await _forget_files(session, person_id)
    await _close_wallet(session, person_id)
    for kind in OWN:
        await session.execute(delete(kind).where(kind.person_id == person_id))
    await session.execute(
        delete(CompanyInvitation).where(CompanyInvitation.invited_by == person_id)
    )
    await session.execute(
        update(JobReport).where(JobReport.person_id == person_id).values(person_id=None)
    )


async def _close_wallet(session: AsyncSession, person_id: UUID) -> None:
    """The ledger stays, and leads to a line without a name. What was written about the transfers
    goes, and what credits are left move no more."""
    theirs = (
        select(Entry.transfer_id)
        .join(Wallet, Wallet.id == Entry.wallet_id)
        .where(Wallet.person_id == person_id)
    )
    made = select(Transfer.id).where(Transfer.created_by == person_id)
    memos = TransferMemo.transfer_id.in_(theirs.union(made))
    await session.execute(delete(TransferMemo).where(memos))
    await session.execute(
        update(Wallet)
        .where(Wallet.person_id == person_id, Wallet.frozen_at.is_(None))
        .values(frozen_at=now())
        .execution_options(synchronize_session=False)
    )


async def _forget_mentions(session: AsyncSession, person: Person) -> None:
    """Letters to them that wait or failed, invitations to their address, and kept answers to others
    that hold it."""
    theirs = func.lower(CompanyInvitation.email) == person.email.lower()
    await session.execute(delete(CompanyInvitation).where(theirs))
    to_them = or_(
        Message.payload["person_id"].astext == str(person.id),
        func.lower(Message.payload["email"].astext) == person.email.lower(),
    )
    await session.execute(delete(Message).where(Message.done_at.is_(None), to_them))
    await blocks.unblock(session, person.email)
    email = json.dumps(person.email, ensure_ascii=False).encode()
    await session.execute(
        delete(KeptAnswer)
        .where(func.pg_catalog.position(KeptAnswer.body, email) > 0)
        .execution_options(synchronize_session=False)
    )


def _blank(person: Person) -> None:
    person.email = f"{person.id}@erased.invalid"
    person.full_name = NOBODY
    person.password_hash = ""  # which no password fits
    person.suspension_reason = person.email_verified_at = None
    person.time_zone = None
    person.erased_at = now()
    person.suspended_at = person.suspended_at or now()


async def _leave_companies(session: AsyncSession, actor: Actor) -> None:
    """Companies are locked as `companies.service` locks them, so that no two owners go at once."""
    owned = (
        select(Company)
        .join(CompanyMember, CompanyMember.company_id == Company.id)
        .where(CompanyMember.person_id == actor.id, CompanyMember.role == MemberRole.OWNER)
        .order_by(Company.id)
        .with_for_update(of=Company)
    )
    for company in (await session.scalars(owned)).all():
        others = CompanyMember.company_id == company.id, CompanyMember.person_id != actor.id
        if await session.scalar(select(exists().where(*others, CompanyMember.role == "owner"))):
            continue
        if await session.scalar(select(exists().where(*others))):
            raise Conflict(
                f"You are the only owner of “{company.name}”, and colleagues act for it. "
                "Make one of them an owner first.",
                code="last_owner",
            )
        await _close(session, actor, company.id)


async def _close(session: AsyncSession, actor: Actor, company_id: UUID) -> None:
    """Nobody is left who would read an application, or answer for what a key or webhook does."""
    await session.execute(delete(Webhook).where(Webhook.company_id == company_id))
    await session.execute(
        update(ApiKey)
        .where(ApiKey.company_id == company_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    open_ones = (JobStatus.PUBLISHED, JobStatus.PENDING)
    jobs = await session.scalars(
        select(Job).where(Job.company_id == company_id, Job.status.in_(open_ones)).with_for_update()
    )
    for job in jobs.all():
        await take(session, actor, job, Step.CLOSE)


async def _empty_applications(session: AsyncSession, person_id: UUID) -> None:
    """The company keeps a line without a name; what was still open is withdrawn."""
    own = Application.person_id == person_id
    withdrawn = await session.scalars(
        update(Application)
        .where(own, Application.stage.in_(ACTIVE))
        .values(stage=Stage.WITHDRAWN, updated_at=now(), version=Application.version + 1)
        .returning(Application.id)
        .execution_options(synchronize_session=False)
    )
    ids = withdrawn.all()
    session.add_all(
        ApplicationEvent(
            application_id=row_id, stage=Stage.WITHDRAWN, side=Side.CANDIDATE, person_id=person_id
        )
        for row_id in ids
    )
    await hooks.tell_withdrawn(session, ids)
    await session.execute(
        update(Application)
        .where(own)
        .values(cover_letter="", resume_id=None)
        .execution_options(synchronize_session=False)
    )
    # What a company wrote to them has their name in it.
    await session.execute(
        update(ApplicationEvent)
        .where(
            ApplicationEvent.application_id.in_(select(Application.id).where(own)),
            ApplicationEvent.message != "",
        )
        .values(message="")
        .execution_options(synchronize_session=False)
    )


async def _forget_files(session: AsyncSession, person_id: UUID) -> None:
    """Rows now, bytes once this is committed. A logo that a company shows is the company's."""
    shown = exists().where(func.split_part(Company.logo_key, "-", 1) == Upload.key)
    await uploads.forget(session, Upload.person_id == person_id, ~shown)


async def expire_rejected(session: AsyncSession, days: int) -> int:
    """Delete a batch of applications that were turned down `days` ago or earlier; how many."""
    old = (
        select(Application.id)
        .where(
            Application.stage == Stage.REJECTED,
            Application.updated_at < now() - func.make_interval(0, 0, 0, days),
        )
        .limit(500)
        .with_for_update(skip_locked=True)
        .cte("old")  # a subquery might be run again and again, and find others each time
    )
    gone = await session.scalars(
        delete(Application).where(Application.id == old.c.id).returning(Application.id)
    )
    return len(gone.all())
