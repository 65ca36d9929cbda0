"""Invitations to act for a company: asked by mail, and nobody is in before they said yes.

Whoever invites learns nothing of an address: not whether it has an account, nor which kind. The
answer, the letter and the work are the same for every address that is no member's.

An invitation counts as long as who sent it may send one: with an owner who leaves, is made a
recruiter or is shut out, theirs go. The token of the link is derived from the board's secret key
and the invitation's id: so no token is at rest, and a letter that is sent twice holds one link.
"""

import base64
import hmac
import re
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from jobboard.accounts import limits
from jobboard.accounts.links import Letter, dead_link
from jobboard.accounts.may import REFUSALS, Right, Who, may
from jobboard.accounts.models import Person, Role
from jobboard.accounts.queries import require_verified
from jobboard.accounts.schemas import Actor
from jobboard.accounts.tokens import derived
from jobboard.audit import service as audit
from jobboard.audit.models import Action, Subject
from jobboard.clock import now
from jobboard.companies.models import Company, CompanyInvitation, CompanyMember, MemberRole
from jobboard.companies.schemas import MemberAdd, MemberRead, MemberStatus
from jobboard.errors import Conflict, Forbidden, NotFound
from jobboard.infra.limiter import Limiter
from jobboard.infra.queue import enqueue
from jobboard.notifications.service import notify
from jobboard.settings import Settings

LETTER = "companies.invitation"  # the message's kind; its payload: {invitation_id}
PAGE = "/invitation"
LIVES = timedelta(days=7)
MOST = 50  # open ones of a company
# What a mail program would make a link of: names are typed by strangers, to strangers.
LINKED = re.compile(r"[./:@\\]+(?=\S)")
NAME_LENGTH = 80


def is_open() -> ColumnElement[bool]:
    """Whether an invitation can be accepted: in time, from someone who may still invite."""
    owner, inviter_row = aliased(CompanyMember), aliased(Person)
    owns = exists().where(
        owner.company_id == CompanyInvitation.company_id,
        owner.person_id == CompanyInvitation.invited_by,
        owner.role == MemberRole.OWNER,
    )
    inviter = exists().where(
        inviter_row.id == CompanyInvitation.invited_by,
        inviter_row.suspended_at.is_(None),
        or_(inviter_row.role == Role.ADMIN, owns),
    )
    return (CompanyInvitation.expires_at > now()) & inviter


def visible_to(viewer: Actor) -> ColumnElement[bool]:
    """The open invitations of the companies that they own; all of them to admins."""
    if may(viewer, Right.MODERATE):
        return is_open()
    owned = select(CompanyMember.company_id).where(
        CompanyMember.person_id == viewer.id, CompanyMember.role == MemberRole.OWNER
    )
    return is_open() & CompanyInvitation.company_id.in_(owned)


async def list_open(session: AsyncSession, viewer: Actor, company_id: UUID) -> list[MemberRead]:
    """Whom a company has asked, oldest first; nobody, for who may not invite."""
    statement = (
        select(CompanyInvitation)
        .where(CompanyInvitation.company_id == company_id, visible_to(viewer))
        .order_by(CompanyInvitation.created_at, CompanyInvitation.id)
    )
    return [read(each) for each in await session.scalars(statement)]


def read(invitation: CompanyInvitation) -> MemberRead:
    """The shape of one among the members."""
    owner = invitation.role is MemberRole.OWNER
    return MemberRead(
        status=MemberStatus.INVITED,
        person_id=None,
        full_name=None,
        invitation_id=invitation.id,
        email=invitation.email,
        role=invitation.role,
        spending_limit=None if owner else invitation.spending_limit,
        created_at=invitation.created_at,
        expires_at=invitation.expires_at,
    )


