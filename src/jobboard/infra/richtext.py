"""Rich text: Markdown in, safe HTML out; and foreign HTML into Markdown and into plain text.

Descriptions are kept as Markdown. What people's browsers get is made from it by
`markdown_to_html` and nothing else: no raw HTML passes, and an allow-list cleans the result.
"""

import html
import re
import string
from contextlib import suppress

import nh3

from jobboard.infra.htmltokens import BLOCKS, Tag, has_tags, tokens, unwrap
from jobboard.infra.markdown import SCHEMES, TooDeepError, render
from jobboard.infra.textrepair import tidy
from jobboard.infra.unglue import unglue

TAGS = """
    p br strong em ul ol li h2 h3 h4 h5 h6 blockquote code pre hr a table thead tbody tr th td
"""
_SPACES = re.compile("  +")
_BREAKS = BLOCKS | {"br"}
_BLANK_LINES = re.compile(r"\n\s*\n")

# What a text may hold and still be read as Markdown: far more than any ad has, and little enough
# that the longest text takes tenths of a second. Brackets are apart: they cost the most.
_MAX_LINES, _MAX_SIGNS, _MAX_BRACKETS, _MAX_CELLS = 3000, 5000, 500, 5000
_SIGNS = string.punctuation.encode()


_CLEANER = nh3.Cleaner(
    tags=set(TAGS.split()),
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    url_schemes=set(SCHEMES),
    link_rel="nofollow noopener ugc",
)


def markdown_to_html(markdown: str) -> str:
    """Safe HTML for a page: CommonMark with tables, where a line end is a line break.

    HTML in it shows as text, images become links, headings start at h2. What nobody writes
    (thousands of brackets, lists in lists in lists) shows as it stands, in paragraphs.
    """
    return html_and_text(markdown)[0]


def html_and_text(markdown: str) -> tuple[str, str]:
    """`markdown_to_html`, and what a reader sees of it as `plain_text` would give it."""
    if _is_modest(markdown):
        with suppress(TooDeepError):
            shown, words = render(markdown)
            return _CLEANER.clean(shown).strip(), _lines(tidy(words))
    return _CLEANER.clean(_paragraphs(markdown)), _lines(tidy(markdown))


def each_html_and_text(sources: list[str]) -> list[tuple[str, str]]:
    """`html_and_text` of each. Any process may do it."""
    return [html_and_text(source) for source in sources]


def _is_modest(markdown: str) -> bool:
    """Whether it can be parsed at little cost and does not grow to many times its length."""
    lines = markdown.count("\n") + markdown.count("\r") + 1
    if lines > _MAX_LINES or markdown.count("[") > _MAX_BRACKETS:
        return False
    plain = markdown.encode("ascii", "ignore")
    if len(plain) - len(plain.translate(None, _SIGNS)) > _MAX_SIGNS:
        return False
    if "|" not in markdown:
        return True
    # Each row of a table is filled up to the columns of its first.
    columns = 1 + max(line.count("|") for line in markdown.splitlines())
    return columns * lines <= _MAX_CELLS


def _paragraphs(text: str) -> str:
    """Text as it stands: a blank line ends a paragraph, a line end is a line break."""
    escaped = html.escape(text.replace("\r\n", "\n").replace("\r", "\n"))
    parts = (part.strip().replace("\n", "<br>\n") for part in _BLANK_LINES.split(escaped))
    return "\n".join(f"<p>{part}</p>" for part in parts if part)


def plain_text(source: str) -> str:
    """What a reader sees of HTML or text, one line per paragraph: for search and excerpts."""
    parts = []
    for token in tokens(unwrap(source)):
        if isinstance(token, Tag):
            if token.name in _BREAKS:
                parts.append("\n")
        else:
            parts.append(token)
    return _lines(tidy("".join(parts)))


def _lines(text: str) -> str:
    """Each without its edges, and none empty."""
    text = _SPACES.sub(" ", text) if "  " in text else text
    return "\n".join(line for raw in text.split("\n") if (line := raw.strip()))


def clean_line(text: str, limit: int) -> str:
    """One line for a title or a name: no markup, entities, controls or edges; at most `limit`."""
    text = plain_text(text) if has_tags(text) or "&" in text else tidy(text)
    line = unglue(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
