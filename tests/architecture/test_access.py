"""Everybody asks for everything: each route answers each kind of visitor as `access_table` says.

What a request changes is undone after it, so one small world serves them all.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.routing import Mount

from jobboard.accounts import tokens
from jobboard.accounts.logins import open_web_login
from jobboard.accounts.models import EmailLink, LinkPurpose, Person, Role
from jobboard.accounts.scopes import ALL, OF_KEYS, KeyScope, Scope
from jobboard.accounts.tokens import access_token
from jobboard.alerts import service as alerts
from jobboard.alerts.schemas import SavedCriteria, SavedSearchCreate
from jobboard.applications import service as applications
from jobboard.applications.schemas import ApplicationCreate
from jobboard.asgi import create_app
from jobboard.clock import now
from jobboard.companies import invitations, keys
from jobboard.companies.models import Company
from jobboard.companies.schemas import ApiKeyCreate, ApiKeyMade
from jobboard.infra.pictures import Pictures
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Failure, Message
from jobboard.jobs.models import JobStatus
from jobboard.jobs.synonyms import Synonym
from jobboard.notifications import choices
from jobboard.notifications.models import BlockReason, MailBlock, Notification, Topic
from jobboard.settings import Settings
from jobboard.tasks import service as tasks
from jobboard.tasks.schemas import TaskCreate
from jobboard.uploads import service as uploads
from jobboard.wallet import queries as wallets
from jobboard.wallet import service as money
from jobboard.wallet.schemas import GrantCreate
from jobboard.web.cookies import LOGIN
from jobboard.web.csrf import FIELD, form_token
from tests.architecture.access_table import CAST, OUT, ROUTES, SIGNED_IN, SOCKETS, TEAM, Access
from tests.boards import empty
from tests.conftest import BASE_URL
from tests.factories.companies import make_company, make_invitation, make_member
from tests.factories.files import pdf, picture
from tests.factories.jobs import make_job
from tests.factories.people import PASSWORD, User, make_user
from tests.factories.webhooks import make_delivery, make_webhook

EMPLOYING = {"owner", "recruiter", "rival", "suspended"}
SAFE = {"GET", "HEAD"}
API = [route for route in ROUTES if "/api/v1/" in route]


class Undone(Database):
    """Nothing that a request writes stays."""

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncSession]:
        """As the real one, except for the end."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session
            await session.flush()
            session.expunge_all()  # a rollback would expire what a door still reads
            await session.rollback()


@dataclass
class World:
    """One of each thing, by name, and what each of the cast shows at the door."""

    things: dict[str, str]
    cast: dict[str, User]
    headers: dict[str, dict[str, str]]  # of the API
    # Headers: with all scopes, by whose company's they are; of the owner's with one, by that one.
    keys: dict[str, dict[str, str]]
    cookies: dict[str, str]
    tokens: dict[str, str]  # that a form carries


def role(name: str) -> Role:
    """What someone of the cast signed up as."""
    if name == "admin":
        return Role.ADMIN
    return Role.EMPLOYER if name in EMPLOYING else Role.CANDIDATE


@pytest.fixture(scope="module")
async def app(settings: Settings, anyio_backend: Any) -> AsyncIterator[FastAPI]:
    """The whole app, whose requests leave nothing behind."""
    settings = settings.model_copy(update={"rate_limits": "off"})
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        real = app.state.engines
        undone = Undone(settings.database_url.get_secret_value())
        app.state.engines = replace(real, database=undone)
        yield app
        await undone.close()
        await empty(real.database.engine)
        await real.redis.flushdb()


@pytest.fixture(scope="module")
async def world(app: FastAPI, settings: Settings) -> World:
    """Made once: no request changes it."""
    engines = app.state.engines
    async with AsyncSession(engines.database.engine, expire_on_commit=False) as session:
        cast = {
            name: await make_user(session, settings, role(name), email=f"{name}@example.com")
            for name in CAST
            if name != "nobody"
        }
        cookies = await _log_in(session, settings, cast)
        things = await _things(session, settings, engines.storage, cast)
        made = {name: await _key(session, cast[name], things) for name in ("owner", "rival")}
        made |= {scope: await _key(session, cast["owner"], things, scope) for scope in KeyScope}
        things["key"] = str(made["owner"].id)
        shut_out = await session.get_one(Person, cast["suspended"].id)
        shut_out.suspended_at = now()
        await session.commit()
    return World(
        things,
        cast,
        {name: user.headers for name, user in cast.items()},
        {name: {"Authorization": f"Bearer {key.key}"} for name, key in made.items()},
        {name: cookie for name, (cookie, _) in cookies.items()},
        {name: token for name, (_, token) in cookies.items()},
    )


