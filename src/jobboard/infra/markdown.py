"""Markdown into HTML, and into the words that a reader sees of it.

CommonMark with tables, for texts that people type: a line end is a line break, HTML shows as it
stands, nobody indents to mean code or defines links elsewhere, images become links, headings start
at h2. Parsed by pulldown-cmark (https://github.com/pulldown-cmark/pulldown-cmark).
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pyromark import Options, events

SCHEMES = frozenset({"http", "https", "mailto", "tel"})
MAX_DEPTH = 20  # elements within elements
_TOP_LEVEL = 2  # the page has its own h1
_ANY_SCHEME = "|".join(sorted(SCHEMES))
_ADDRESS = rf"(?:(?:{_ANY_SCHEME}):|[\w.+-]+@)[^\s<>]*>"  # between brackets, which makes it a link
_ABSOLUTE = re.compile(rf"(?:{_ANY_SCHEME}):", re.IGNORECASE)
_HEADING = re.compile(r"(</?h)([1-6])>")

# Unicode keeps these characters for the inner use of programs. They stand for signs that the parser
# would take for HTML and for links defined elsewhere, and become those signs again in the end.
_LESS, _COLON = "\ufdd0", "\ufdd1"
_MARKUP = re.compile(rf"(?<!\\)((?:\\\\)*)<(?!{_ADDRESS})", re.IGNORECASE)

# How each begins and ends. A block is a line of its own to whoever reads only the words.
_BLOCKS = {
    "Paragraph": ("<p>", "</p>\n"),
    "Item": ("<li>", "</li>\n"),
    "TableHead": ("<thead>\n<tr>\n", "</tr>\n</thead>\n<tbody>\n"),
    "TableRow": ("<tr>\n", "</tr>\n"),
    "BlockQuote": ("<blockquote>\n", "</blockquote>\n"),
    "CodeBlock": ("<pre><code>", "</code></pre>\n"),
    "Table": ("<table>\n", "</tbody>\n</table>\n"),
}
_INLINE = {"Emphasis": ("<em>", "</em>"), "Strong": ("<strong>", "</strong>")}
_MARKS = {
    "SoftBreak": ("<br>\n", "\n"),
    "HardBreak": ("<br>\n", "\n"),
    "Rule": ("<hr>\n", "\n"),
}


class TooDeepError(Exception):
    """Lists in lists in lists, as nobody writes them."""


def safe_link(url: str) -> bool:
    """Whether a link may point there: an absolute address of a harmless kind."""
    return _ABSOLUTE.match(url) is not None


def render(markdown: str) -> tuple[str, str]:
    """HTML that is still to be cleaned, and its words with each element on a line of its own.

    Raises TooDeepError beyond MAX_DEPTH.
    """
    source = markdown.replace(_LESS, "").replace(_COLON, "").replace("]:", "]" + _COLON)
    if "<" in source:
        source = _MARKUP.sub(rf"\1{_LESS}", source)
    rendering = _Rendering()
    rendering.take(_events(source))
    shown = "".join(rendering.html).replace(_LESS, "&lt;").replace(_COLON, ":")
    words = "".join(rendering.words).replace(_LESS, "<").replace(_COLON, ":")
    return _demoted(shown), words


def _events(source: str) -> Iterable[Any]:
    return events(source, options=Options.ENABLE_TABLES)


def _demoted(shown: str) -> str:
    """The highest level used an h2 and no level left out: an outline for screen readers."""
    levels = sorted({found[2] for found in _HEADING.finditer(shown)})
    new = {level: min(6, place) for place, level in enumerate(levels, _TOP_LEVEL)}
    return _HEADING.sub(lambda tag: f"{tag[1]}{new[tag[2]]}>", shown) if levels else shown


@dataclass(slots=True)
class _Rendering:
    """What the events so far have become."""

    html: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    ends: list[tuple[str, str]] = field(default_factory=list)  # of what is open: HTML and words
    indented: list[str] | None = None  # of a block that is read anew, as what it would be otherwise
    cell: str = "td"

    def take(self, found: Iterable[Any]) -> None:
        """The next events: a name alone, or one name with what belongs to it."""
        for event in found:
            if isinstance(event, str):
                self._put(*_MARKS[event])
                continue
            ((kind, value),) = event.items()
            if kind == "Start":
                self._start(value)
            elif kind == "End":
                self._end()
            elif kind == "Code":
                self._put(f"<code>{html.escape(value, quote=False)}</code>", value)
            else:
                self._text(value)

    def _put(self, shown: str, words: str = "") -> None:
        self.html.append(shown)
        self.words.append(words)

    def _text(self, text: str) -> None:
        if self.indented is not None:
            self.indented += (line.lstrip() for line in text.splitlines(keepends=True))
        else:
            self._put(html.escape(text, quote=False), text)

    def _start(self, tag: Any) -> None:
        name, value = (tag, {}) if isinstance(tag, str) else next(iter(tag.items()))
        if value == "Indented":
            self.indented = []
            return
        if len(self.ends) >= MAX_DEPTH:
            raise TooDeepError
        if name in _INLINE:
            begin, end = _INLINE[name]
            self._open(begin, end)
        elif name in ("Link", "Image"):
            self._link(value)
        elif name == "TableCell":
            self._open(f"<{self.cell}>", f"</{self.cell}>\n", "\n")
        else:
            self._block(name, value)

    def _block(self, name: str, value: Any) -> None:
        if name == "Heading":
            level = value["level"][1]
            begin, end = f"<h{level}>", f"</h{level}>\n"
        elif name == "List":
            kind = "ul" if value is None else "ol"
            begin = f"<{kind}>\n" if value in (None, 1) else f'<ol start="{value}">\n'
            end = f"</{kind}>\n"
        else:
            begin, end = _BLOCKS[name]
            self.cell = "th" if name == "TableHead" else "td"
        if self.html and not self.html[-1].endswith("\n"):
            begin = f"\n{begin}"
        self._open(begin, end, "\n")

    def _link(self, link: dict[str, str]) -> None:
        to, title = link["dest_url"], link["title"]
        if link["link_type"] == "Email":
            to = f"mailto:{to}"
        if safe_link(to):
            described = f' title="{html.escape(title)}"' if title else ""
            self._open(f'<a href="{html.escape(to)}"{described}>', "</a>")
        else:  # where it would lead stays to be read
            rest = f']({to} "{title}")' if title else f"]({to})"
            self._put("[", "[")
            self.ends.append((html.escape(rest, quote=False), rest))

    def _open(self, begin: str, end: str, words: str = "") -> None:
        self._put(begin, words)
        self.ends.append((end, words))

    def _end(self) -> None:
        if self.indented is None:
            self._put(*self.ends.pop())
            return
        text, self.indented = "".join(self.indented), None
        self.take(_events(text))
