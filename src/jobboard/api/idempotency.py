"""Idempotency-Key: a POST that creates can be sent again without creating again.

    @router.post("", status_code=201, dependencies=[IDEMPOTENT])

is all that a route says; its class (`api/route.py`) does the rest. Names and statuses follow
draft-ietf-httpapi-idempotency-key-header-07. A key belongs to who asks (an API key, else the
person, else everyone without a token), the method and the path. Only successes are kept: after an
error the same key can be tried again. An answer's secrets (`SECRETS`) are not kept.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import Message

from jobboard.accounts.schemas import Actor
from jobboard.api.deps import KnownDep, SessionDep, SettingsDep, get_actor
from jobboard.errors import FieldError, Invalid
from jobboard.infra import idempotency
from jobboard.settings import Settings

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
STRANGERS_MIN = 16  # all who send no token share their keys: a short one may be another's
KEPT_HEADERS = ("content-type", "location", "etag", "cache-control", "vary")

GIVEN = Header(
    alias=HEADER,
    min_length=1,
    max_length=255,
    pattern=r"^[ -~]+$",
    description="A name of your choice for this request, such as a UUID. For 24 hours the same "
    "request with the same key gets the first answer again and creates nothing.",
    examples=["5f1b1a0e-2d0c-4c4c-9d3e-0d8f3c1a7b52"],
)
Key = Annotated[str | None, GIVEN]
NeededKey = Annotated[str, GIVEN]


class BodyHash:
    """Hashes a body as it passes by, without its multipart boundary: clients make a new one up
    for every try. Keyed, because a body may hold a password."""

    def __init__(self, request: Request, secret: str) -> None:
        self._receive = request.receive
        self._hash = hmac.new(
            secret.encode(), request.scope["query_string"] + b"\n", hashlib.sha256
        )
        _, _, boundary = request.headers.get("content-type", "").partition("boundary=")
        self._boundary = boundary.split(";")[0].strip().strip('"').encode("latin-1")
        self._tail = b""
        self._complete = False

    async def receive(self) -> Message:
        """What the app reads from instead."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._add(message.get("body", b""), last=not message.get("more_body", False))
        return message

    def _add(self, piece: bytes, *, last: bool) -> None:
        self._complete = last
        if not self._boundary:
            self._hash.update(piece)
            return
        # The end of this piece may be the beginning of a boundary.
        text = (self._tail + piece).replace(self._boundary, b"")
        cut = len(text) if last else max(0, len(text) - len(self._boundary) + 1)
        self._hash.update(text[:cut])
        self._tail = text[cut:]

    async def digest(self) -> bytes:
        """The hash of all, the rest of it read and thrown away where no one wanted it."""
        while not self._complete:
            if (await self.receive())["type"] == "http.disconnect":
                break
        return self._hash.digest()


@dataclass(frozen=True, slots=True)
class Claim:
    """This request is the first with its key; its answer is to be kept."""

    session: AsyncSession
    answer_id: bytes
    secrets: tuple[str, ...]


class Replay(Exception):
    """There is an answer already: give it, and do nothing."""

    def __init__(self, response: Response) -> None:
        self.response = response


def watch(request: Request) -> Request:
    """The request, its body hashed as it is read if it carries a key."""
    if HEADER not in request.headers:
        return request
    settings: Settings = request.app.state.engines.settings
    body = BodyHash(request, settings.secret_key.get_secret_value())
    request.state.body_hash = body
    return Request(request.scope, body.receive)


class Idempotent:
    """The dependency that claims the key for who asks, or raises Replay.

    `secrets` are fields of the answer that are shown once: a replay has null in their place.
    """

    def __init__(self, *, secrets: tuple[str, ...] = ()) -> None:
        self.secrets = secrets

    async def __call__(
        self,
        request: Request,
        session: SessionDep,
        viewer: KnownDep,
        settings: SettingsDep,
        key: Key = None,
    ) -> None:
        """Raises Conflict for a parallel request, Invalid for another body."""
        if key is not None:
            await _claim(request, session, settings, key, viewer, self.secrets)


IDEMPOTENT = Depends(Idempotent())


async def claim_needed(
    request: Request,
    session: SessionDep,
    actor: Annotated[Actor, Depends(get_actor)],
    settings: SettingsDep,
    key: NeededKey,
) -> None:
    """The same where a request without a key is refused: what moves money must not come twice."""
    await _claim(request, session, settings, key, actor, ())


NEEDS_KEY = Depends(claim_needed)


class LateKey:
    """The key of a route that has long work to do first (a password to hash, a picture to decode)
    and claims it afterwards: from then on it holds a connection."""

    def __init__(
        self, request: Request, session: SessionDep, settings: SettingsDep, key: Key = None
    ) -> None:
        self._request, self._session, self._settings = request, session, settings
        self._key = key

    async def claim(self, viewer: Actor | None, *, secrets: tuple[str, ...] = ()) -> None:
        """Claim it for who asks, if there is one. Raises Replay, Conflict, Invalid."""
        if self._key is not None:
            await _claim(self._request, self._session, self._settings, self._key, viewer, secrets)


LateKeyDep = Annotated[LateKey, Depends()]


async def _claim(
    request: Request,
    session: AsyncSession,
    settings: Settings,
    key: str,
    viewer: Actor | None,
    secrets: tuple[str, ...],
) -> None:
    if viewer is None and len(key) < STRANGERS_MIN:
        raise _too_short()
    named = (_caller(request, viewer), request.method, request.scope["path"], key)
    answer_id = idempotency.answer_id(settings.secret_key, *named)
    if await idempotency.claim(session, answer_id, _person_id(request, viewer)):
        request.state.claim = Claim(session, answer_id, secrets)
        return
    fingerprint = await request.state.body_hash.digest()
    raise Replay(_again(await idempotency.kept(session, answer_id, fingerprint)))


def _caller(request: Request, viewer: Actor | None) -> str:
    """Whose keys. With the scopes: a token of fewer gets no answer to what it may not ask."""
    if viewer is None:
        return ""
    key_id = getattr(request.state, "key_id", None)
    return " ".join((str(key_id or viewer.id), *sorted(viewer.scopes)))


def _person_id(request: Request, viewer: Actor | None) -> UUID | None:
    """Whose answer it is, to be erased with them; a company's key is nobody's."""
    by_key = getattr(request.state, "key_id", None) is not None
    return None if viewer is None or by_key else viewer.id


def _too_short() -> Invalid:
    message = f"Without a token this must have at least {STRANGERS_MIN} characters; take a UUID."
    return Invalid(message, errors=(FieldError(f"/header/{HEADER}", message),))


def _again(answer: idempotency.KeptAnswer) -> Response:
    headers = dict(answer.headers) | {REPLAYED: "true"}
    return Response(answer.body, answer.status or 200, headers)


async def keep(request: Request, response: Response) -> None:
    """Keep the answer of a request that claimed its key, in the still open transaction."""
    claim: Claim | None = getattr(request.state, "claim", None)
    if claim is None:
        return
    await idempotency.keep(
        claim.session,
        claim.answer_id,
        await request.state.body_hash.digest(),
        status=response.status_code,
        headers=[item for item in response.headers.items() if item[0] in KEPT_HEADERS],
        body=_without(bytes(response.body), claim.secrets),
    )


def _without(body: bytes, secrets: tuple[str, ...]) -> bytes:
    if not secrets:
        return body
    answer: dict[str, Any] = json.loads(body)
    return json.dumps(answer | dict.fromkeys(secrets), ensure_ascii=False).encode()
