"""What the words of a search mean: `q` as one tsquery that finds across languages.

`q` is written as people know it from the web: words, "phrases", -exclusions, `or`, and `develop*`
for all that begins so. Ads are stemmed by their own language (`jobboard_vector`, a migration); a
query does not know its language, so each word stands there as each of three readings: the English
stem, the plain word (of ads in other languages) and the German stem. German stems begin with `de:`
in ads and here, since they are English words of another meaning too often: "Bäcker" is stemmed to
"back", "teacher" to "teach".

PostgreSQL stems (`READINGS`, which costs no trip of its own), Python puts together (`query`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

from jobboard.jobs.criteria import JobCriteria

# A phrase, or what stands between blanks; a minus before it excludes.
_PART = re.compile(r'(-*)"([^"]*)"|([^\s"]+)')
_PREFIX = re.compile(r"(\w{3,})\*")
_LEXEME = re.compile(r"'((?:[^']|'')*)'")
_LETTERS = re.compile(r"[^\W_]+")
_IT = re.compile(r"\bit\b", re.IGNORECASE)  # small, it is a pronoun: `jobboard_terms`
Asked = TypeVar("Asked", bound=JobCriteria)
GERMAN = "de:"  # before each lexeme of a German ad

# Reads every one of :texts in the three configurations, as JSON by the text; for a statement that
# is asked anyway, or alone.
READINGS = """
SELECT coalesce(jsonb_object_agg(given, ARRAY[
        phraseto_tsquery('jobboard_english', terms)::text,
        phraseto_tsquery('jobboard_plain', terms)::text,
        phraseto_tsquery('jobboard_german', terms)::text]), '{}') AS readings
  FROM unnest(CAST(:texts AS text[])) AS given,
       LATERAL (SELECT jobboard_terms(given) AS terms OFFSET 0) AS made
"""
READ = text(READINGS).bindparams(bindparam("texts", type_=ARRAY(Text))).columns(readings=JSONB)


class Atom(NamedTuple):
    """A word, or words side by side. `begins`: what begins so will do."""

    text: str
    excluded: bool = False
    begins: bool = False


class Reading(NamedTuple):
    """Words as a tsquery of each configuration; empty where all of them are too common."""

    english: str
    plain: str
    german: str


class Forms(NamedTuple):
    """What an atom looks like in ads: English and plain ones, and in German ones."""

    english: tuple[str, ...]
    german: tuple[str, ...]


def parse(q: str) -> list[list[Atom]]:
    """Any of the groups is to be found, with all of a group's atoms."""
    groups: list[list[Atom]] = [[]]
    for minus, phrase, word in _PART.findall(_IT.sub("IT", q)):
        if word.lower() == "or":
            groups.append([])
        elif word:
            groups[-1].append(_word(word))
        else:
            groups[-1].append(Atom(phrase, excluded=bool(minus)))
    return groups


def _word(word: str) -> Atom:
    bare = word.lstrip("-")
    prefix = _PREFIX.fullmatch(bare)
    return Atom(prefix[1] if prefix else bare, excluded=bare != word, begins=prefix is not None)


def texts(q: str | None) -> list[str]:
    """What `READINGS` is to read for `query`."""
    atoms = [atom.text for group in parse(q or "") for atom in group]
    return sorted({*atoms, *filter(None, map(_in_one, atoms))})


def _in_one(text: str) -> str:
    """What "node.js" is also written as, "nodejs"; empty where there is nothing to join."""
    parts = _LETTERS.findall(text)
    whole = "".join(parts)
    glued = " " not in text and len(parts) > 1 and not set("+#").intersection(text)
    return whole if glued and whole.isalpha() else ""


def query(q: str, readings: Mapping[str, Sequence[str]]) -> str:
    """The tsquery that `q` means, as text; empty where no word is left to search by."""
    groups = dict.fromkeys(_group(group, readings) for group in parse(q))
    return " | ".join(f"({group})" for group in groups if group)


def _group(atoms: list[Atom], readings: Mapping[str, Sequence[str]]) -> str:
    forms = [(atom, _forms(atom, readings)) for atom in dict.fromkeys(atoms)]
    found = _found([form for atom, form in forms if not atom.excluded])
    shut = [form for atom, form in forms if atom.excluded and form.english]
    return " & ".join(
        [*filter(None, [found]), *(f"!{_any(form.english + form.german)}" for form in shut)]
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


def _forms(atom: Atom, readings: Mapping[str, Sequence[str]]) -> Forms:
    english: list[str] = []
    german: list[str] = []
    for each in filter(None, (atom.text, _in_one(atom.text))):
        reading = Reading(*readings[each])
        whole = reading.plain if atom.begins else ""
        if reading.english:
            english += [reading.english, f"{whole}:*" if whole else reading.plain]
        if reading.german:
            german += [_german(reading.german), *([f"{_german(whole)}:*"] if whole else [])]
    return Forms(tuple(dict.fromkeys(english)), tuple(dict.fromkeys(german)))


def _german(reading: str) -> str:
    return _LEXEME.sub(rf"'{GERMAN}\1'", reading)


def _all(forms: Iterable[Iterable[str]]) -> str:
    return "(" + " & ".join(map(_any, forms)) + ")"


def _any(forms: Iterable[str]) -> str:
    either = " | ".join(forms)
    return f"({either})" if either else ""


def meant(data: Asked, readings: Mapping[str, Sequence[str]]) -> Asked:
    """The same search, which knows what its words mean."""
    return data if data.understood else data.meaning(query(data.q or "", readings))


async def understand(session: AsyncSession, searches: Sequence[Asked]) -> list[Asked]:
    """The same for many, in one statement; in none where all is understood."""
    unread = [data.q for data in searches if not data.understood]
    every = sorted({each for q in unread for each in texts(q)})
    readings = await session.scalar(READ, {"texts": every}) if every else {}
    return [meant(data, readings) for data in searches]
