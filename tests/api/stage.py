"""One of each thing and the people they belong to, for tests that send everything everywhere."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import LoginKind, LoginSession, Role
from jobboard.accounts.scopes import KeyScope
from jobboard.applications import service as applications
from jobboard.applications.schemas import ApplicationCreate
from jobboard.asgi import create_app
from jobboard.clock import now
from jobboard.companies import keys
from jobboard.companies.models import Company
from jobboard.companies.schemas import ApiKeyCreate
from jobboard.infra.engines import Engines
from jobboard.infra.pictures import Pictures
from jobboard.jobs.models import JobStatus
from jobboard.settings import Settings
from jobboard.uploads import service as uploads
from jobboard.wallet import service as money
from jobboard.wallet.schemas import TransferCreate, WalletRead
from tests.api.served import Served, serve
from tests.boards import empty
from tests.factories.alerts import make_saved_search
from tests.factories.companies import make_company, make_invitation
from tests.factories.files import pdf, picture
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.factories.tasks import make_task
from tests.factories.wallets import make_wallet
from tests.factories.webhooks import make_delivery, make_webhook
from tests.snapshot import Snapshot, take

ROLES = {"candidate": Role.CANDIDATE, "employer": Role.EMPLOYER, "admin": Role.ADMIN}
MINUTES = 600  # their tokens last as long as all tests on a busy machine
# The thing that `{id}` stands for, by the segment of the path before it.
NAMED = {
    "companies": "company",
    "jobs": "job",
    "applications": "application",
    "saved-searches": "search",
    "tasks": "task",
    "images": "image",
    "resumes": "resume",
    "api-keys": "key",
    "sessions": "login",
    "people": "person",
    "members": "person",
    "invitations": "invitation",
    "wallets": "wallet",
    "transfers": "transfer",
    "webhooks": "webhook",
    "deliveries": "delivery",
}
# Jobs in the state that these need.
STATES = {
    "DELETE /api/v1/jobs/{id}": "draft",
    "POST /api/v1/jobs/{id}/submit": "draft",
    "POST /api/v1/jobs/{id}/reopen": "closed",
    "POST /api/v1/jobs/{id}/applications": "other job",
    "POST /api/v1/admin/jobs/{id}/approve": "pending",
    "POST /api/v1/admin/jobs/{id}/reject": "pending",
    "POST /api/v1/admin/jobs/{id}/restore": "removed",
}


@dataclass(frozen=True)
class Stage:
    """The address of the app, who plays, and the ids of what there is."""

    address: str
    cast: dict[str, User]
    things: dict[str, dict[str, str]] = field(repr=False)  # of whom, by name

    def headers(self, who: str) -> dict[str, str]:
        """What they show at the door; `nobody` shows nothing."""
        return self.cast[who].headers if who in self.cast else {}

    def ids(self, who: str, method: str, path: str) -> dict[str, str]:
        """What fills the parameters of this path with things of theirs, as far as there are any."""
        things = self.things.get(who, self.things["employer"])
        segments = path.split("/")
        found = {}
        for before, segment in pairwise(segments):
            name = NAMED.get(before)
            if segment == "{id}" and before == "jobs":
                name = STATES.get(f"{method} {path}", name)
            if segment.startswith("{") and name in things:
                found[segment.strip("{}")] = things[name]
        return found


@contextmanager
def theatre(settings: Settings) -> Generator[Served]:
    """The app without limits, served; nothing is left at the end."""
    app = create_app(settings.model_copy(update={"rate_limits": "off"}))
    with serve(app) as server:
        yield server
        server.do(_clear(server))


async def _clear(server: Served) -> None:
    engines: Engines = server.app.state.engines
    if server in _made:
        await _made.pop(server)[1].forget(engines.database.engine)
    await empty(engines.database.engine)
    await engines.redis.flushdb()


def set_up(server: Served) -> Stage:
    """The stage of this server as on the first day, whatever was done on it meanwhile."""
    return server.do(_set_up(server))


_made: dict[Served, tuple[Stage, Snapshot]] = {}


async def _set_up(server: Served) -> Stage:
    """Made once, by the first who asks: that takes ten times as long as putting its rows back."""
    engines: Engines = server.app.state.engines
    if server in _made:
        stage, rows = _made[server]
        await rows.put_back(engines.database.engine)
        await engines.redis.flushdb()
    else:
        stage = await _make(server, engines)
        _made[server] = stage, await take(engines.database.engine)
    return stage


async def _make(server: Served, engines: Engines) -> Stage:
    async with AsyncSession(engines.database.engine, expire_on_commit=False) as session:
        cast = {
            name: await make_user(session, engines.settings, role, minutes=MINUTES)
            for name, role in ROLES.items()
        }
        employer, candidate = cast["employer"], cast["candidate"]
        company = await make_company(session, employer)
        states = {
            "job": JobStatus.PUBLISHED,
            "other job": JobStatus.PUBLISHED,
            "draft": JobStatus.DRAFT,
            "pending": JobStatus.PENDING,
            "closed": JobStatus.CLOSED,
            "removed": JobStatus.REMOVED,
        }
        rows = {
            name: await make_job(session, employer, company, status=s) for name, s in states.items()
        }
        shared = {name: str(job.id) for name, job in rows.items()}
        shared["company"] = str(company.id)
        invited = await make_invitation(session, company, employer, "invited@example.com")
        shared["invitation"] = str(invited.id)
        shared["person"] = str((await make_user(session, engines.settings, Role.EMPLOYER)).id)
        own = {name: await _own_things(session, engines, user) for name, user in cast.items()}
        letter = ApplicationCreate(cover_letter="Hello", resume_id=UUID(own["candidate"]["resume"]))
        applied = await applications.apply(session, candidate.actor, rows["job"].id, letter)
        shared["application"] = str(applied.id)
        shared["key"] = await _key(session, employer, company)
        webhook = await make_webhook(session, engines.settings, employer, company)
        shared["webhook"] = str(webhook.id)
        shared["delivery"] = str((await make_delivery(session, webhook.id)).id)
        await session.commit()
    return Stage(server.address, cast, {name: shared | things for name, things in own.items()})


async def _own_things(session: AsyncSession, engines: Engines, user: User) -> dict[str, str]:
    """What everyone has of their own."""
    resume = await uploads.add_resume(
        session, engines.storage, engines.settings, user.id, filename="cv.pdf", data=pdf()
    )
    image = await uploads.add_picture(
        session, engines.storage, engines.settings, user.id, await _picture(), filename="me.png"
    )
    login = LoginSession(
        person_id=user.id, kind=LoginKind.API, expires_at=now() + timedelta(days=1)
    )
    session.add(login)
    await session.flush()
    task = await make_task(session, user)
    search = await make_saved_search(session, user)
    wallet = await make_wallet(session, person=user.id, holds=1_000_000)
    other = await make_wallet(session, person=(await make_user(session, engines.settings)).id)
    paid = await money.transfer(session, user.actor, _payment(wallet, other))
    things: dict[str, Any] = {"resume": resume, "image": image, "login": login, "task": task}
    things |= {"wallet": wallet, "other_wallet": other, "transfer": paid, "search": search}
    return {name: str(thing.id) for name, thing in things.items()}


def _payment(source: WalletRead, target: WalletRead) -> TransferCreate:
    return TransferCreate(
        from_wallet_id=source.id, to_wallet_id=target.id, amount=1, currency="EUR"
    )


_read: list[Any] = []


async def _picture() -> Any:
    """Read once: a process of its own reads pictures."""
    if not _read:
        _read.append(await Pictures().read(picture()))
    return _read[0]


async def _key(session: AsyncSession, owner: User, company: Company) -> str:
    data = ApiKeyCreate(company_id=company.id, name="All", scopes=list(KeyScope))
    return str((await keys.make(session, owner.actor, data)).id)
