"""The audit log as a page: a sentence for each event, and what narrows it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import queries as accounts
from jobboard.admin import audit
from jobboard.admin.audit import AuditRead, AuditSearch, AuditSubject
from jobboard.audit.models import Action, Subject
from jobboard.errors import Invalid
from jobboard.pagination import Page
from jobboard.schema import Input
from jobboard.web.deps import SessionDep
from jobboard.web.desk import AdminDep, Cursor, href
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(prefix="/admin", include_in_schema=False)

ENTRIES = 50
# What an actor did; {} is the subject, where there is one.
SENTENCES: dict[Action, str] = {
    Action.LOGIN_OPENED: "logged in",
    Action.LOGIN_FAILED: "refused a log-in of {}",
    Action.LOGIN_ENDED: "logged out",
    Action.LOGIN_TOKEN_REUSED: "ended a log-in of {}, whose refresh token came twice",
    Action.PASSWORD_CHANGED: "changed the own password",
    Action.PASSWORD_RESET: "set a new password by a link",
    Action.EMAIL_VERIFIED: "confirmed the own e-mail address",
    Action.EMAIL_CHANGED: "changed the own e-mail address",
    Action.EMAIL_CHANGE_UNDONE: "brought the old e-mail address back",
    Action.SECOND_FACTOR_ON: "turned two-step log-in on",
    Action.SECOND_FACTOR_OFF: "turned two-step log-in off for {}",
    Action.RECOVERY_CODES_RENEWED: "made new recovery codes",
    Action.RECOVERY_CODE_USED: "used a recovery code",
    Action.ADMIN_CREATED: "made the moderator's account of {}",
    Action.PERSON_SUSPENDED: "suspended {}",
    Action.PERSON_EXPORTED: "took their own data along",
    Action.PERSON_ERASED: "erased the own account",
    Action.PERSON_RESTORED: "let {} back in",
    Action.JOB_APPROVED: "approved the job {}",
    Action.JOB_REJECTED: "sent back the job {}",
    Action.JOB_REMOVED: "removed the job {}",
    Action.JOB_RESTORED: "took back the decision about the job {}",
    Action.JOB_REPORTS_DISMISSED: "closed the reports about {}",
    Action.COMPANY_INVITED: "invited someone to act for {}",
    Action.COMPANY_INVITATION_WITHDRAWN: "withdrew an invitation to act for {}",
    Action.COMPANY_JOINED: "accepted to act for {}",
    Action.COMPANY_MEMBER_SET: "let {member} act for {}",
    Action.COMPANY_MEMBER_REMOVED: "took {member} out of {}",
    Action.COMPANY_RENAMED: "renamed {}",
    Action.DATA_EDITED: "edited the data of {}",
    Action.COMPANY_NAME_SEEN: "let the new name of {} stay",
    Action.KEY_MADE: "made an API key for {}",
    Action.KEY_REVOKED: "revoked an API key of {}",
    Action.WEBHOOK_MADE: "added a webhook for {}",
    Action.WEBHOOK_CHANGED: "changed a webhook of {}",
    Action.WEBHOOK_ROTATED: "made a new secret for a webhook of {}",
    Action.WEBHOOK_DELETED: "deleted a webhook of {}",
    Action.CREDITS_GRANTED: "granted credits to {}",
    Action.TRANSFER_REVERSED: "reversed a transfer to {}",
    Action.WALLET_FROZEN: "froze the wallet of {}",
    Action.WALLET_UNFROZEN: "unfroze the wallet of {}",
    Action.SYNONYM_ADDED: "let {terms} mean the same to searches",
    Action.SYNONYM_REMOVED: "let {terms} no longer mean the same to searches",
    Action.RATES_LOADED: "loaded exchange rates",
    Action.MESSAGES_RETRIED: "had failed messages tried again",
    Action.MESSAGES_DROPPED: "dropped failed messages",
    Action.MAIL_BLOCKED: "said that no mail reaches {}",
    Action.MAIL_ALLOWED: "allowed mail to {} again",
}
NOBODY = "an unknown address"  # the subject of a failed log-in without an account
GONE = "someone who is gone"
WHERE = {
    Subject.PERSON: "/admin/people/{}",
    Subject.COMPANY: "/admin/audit-log?subject={}",
    Subject.JOB: "/admin/jobs/{}",
}
DETAILS = {
    "door": {"web": "on the pages", "api": "through the API"},
    "step": {"code": "in its second step"},
    "role": {"owner": "as an owner", "recruiter": "as a recruiter"},
}


Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]


class Asked(Input):
    """What the address asks for. Days are whole ones, in UTC."""

    who: str = Field("", max_length=254)
    actor: UUID | None = None
    subject: UUID | None = None
    action: Action | None = None
    since: Day | None = None
    until: Day | None = None


@router.get("/audit-log")
async def show_audit_log(
    request: Request, session: SessionDep, actor: AdminDep, cursor: Cursor = None
) -> HTMLResponse:
    """What happened, newest first. `who` is an e-mail address."""
    form, page, query = Form.of(dict(request.query_params)), Page[AuditRead](items=[]), {}
    async with form.attempt():
        asked = form.parse(Asked)
        wanted = await _search(session, asked, cursor)
        page = await audit.entries(session, actor, wanted)
        query = asked.model_dump(exclude_defaults=True)
    more = href("/admin/audit-log", **query, cursor=page.next_cursor)
    return render(
        request,
        "admin/audit-log.html",
        status=form.status,
        private=True,
        form=form,
        narrowed=bool(query),
        actions=[(action.value, _title(action)) for action in Action],
        entries=[(entry, _actor(entry), _sentence(entry)) for entry in page.items],
        first_href=href("/admin/audit-log", **query) if cursor else None,
        next_href=more if page.next_cursor else None,
    )


async def _search(session: AsyncSession, asked: Asked, cursor: str | None) -> AuditSearch:
    """The core's question. Raises Invalid for an address that nobody has."""
    actor = asked.actor
    if asked.who.strip():
        person = await accounts.by_email(session, asked.who.strip())
        if person is None:
            raise Invalid.field("who", "Nobody has this e-mail address.")
        actor = person.id
    return AuditSearch(
        actor=actor,
        subject=asked.subject,
        action=asked.action,
        since=_midnight(asked.since),
        until=_midnight(asked.until + timedelta(days=1)) if asked.until else None,
        cursor=cursor,
        limit=ENTRIES,
    )


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None


