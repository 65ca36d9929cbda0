"""The passage of a description where the words of a search stand, for the jobs of one page.

Python looks for words that begin like the search's stems, and PostgreSQL says of each what its stem
is (`jobboard_forms`): so a passage shows what the search matched, in any language, and "C++" as
well. What a word's forms are is kept, so that most pages ask for none. Of a description only the
first LOOKED_AT characters are looked at.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import dropwhile
from typing import NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

from jobboard.jobs.schemas import Match
from jobboard.jobs.words import GERMAN

EXCERPT = 200  # characters
LOOKED_AT = 3_000  # the same, of a description
BEFORE = 40  # the same, at most, of what stands before the first match
KEPT = 20_000  # words whose forms are kept
MORE = "…"
DOT = "·"  # between lines
BULLETS = {DOT, "•", "◦", "▪", "●", "*", "-", "–"}  # noqa: RUF001 - as people type them
# What `jobboard_terms` (a migration) makes words of: how it is written.
ODD = {
    "cplusplus": r"(?<!\w)c\+\+",
    "csharp": r"(?<!\w)c#",
    "fsharp": r"(?<!\w)f#",
    "jsharp": r"(?<!\w)j#",
    "dotnet": r"\.net(?!\w)",
    "infoit": r"(?<!\w)(?-i:IT)(?!\w)",
}
FORMS = text(
    "SELECT word, jobboard_forms(word) AS forms FROM unnest(CAST(:words AS text[])) AS word"
).bindparams(bindparam("words", type_=ARRAY(Text)))
_TOKEN = re.compile(r"!|\(|\)|'((?:[^']|'')*)'(:\*)?")
_LEXEME = re.compile(r"'((?:[^']|'')*)'")
READINGS = {"en": 0, "de": 2}  # which of three forms an ad's language has; others the second
Forms = tuple[frozenset[str], ...]
_forms: dict[str, Forms] = {}  # of words, as English, plain and German ads have them


class Excerpt(NamedTuple):
    """A passage on one line, and where in it the words stand."""

    text: str
    matches: list[Match]


def beginning(text: str) -> str:
    """The beginning of a text on one line, cut at a word, with an ellipsis where it was cut."""
    return _cut(_one_line(text), EXCERPT)


def _one_line(text: str) -> str:
    """Its lines with a dot between them, and without the bullets that they begin with."""
    lines = (" ".join(dropwhile(BULLETS.__contains__, line.split())) for line in text.splitlines())
    return f" {DOT} ".join(filter(None, lines))


def _cut(line: str, length: int) -> str:
    if len(line) <= length:
        return line
    return line[: length - 1].rsplit(" ", 1)[0].rstrip(f" ,;:.-{DOT}") + MORE


class Spot(NamedTuple):
    """Where a word stands that may be one of those that were searched for."""

    start: int
    end: int
    word: str


async def passages(
    session: AsyncSession, words: str, texts: Sequence[tuple[str | None, str]]
) -> list[Excerpt]:
    """Of each text the passage with the most different words of a search (a tsquery, as text);
    of one that has none its beginning. Before each text stands its language."""
    wanted = _wanted(words)
    likely = _likely(wanted)
    lines = [_one_line(text) for _, text in texts]
    spots = [list(_spots(line, likely)) if likely else [] for line in lines]
    forms = await _read(session, {spot.word for each in spots for spot in each})
    return [
        _passage(
            line,
            [
                spot._replace(word=hit)
                for spot in each
                if (hit := _hit(forms[spot.word][_reading(language)], wanted))
            ],
        )
        for (language, _), line, each in zip(texts, lines, spots, strict=True)
    ]


def _spots(line: str, likely: re.Pattern[str]) -> Iterator[Spot]:
    for found in likely.finditer(_plain(line)):
        yield Spot(*found.span(), line[found.start() : found.end()])


def _reading(language: str | None) -> int:
    """One that nobody has looked at is English."""
    return READINGS.get(language or "en", 1)


def _wanted(words: str) -> dict[str, bool]:
    """The lexemes that a tsquery asks for, but for those that it excludes, and whether what begins
    so will do."""
    found: dict[str, bool] = {}
    depth, shut = 0, None
    for token in _TOKEN.finditer(words):
        match token[0]:
            case "!":
                shut = depth if shut is None else shut
                continue
            case "(":
                depth += 1
                continue
            case ")":
                depth -= 1
            case _ if shut is None:
                lexeme = token[1].replace("''", "'")
                found[lexeme] = bool(token[2]) or found.get(lexeme, False)
        if shut == depth:
            shut = None
    return found


@lru_cache(maxsize=1_000)
def _pattern(stems: tuple[str, ...]) -> re.Pattern[str]:
    odd = [ODD[stem] for stem in stems if stem in ODD]
    pairs = (stem for stem in stems if re.fullmatch("[a-z]n[a-z]", stem))
    joined = [rf"(?<!\w){stem[0]}&{stem[2]}(?!\w)" for stem in pairs]
    starts = sorted({_start(stem) for stem in stems}, key=len)
    some = rf"(?<!\w)(?:{'|'.join(starts)})\w*"
    return re.compile("|".join([*odd, *joined, some]), re.IGNORECASE)


def _start(stem: str) -> str:
    """What all words of this stem begin with: "happi" is of "happy", too, "strass" of "Straße"."""
    start = stem if len(stem) < 4 else stem[: max(3, len(stem) - 1)]
    whole = start + "s" if f"{start}s" == stem and start.endswith("s") else start
    return re.escape(whole).replace("ss", "(?:ss|ß)")


def _likely(wanted: Iterable[str]) -> re.Pattern[str] | None:
    stems = tuple(sorted({lexeme.removeprefix(GERMAN) for lexeme in wanted}))
    return _pattern(stems) if stems else None


def _accents() -> Iterator[tuple[str, str]]:
    """Letters that stand for one plain letter each, so that places stay as they are."""
    for code in range(0xC0, 0x250):
        plain = unicodedata.normalize("NFKD", chr(code))[0]
        if plain.isascii() and plain.isalpha():
            yield chr(code), plain


_ACCENTS = dict(_accents())
_ACCENTED = re.compile(f"[{''.join(map(re.escape, _ACCENTS))}]")


def _plain(line: str) -> str:
    # str.translate would look up each character of a line that has a single dot.
    return line if line.isascii() else _ACCENTED.sub(lambda found: _ACCENTS[found[0]], line)


async def _read(session: AsyncSession, written: set[str]) -> dict[str, Forms]:
    """The lexemes of words; of words that are too common in a language, none."""
    unknown = [word for word in written if word not in _forms]
    rows = await session.execute(FORMS, {"words": unknown}) if unknown else ()
    for word, (english, plain, german) in rows:
        foreign = (GERMAN + lexeme for lexeme in _LEXEME.findall(german))
        each = (_LEXEME.findall(english), _LEXEME.findall(plain), foreign)
        _forms[word] = tuple(map(frozenset, each))
    known = {word: _forms[word] for word in written}
    while len(_forms) > KEPT:
        del _forms[next(iter(_forms))]
    return known


def _hit(forms: frozenset[str], wanted: dict[str, bool]) -> str:
    """Which of the lexemes a word has; empty for none."""
    exactly = next((lexeme for lexeme in wanted if lexeme in forms), "")
    return exactly or next(
        (
            lexeme
            for lexeme, begins in wanted.items()
            if begins and any(form.startswith(lexeme) for form in forms)
        ),
        "",
    )


def _passage(line: str, hits: list[Spot]) -> Excerpt:
    """The best stretch of a line; words are known by their lexemes."""
    if not hits:
        return Excerpt(_cut(line, EXCERPT), [])
    best = 0 if len(line) <= EXCERPT else _best(hits)
    start = _word_start(line, best - BEFORE, best) if best > BEFORE else 0
    before = MORE if start else ""
    shown = before + _cut(line[start:], EXCERPT - len(before))
    moved = start - len(before)
    inside = moved + len(shown) - shown.endswith(MORE)
    matches = [
        Match(start=hit.start - moved, end=hit.end - moved)
        for hit in hits
        if start <= hit.start and hit.end <= inside
    ]
    return Excerpt(shown, matches)


def _best(hits: list[Spot]) -> int:
    """Where the stretch begins that has the most different words; the first of equals."""

    def different(start: int) -> int:
        end = start + EXCERPT - 2 * BEFORE
        return len({hit.word for hit in hits if start <= hit.start and hit.end <= end})

    return max((hit.start for hit in hits), key=different)


def _word_start(line: str, place: int, last: int) -> int:
    """The first beginning of a word from there on, up to the last; else that place itself."""
    start = line.find(" ", place - 1, last) + 1 or place
    return start + 2 if line.startswith(f"{DOT} ", start) else start