async def invite(
    session: AsyncSession, limiter: Limiter, actor: Actor, company_id: UUID, data: MemberAdd
) -> MemberRead:
    """Ask an address; who was asked before is asked anew, by the words of now.

    For who may manage the company, which is for the caller to ask. Raises Conflict for MOST open
    ones or an address of one's own that is not confirmed, RateLimited.
    """
    require_verified(actor)
    await limits.hit_invitation(limiter, actor.id)
    await _require_room(session, company_id, data.email)
    invitation: CompanyInvitation = (
        await session.execute(_kept(actor, company_id, data))
    ).scalar_one()
    if await limits.may_mail(limiter, "invitation", data.email):
        enqueue(session, LETTER, {"invitation_id": str(invitation.id)})
    _record(session, Action.COMPANY_INVITED, actor.id, invitation)
    return read(invitation)


def _kept(actor: Actor, company_id: UUID, data: MemberAdd) -> Executable:
    values = {
        "email": data.email,
        "role": data.role,
        "spending_limit": data.spending_limit or 0,
        "invited_by": actor.id,
        "created_at": now(),
        "expires_at": now() + LIVES,
    }
    statement = (
        insert(CompanyInvitation)
        .values(company_id=company_id, **values)
        .on_conflict_do_update(
            index_elements=[CompanyInvitation.company_id, func.lower(CompanyInvitation.email)],
            set_=values,
        )
        .returning(CompanyInvitation)
    )
    return (
        select(CompanyInvitation)
        .from_statement(statement)
        .execution_options(populate_existing=True)
    )


async def _require_room(session: AsyncSession, company_id: UUID, email: str) -> None:
    """Raise Conflict when there are enough. The company's row is locked: two cannot race."""
    await session.execute(select(Company.id).where(Company.id == company_id).with_for_update())
    others = select(func.count()).where(
        CompanyInvitation.company_id == company_id,
        func.lower(CompanyInvitation.email) != email.lower(),
        is_open(),
    )
    if (await session.scalar(others) or 0) >= MOST:
        raise Conflict(
            f"A company has at most {MOST} open invitations. Withdraw one, or wait for answers.",
            code="too_many_invitations",
        )


async def withdraw(session: AsyncSession, actor: Actor, invitation_id: UUID) -> UUID:
    """Make an invitation, and its link, useless; the company that sent it.

    Raises NotFound for one that is not theirs.
    """
    gone = await session.scalar(
        delete(CompanyInvitation)
        .where(CompanyInvitation.id == invitation_id, visible_to(actor))
        .returning(CompanyInvitation)
    )
    if gone is None:
        raise NotFound("There is no such open invitation.", code="invitation_not_found")
    _record(session, Action.COMPANY_INVITATION_WITHDRAWN, actor.id, gone)
    return gone.company_id


async def withdraw_made_since(session: AsyncSession, person_id: UUID, moment: datetime) -> int:
    """Those sent in a person's name while someone else had the account; how many."""
    made = CompanyInvitation.invited_by == person_id, CompanyInvitation.created_at >= moment
    gone = await session.scalars(
        delete(CompanyInvitation).where(*made).returning(CompanyInvitation)
    )
    found = gone.all()
    for each in found:
        _record(session, Action.COMPANY_INVITATION_WITHDRAWN, None, each)
    return len(found)


async def peek(session: AsyncSession, token: str, settings: Settings) -> CompanyInvitation:
    """The open invitation of a link. Raises Invalid."""
    statement = select(CompanyInvitation).where(
        CompanyInvitation.id == _read_token(token, settings), is_open()
    )
    invitation = await session.scalar(statement)
    if invitation is None:
        raise dead_link()
    return invitation


def is_for(actor: Actor, invitation: CompanyInvitation) -> bool:
    """Whether the link was mailed to this person's address."""
    return actor.email.lower() == invitation.email.lower()


