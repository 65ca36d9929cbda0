"""Marks words in text that is shown, for those who must see why a job stands out."""

import re
from collections.abc import Iterable

from markupsafe import Markup, escape

# A tag of clean HTML; what stands between quotes may hold a bracket.
TAG = re.compile(r"""(<(?:[^<>"']|"[^"]*"|'[^']*')*>)""")


def mark(html: str, phrases: Iterable[str]) -> Markup:
    """`html`, which is safe, with every phrase in a <mark>, in whatever case it is written.

    Only text is touched, never a tag; a phrase that runs over a tag stays unmarked.
    """
    wanted = "|".join(re.escape(str(escape(phrase))) for phrase in phrases if phrase)
    if not wanted:
        return Markup(html)
    pattern = re.compile(f"({wanted})", re.IGNORECASE)
    parts = TAG.split(html)
    parts[::2] = [pattern.sub(r"<mark>\1</mark>", text) for text in parts[::2]]
    return Markup("".join(parts))


def mark_text(text: str, phrases: Iterable[str]) -> Markup:
    """The same for plain text."""
    return mark(str(escape(text)), phrases)
