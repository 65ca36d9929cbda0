"""Mail goes out by SMTP; or into a folder, or to standard error, for a person to read."""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email import policy
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import aiosmtplib
from aiosmtplib import SMTP, SMTPException, SMTPResponse

from jobboard.infra.queue import NotDone
from jobboard.settings import LOOPBACK, Settings

GO_ON = 354
ENDS_IN_SPACE = re.compile(rb"[ \t]+(?=\r\n[ \t])")  # of a folded line
POLICY_REFUSAL = re.compile(r"\b5\.[27]\.\d+")  # full mailbox, policy: of the moment, or of us
FULL = 552  # to be taken as a refusal for now (RFC 5321, section 4.5.3.1.10)


class Refused(Exception):
    """The server will not take this mail, now or later. `mailbox`: because of its recipient, whom
    no mail reaches."""

    def __init__(self, code: int, words: str, *, mailbox: bool) -> None:
        super().__init__(f"{code} {words}")
        self.mailbox = mailbox


Step = Callable[[], Awaitable[None]]


class Mailer(Protocol):
    """Sends a message that is complete."""

    async def send(self, message: EmailMessage, *, before: Step) -> None:
        """Hand the message over; `before` is awaited right before that cannot be taken back.

        Raises Refused; NotDone where the server refused it for now after `before`; for all else
        OSError or aiosmtplib.SMTPException.
        """
        ...


class ConsoleMailer:
    """Prints the mail. Not through the logs: they would blank the links that one must click."""

    async def send(self, message: EmailMessage, *, before: Step) -> None:
        """Write headers and text to standard error."""
        body = message.get_body(("plain", "html"))
        text = body.get_content() if body else ""
        rule = "-" * 72
        await before()
        sys.stderr.write(
            f"{rule}\nMail to {message['To']}: {message['Subject']}\n\n{text.rstrip()}\n{rule}\n"
        )
        sys.stderr.flush()


class FileMailer:
    """Writes each mail into a folder, for a mail program to open: `file:///var/mail/jobboard`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage, *, before: Step) -> None:
        """The file is named by the Message-ID: the same mail twice is one file."""
        name = re.sub(r"[^\w.@-]", "", message["Message-ID"] or "mail")
        await before()
        await asyncio.to_thread(self._write, name, _as_bytes(message))

    def _write(self, name: str, raw: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f".{name}.part"
        part.write_bytes(raw)
        part.rename(self._folder / f"{name}.eml")


class SmtpMailer:
    """`smtp://user:password@host:587` (STARTTLS) or `smtps://user:password@host:465` (TLS).

    One connection for each mail. `tls` is `auto`, `required` or `off`, and about STARTTLS.
    """

    def __init__(self, url: str, *, tls: str = "auto", seconds: float = 15) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587 if parts.username else 25)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._start_tls = None if self._tls else self._wants(tls)
        self._seconds = seconds

    def _wants(self, tls: str) -> bool | None:
        """None uses STARTTLS where it is offered. A password never travels in the clear, even when
        someone hides the server's offer."""
        if tls == "auto":
            return True if self._user and self._host not in LOOPBACK else None
        return tls == "required"

    async def greet(self) -> None:
        """Connect and log in, as for a mail, or raise."""
        client = self._client()
        try:
            await client.connect()
        finally:
            await _leave(client)

    async def send(self, message: EmailMessage, *, before: Step) -> None:
        """Deliver to the server, or raise. Each answer may take `seconds`."""
        client = self._client()
        try:
            await client.connect()
            await self._converse(client, message, before)
        finally:
            await _leave(client)

    def _client(self) -> SMTP:
        return SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._tls,
            start_tls=False if self._tls else self._start_tls,
            timeout=self._seconds,
        )

    async def _converse(self, client: SMTP, message: EmailMessage, before: Step) -> None:
        """All but the final dot can be taken back: without it, a server must throw away what it
        got (RFC 5321, section 4.1.1.4)."""
        sender = parseaddr(str(message["From"]))[1]
        recipient = message["To"].addresses[0].addr_spec
        options = _options(client, recipient)
        await client.mail(sender, options=options, timeout=self._seconds)
        letters = "utf-8" if options else "ascii"
        try:
            await client.rcpt(recipient, encoding=letters, timeout=self._seconds)
        except aiosmtplib.SMTPRecipientRefused as error:
            raise _refusal(error) from None
        _require_go_on(await client.execute_command(b"DATA", timeout=self._seconds))
        _write(client, message, international=bool(options))
        await before()
        if not client.is_connected:
            raise NotDone("The connection was lost before the last byte.")
        _judge(await client.execute_command(b".", timeout=self._seconds))


async def _leave(client: SMTP) -> None:
    with suppress(SMTPException, OSError):
        await client.quit(timeout=1)
    client.close()


def _options(client: SMTP, recipient: str) -> list[str]:
    """What MAIL FROM must say. An address with other letters than ASCII needs RFC 6531."""
    if recipient.isascii():
        return []
    if not client.supports_extension("smtputf8"):
        raise Refused(550, "The server takes no addresses with such letters.", mailbox=True)
    return ["SMTPUTF8", "BODY=8BITMIME"]


def _refusal(error: aiosmtplib.SMTPRecipientRefused) -> Exception:
    """A 5xx to a recipient is for good, and about the mailbox, unless it says something else."""
    if error.code < 500 or error.code == FULL:
        return error
    mailbox = not POLICY_REFUSAL.search(error.message)
    return Refused(error.code, error.message, mailbox=mailbox)


def _require_go_on(answer: SMTPResponse) -> None:
    if answer.code == GO_ON:
        return
    if answer.code >= 500:
        raise Refused(answer.code, answer.message, mailbox=False)
    raise aiosmtplib.SMTPDataError(answer.code, answer.message)


def _as_bytes(message: EmailMessage, *, international: bool = False) -> bytes:
    """The message as it goes out. Where Python folds a header before an encoded word it leaves a
    space on both sides, of which the reader would see two."""
    raw = message.as_bytes(policy=policy.SMTPUTF8 if international else policy.SMTP)
    head, end, body = raw.partition(b"\r\n\r\n")
    return ENDS_IN_SPACE.sub(b"", head) + end + body


def _write(client: SMTP, message: EmailMessage, *, international: bool) -> None:
    raw = _as_bytes(message, international=international)
    body = re.sub(rb"(?m)^\.", b"..", raw.removesuffix(b"\r\n")) + b"\r\n"
    if client.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    client.protocol.write(body)


def _judge(answer: SMTPResponse) -> None:
    """The answer to the final dot. An answer that says no is an answer: it was not taken."""
    if answer.code >= 500:
        raise Refused(answer.code, answer.message, mailbox=False)
    if answer.code >= 300:
        raise NotDone(f"{answer.code} {answer.message}")


def make_mailer(settings: Settings) -> Mailer:
    """The mailer that the settings ask for."""
    url = settings.smtp_url.get_secret_value()
    if not url:
        return ConsoleMailer()
    if url.startswith("file:"):
        return FileMailer(Path(url2pathname(urlsplit(url).path)))
    return SmtpMailer(url, tls=settings.smtp_tls, seconds=settings.smtp_timeout)