async def accept(session: AsyncSession, actor: Actor, token: str, settings: Settings) -> UUID:
    """Act for the company from now on; its id. The link proves the address, too.

    Raises Invalid for a dead link, Forbidden for another's, or for who is no employer.
    """
    invitation = await peek(session, token, settings)
    if not is_for(actor, invitation):
        raise Forbidden(
            f"This invitation was sent to {invitation.email}. Log in with the account of that "
            "address to accept it.",
            code="invitation_of_another",
        )
    require_employer(actor)
    taken = await session.scalar(
        delete(CompanyInvitation)
        .where(CompanyInvitation.id == invitation.id)
        .returning(CompanyInvitation.id)
    )
    if taken is None:  # in two windows at once
        raise dead_link()
    await _join(session, actor, invitation)
    return invitation.company_id


def require_employer(actor: Actor) -> None:
    """Raise Forbidden for a candidate, in words that fit an invitation."""
    if not may(actor, Right.OFFER_WORK):
        raise Forbidden(
            "Your account is a candidate's, and only employers act for companies. Ask for an "
            "invitation to another address of yours, and sign up with that one as an employer.",
            code=REFUSALS[Who.EMPLOYER][0],
        )


async def _join(session: AsyncSession, actor: Actor, invitation: CompanyInvitation) -> None:
    member = insert(CompanyMember).values(
        company_id=invitation.company_id,
        person_id=actor.id,
        role=invitation.role,
        spending_limit=invitation.spending_limit,
    )
    await session.execute(member.on_conflict_do_nothing())  # who is in meanwhile stays so
    person = await session.get_one(Person, actor.id, with_for_update=True)
    person.email_verified_at = person.email_verified_at or now()
    _record(session, Action.COMPANY_JOINED, actor.id, invitation)
    company = await session.get_one(Company, invitation.company_id)
    data = {"company": company.name, "company_id": str(company.id), "who": actor.full_name}
    notify(session, invitation.invited_by, "member_joined", data)


def _record(
    session: AsyncSession, action: Action, by: UUID | None, invitation: CompanyInvitation
) -> None:
    details = {"invitation": str(invitation.id), "role": invitation.role}
    about = (Subject.COMPANY, invitation.company_id)
    audit.record(session, action, person_id=by, subject=about, details=details)


def token_of(invitation_id: UUID, settings: Settings) -> str:
    """The token of an invitation's link: its id, and what only we can say of it."""
    proof = derived(settings, "invitation", invitation_id.bytes)
    return base64.urlsafe_b64encode(invitation_id.bytes + proof).decode()


def _read_token(token: str, settings: Settings) -> UUID:
    """Whose token it is. Raises Invalid for one that we did not make."""
    try:
        raw = base64.b64decode(token.encode(), b"-_", validate=True)
        invitation_id = UUID(bytes=raw[:16])
    except ValueError:
        raise dead_link() from None
    if not hmac.compare_digest(raw[16:], derived(settings, "invitation", invitation_id.bytes)):
        raise dead_link()
    return invitation_id


async def write(session: AsyncSession, invitation_id: UUID, settings: Settings) -> Letter | None:
    """The letter with the link; None for an invitation that is not open any more."""
    statement = (
        select(CompanyInvitation, Company.name, Person.full_name)
        .join(Company, Company.id == CompanyInvitation.company_id)
        .join(Person, Person.id == CompanyInvitation.invited_by)
        .where(CompanyInvitation.id == invitation_id, is_open())
    )
    row = (await session.execute(statement)).first()
    if row is None:
        return None
    invitation, company, inviter = row
    data = {
        "company": _plain(company),
        "inviter": _plain(inviter),
        "owner": invitation.role is MemberRole.OWNER,
    }
    path = f"{PAGE}?token={token_of(invitation.id, settings)}"
    return Letter("company_invitation", "", invitation.email, data, path)


def _plain(name: str) -> str:
    """A name that no mail program makes a link of: else anybody could send theirs to anyone."""
    words = LINKED.sub(" ", " ".join(name.split()))
    return words if len(words) <= NAME_LENGTH else f"{words[: NAME_LENGTH - 1]}…"


async def forget_expired(session: AsyncSession) -> None:
    """Delete the invitations that nobody answered in time."""
    await session.execute(delete(CompanyInvitation).where(CompanyInvitation.expires_at < now()))
