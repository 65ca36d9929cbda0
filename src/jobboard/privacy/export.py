"""All that is kept about a person, as one zip that is made while it is sent (GDPR, Art. 15, 20).

Left out: what a company's people note about an applicant (theirs to hand out, Art. 15(4)), and
hashes of passwords and tokens.
"""

import io
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

import structlog
from anyio import to_thread
from pymongo.errors import PyMongoError
from sqlalchemy import Row, Select, and_, case, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import LeftAddress, LoginSession, Person, SecondFactor
from jobboard.accounts.schemas import Actor
from jobboard.alerts.models import FoundJob, SavedSearch
from jobboard.applications.models import Application, ApplicationEvent, ApplicationNote
from jobboard.audit import service as audit
from jobboard.audit.models import Action, AuditEntry
from jobboard.companies.models import ApiKey, Company, CompanyInvitation, CompanyMember
from jobboard.errors import Unavailable
from jobboard.infra.mongo import Mongo, asking
from jobboard.infra.storage import Storage
from jobboard.jobs.models import Job, JobEvent, JobReport
from jobboard.notifications.models import MailBlock, MailOptOut, Notification
from jobboard.tasks.models import Task
from jobboard.uploads.images import file_keys
from jobboard.uploads.models import Upload
from jobboard.wallet.models import Entry, Transfer, TransferMemo, Wallet
from jobboard.webhooks import queries as webhooks
from jobboard.webhooks.models import Webhook

HITS = "hits"
MAX_HITS = 100_000
HEADERS = {
    "Content-Disposition": 'attachment; filename="jobboard-data.zip"',
    "Cache-Control": "no-store",
}
README = """All that this board keeps about you, as JSON (UTF-8, times in UTC), and your files.

account.json        your account                 log-ins.json       where you logged in
second-factor.json  since when codes are asked   companies.json     companies you act for
invitations.json    asked to act for a company   jobs.json          jobs that you wrote
api-keys.json       keys that you made           former-addresses.json  left lately
webhooks.json       webhooks that you added
job-steps.json      steps that you took with jobs, such as closing one
applications.json   your applications
application-steps.json  what became of them, and steps that you took with those of others
notes.json          notes that you wrote         tasks.json         your to-dos
saved-searches.json  jobs that you want to hear of
found-jobs.json     those that they found for you
wallets.json        your credits                 wallet-entries.json  what came in and went out
transfers.json      credits that you moved, your companies' too
reports.json        what you reported            audit-log.json     what you did, or was done to you
notifications.json  news that you got
mail-opt-outs.json  mail that you do not want
mail-block.json     whether your address took no mail, and what its server said
hits.json           your calls of the API        uploads.json       the list of files/
files/              your files, each in the folder of its id

Views and searches are counted without names, under a secret that changes every day: we keep
nothing that says which of them are yours, and once a day is over nobody can find out.
What a company's people note about an applicant is that company's: ask them for it.
"""
log: Any = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Export:
    """What was found in PostgreSQL, and the files that are still to be read."""

    person_id: UUID
    rows: dict[str, list[dict[str, Any]]]
    files: dict[str, str]  # name in the archive: key in storage


async def gather(session: AsyncSession, actor: Actor) -> Export:
    """Read everything but files and hits; the audit log hears of it."""
    rows = {
        name: [dict(row) for row in (await session.execute(statement)).mappings()]
        for name, statement in _tables(actor).items()
    }
    uploads = (await session.execute(_uploads(actor.id))).all()
    audit.record(session, Action.PERSON_EXPORTED, person_id=actor.id)
    files = {name: key for row in uploads for name, key in _named(row)}
    return Export(actor.id, rows, files)


def _named(row: Row[Any]) -> Iterator[tuple[str, str]]:
    """Names in the archive and keys of an upload's files: of a picture, one for each size."""
    if row.image is None:
        yield f"files/{row.id}/{row.filename}", row.key
        return
    for key in file_keys(row.key, row.image):
        yield f"files/{row.id}/{key.rpartition('-')[2]}", key


