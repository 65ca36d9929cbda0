"""Mails a person's news. The templates' first line is the subject."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined

from jobboard.accounts.links import Letter
from jobboard.accounts.models import Person
from jobboard.infra.queue import Message
from jobboard.settings import Settings
from jobboard.worker.context import Context

_templates = Environment(  # plain text, so nothing is escaped
    loader=PackageLoader("jobboard.worker"), undefined=StrictUndefined, trim_blocks=True
)


async def mail(context: Context, message: Message) -> None:
    """Send one mail. A person who is gone meanwhile gets none.

    The Message-ID comes from the message's own id, so that a mail which is sent twice (a worker
    died before it could say that it was done) is one mail to the mail systems on its way.
    """
    async with context.database.transaction() as session:
        person = await session.get(Person, UUID(message.payload["person_id"]))
    if person is not None and person.erased_at is None:
        kind, data = message.payload["kind"], message.payload["data"]
        letter = Letter(kind, person.full_name, person.email, data)
        await context.mailer.send(compose(context.settings, letter, message))


def compose(settings: Settings, letter: Letter, message: Message) -> EmailMessage:
    """The mail for one piece of news."""
    template = _templates.get_template(f"{letter.kind}.txt")
    text = template.render(
        **letter.data,
        board=settings.board_name,
        base_url=settings.base_url,
        link=settings.base_url + letter.path,
        reader=letter.name,
    )
    subject, _, body = text.partition("\n")
    mail = EmailMessage()
    mail["Subject"] = " ".join(subject.split())
    mail["From"] = settings.mail_from
    user, _, domain = letter.email.rpartition("@")
    mail["To"] = Address(_one_line(letter.name), user, domain)
    sender = parseaddr(settings.mail_from)[1].rpartition("@")[2]
    mail["Message-ID"] = f"<{message.id}@{sender}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body.strip() + "\n")
    return mail


def _one_line(name: str) -> str:
    """A name that cannot start a header of its own."""
    return " ".join(name.split())