async def _log_in(
    session: AsyncSession, settings: Settings, cast: dict[str, User]
) -> dict[str, tuple[str, str]]:
    """The cookie of each, and the token of their forms."""
    found = {}
    for name, user in cast.items():
        login = await open_web_login(session, user.id, settings, user_agent="test")
        found[name] = (login.token, form_token(login.actor, settings))
    return found


async def _things(
    session: AsyncSession, settings: Settings, storage: Any, cast: dict[str, User]
) -> dict[str, str]:
    owner, candidate = cast["owner"], cast["candidate"]
    company = await make_company(session, owner, "Bakery")
    other = await make_company(session, cast["rival"], "Butcher")
    for name in ("recruiter", "suspended"):
        await make_member(session, company, cast[name])
    invitation = await make_invitation(session, company, owner, cast["rival"].actor.email)
    status = {
        "job": JobStatus.PUBLISHED,
        "open": JobStatus.PUBLISHED,
        "draft": JobStatus.DRAFT,
        "pending": JobStatus.PENDING,
        "closed": JobStatus.CLOSED,
        "removed": JobStatus.REMOVED,
    }
    jobs = {name: await make_job(session, owner, company, status=s) for name, s in status.items()}
    resume, spare = [
        await uploads.add_resume(
            session, storage, settings, candidate.id, filename="cv.pdf", data=pdf()
        )
        for _ in range(2)
    ]
    read = await Pictures().read(picture())
    image = await uploads.add_picture(
        session, storage, settings, candidate.id, read, filename="me.png"
    )
    await storage.put(f"logos/{'0' * 32}", picture())  # as they were kept before pictures had sizes
    application = await applications.apply(
        session, candidate.actor, jobs["job"].id, ApplicationCreate(resume_id=resume.id)
    )
    wanted = SavedSearchCreate(search=SavedCriteria(q="miller"))
    saved = await alerts.save(session, candidate.actor, wanted)
    task = await tasks.create(session, candidate.actor, TaskCreate(title="Call them back"))
    opened = {f"{purpose}_link": purpose.value * 3 for purpose in LinkPurpose}
    session.add_all(_link(candidate, purpose, opened[f"{purpose}_link"]) for purpose in LinkPurpose)
    wallet, other_wallet = [await wallets.of_company(session, each.id) for each in (company, other)]
    grant = await money.issue(session, None, wallet, GrantCreate(amount=1000))
    message = Message(kind="test.failed", payload={}, failed_at=now(), failure=Failure.GAVE_UP)
    shut = MailBlock(email="gone@example.com", reason=BlockReason.REFUSED)
    news = Notification(person_id=candidate.id, kind="alert", text="A baker!", path="/me/alerts")
    synonym = Synonym(terms=["oven artist", "bread artist"])
    session.add_all([message, shut, news, synonym])
    await session.commit()
    return {
        **opened,
        **await _webhook(session, settings, owner, company),
        "message": str(message.id),
        "mail-block": str(shut.id),
        "synonym": str(synonym.id),
        "news": str(news.id),
        "mail_token": choices.token(settings, candidate.id, Topic.ALERTS),
        "invitation": str(invitation.id),
        "invitation_link": invitations.token_of(invitation.id, settings),
        "wallet": str(wallet.id),
        "other_wallet": str(other_wallet.id),
        "grant": str(grant.id),
        "login": str(candidate.actor.login_session_id),
        "task": str(task.id),
        "search": str(saved.id),
        "company": str(company.id),
        "rival's company": str(other.id),
        "company-slug": company.slug,
        "resume": str(resume.id),
        "spare": str(spare.id),
        "image": str(image.id),
        "image-file": f"{image.key.removeprefix('images/')}-full.webp",
        "old-logo": "0" * 32,
        "application": str(application.id),
        "password": PASSWORD,
        **{name: str(job.id) for name, job in jobs.items()},
        **{f"{name}-slug": job.slug for name, job in jobs.items()},
        **{name: str(user.id) for name, user in cast.items()},
    }


