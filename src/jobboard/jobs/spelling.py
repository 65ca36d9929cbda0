"""Which words somebody meant who typed others: `mended(q, known)` writes a search anew.

The words of live titles, tags and companies are what there is to mean (`vocabulary.py`). A word is
near to another by one slip, by two where it has eight letters or more: a letter too many, missing,
wrong, or two that changed places (Damerau and Levenshtein, restricted). A missing blank is a slip,
too, and so is one too many. Of several words that are near the likeliest wins: `_likely`.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from jobboard.jobs.atoms import plain_words

SHORTEST = 4  # letters; of three, every other word is a slip away
LONG = 8  # letters, from which on two slips are forgiven
MOST = 10  # words of a search that are looked at
DEARER = 1_000  # times as common must be what is a slip further away
FIRST_LETTER = 10  # the same, for another first letter: people seldom miss that
FAR = 20  # times as common must be what stands for a word that some jobs have
_RUN = re.compile(r"[^\W\d_]+")


class Spot(NamedTuple):
    """A word of a search, and where it stands."""

    start: int
    end: int
    word: str


class Word(NamedTuple):
    """A word of the vocabulary, or two; `slips` from what was typed, 0 where nobody counted."""

    key: str
    shown: str
    jobs: int
    slips: int = 0


class Known(NamedTuple):
    """What is known of a word: how many jobs have it in title, tags or company, whether any live
    job has it `anywhere`, and what is near to it. `key` is it in small letters without accents."""

    key: str
    jobs: int
    anywhere: bool
    near: list[Word]


def spots(q: str) -> list[Spot]:
    """The words of `q` that may be corrected: none that are quoted, excluded or cut by a `*`."""
    found = (
        Spot(start + run.start(), start + run.end(), run[0])
        for start, end in plain_words(q)
        for run in _RUN.finditer(q[start:end])
    )
    return list(found)[:MOST]


def pairs(q: str) -> Iterator[tuple[Spot, str]]:
    """Words side by side, with nothing but a blank between them, and both as one word."""
    there = spots(q)
    for one, other in pairwise(there):
        if q[one.end : other.start].isspace():
            yield Spot(one.start, other.end, f"{one.word} {other.word}"), one.word + other.word


def forgiven(word: str) -> int:
    """How many slips."""
    return 2 if len(word) >= LONG else 1


def mended(q: str, known: Mapping[str, Known], *, rare: bool) -> str | None:
    """The search that `q` was meant to be; None where nothing is likelier than what it says.

    Of words that some jobs have in title, tags or company, `rare` ones may be replaced, or none."""
    changes = dict(_joined(q, known))
    for spot in spots(q):
        if any(start <= spot.start < end for start, end in changes):
            continue
        typed = known[spot.word]
        if (rare or not typed.jobs) and (better := _better(typed)):
            changes[spot.start, spot.end] = better.shown
    if not changes:
        return None
    for (start, end), words in sorted(changes.items(), reverse=True):
        q = q[:start] + words + q[end:]
    return q


def _joined(q: str, known: Mapping[str, Known]) -> Iterator[tuple[tuple[int, int], str]]:
    """Words that are one: "soft ware", where one of them stands in no job. Each is in one pair."""
    done = 0
    for spot, whole in pairs(q):
        parts = [known[word] for word in spot.word.split()]
        if spot.start >= done and known[whole].jobs and not all(part.anywhere for part in parts):
            yield (spot.start, spot.end), whole.lower()
            done = spot.end


def _better(typed: Known) -> Word | None:
    """What was likely meant by a word that no job has, or hardly any."""
    if len(typed.key) < SHORTEST:
        return None
    least = FAR * max(typed.jobs, 1) if typed.anywhere else 1
    near = [word for word in _near(typed) if word.jobs >= least]
    return max(near, key=lambda word: _likely(typed.key, word), default=None)


def _near(typed: Known) -> Iterator[Word]:
    """What is as near as may be forgiven."""
    for word in typed.near:
        slips = word.slips or distance(typed.key, word.key)
        if slips <= forgiven(typed.key):
            yield word._replace(slips=slips)


def _likely(key: str, word: Word) -> float:
    odds = word.jobs / DEARER**word.slips
    return odds if word.key[0] == key[0] else odds / FIRST_LETTER


def distance(one: str, other: str) -> int:
    """By how many slips two words differ."""
    before, last = [], list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, theirs in enumerate(other, 1):
            row.append(min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != theirs)))
            swapped = i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == theirs
            if swapped:
                row[j] = min(row[j], before[j - 2] + 1)
        before, last = last, row
    return last[-1]
