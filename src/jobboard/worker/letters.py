"""Writes mails: one template makes the text and the HTML part, so that both say the same.

A template's first line is the subject. Then come paragraphs, apart by empty lines; a paragraph may
be one of the pieces below, such as `{{ button("Read it", "/jobs/" ~ slug) }}`. What data says
becomes one line without control characters, so that nobody's name or title makes a paragraph, a
button or a header of its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from textwrap import fill
from typing import Any
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined

from jobboard.accounts.links import Letter
from jobboard.clock import now
from jobboard.infra.queue import Message
from jobboard.notifications import choices
from jobboard.notifications.blocks import sealed_id
from jobboard.settings import Settings

WIDTH = 76  # of a line of text
CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
START, UNIT, END = "\x02", "\x1f", "\x03"  # of a piece; no data holds them
LINE = "\x1e"  # a new line within a piece
REASON = "You get this mail because there is an account at {board} with your address."
# To who may have none.
REASONS = {
    "address_kept": "You get this mail because someone typed your address at {board}.",
    "company_invitation": "You get this mail because someone typed your address at {board}.",
}


class Piece(str):
    """What a template's function made; it is written as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a mail: `text`, `button`, `quote`, `item` or `fact`. A fact's `note` is its
    number."""

    kind: str
    text: str
    href: str = ""
    note: str = ""


def _inline(value: Any) -> Any:
    """What stands between braces, as one line."""
    return value if isinstance(value, Piece) else CONTROL.sub(" ", str(value)).strip()


def _piece(kind: str, *parts: Any) -> Piece:
    clean = (CONTROL.sub(" ", str(part)).strip() for part in parts)
    return Piece(f"{START}{UNIT.join((kind, *clean))}{END}")


def _quote(text: str) -> Piece:
    """Someone's own words, with their lines."""
    lines = (CONTROL.sub(" ", line).strip() for line in text.strip().splitlines())
    return Piece(f"{START}quote{UNIT}{LINE.join(lines)}{END}")


def _button(words: str, href: str) -> Piece:
    return _piece("button", words, href)


def _item(text: str, href: str = "", note: str = "") -> Piece:
    return _piece("item", text, href, note)


def _fact(number: Any, text: str) -> Piece:
    return _piece("fact", text, "", number)


_texts = Environment(
    loader=PackageLoader("jobboard.worker"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_inline,
)
PIECES: dict[str, Any] = {"button": _button, "quote": _quote, "item": _item, "fact": _fact}
_texts.globals.update(PIECES)
_pages = Environment(
    loader=PackageLoader("jobboard.worker"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def compose(
    settings: Settings, letter: Letter, message: Message, reader: UUID | None = None
) -> EmailMessage:
    """The mail for one piece of news. `reader` is who may unsubscribe from this kind.

    The Message-ID comes from the message's own id, so that a mail which were sent twice is one
    mail to the mail systems on its way, and to a bounce.
    """
    subject, blocks = _written(settings, letter)
    leave = _way_out(settings, letter.kind, reader)
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["From"] = settings.mail_from
    user, _, domain = letter.email.rpartition("@")
    mail["To"] = Address(_inline(letter.name), user, domain)
    mail["Date"] = format_datetime(now())
    sender = parseaddr(settings.mail_from)[1].rpartition("@")[2]
    mail["Message-ID"] = f"<{sealed_id(settings, message.id, letter.email)}@{sender}>"
    mail["Auto-Submitted"] = "auto-generated"
    if leave:
        mail["List-Unsubscribe"] = f"<{leave}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    foot = REASONS.get(letter.kind, REASON).format(board=settings.board_name)
    mail.set_content("\n\n".join(_as_text(blocks, foot, leave, settings)) + "\n")
    page = _pages.get_template("letter.html").render(
        subject=subject,
        board=settings.board_name,
        base_url=settings.base_url,
        blocks=blocks,
        preview=next((block.text for block in blocks[1:] if block.kind == "text"), ""),
        foot=foot,
        leave=leave,
    )
    mail.add_alternative(page, subtype="html")
    return mail


def _way_out(settings: Settings, kind: str, reader: UUID | None) -> str:
    """The link to unsubscribe; empty for mail about the account itself."""
    topic = choices.TOPICS.get(kind)
    if topic is None or reader is None:
        return ""
    return f"{settings.base_url}{choices.PAGE}?token={choices.token(settings, reader, topic)}"


def _written(settings: Settings, letter: Letter) -> tuple[str, list[Block]]:
    """The subject and the blocks of a letter."""
    text = _texts.get_template(f"{letter.kind}.txt").render(
        **letter.data,
        board=settings.board_name,
        base_url=settings.base_url,
        link=settings.base_url + letter.path,
        reader=letter.name,
    )
    subject, _, body = text.partition("\n")
    blocks = [_block(each, settings) for each in re.split(r"\n\s*\n", body) if each.strip()]
    return " ".join(subject.split()), blocks


def _block(paragraph: str, settings: Settings) -> Block:
    paragraph = paragraph.strip()
    if not (paragraph.startswith(START) and paragraph.endswith(END)):
        return Block("text", " ".join(paragraph.split()))
    kind, *parts = paragraph[1:-1].split(UNIT)
    if kind == "quote":
        return Block(kind, parts[0].replace(LINE, "\n"))
    text, href, note = (*parts, "", "")[:3]
    return Block(kind, text, settings.base_url + href if href.startswith("/") else href, note)


def _as_text(blocks: list[Block], foot: str, leave: str, settings: Settings) -> Iterator[str]:
    """The paragraphs of the text part."""
    for block in blocks:
        yield _text_of(block)
    ways = [fill(foot, WIDTH)]
    if leave:
        ways.append(f"No more mail of this kind:\n{leave}")
        ways.append(f"Choose what we mail you:\n{settings.base_url}/me/mail")
    yield "-- \n" + "\n\n".join(ways)


def _text_of(block: Block) -> str:
    if block.kind == "quote":
        return "\n".join(f"> {line}".rstrip() for line in block.text.split("\n"))
    if block.kind == "button":
        return f"{block.text}:\n{block.href}"
    if block.kind == "fact":
        return f"{block.note} {block.text}"
    if block.kind == "item":
        head = f"* {block.text}" + (f" ({block.note})" if block.note else "")
        return "\n".join(part for part in (head, block.href) if part)
    return fill(block.text, WIDTH, break_long_words=False, break_on_hyphens=False)
