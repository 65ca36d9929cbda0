"""Mail goes out by SMTP, or, where no server is set, to standard error for a person to read."""

import sys
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from jobboard.settings import Settings

SECONDS = 15
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Mailer(Protocol):
    """Sends a message that is complete: From, To, Subject and text."""

    async def send(self, message: EmailMessage) -> None:
        """Hand the message over. Raises OSError or aiosmtplib.SMTPException."""
        ...


class ConsoleMailer:
    """Prints the mail. Not through the logs: they would blank the links that one must click."""

    async def send(self, message: EmailMessage) -> None:
        """Write headers and text to standard error."""
        body = message.get_body(("plain", "html"))
        text = body.get_content() if body else ""
        rule = "-" * 72
        sys.stderr.write(
            f"{rule}\nMail to {message['To']}: {message['Subject']}\n\n{text.rstrip()}\n{rule}\n"
        )
        sys.stderr.flush()


class SmtpMailer:
    """`smtp://user:password@host:587` (STARTTLS) or `smtps://user:password@host:465` (TLS)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587 if parts.username else 25)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        # A password never travels in the clear, even when someone hides the server's offer.
        must = bool(self._user) and self._host not in LOOPBACK
        self._start_tls = False if self._tls else True if must else None

    async def send(self, message: EmailMessage) -> None:
        """Deliver to the server, or raise."""
        await aiosmtplib.send(
            message,
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._tls,
            start_tls=self._start_tls,
            timeout=SECONDS,
        )


def make_mailer(settings: Settings) -> Mailer:
    """The mailer that the settings ask for."""
    url = settings.smtp_url.get_secret_value()
    return SmtpMailer(url) if url else ConsoleMailer()