async def _webhook(
    session: AsyncSession, settings: Settings, owner: User, company: Company
) -> dict[str, str]:
    webhook = await make_webhook(session, settings, owner, company)
    delivery = await make_delivery(session, webhook.id)
    return {"webhook": str(webhook.id), "delivery": str(delivery.id)}


def _link(user: User, purpose: LinkPurpose, token: str) -> EmailLink:
    return EmailLink(
        token_hash=tokens.token_hash(token),
        person_id=user.id,
        purpose=purpose,
        email="candidate2@example.com" if purpose is LinkPurpose.CHANGE else user.actor.email,
        expires_at=now() + timedelta(hours=1),
    )


async def _key(
    session: AsyncSession, owner: User, things: dict[str, str], *scopes: KeyScope
) -> ApiKeyMade:
    """A key with these scopes, or all that one can have."""
    own = "rival's company" if owner.actor.email.startswith("rival") else "company"
    data = ApiKeyCreate(company_id=UUID(things[own]), name="Site", scopes=list(scopes or KeyScope))
    return await keys.make(session, owner.actor, data)


def listed(app: FastAPI) -> set[str]:
    """Every route of the app as the table names it."""
    found = set()
    for context in iter_route_contexts(app.routes):
        path = re.sub(r":\w+}", "}", context.path or "")
        if isinstance(context.original_route, Mount):
            found.add(f"MOUNT {path}")
            continue
        for method in (context.methods or {"WS"}) - {"HEAD"}:
            found.add(f"{method} {path}")
    return found


def test_each_route_stands_in_the_table(app: FastAPI) -> None:
    assert listed(app) == set(ROUTES) | SOCKETS, (
        "list each route in tests/architecture/access_table.py"
    )


@dataclass
class Ask:
    """One visitor's request, and the answers that are right."""

    who: str
    what: str
    path: str
    right: set[int]


def asks(path: str, access: Access, world: World) -> list[Ask]:
    """All visitors, for the thing and, where there is one, for one that is not there."""
    own = _fill(path, [world.things.get(name, name) for name in access.on])
    found = [Ask(who, "it", own, _right(path, access, who)) for who in CAST]
    if access.on:
        nothing = _fill(path, [str(uuid4()), *(world.things.get(n, n) for n in access.on[1:])])
        found += [Ask(w, "nothing", nothing, _right_of_nothing(path, access, w)) for w in CAST]
    return found


def _fill(path: str, ids: list[str]) -> str:
    values = iter(ids)
    return re.sub(r"{\w+}", lambda _: next(values), path)


def _right(path: str, access: Access, who: str) -> set[int]:
    if who in access.through:
        # A token of someone who is shut out is refused where it is read, not ignored.
        return {200, 201, 202, 204, 303} | ({401} if who == "suspended" and _api(path) else set())
    if who == "suspended" and _api(path):
        return {401}
    if who in OUT:
        return {access.nobody}
    return {404} if who in access.hidden else {access.refused}


def _right_of_nothing(path: str, access: Access, who: str) -> set[int]:
    if who in access.through:
        return {access.missing} | ({401} if who == "suspended" and _api(path) else set())
    return _right(path, access, who) | ({403, 404} if who not in OUT else set())


def _api(path: str) -> bool:
    return path.startswith("/api/")


@pytest.mark.parametrize("route", ROUTES)
async def test_everybody_asks(app: FastAPI, world: World, route: str) -> None:
    method, path = route.replace("MOUNT", "GET").split(" ", 1)
    lines = ROUTES[route]
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    wrong = []
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        for access in lines if isinstance(lines, list) else [lines]:
            for ask in asks(path, access, world):
                answer = await _send(client, method, ask, access, world)
                if (status := _status(answer)) not in ask.right:
                    wrong.append(f"{ask.who} asks for {ask.what}: {status}, right: {ask.right}")
    assert not wrong, "\n".join([route, *wrong])


@pytest.mark.parametrize("route", API)
async def test_a_token_needs_the_scope(
    app: FastAPI, settings: Settings, world: World, route: str
) -> None:
    method, path = route.replace("MOUNT", "GET").split(" ", 1)
    lines = ROUTES[route]
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        for access in lines if isinstance(lines, list) else [lines]:
            if not access.through or access.through == set(CAST):
                continue
            user = world.cast[next(name for name in CAST if name in access.through)]
            needed, *more = map(Scope, access.scope.split())
            fits = _narrow(user, settings, frozenset({needed, *more}))
            answer = await _ask(client, method, path, access, world, fits)
            assert answer.status_code < 400, (access, answer.text)
            answer = await _ask(
                client, method, path, access, world, _narrow(user, settings, ALL - {needed})
            )
            assert answer.json()["code"] == "insufficient_scope", (access, answer.text)
            assert f'scope="{needed}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("route", API)
