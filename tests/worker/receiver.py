"""A receiver of webhooks on this machine, and its own way to check a signature."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Call:
    """What came: headers by their lower-case names, and the bytes."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, read."""
        return json.loads(self.body)

    def signed_by(self, secret: str) -> bool:
        """As the specification says, written anew: `v1,` and base64 of HMAC-SHA256 of
        id.timestamp.body, one of several apart by spaces."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        what = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode()
        expected = base64.b64encode(hmac.new(key, what + self.body, hashlib.sha256).digest())
        given = [each.split(",", 1) for each in self.headers["webhook-signature"].split(" ")]
        return any(version == "v1" and value == expected.decode() for version, value in given)


@dataclass
class Receiver:
    """Keeps what comes and answers as told: with a status, or by a function."""

    url: str = ""
    status: int = 204
    answer: Answer | None = None
    calls: list[Call] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)  # the first call

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.calls.append(Call(headers, await request.read()))
        self.came.set()
        if self.answer is not None:
            return await self.answer(request)
        return web.Response(status=self.status)


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    """A receiver that listens until the block ends."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{any:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
