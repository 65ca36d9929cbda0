"""A mail server of the tests' own: aiosmtpd, told when to refuse, to be slow, or to hang up."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import aiosmtpd.smtp
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

CUT = "cut"  # as an answer: hang up instead


def hang_up(server: aiosmtpd.smtp.SMTP) -> None:
    """Without a word."""
    cast(asyncio.WriteTransport, server.transport).abort()


class Server(aiosmtpd.smtp.SMTP):
    """Can hang up between 354 and the final dot."""

    async def smtp_DATA(self, arg: str) -> None:
        if self.event_handler.no_data:
            await self.push(self.event_handler.no_data.pop(0))
            return
        if self.event_handler.cut_in_data:
            self.event_handler.cut_in_data -= 1
            await self.push("354 go on")
            hang_up(self)
            return
        await super().smtp_DATA(arg)


@dataclass
class Inbox:
    """What it took, and what it shall answer. `rcpt` is by address; each of `data` answers one
    mail, until none is left."""

    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    senders: list[str | None] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    rcpt: dict[str, str] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    no_data: list[str] = field(default_factory=list)  # each answers one DATA instead of 354
    cut_in_data: int = 0
    servers: list[Server] = field(default_factory=list)  # one for each connection
    secure: list[bool] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    slow: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.slow.set()

    @property
    def url(self) -> str:
        """Without a password."""
        return f"smtp://127.0.0.1:{self.port}"

    def to(self) -> list[str]:
        """Whom mail came for."""
        return [mail["To"].addresses[0].addr_spec for mail in self.received]

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        answer = self.rcpt.get(address, "250 OK")
        if answer == CUT:
            hang_up(server)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        await self.slow.wait()
        answer = self.data.pop(0) if self.data else "250 taken"
        if answer[0] == "2" or answer == CUT:
            content = envelope.original_content or b""
            self.raw.append(content)
            self.received.append(message_from_bytes(content, policy=policy.default))
            self.senders.append(envelope.mail_from)
            self.recipients.extend(envelope.rcpt_tos)
            tls = server.transport and server.transport.get_extra_info("ssl_object")
            self.secure.append(bool(tls))
        if answer == CUT:
            hang_up(server)
        return answer

    def authenticate(
        self, _server: Server, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        """Takes `user` with `p@ss`."""
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        known = (data.login, data.password) == (b"user", b"p@ss")
        return AuthResult(success=known, handled=False)


@asynccontextmanager
async def serving(inbox: Inbox, **options: Any) -> AsyncGenerator[Inbox]:
    """Listen until the block ends."""
    loop = asyncio.get_running_loop()
    implicit: ssl.SSLContext | None = options.pop("implicit", None)

    options = {"enable_SMTPUTF8": True} | options

    def make() -> Server:
        inbox.servers.append(Server(inbox, hostname="test", loop=loop, **options))
        return inbox.servers[-1]

    server = await loop.create_server(make, "127.0.0.1", 0, ssl=implicit)
    inbox.port = server.sockets[0].getsockname()[1]
    try:
        yield inbox
    finally:
        server.close()
        for each in inbox.servers:
            if each.transport and not each.transport.is_closing():
                hang_up(each)  # on whoever was killed in the middle of a mail
        await server.wait_closed()