async def test_a_key_is_a_member_of_its_company(app: FastAPI, world: World, route: str) -> None:
    method, path = route.split(" ", 1)
    lines = ROUTES[route]
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        for access in lines if isinstance(lines, list) else [lines]:
            for whose in ("owner", "rival"):
                answer = await _ask(client, method, path, access, world, world.keys[whose])
                assert answer.status_code in _right_for_key(access, whose), (whose, answer.text)


OPEN_TO_KEYS = [
    (route, access)
    for route, lines in ROUTES.items()
    for access in (lines if isinstance(lines, list) else [lines])
    if access.scope in OF_KEYS and (access.keys or TEAM <= access.through < SIGNED_IN)
]


@pytest.mark.parametrize(("route", "access"), OPEN_TO_KEYS)
async def test_a_key_needs_the_scope(
    app: FastAPI, world: World, route: str, access: Access
) -> None:
    method, path = route.split(" ", 1)
    nothing = replace(access, on=(str(uuid4()), *access.on[1:]))
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        for scope in KeyScope:
            key = world.keys[scope]
            answer = await _ask(client, method, path, access, world, key)
            if scope != access.scope:
                assert answer.json()["code"] == "insufficient_scope", (scope, answer.text)
                continue
            assert answer.status_code < 400, answer.text
            if access.on:
                answer = await _ask(client, method, path, nothing, world, key)
                assert answer.status_code == access.missing, answer.text


def _right_for_key(access: Access, whose: str) -> set[int]:
    let_in = {200, 201, 202, 204}
    if access.through == set(CAST):  # a key is refused where the route asks who comes at all
        return let_in | {403}
    if access.scope not in OF_KEYS:
        return {403, access.refused}
    if access.keys and (whose == "owner" or access.through == SIGNED_IN):
        return let_in
    if whose == "owner" and access.through >= TEAM and access.through != SIGNED_IN:
        return let_in
    return {404} if whose in access.hidden else {403}


def _narrow(user: User, settings: Settings, scopes: frozenset[Scope]) -> dict[str, str]:
    token = access_token(
        settings.secret_key.get_secret_value(),
        issuer=settings.base_url,
        person_id=user.id,
        login_session_id=user.actor.login_session_id,
        minutes=5,
        scopes=scopes,
    )
    return {"Authorization": f"Bearer {token}"}


async def _ask(
    client: httpx2.AsyncClient,
    method: str,
    path: str,
    access: Access,
    world: World,
    headers: dict[str, str],
) -> httpx2.Response:
    address = _fill(path, [world.things.get(name, name) for name in access.on])
    send = {name: _filled(value, world) for name, value in access.send.items()}
    headers = headers | send.pop("headers", {})
    return await client.request(method, address, headers=headers, **send)


async def _send(
    client: httpx2.AsyncClient, method: str, ask: Ask, access: Access, world: World
) -> httpx2.Response:
    client.cookies.clear()
    send = {name: _filled(value, world) for name, value in access.send.items()}
    headers: dict[str, str] = send.pop("headers", {})
    if _api(ask.path):
        headers |= world.headers.get(ask.who, {})
    else:
        if ask.who in world.cookies:
            headers["Cookie"] = f"{LOGIN}={world.cookies[ask.who]}"
        if method not in SAFE:
            headers["Sec-Fetch-Site"] = "same-origin"
            send["data"] = {FIELD: world.tokens.get(ask.who, ""), **send.get("data", {})}
    return await client.request(method, ask.path, headers=headers, **send)


def _filled(value: Any, world: World) -> Any:
    """`{company}` in what is sent becomes the id."""
    if isinstance(value, dict):
        return {name: _filled(each, world) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, world) for each in value]
    if isinstance(value, str):
        return re.sub(r"{(\w+)}", lambda name: world.things[name[1]], value)
    return value


def _status(answer: httpx2.Response) -> int:
    """The way to the log-in is a page's 401."""
    to_log_in = answer.headers.get("location", "").startswith("/log-in?next=")
    return 401 if answer.status_code == 303 and to_log_in else answer.status_code