def _tables(actor: Actor) -> dict[str, Select]:
    """What stands in PostgreSQL, by name of its file."""
    person_id = actor.id
    own = Application.person_id == person_id
    company = select(Company.name).where(Company.id == CompanyMember.company_id).scalar_subquery()
    uploads = (Upload.id, Upload.kind, Upload.filename, Upload.media_type, Upload.size)
    return {
        "account": _of(Person, {"password_hash", "suspension_reason"}, Person.id == person_id),
        "log-ins": _of(LoginSession, {"token_hash"}, LoginSession.person_id == person_id),
        "former-addresses": _of(LeftAddress, {"person_id"}, LeftAddress.person_id == person_id),
        "second-factor": select(SecondFactor.confirmed_at).where(
            SecondFactor.person_id == person_id
        ),
        "companies": select(
            CompanyMember.company_id,
            company.label("name"),
            CompanyMember.role,
            CompanyMember.spending_limit,
            CompanyMember.created_at,
        ).where(CompanyMember.person_id == person_id),
        "invitations": _invitations(actor),
        "api-keys": _of(ApiKey, {"token_hash"}, ApiKey.created_by == person_id),
        "webhooks": _of(
            Webhook,
            {"salt", "previous_salt"},
            # Its address is its company's secret: who left the company does not take it along.
            and_(Webhook.created_by == person_id, webhooks.visible_to(actor)),
        ),
        "jobs": _of(Job, {"content_hash"}, Job.created_by == person_id),
        "job-steps": _of(JobEvent, {"person_id"}, JobEvent.person_id == person_id),
        "applications": _of(Application, set(), own)
        .add_columns(Job.title.label("job"), Job.company_name.label("company"))
        .join(Job, Job.id == Application.job_id),
        "application-steps": _of(
            ApplicationEvent, {"person_id"}, or_(own, ApplicationEvent.person_id == person_id)
        ).join(Application, Application.id == ApplicationEvent.application_id),
        "notes": _of(ApplicationNote, set(), ApplicationNote.person_id == person_id),
        "tasks": _of(Task, set(), Task.person_id == person_id),
        "saved-searches": _of(
            SavedSearch,
            {"keys", "required", "words", "fingerprint"},
            SavedSearch.person_id == person_id,
        ),
        "found-jobs": _of(FoundJob, set(), SavedSearch.person_id == person_id).join(
            SavedSearch, SavedSearch.id == FoundJob.saved_search_id
        ),
        "reports": _of(JobReport, {"resolved_by"}, JobReport.person_id == person_id),
        "wallets": _of(Wallet, {"company_id", "board"}, Wallet.person_id == person_id),
        "wallet-entries": _of(Entry, set(), Wallet.person_id == person_id)
        .add_columns(Transfer.kind, TransferMemo.memo)
        .join(Wallet, Wallet.id == Entry.wallet_id)
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .outerjoin(TransferMemo, TransferMemo.transfer_id == Transfer.id)
        .order_by(Entry.wallet_id, Entry.number),
        "transfers": _of(Transfer, {"created_by"}, Transfer.created_by == person_id)
        .add_columns(TransferMemo.memo)
        .outerjoin(TransferMemo, TransferMemo.transfer_id == Transfer.id),
        "notifications": _of(Notification, {"person_id"}, Notification.person_id == person_id),
        "mail-opt-outs": _of(MailOptOut, {"person_id"}, MailOptOut.person_id == person_id),
        "mail-block": _of(MailBlock, set(), Person.id == person_id).join(
            Person, func.lower(Person.email) == func.lower(MailBlock.email)
        ),
        "audit-log": _audit_log(person_id),
        "uploads": select(*uploads, Upload.created_at).where(Upload.person_id == person_id),
    }


def _invitations(actor: Actor) -> Select[Any]:
    """Those that they sent, and those to their address, unless it may be another's."""
    kind = CompanyInvitation
    sent = kind.invited_by == actor.id
    got = false() if actor.must_verify_email else func.lower(kind.email) == actor.email.lower()
    name = select(Company.name).where(Company.id == kind.company_id).scalar_subquery()
    return _of(kind, {"id", "invited_by"}, or_(sent, got)).add_columns(
        name.label("company"), sent.label("sent_by_you")
    )


def _audit_log(person_id: UUID) -> Select[Any]:
    """What they did, or was done to them: the latter without where its doer was (Art. 15(4)). Who
    guesses at their password is nobody we know: from where is theirs to see."""
    entry = AuditEntry
    own = or_(entry.person_id == person_id, and_(entry.person_id.is_(None), entry.key_id.is_(None)))
    origin = (
        case((own, each), else_="").label(each.name) for each in (entry.address, entry.request_id)
    )
    without = {"person_id", "address", "request_id"}
    theirs = or_(entry.person_id == person_id, entry.subject_id == person_id)
    return _of(entry, without, theirs).add_columns(*origin)


def _of(kind: Any, without: set[str], where: Any) -> Select[Any]:
    """Every column of a table but those that are secret, derived or someone else's."""
    return select(*(c for c in kind.__table__.c if c.name not in without)).where(where)


def _uploads(person_id: UUID) -> Select:
    return select(Upload.id, Upload.filename, Upload.key, Upload.image).where(
        Upload.person_id == person_id
    )


def _pack_rows(packed: ZipFile, name: str, rows: list[dict[str, Any]]) -> None:
    """Off the event loop: a hundred thousand rows take a second."""
    packed.writestr(f"{name}.json", json.dumps(rows, ensure_ascii=False, indent=2, default=str))


async def _hits(mongo: Mongo | None, person_id: UUID) -> list[dict[str, Any]]:
    """Calls of the API, newest first. While MongoDB is silent the archive says so instead."""
    if mongo is None:
        return []
    try:
        async with asking(mongo) as database:
            found = database[HITS].find({"person_id": str(person_id)}, {"_id": 0})
            return await found.sort("at", -1).limit(MAX_HITS).to_list()
    except (Unavailable, PyMongoError) as error:
        log.warning("export.mongo_silent", error=type(error).__name__)
        return [{"missing": "The log of calls could not be read. Ask for the archive once more."}]


class _Pipe(io.RawIOBase):
    """What the zip writes, until it is sent."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: Any) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


async def archive(export: Export, storage: Storage, mongo: Mongo | None) -> AsyncGenerator[bytes]:
    """The zip in pieces; a file that the storage has lost is left out.

    Call it when the transaction is over: MongoDB and whoever downloads may be slow.
    """
    pipe = _Pipe()
    with ZipFile(pipe, "w", ZIP_DEFLATED) as packed:
        packed.writestr("README.txt", README)
        for name, rows in export.rows.items():
            await to_thread.run_sync(_pack_rows, packed, name, rows)
            yield pipe.take()
        await to_thread.run_sync(_pack_rows, packed, "hits", await _hits(mongo, export.person_id))
        for name, key in export.files.items():
            try:
                chunks = await storage.open(key)
            except FileNotFoundError:
                log.warning("export.file_lost", key=key)
                continue
            async for piece in _packed(packed, name, chunks, pipe):
                yield piece
    yield pipe.take()


async def _packed(
    packed: ZipFile, name: str, chunks: AsyncIterator[bytes], pipe: _Pipe
) -> AsyncIterator[bytes]:
    with packed.open(name, "w") as entry:
        async for chunk in chunks:
            await to_thread.run_sync(entry.write, chunk)
            yield pipe.take()
