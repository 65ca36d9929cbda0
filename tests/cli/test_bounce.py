"""`jobboard bounce`: what a mail server says that it could not deliver."""

import uuid
from io import BytesIO, TextIOWrapper
from pathlib import Path

import anyio
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person
from jobboard.cli.main import make_app, run
from jobboard.clock import now
from jobboard.notifications import blocks
from jobboard.notifications.models import BlockReason, MailBlock
from jobboard.settings import Settings
from tests.e2e.boards import environment, jobboard
from tests.factories.people import make_user

pytestmark = pytest.mark.anyio

BOUNCE = """From: MAILER-DAEMON@mx.example.com
To: jobboard@example.com
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Message-ID: <their-own@mx.example.com>
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I am sorry to have to inform you.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; {email}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user
 unknown

--b
Content-Type: {returned}

From: Jobboard <jobboard@example.com>
To: {email}
Message-ID: <{sealed}@example.com>
Subject: News

--b--
"""


def bounce(
    email: str, sealed: str, *, action: str = "failed", returned: str = "text/rfc822-headers"
) -> bytes:
    return BOUNCE.format(email=email, sealed=sealed, action=action, returned=returned).encode()


@pytest.mark.parametrize("returned", ["text/rfc822-headers", "message/rfc822"])
def test_the_address_that_we_mailed(settings: Settings, returned: str) -> None:
    sealed = blocks.sealed_id(settings, uuid.uuid4(), "Ada@example.com")
    found = blocks.bounced(bounce("ada@example.com", sealed, returned=returned))
    assert found is not None
    assert found.address(settings) == "ada@example.com"
    assert found.words == "550 5.1.1 user unknown"


def test_nobody_has_another_address_blocked(settings: Settings) -> None:
    sealed = blocks.sealed_id(settings, uuid.uuid4(), "mallory@example.com")
    for claimed in (sealed, f"{uuid.uuid4()}.", "nonsense", ""):
        found = blocks.bounced(bounce("ada@example.com", claimed))
        assert found is None or found.address(settings) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\x00",
        b"Subject: Hello\n\nHow are you?",
        bounce("a@b.example", "", action="delayed"),
    ],
)
def test_what_is_no_bounce(raw: bytes) -> None:
    assert blocks.bounced(raw) is None


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        (b"Subject: Hello\n\nHow are you?", 0, "This is no bounce"),
        (bounce("ada@example.com", "nobodys.seal"), 1, "about no mail of ours: nothing changed"),
    ],
)
def test_the_command_says_why_nothing_changed(
    settings: Settings,
    raw: bytes,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(raw)))
    assert run(make_app(["mail", "migrate"]), ["bounce"]) == code
    printed = capsys.readouterr()
    assert said in printed.out + printed.err


async def test_the_command_stops_mail_to_the_address(
    session: AsyncSession, settings: Settings, tmp_path: Path
) -> None:
    user = await make_user(session, settings)
    person = await session.get_one(Person, user.id)
    person.email_verified_at = now()
    await session.commit()
    email = user.actor.email
    env = environment(
        tmp_path,
        JOBBOARD_DATABASE_URL=settings.database_url.get_secret_value(),
        JOBBOARD_SECRET_KEY=settings.secret_key.get_secret_value(),
    )
    sealed = blocks.sealed_id(settings, uuid.uuid4(), email)
    run = await anyio.run_process(
        jobboard("bounce"), input=bounce(email, sealed), env=env, check=False
    )
    assert (run.returncode, run.stdout.decode()) == (0, f"{email} gets no more mail.\n"), run
    (block,) = (await session.scalars(select(MailBlock))).all()
    assert (block.email, block.reason) == (email, BlockReason.BOUNCED)
    await session.refresh(person)
    assert person.email_verified_at is None
