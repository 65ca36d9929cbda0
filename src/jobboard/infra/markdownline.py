"""One line of styled text as Markdown: signs escaped where they would be markup."""

import re
from dataclasses import dataclass

_RISKY = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|$)|[`*]|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:])|!(?=\[)"
    r"|<(?=[a-zA-Z/!?])|&(?=#?\w+;)|~(?=~)"
)
_RISKY_SIGNS = re.compile(r"[\\`*_\]!<&~]")  # quick to look for; most lines hold none
_RISKY_START = re.compile(
    r"(?:#{1,6}(?=\s|$)|[>=|~]|[-+](?=\s|$|-)|:(?=-))|(\d{1,9})([.)])(?=\s|$)"
)


@dataclass(frozen=True, slots=True)
class Style:
    """How a piece of text looks, and where it links to."""

    bold: bool = False
    italic: bool = False
    href: str = ""


Line = list[tuple[str, Style]]


def render(line: Line, heading: bool) -> str:
    """One line of Markdown."""
    parts: list[str] = []
    for number, (text, style) in enumerate(line):
        before = line[number - 1][0][-1:] if number else ""
        following = line[number + 1] if number + 1 < len(line) else ("", Style())
        after = "[" if following[1].href else following[0][:1]
        gap = " " if glued(before, text) else ""
        start = not parts
        parts.append(gap + _styled(text, style, before if not gap else " ", after, heading, start))
    return "".join(parts)


def glued(before: str, text: str) -> bool:
    """Whether the tag between two pieces stood where a break belongs: "Duties</b>You will"."""
    ends = before.islower() or before.isdigit() or before in ".!?:;,"
    return bool(before) and ends and text[:1].isupper() and text[1:2].islower()


def _styled(text: str, style: Style, before: str, after: str, heading: bool, start: bool) -> str:
    core = text.strip()
    if not core:
        return text
    lead, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    if style.href:
        body = _link(core, style)
        return lead + (body if heading else _emphasised(body, style)) + tail
    if heading or not (style.bold or style.italic):
        return lead + _escaped(core, start, after) + tail
    lead, core, tail = _loosened(lead, core, tail, before, after)
    if not core:
        return _escaped(text, start, after)
    body = _emphasised(_escaped(core, False, ""), style)
    return _escaped(lead, start, "") + body + _escaped(tail, False, after)


def _loosened(lead: str, core: str, tail: str, before: str, after: str) -> tuple[str, str, str]:
    """Punctuation out of the emphasis where a letter touches it, or CommonMark shows asterisks."""
    if not lead and before and not before.isspace():
        inner = re.sub(r"^\W+", "", core)
        lead, core = core[: len(core) - len(inner)], inner
    if not tail and after and not after.isspace():
        inner = re.sub(r"\W+$", "", core)
        tail, core = core[len(inner) :], inner
    return lead, core, tail


def _emphasised(body: str, style: Style) -> str:
    body = f"*{body}*" if style.italic and not style.bold else body
    return f"**{body}**" if style.bold else body


def _link(text: str, style: Style) -> str:
    target = re.sub(r"[\s<>]", lambda m: f"%{ord(m[0]):02X}", style.href)
    target = f"<{target}>" if re.search(r"[()\\*_]", target) else target
    label = re.sub(r"([\[\]])", r"\\\1", _escaped(text, False, ""))
    return f"[{label}]({target})"


def _escaped(text: str, start: bool, after: str) -> str:
    r"""Text in which no character is markup: \* and \# only where they would be."""
    if _RISKY_SIGNS.search(text):
        text = _RISKY.sub(lambda m: "\\" + m[0], text)
    if after == "[" and text.endswith("!"):
        text = text[:-1] + "\\!"  # or the link would be a picture
    if start and (found := _RISKY_START.match(text)):
        at = found.start(2) if found[1] else 0
        text = text[:at] + "\\" + text[at:]
    return text
