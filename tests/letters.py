"""Reads what the board mails, as the person in front of the mailbox does."""

import re
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

from jobboard.infra.mailer import Step
from jobboard.infra.postgres import Database
from jobboard.infra.storage import Storage
from jobboard.settings import Settings
from jobboard.worker import outbox
from jobboard.worker.context import Context

LINK = re.compile(r"https?://\S+\?token=\S+")


class Mailbox:
    """All mail that the worker sends when it is told to."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self.mails: list[EmailMessage] = []
        self._context = Context(settings, db, self, Storage(settings.storage_url))

    async def send(self, message: EmailMessage, *, before: Step) -> None:
        """What a mailer does."""
        await before()
        self.mails.append(message)

    async def read(self) -> list[EmailMessage]:
        """The mails that came since the last time."""
        self.mails.clear()
        await outbox.deliver_all(self._context)
        return list(self.mails)

    async def subjects(self, email: str) -> list[str]:
        """What came to this address since the last time."""
        return [mail["Subject"] for mail in await self.read() if to(mail) == email]

    async def link(self, email: str, path: str) -> str:
        """The token of the newest link to `path` that came to this address. Fails without one."""
        links = [
            link
            for mail in await self.read()
            if to(mail) == email
            for link in LINK.findall(words(mail))
            if urlsplit(link).path == path
        ]
        assert links, f"no link to {path} came to {email}"
        return parse_qs(urlsplit(links[-1]).query)["token"][0]


def words(mail: EmailMessage) -> str:
    """The text part, one line for each paragraph's."""
    part = mail.get_body(("plain",))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


def to(mail: EmailMessage) -> str:
    """Where a mail goes."""
    return mail["To"].addresses[0].addr_spec
