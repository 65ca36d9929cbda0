"""Repairs text that other programs have damaged, where the damage is certain.

Everything here is a pure function from text to text, in time linear in its length.
"""

import html
import re
import unicodedata

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_UNENDED_SPACE = re.compile(r"&nbsp\b(?!;)")
_ROUNDS = 4  # escaped twice is common, thrice was seen; more is somebody playing

# Read as cp1252 what was UTF-8. Only openings that no language writes before such a sign.
_MOJIBAKE = re.compile(
    "(?:[ÂÃ][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]"
    "|â(?:€[\u0080-\u00bf\u0153\u0161\u017e\u02dc\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026"
    "\u2030\u2039\u203a\u0152\u0160\u017d\u0178\u20ac\u2122]|„¢))"
)
# The same with its first byte lost, as one much-copied collection of ads has it.
_HALF_MOJIBAKE = {
    "€™": "\u2019", "€œ": "“", "€¢": "•", "€¦": "…", "€\u02dc": "\u2018",
}  # fmt: skip
_HALVES = re.compile("|".join(_HALF_MOJIBAKE))

_CP1252 = {c: bytes([c]).decode("cp1252", "ignore") for c in range(0x80, 0xA0)}
_DROPPED = (
    *range(0x09),
    0x0B,
    *range(0x0E, 0x20),
    0x7F,
    0xAD,
    0x180E,
    0x200B,
    *range(0x200E, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
)
_CHARACTERS: dict[int, str] = {
    **_CP1252,
    **dict.fromkeys(_DROPPED, ""),
    **dict.fromkeys((0x09, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    **dict.fromkeys((0x0C, 0x2028, 0x2029), "\n"),
    **dict.fromkeys((0xF0A7, 0xF0B7, 0xF0D8, 0xF0FC), "•"),  # bullets of Word's symbol fonts
}
_ODD = re.compile(f"[{re.escape(''.join(map(chr, _CHARACTERS)))}]")
_ODD_ASCII = bytes(code for code in (*_CHARACTERS, 0x0D) if code < 0x80)
_NOT_TEXT = re.compile("[\ud800-\udfff\U000e0000-\U000e007f]")
_LONE_JOINER = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")

# What Word leaves where its XML was stripped of tags: its view settings, then its style sheet.
_WORD_SETTINGS = re.compile(
    r"Normal\s+0\s+(?:\d+\s+)?(?:(?:false|true)\s+){2,6}"
    r"(?:[A-Z]{2}(?:-[A-Z]{2})?\s+){0,2}(?:X-NONE\s*){1,3}(?:AR-SA\s*)?"
    r"|Micro(?:soft)?InternetExplorer4"
)
_WORD_STYLES = re.compile(
    r"(?:/\*\s*Style Definitions\s*\*/\s*)?table\.MsoNormalTable\s*\{[^{}]*\}"
)


def unescape(text: str) -> str:
    """Entities to characters, however often they were escaped.

    Only entities that end in a semicolon count: `?a=1&region=2` is no registered sign.
    """
    if "&" not in text:
        return text
    text = _UNENDED_SPACE.sub(" ", text)
    for _ in range(_ROUNDS):
        if "&" not in text or (clean := _ENTITY.sub(_character, text)) == text:
            break
        text = clean
    return text


def _character(entity: re.Match[str]) -> str:
    return html.unescape(entity[0])


def tidy(text: str) -> str:
    """Unescaped, free of controls, odd spaces, invisible characters, mojibake and Word debris.

    Line ends become a newline, and spaces of every kind a space; nothing is joined or split.
    """
    text = unescape(text)
    if text.isascii():
        plain = text.encode()
        if len(plain.translate(None, _ODD_ASCII)) == len(plain):  # nearly always, and much quicker
            return _without_word_debris(text)
    else:
        text = _NOT_TEXT.sub("", text)
        text = _remade(text)
    text = _ODD.sub(_replacement, text.replace("\r\n", "\n").replace("\r", "\n"))
    if not text.isascii():
        text = unicodedata.normalize("NFC", _LONE_JOINER.sub("", text))
    return _without_word_debris(text)


def _without_word_debris(text: str) -> str:
    if "X-NONE" in text or "MsoNormal" in text or "InternetExplorer4" in text:
        text = _WORD_STYLES.sub(" ", _WORD_SETTINGS.sub(" ", text))
    return text


def _replacement(odd: re.Match[str]) -> str:
    return _CHARACTERS[ord(odd[0])]


def _remade(text: str) -> str:
    if "Ã" in text or "Â" in text or "â" in text:
        text = _MOJIBAKE.sub(_reread, text)
    return _HALVES.sub(lambda half: _HALF_MOJIBAKE[half[0]], text) if "€" in text else text


def _reread(damage: re.Match[str]) -> str:
    """The UTF-8 sign that was read as cp1252, or the text as it was when it is none."""
    try:
        raw = b"".join(
            c.encode("latin-1") if "\x80" <= c < "\xa0" else c.encode("cp1252") for c in damage[0]
        )
        return raw.decode("utf-8")
    except UnicodeError:
        return damage[0]
