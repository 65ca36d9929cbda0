"""What the words of a search mean: `q` as one tsquery that finds across languages.

`q` is written as people know it from the web: words, "phrases", -exclusions, `or`, and `develop*`
for all that begins so. Ads are stemmed by their own language (`jobboard_vector`, a migration); a
query does not know its language, so each word stands there as each of three readings: the English
stem, the plain word (of ads in other languages) and the German stem. German stems begin with `de:`
in ads and here, since they are English words of another meaning too often: "Bäcker" is stemmed to
"back", "teacher" to "teach".

Synonyms (`synonyms.py`) of words that stand side by side will do as well; what stands in quotes is
taken at its word.

PostgreSQL stems (`READINGS`, which costs no trip of its own), Python puts together (`query`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

from jobboard.jobs.atoms import Atom, parse
from jobboard.jobs.criteria import JobCriteria

_LEXEME = re.compile(r"'((?:[^']|'')*)'")
_LETTERS = re.compile(r"[^\W_]+")
Asked = TypeVar("Asked", bound=JobCriteria)
GERMAN = "de:"  # before each lexeme of a German ad

# Every one of :texts in its three forms, and the synonyms that stand for one of them: JSON, for a
# statement that is asked anyway, or alone.
READINGS = """
WITH given AS MATERIALIZED (
    SELECT written, jobboard_forms(written) AS forms FROM unnest(CAST(:texts AS text[])) AS written)
SELECT jsonb_build_object(
    'forms', (SELECT coalesce(jsonb_object_agg(written, forms), '{}') FROM given),
    'synonyms', (
        SELECT coalesce(jsonb_agg(jsonb_build_array(keys, both_ways, (
                   SELECT jsonb_agg(jobboard_forms(term) ORDER BY place)
                     FROM unnest(terms) WITH ORDINALITY AS each (term, place))) ORDER BY id), '[]')
          FROM synonyms WHERE keys && ARRAY(SELECT forms[1] FROM given WHERE forms[1] <> '')))
    AS readings
