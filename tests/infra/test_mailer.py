"""Mail reaches a real SMTP server, a folder, or a person who reads the console."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiosmtplib
import pytest
import trustme

from jobboard.infra import mailer
from jobboard.infra.mailer import ConsoleMailer, FileMailer, Refused, SmtpMailer, make_mailer
from jobboard.infra.queue import NotDone
from jobboard.settings import Settings
from tests.smtp import CUT, Inbox, hang_up, serving

pytestmark = pytest.mark.anyio
SUBJECT = "New job: Beekeeper of the roof of the town, Hotel Seestern, Lübeck, Germany"
LINK = "http://127.0.0.1:8000/verify?token=s3cret-of-the-link"


def mail(to: str = "zoe@example.com") -> EmailMessage:
    """A message with everything that goes wrong: umlauts, one right where a header is folded, a
    long line, a lone dot."""
    message = EmailMessage()
    message["From"] = "Jobbörse <board@example.com>"
    message["To"] = f"Zoë Example <{to}>"
    message["Subject"] = SUBJECT
    message["Message-ID"] = "<abc.def@example.com>"
    message.set_content(f"Grüße!\n.\n..\n{LINK}\n" + "lang " * 300)
    return message


class Point:
    """Counts how often what cannot be taken back was about to happen."""

    def __init__(self) -> None:
        self.passed = 0

    async def __call__(self) -> None:
        self.passed += 1


@pytest.fixture
def point() -> Point:
    return Point()


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    async with serving(Inbox()) as inbox:
        yield inbox


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """Of 127.0.0.1, and the authority that signed it."""
    authority = trustme.CA()
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return path, context


@pytest.fixture
def trusted(
    certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> ssl.SSLContext:
    """A certificate that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    return certificate[1]


async def test_a_mail_arrives_as_it_was_written(inbox: Inbox, point: Point) -> None:
    await SmtpMailer(inbox.url).send(mail(), before=point)
    (received,) = inbox.received
    assert received["Subject"] == SUBJECT
    assert received.get_content().split() == mail().get_content().split()
    assert (inbox.to(), inbox.senders) == (["zoe@example.com"], ["board@example.com"])
    assert point.passed == 1


async def test_an_address_with_other_letters(inbox: Inbox, point: Point) -> None:
    await SmtpMailer(inbox.url).send(mail("bäcker@example.com"), before=point)
    assert inbox.recipients == ["bäcker@example.com"]


@pytest.mark.parametrize("how", ["starttls", "implicit"])
async def test_a_password_goes_over_tls(how: str, trusted: ssl.SSLContext, point: Point) -> None:
    options: dict[str, Any] = {"implicit": trusted, "auth_require_tls": False}
    if how == "starttls":
        options = {"tls_context": trusted, "auth_required": True}
    inbox = Inbox()
    async with serving(inbox, authenticator=inbox.authenticate, **options):
        scheme = "smtp" if how == "starttls" else "smtps"
        url = f"{scheme}://user:p%40ss@127.0.0.1:{inbox.port}"
        await SmtpMailer(url, tls="required").send(mail(), before=point)
    assert (inbox.logins, inbox.secure) == (["user"], [True])


async def test_a_wrong_password_is_an_error_for_later(point: Point) -> None:
    inbox = Inbox()
    async with serving(inbox, authenticator=inbox.authenticate, auth_require_tls=False):
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await SmtpMailer(f"smtp://user:no@127.0.0.1:{inbox.port}").send(mail(), before=point)
    assert (inbox.received, point.passed) == ([], 0)


async def test_no_tls_where_it_is_required_and_no_trust_in_strangers(
    inbox: Inbox, certificate: tuple[Path, ssl.SSLContext], point: Point
) -> None:
    with pytest.raises(aiosmtplib.SMTPException, match="STARTTLS"):
        await SmtpMailer(inbox.url, tls="required").send(mail(), before=point)
    async with serving(Inbox(), tls_context=certificate[1]) as stranger:
        with pytest.raises((aiosmtplib.SMTPException, ssl.SSLError)):
            await SmtpMailer(stranger.url).send(mail(), before=point)
        assert stranger.received == []
    assert point.passed == 0


