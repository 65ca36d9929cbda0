"""Reads HTML as it comes: broken, escaped, cut off. In linear time, and without ever failing.

This is for reading, not for safety: what people's browsers get is cleaned by `richtext`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from jobboard.infra.textrepair import unescape


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


BLOCKS = _set(
    "address article aside blockquote center dd details dialog div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 header hgroup hr li main menu nav ol p pre section summary"
    " table tbody thead tfoot tr td th ul"
)
INLINE = _set(
    "a abbr acronym b big bdi bdo br button cite code del dfn em font i img input ins kbd label"
    " mark q s samp small span strike strong sub sup time tt u var wbr"
)
# Elements that go with all they hold.
_SILENT = _set(
    "script style head title template iframe object embed applet svg math canvas audio video"
    " select textarea noscript noframes xml map"
)
_OTHER = _set(
    "html body base link meta option optgroup param source track area col colgroup caption"
)
_NAMES = "|".join(sorted(BLOCKS | INLINE | _SILENT | _OTHER, key=len, reverse=True))
_ATTRIBUTES = r"""(?:\s|/)(?:[^<>"']++|"[^"]*+"|'[^']*+')*+"""
_TAG = re.compile(
    r"<(?=[a-zA-Z/!?\s])(?:"  # nothing else needs a closer look
    r"!--.*?(?:-->|\Z)|[!?][^<>]*+>"  # comments, and Word's <![if ...]>
    r"|\s?/?[a-zA-Z]\w*+:[^<>]*+>"  # <o:p>, <w:WordDocument>
    rf"|(?P<close>/)?(?P<name>{_NAMES})(?P<attributes>{_ATTRIBUTES})?>"
    # A tag with a quote that never ends still ends at its bracket.
    rf"|(?P<close2>/)?(?P<name2>{_NAMES})(?=[\s/])[^<>]*+>)",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPED_ATTRIBUTES = r"(?:[^<>&]|&(?!(?:amp;)*(?:[lg]t|#60|#62|#x3[ce]);)){0,400}+"
_ESCAPED_TAG = re.compile(
    rf"&(?:amp;)*(?:lt|#60|#x3c);/?(?:{_NAMES})(?:\s{_ESCAPED_ATTRIBUTES}|\s*/)?&(?:amp;)*(?:gt|#62|#x3e);",
    re.IGNORECASE,
)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_BLOCK_TAG = re.compile(
    rf"</?(?:{'|'.join(sorted(BLOCKS, key=len, reverse=True))}|br)[\s/>]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: `name` in lower case, `href` only of links."""

    name: str
    closing: bool
    href: str = ""


def unwrap(source: str) -> str:
    """Markup that was itself escaped (as Greenhouse sends it), unescaped until it is markup."""
    for _ in range(3):
        if "&" not in source or not _ESCAPED_TAG.search(source):
            break
        source = unescape_once(source)
    return source


def unescape_once(source: str) -> str:
    """One level of escaping taken off the five characters that markup is made of."""
    for entity, character in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("#39", "'"), ("amp", "&")):
        source = source.replace(f"&{entity};", character)
    return source


def has_blocks(source: str) -> bool:
    """Whether tags, and not line ends, make its lines."""
    return _BLOCK_TAG.search(source) is not None


def has_tags(source: str) -> bool:
    """Whether any HTML tag stands in it."""
    return "<" in source and _TAG.search(source) is not None


def tokens(source: str) -> Iterator[str | Tag]:
    """Text (still escaped) and tags, in order. `List<String>` and `a < b` are text."""
    at, unclosed = 0, set[str]()
    while found := _TAG.search(source, at):
        if found.start() > at:
            yield source[at : found.start()]
        at = found.end()
        name = (found["name"] or found["name2"] or "").lower()
        if not name:
            continue
        closing = bool(found["close"] or found["close2"])
        if name in _SILENT and not closing and name not in unclosed:
            end = re.compile(rf"</{name}\b[^<>]*+>?", re.IGNORECASE).search(source, at)
            unclosed.update(() if end else {name})  # look only once for an end that is missing
            at = end.end() if end else at
        elif name not in _SILENT:
            yield (
                Tag(name, closing, _href(found["attributes"] or ""))
                if name == "a"
                else _plain_tag(name, closing)
            )
    if at < len(source):
        yield source[at:]


@cache
def _plain_tag(name: str, closing: bool) -> Tag:
    """One object for all tags of a name: texts hold a hundred times more tags than kinds."""
    return Tag(name, closing)


def _href(attributes: str) -> str:
    found = _HREF.search(attributes)
    return unescape(found[1] or found[2] or found[3] or "").strip() if found else ""
