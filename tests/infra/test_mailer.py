"""Mail reaches an SMTP server, or a person who reads the console."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

import aiosmtplib
import pytest

from jobboard.infra.mailer import ConsoleMailer, SmtpMailer, make_mailer
from jobboard.settings import Settings

pytestmark = pytest.mark.anyio
LINK = "http://127.0.0.1:8000/verify?token=s3cret-of-the-link"


def mail() -> EmailMessage:
    """A message with everything that goes wrong: umlauts, a long line, a lone dot."""
    message = EmailMessage()
    message["From"] = "Jobbörse <board@example.com>"
    message["To"] = "Zoë Example <zoe@example.com>"
    message["Subject"] = "Ihre Bewerbung als Bäcker"
    message.set_content(f"Grüße!\n.\n{LINK}\n" + "lang " * 300)
    return message


@dataclass
class Inbox:
    """A small SMTP server: what it was told, and the mail it took."""

    port: int = 0
    offers: tuple[str, ...] = ("8BITMIME",)
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation."""
        writer.write(b"220 test\r\n")
        while line := await reader.readline():
            command = line.decode().strip()
            self.commands.append(command)
            verb = command.split()[0].upper()
            if verb == "EHLO":
                offers = ["test", *self.offers]
                lines = [f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"]
                writer.write("".join(line + "\r\n" for line in lines).encode())
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 taken\r\n")
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"235 welcome\r\n" if verb == "AUTH" else b"250 ok\r\n")
            await writer.drain()
        writer.close()


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """Listening."""
    inbox = Inbox()
    server = await asyncio.start_server(inbox.serve, "127.0.0.1", 0)
    inbox.port = server.sockets[0].getsockname()[1]
    yield inbox
    server.close()


async def test_a_mail_arrives_as_it_was_written(inbox: Inbox) -> None:
    await SmtpMailer(f"smtp://127.0.0.1:{inbox.port}").send(mail())
    raw = inbox.mails[0].removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
    received = message_from_bytes(raw, policy=policy.default)
    assert received["Subject"] == "Ihre Bewerbung als Bäcker"
    assert received.get_content().split() == mail().get_content().split()
    assert "RCPT TO:<zoe@example.com>" in inbox.commands
    assert any(command.startswith("MAIL FROM:<board@example.com>") for command in inbox.commands)


async def test_it_logs_in_where_the_address_says_so(inbox: Inbox) -> None:
    inbox.offers = ("AUTH PLAIN",)
    await SmtpMailer(f"smtp://user:p%40ss@127.0.0.1:{inbox.port}").send(mail())
    assert any(command.startswith("AUTH PLAIN") for command in inbox.commands)
    assert len(inbox.mails) == 1


async def test_no_password_in_the_clear_over_the_net(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    async def send(_message: EmailMessage, **options: object) -> None:
        asked.update(options)

    monkeypatch.setattr(aiosmtplib, "send", send)
    await SmtpMailer("smtp://user:password@mail.example.com").send(mail())
    assert (asked["start_tls"], asked["port"]) == (True, 587)
    await SmtpMailer("smtps://user:password@mail.example.com").send(mail())
    assert (asked["use_tls"], asked["port"]) == (True, 465)
    await SmtpMailer("smtp://mail.example.com").send(mail())
    assert (asked["start_tls"], asked["port"]) == (None, 25)


async def test_a_server_that_is_gone_is_an_error() -> None:
    with pytest.raises((OSError, aiosmtplib.SMTPException)):
        await SmtpMailer("smtp://127.0.0.1:1").send(mail())


async def test_the_console_shows_a_link_that_one_can_click(
    capsys: pytest.CaptureFixture[str],
) -> None:
    await ConsoleMailer().send(mail())
    shown = capsys.readouterr().err
    assert "Mail to Zoë Example <zoe@example.com>: Ihre Bewerbung als Bäcker" in shown
    assert LINK in shown
    assert "Grüße!" in shown


def test_the_setting_decides() -> None:
    assert isinstance(make_mailer(Settings()), ConsoleMailer)
    assert isinstance(make_mailer(Settings(smtp_url="smtp://mail.example.com")), SmtpMailer)
