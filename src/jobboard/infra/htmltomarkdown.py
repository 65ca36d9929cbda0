"""Foreign HTML, or the text that is left of it, into Markdown that reads the same.

Kept: paragraphs, line breaks, lists (nested), headings, bold, italics, links, table rows.
Dropped: everything that shows nothing, styles, scripts, pictures.
"""

import re
from dataclasses import dataclass, field
from itertools import groupby

from jobboard.infra.htmltokens import BLOCKS, Tag, has_blocks, tokens, unwrap
from jobboard.infra.markdown import safe_link
from jobboard.infra.markdownline import Line, Style, glued, render
from jobboard.infra.textrepair import tidy
from jobboard.infra.unglue import unglue

_BOLD = frozenset({"b", "strong", "th", "dt"})
_ITALIC = frozenset({"i", "em", "cite"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LISTS = frozenset({"ul", "ol", "menu"})
_EDGES = " |"
_CLOSING = re.compile(r"(?<!\S)#+$")  # at the end of a heading it would be left out
_CELL = "\x00"  # cannot come from text: `tidy` takes controls out
_MAX_DEPTH = 6  # deeper lists are read as this deep

_BULLET = re.compile(
    r"(?:[•●▪■◦‣∙\u2043►▸➢➤✓✔✅❖]\s*(?=\S)|[-\u2013—*·§]\s+(?=\S)|o\s+(?=[A-Z][a-z]))"
)
_SPACES = re.compile("  +")
_INLINE_BULLETS = re.compile(r"[•●▪◦‣].*[•●▪◦‣]")
_INLINE_BULLET = re.compile(r"\s*[•●▪◦‣]\s*(?=\S)")
# Markdown that was put where HTML or text was asked for.
_TYPED_BOLD = re.compile(r"\*\*(?=[^\s*])([^*\n<]{0,300}[^\s*<])\*\*")
_TYPED_LINK = re.compile(r"\[([^\[\]\n<]{1,300})\]\((https?://[^\s()<>\"]{1,500})\)")
_TYPED_HEADING = re.compile(r"^[ \t]*(#{1,6})[ \t]+(\S[^\n<]*)$", re.MULTILINE)
_BLANK_LINE = re.compile(r"\S[^\S\n]*\n\s*\n\s*\S")


@dataclass(slots=True)
class _Level:
    """One open list: its marker, and the indent of what stands in its current item."""

    ordered: bool
    bare: bool = False  # an item without a list around it
    count: int = 0
    pending: bool = False  # an item was opened and has shown nothing yet
    width: int = 0


@dataclass(slots=True)
class _Writer:
    """Gathers pieces of styled text into blocks of Markdown."""

    plain: bool
    blocks: list[tuple[str, str]] = field(default_factory=list)  # (kind, Markdown)
    pieces: list[tuple[str, Style]] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=list)
    bold: int = 0
    italic: int = 0
    href: str = ""
    heading: int = 0
    row: bool = False

    def text(self, raw: str) -> None:
        keep_lines = self.plain or _BLANK_LINE.search(raw) is not None
        text = unglue(tidy(raw), "\n" if self.plain else " ")
        if not keep_lines:
            text = text.replace("\n", " ")
        self.pieces.append((text, Style(self.bold > 0, self.italic > 0, self.href)))

    def tag(self, tag: Tag) -> None:
        name, step = tag.name, -1 if tag.closing else 1
        if name == "br":
            self.pieces.append(("\n", Style()))
        elif name in ("td", "th"):
            self.pieces.append((_CELL, Style()))
        elif name in BLOCKS:
            self.flush()
        if name in _BOLD:
            self.bold = max(0, self.bold + step)
        elif name in _ITALIC:
            self.italic = max(0, self.italic + step)
        elif name == "a":
            self.href = "" if tag.closing or not safe_link(tag.href) else tag.href
        elif name in _HEADINGS:
            self.heading = 0 if tag.closing else int(name[1])
        elif name in _LISTS:
            self._list(tag)
        elif name == "li":
            self._item(tag)
        elif name == "tr":
            self.row = not tag.closing
        elif name == "hr":
            self.blocks.append(("rule", "---"))

    def _list(self, tag: Tag) -> None:
        if not tag.closing:
            self.levels.append(_Level(ordered=tag.name == "ol"))
        elif self.levels:
            self.levels.pop()

    def _item(self, tag: Tag) -> None:
        if tag.closing and self.levels and self.levels[-1].bare:
            self.levels.pop()
        elif not tag.closing:
            if not self.levels:
                self.levels.append(_Level(ordered=False, bare=True))
            self.levels[-1].pending = True
            self.levels[-1].width = 0

    def flush(self) -> None:
        """End the current paragraph: what was gathered becomes blocks."""
        pieces, self.pieces = self.pieces, []
        lines = _lines(pieces)
        paragraph: list[str] = []
        for line in lines:
            bullet = self._bullet(line)
            if (not line or bullet) and paragraph:
                self._block("\n".join(paragraph))
                paragraph = []
            if bullet:
                self._bulleted(bullet)
            elif line:
                paragraph.append(render(line, self.heading > 0))
        if paragraph:
            self._block("\n".join(paragraph))

    def _bullet(self, line: Line) -> Line:
        """The line without the bullet that it begins with, or nothing if it has none."""
        if not line or self.heading or not (found := _BULLET.match(line[0][0])):
            return []
        rest = line[0][0][found.end() :]
        return [(rest, line[0][1]), *line[1:]] if rest or len(line) > 1 else []

    def _bulleted(self, line: Line) -> None:
        inside = bool(self.levels) and self.levels[-1].pending
        if not inside:
            self.levels.append(_Level(ordered=False, pending=True))
        self._block(render(_stripped(line), False))
        if not inside:
            self.levels.pop()

    def _block(self, markdown: str) -> None:
        if self.heading and not self.levels:
            line = _CLOSING.sub(r"\\\g<0>", markdown.replace("\n", " "))
            self.blocks.append(("heading", f"{'#' * self.heading} {line}"))
            return
        kind = "row" if self.row else "paragraph"
        marker = self._marker()
        outer = self.levels[: _MAX_DEPTH - 1] if len(self.levels) > _MAX_DEPTH else self.levels[:-1]
        indent = " " * sum(level.width for level in outer)
        inner = indent + " " * (self.levels[-1].width if self.levels else 0)
        first, *rest = markdown.split("\n")
        first = (indent + marker if marker else inner) + first
        self.blocks.append(
            ("item" if marker else kind, "\n".join([first, *(inner + line for line in rest)]))
        )

    def _marker(self) -> str:
        """The marker of a list item that begins here, if one does."""
        if not self.levels:
            return ""
        for level in self.levels[:-1]:
            level.pending = False  # an item that holds only a list shows as that list
        level = self.levels[-1]
        if not level.pending:
            return ""
        level.pending = False
        level.count += 1
        marker = f"{level.count}. " if level.ordered else "- "
        level.width = len(marker)
        return marker


def _lines(pieces: list[tuple[str, Style]]) -> list[Line]:
    """Pieces cut at line ends, spaces collapsed, neighbours of one style joined."""
    lines: list[Line] = [[]]
    for text, style in pieces:
        first, *rest = text.split("\n")
        lines[-1].append((first, style))
        lines.extend([(part, style)] for part in rest)
    return [cut for line in lines for cut in _cut_at_bullets(_joined(line))]


def _joined(line: Line) -> Line:
    if len(line) == 1 and _CELL not in line[0][0]:  # most lines are one piece
        text = " ".join(line[0][0].split())
        return _stripped([(text, line[0][1])]) if text else []
    joined: Line = []
    for style, run in groupby(line, key=lambda piece: piece[1]):
        text = _with_breaks([text for text, _ in run])
        text = _SPACES.sub(" ", text) if "  " in text else text
        if joined and joined[-1][0].endswith(" "):
            text = text.lstrip(" ")
        if text.strip() or (text and joined):
            joined.append((text, style))
    return _stripped([(_cells(text), style) for text, style in joined])


def _with_breaks(texts: list[str]) -> str:
    """Pieces that a tag kept apart, with the space that it stood for."""
    parts: list[str] = []
    for text in texts:
        if parts and text and glued(parts[-1][-1:], text):
            parts.append(" ")
        parts.append(text)
    return "".join(parts)


def _cells(text: str) -> str:
    """Cells of a table's row, set apart by a bar."""
    if _CELL not in text:
        return text
    return re.sub(rf"(?:\s*{_CELL})+\s*", " | ", text)


def _stripped(line: Line) -> Line:
    """Without spaces and empty cells at the edges."""
    while line and line[0][0][:1] in _EDGES:
        text = line[0][0].lstrip(_EDGES)
        line = [(text, line[0][1]), *line[1:]] if text else line[1:]
    while line and line[-1][0][-1:] in _EDGES:
        text = line[-1][0].rstrip(_EDGES)
        line = [*line[:-1], (text, line[-1][1])] if text else line[:-1]
    return line


def _cut_at_bullets(line: Line) -> list[Line]:
    """One line per bullet where a line holds several: "We offer: • lunch • a bicycle"."""
    if not line or not _INLINE_BULLETS.search("".join(text for text, _ in line)):
        return [line]
    lines: list[Line] = [[]]
    for text, style in line:
        first, *rest = _INLINE_BULLET.split(text)
        lines[-1].append((first, style))
        lines.extend([("• " + part, style)] for part in rest)
    return [stripped for one in lines if (stripped := _stripped(one))]


def html_to_markdown(source: str) -> str:
    """Markdown of foreign HTML or of bare text, damage repaired. Never raises.

    Where no tag makes the lines, line ends do, and a line that begins with a bullet is an item.
    """
    source = unwrap(source)
    writer = _Writer(plain=not has_blocks(source))
    for token in tokens(_typed_markdown(source)):
        if isinstance(token, Tag):
            writer.tag(token)
        else:
            writer.text(token)
    writer.flush()
    return _assembled(writer.blocks)


def _typed_markdown(source: str) -> str:
    """Headings, bold and links that were typed as Markdown, as tags."""
    if "**" in source:
        source = _TYPED_BOLD.sub(r"<b>\1</b>", source)
    if "](" in source:
        source = _TYPED_LINK.sub(r'<a href="\2">\1</a>', source)
    if "# " in source:
        source = _TYPED_HEADING.sub(_heading, source)
    return source


def _heading(typed: re.Match[str]) -> str:
    level = len(typed[1])
    return f"<h{level}>{typed[2].rstrip('# ')}</h{level}>"


def _assembled(blocks: list[tuple[str, str]]) -> str:
    parts: list[str] = []
    previous = ""
    for kind, markdown in blocks:
        tight = kind == previous and kind in ("item", "row")
        parts.append(("" if not parts else "\n" if tight else "\n\n") + markdown)
        previous = kind
    return "".join(parts)