"""
READ = text(READINGS).bindparams(bindparam("texts", type_=ARRAY(Text))).columns(readings=JSONB)
SPAN = 4  # words side by side that may have a synonym
Readings = Mapping[str, Any]  # what READINGS gives


class Reading(NamedTuple):
    """Words as a tsquery of each configuration; empty where all of them are too common."""

    english: str
    plain: str
    german: str


class Forms(NamedTuple):
    """What an atom looks like in ads: English and plain ones, and in German ones."""

    english: tuple[str, ...]
    german: tuple[str, ...]


def texts(q: str | None) -> list[str]:
    """What `READINGS` is to read for `query`."""
    atoms = [list(dict.fromkeys(group)) for group in parse(q or "")]
    words = {atom.text for group in atoms for atom in group}
    spans = {_joined(some) for group in atoms for some in _spans(_wanted(group))}
    return sorted({*words, *spans, *filter(None, map(_in_one, words))})


def _wanted(atoms: Iterable[Atom]) -> list[Atom]:
    return [atom for atom in atoms if not atom.excluded]


def _spans(atoms: list[Atom]) -> Iterator[list[Atom]]:
    """What stands side by side and may have a synonym."""
    for start in range(len(atoms)):
        for end in range(start + 1, min(start + SPAN, len(atoms)) + 1):
            if all(atom.plain for atom in atoms[start:end]):
                yield atoms[start:end]


def _joined(atoms: Iterable[Atom]) -> str:
    return " ".join(atom.text for atom in atoms)


def _in_one(text: str) -> str:
    """What "node.js" is also written as, "nodejs"; empty where there is nothing to join."""
    parts = _LETTERS.findall(text)
    whole = "".join(parts)
    glued = " " not in text and len(parts) > 1 and not set("+#").intersection(text)
    return whole if glued and whole.isalpha() else ""


def query(q: str, known: Readings) -> str:
    """The tsquery that `q` means, as text; empty where no word is left to search by."""
    groups = dict.fromkeys(_group(list(dict.fromkeys(group)), known) for group in parse(q))
    return " | ".join(f"({group})" for group in groups if group)


def excludes(words: str) -> bool:
    """Whether a tsquery of `query` shuts anything out."""
    return "!" in _LEXEME.sub("", words)


def finds_without(words: str) -> bool:
    """Whether it finds jobs that have none of its words: it only shuts out, or may."""
    return "(!" in _LEXEME.sub("", words)


def begins(words: str) -> bool:
    """Whether some of it asks for all that begins so."""
    return ":*" in _LEXEME.sub("", words)


def _group(atoms: list[Atom], known: Readings) -> str:
    found = _found(_units(_wanted(atoms), known))
    shut = [form for atom in atoms if atom.excluded if (form := _forms(atom, known)).english]
    return " & ".join(
        [*filter(None, [found]), *(f"!{_any(form.english + form.german)}" for form in shut)]
    )


def _units(atoms: list[Atom], known: Readings, most: int = SPAN) -> list[Forms]:
    """What is to be found, each with what else will do. The longest words that have synonyms win:
    "software engineer" before "engineer"; those in them count, too."""
    units, start = [], 0
    while start < len(atoms):
        spans = [span for span in _spans(atoms[start : start + most]) if span[0] == atoms[start]]
        matches = ((span, _others(_joined(span), known)) for span in reversed(spans))
        nothing: tuple[list[Atom], list[Forms]] = (atoms[start : start + 1], [])
        span, others = next((match for match in matches if match[1]), nothing)
        alone = len(span) == 1
        own = [_forms(span[0], known)] if alone else _units(span, known, len(span) - 1)
        units.append(_either(own, others))
        start += len(span)
    return units


def _others(words: str, known: Readings) -> list[Forms]:
    """The synonyms of these words."""
    key = known["forms"][words][0]
    return [
        _form(Reading(*form))
        for keys, both_ways, forms in known["synonyms"]
        if key and key in (keys if both_ways else keys[:1])
        for other, form in zip(keys, forms, strict=True)
        if other != key
    ]


def _either(words: list[Forms], others: list[Forms]) -> Forms:
    """All of these words, or one of the others."""
    if len(words) == 1:
        own = words[0]
    else:
        english = _all(form.english for form in words if form.english)
        german = _all(form.german for form in words if form.german)
        own = Forms((english,) if english else (), (german,) if german else ())
    both = [own, *others]
    return Forms(
        tuple(dict.fromkeys(each for form in both for each in form.english)),
        tuple(dict.fromkeys(each for form in both for each in form.german)),
    )


def _found(wanted: list[Forms]) -> str:
    """All of these. What is too common to be searched by in one language ("die", "man") is not in
    the other: then the ads of each have to hold what counts there."""
    english = [form for form in wanted if form.english]
    german = [form for form in wanted if form.german]
    if not english:
        return ""
    if english == german or not german:
        return _all(form.english + form.german for form in english)
    return f"({_all(form.english for form in english)} | {_all(form.german for form in german)})"


def _forms(atom: Atom, known: Readings) -> Forms:
    written = [atom.text, *filter(None, [_in_one(atom.text)])]
    forms = [_form(Reading(*known["forms"][each]), begins=atom.begins) for each in written]
    return _either(forms[:1], forms[1:])


def _form(reading: Reading, *, begins: bool = False) -> Forms:
    """In a language that knows it for too common a word it has no form."""
    english = [reading.english, reading.plain] if reading.english else []
    german = [_german(reading.german)] if reading.german else []
    if begins and reading.plain:
        english += [f"{reading.plain}:*"] if english else []
        german += [f"{_german(reading.plain)}:*"] if german else []
    return Forms(tuple(dict.fromkeys(english)), tuple(dict.fromkeys(german)))


def _german(reading: str) -> str:
    return _LEXEME.sub(rf"'{GERMAN}\1'", reading)


def _all(forms: Iterable[Iterable[str]]) -> str:
    every = " & ".join(map(_any, forms))
    return f"({every})" if every else ""


def _any(forms: Iterable[str]) -> str:
    either = " | ".join(forms)
    return f"({either})" if either else ""


def meant(data: Asked, known: Readings) -> Asked:
    """The same search, which knows what its words mean."""
    return data if data.understood else data.meaning(query(data.q or "", known))


async def understand(session: AsyncSession, searches: Sequence[Asked]) -> list[Asked]:
    """The same for many, in one statement; in none where all is understood."""
    unread = [data.q for data in searches if not data.understood]
    every = sorted({each for q in unread for each in texts(q)})
    known = await session.scalar(READ, {"texts": every}) if every else {}
    return [meant(data, known) for data in searches]