async def test_no_password_in_the_clear_over_the_net(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    class Stopped(Exception):
        pass

    def client(**options: Any) -> None:
        asked.update(options)
        raise Stopped

    monkeypatch.setattr("jobboard.infra.mailer.SMTP", client)
    for url, name, value, port in (
        ("smtp://user:password@mail.example.com", "start_tls", True, 587),
        ("smtps://user:password@mail.example.com", "use_tls", True, 465),
        ("smtp://mail.example.com", "start_tls", None, 25),
    ):
        with pytest.raises(Stopped):
            await SmtpMailer(url).send(mail(), before=Point())
        assert (asked[name], asked["port"]) == (value, port)


@pytest.mark.parametrize(
    ("answer", "mailbox"),
    [
        ("550 5.1.1 no such user", True),
        ("550 no such user", True),
        ("556 5.1.10 takes no mail", True),
        ("554 5.7.1 relay access denied", False),
        ("550 5.2.2 mailbox full", False),
    ],
)
async def test_a_refusal_for_good(inbox: Inbox, point: Point, answer: str, mailbox: bool) -> None:
    inbox.rcpt["zoe@example.com"] = answer
    with pytest.raises(Refused, match=answer[:9]) as refused:
        await SmtpMailer(inbox.url).send(mail(), before=point)
    assert (refused.value.mailbox, point.passed) == (mailbox, 0)


@pytest.mark.parametrize("answer", ["450 4.2.1 try later", "552 too much", CUT])
async def test_a_refusal_for_now(inbox: Inbox, point: Point, answer: str) -> None:
    inbox.rcpt["zoe@example.com"] = answer
    with pytest.raises(aiosmtplib.SMTPException):
        await SmtpMailer(inbox.url).send(mail(), before=point)
    assert point.passed == 0


async def test_what_the_server_says_to_the_whole_mail(inbox: Inbox, point: Point) -> None:
    inbox.data = ["451 busy", "554 5.6.0 no such letters"]
    with pytest.raises(NotDone, match="451 busy"):
        await SmtpMailer(inbox.url).send(mail(), before=point)
    with pytest.raises(Refused) as refused:
        await SmtpMailer(inbox.url).send(mail(), before=point)
    assert (refused.value.mailbox, point.passed) == (False, 2)


async def test_a_line_that_breaks_before_the_last_byte_sent_nothing(
    inbox: Inbox, point: Point
) -> None:
    inbox.cut_in_data = 1

    async def after_the_break() -> None:
        await asyncio.sleep(0.05)  # as long as a commit may take; the line is known to be gone

    with pytest.raises((NotDone, aiosmtplib.SMTPServerDisconnected)):
        await SmtpMailer(inbox.url).send(mail(), before=after_the_break)


async def test_a_line_that_is_known_to_be_gone_is_not_written_to(inbox: Inbox) -> None:
    async def hangs_up() -> None:
        hang_up(inbox.servers[-1])
        await asyncio.sleep(0.05)  # the news of it

    with pytest.raises(NotDone, match="lost before the last byte"):
        await SmtpMailer(inbox.url).send(mail(), before=hangs_up)
    assert inbox.received == []
    gone: Any = SimpleNamespace(protocol=None)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        mailer._write(gone, mail(), international=False)


async def test_a_server_that_wants_no_mail_just_now_or_never(inbox: Inbox, point: Point) -> None:
    inbox.no_data = ["451 too busy", "554 no mail from you"]
    with pytest.raises(aiosmtplib.SMTPDataError, match="too busy"):
        await SmtpMailer(inbox.url).send(mail(), before=point)
    with pytest.raises(Refused, match="no mail from you") as refused:
        await SmtpMailer(inbox.url).send(mail(), before=point)
    assert (refused.value.mailbox, point.passed) == (False, 0)


async def test_a_server_that_knows_no_other_letters_cannot_mail_there(point: Point) -> None:
    async with serving(Inbox(), enable_SMTPUTF8=False) as old:
        with pytest.raises(Refused, match="takes no addresses with such letters") as refused:
            await SmtpMailer(old.url).send(mail("zoë@example.com"), before=point)
    assert (refused.value.mailbox, point.passed) == (True, 0)


async def test_a_line_that_breaks_after_it_leaves_open_whether_it_arrived(
    inbox: Inbox, point: Point
) -> None:
    inbox.data = [CUT]
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await SmtpMailer(inbox.url).send(mail(), before=point)
    assert point.passed == len(inbox.received) == 1


async def test_a_slow_server_is_waited_for_and_given_up(inbox: Inbox, point: Point) -> None:
    inbox.slow.clear()
    with pytest.raises(aiosmtplib.SMTPReadTimeoutError):
        await SmtpMailer(inbox.url, seconds=0.2).send(mail(), before=point)
    sending = asyncio.create_task(SmtpMailer(inbox.url).send(mail(), before=point))
    asyncio.get_running_loop().call_later(0.2, inbox.slow.set)
    await sending
    assert len(inbox.received) >= 1


async def test_a_server_that_is_gone_is_an_error(point: Point) -> None:
    with pytest.raises((OSError, aiosmtplib.SMTPException)):
        await SmtpMailer("smtp://127.0.0.1:1").send(mail(), before=point)
    assert point.passed == 0


async def test_the_console_shows_a_link_that_one_can_click(
    capsys: pytest.CaptureFixture[str], point: Point
) -> None:
    await ConsoleMailer().send(mail(), before=point)
    shown = capsys.readouterr().err
    assert f"Mail to Zoë Example <zoe@example.com>: {SUBJECT}" in shown
    assert LINK in shown
    assert "Grüße!" in shown


async def test_a_folder_keeps_one_file_for_each_mail(tmp_path: Path, point: Point) -> None:
    folder = tmp_path / "mail"
    for _ in range(2):
        await FileMailer(folder).send(mail(), before=point)
    (path,) = folder.iterdir()
    assert path.name == "abc.def@example.com.eml"
    kept = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert kept["Subject"] == SUBJECT
    assert kept.get_content().split() == mail().get_content().split()


def test_the_setting_decides(tmp_path: Path) -> None:
    assert isinstance(make_mailer(Settings()), ConsoleMailer)
    assert isinstance(make_mailer(Settings(smtp_url="smtp://mail.example.com")), SmtpMailer)
    assert isinstance(make_mailer(Settings(smtp_url=tmp_path.as_uri())), FileMailer)