def _title(action: Action) -> str:
    """The words for an action in a list to choose from: `Approved the job`."""
    named = SENTENCES[action].format("someone", member="a colleague", terms="words")
    words = " ".join(named.split())
    return words[:1].upper() + words[1:]


def _actor(entry: AuditRead) -> Markup:
    actor = entry.actor
    if actor.kind == "system":
        return Markup("The board")
    words = actor.name or GONE.capitalize()
    if actor.kind == "key":
        return Markup("{} (with an API key)").format(words)
    return _link(f"/admin/people/{actor.id}", words) if actor.name else Markup(words)


def _sentence(entry: AuditRead) -> Markup:
    """What the actor did, with links to whom and to what."""
    member = entry.details.get("member")
    return Markup(SENTENCES[entry.action]).format(
        _subject(entry.subject),
        member=_link(f"/admin/people/{member}", "a colleague"),
        terms=f"“{entry.details.get('terms')}”",
    ) + "".join(f" {words}" for words in _remarks(entry.details))


def _subject(subject: AuditSubject | None) -> Markup:
    if subject is None:
        return Markup(NOBODY)
    name = subject.name or ("someone" if subject.kind is Subject.PERSON else f"a {subject.kind}")
    gone = "" if subject.name else " that is gone"
    return _link(WHERE[subject.kind].format(subject.id), name + gone)


def _remarks(details: dict[str, Any]) -> Iterator[str]:
    """What the details add, where there are words for it."""
    for name, words in DETAILS.items():
        if details.get(name) in words:
            yield words[details[name]]


def _link(where: str, words: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(where, words)
