"""What is asked, and which ads answer it.

Made of the ads' own titles and of other titles for the same work, the same in every run. An ad with
the same title answers as well as the one that the question was made of, whoever posted it: so the
answers to a question are a group.

whole title     the title as it stands; answers: ads with this title
two words       two of its words; answers: ads with both in the title
one typo        the title with a slip of the fingers in one of its words; answers as for the title
title + place   the title and the town; answers: ads with this title there
other title     another name for the work, which no title has; answers: ads for that work
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2s
from itertools import combinations, islice, pairwise
from random import Random

from benchmarks.relevance.ads import Ad

SHORTEST = 3  # letters of a word that one would search by
LONG = 5  # letters of a word that is mistyped
EACH = 2  # other titles of one occupation
LITTLE = frozenset(
    ["and", "the", "for", "with", "our", "your", "you", "are", "all", "from", "who", "not"]
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"[^\W_]+(?:[+#]+)?")


@dataclass(frozen=True, slots=True)
class Question:
    """Words, and the ids of the ads that answer them."""

    kind: str
    words: str
    answers: frozenset[str]


Titles = Iterable[tuple[str, str]]  # occupation, a title for it


def words_of(text: str) -> list[str]:
    """In small letters."""
    return _WORD.findall(text.casefold())


def questions(ads: Sequence[Ad], titles: Titles, most: int) -> list[Question]:
    """At most so many of each kind."""
    some = sorted(ads, key=lambda ad: _turn(ad.id and f"{ad.title} {ad.company} {ad.place}"))
    kinds: list[Callable[[], Iterator[Question]]] = [
        lambda: _whole(some),
        lambda: _two_words(some),
        lambda: _typos(some),
        lambda: _with_place(some),
        lambda: _other_titles(some, titles),
    ]
    return [each for kind in kinds for each in islice(_once(kind()), most)]


def _turn(text: str) -> bytes:
    """An order that has nothing to do with what is in the text."""
    return blake2s(text.encode()).digest()


def _once(made: Iterator[Question]) -> Iterator[Question]:
    seen: set[str] = set()
    for question in made:
        key = " ".join(words_of(question.words))
        if question.answers and key and key not in seen:
            seen.add(key)
            yield question


def _same_title(ads: Sequence[Ad]) -> dict[str, set[str]]:
    same: dict[str, set[str]] = defaultdict(set)
    for ad in ads:
        same[_plain(ad.title)].add(ad.id)
    return same


def _plain(title: str) -> str:
    return " ".join(words_of(title))


def _whole(ads: Sequence[Ad]) -> Iterator[Question]:
    same = _same_title(ads)
    for ad in ads:
        yield Question("whole title", ad.title, frozenset(same[_plain(ad.title)]))


def _two_words(ads: Sequence[Ad]) -> Iterator[Question]:
    held = {ad.id: set(words_of(ad.title)) for ad in ads}
    for ad in ads:
        words = [word for word in dict.fromkeys(words_of(ad.title)) if _says_something(word)]
        pairs = sorted(combinations(words, 2), key=lambda pair: _turn(" ".join(pair)))
        for pair in pairs[:1]:
            answers = frozenset(each for each, words in held.items() if words.issuperset(pair))
            yield Question("two words", " ".join(pair), answers)


def _says_something(word: str) -> bool:
    return len(word) >= SHORTEST and word not in LITTLE


def _typos(ads: Sequence[Ad]) -> Iterator[Question]:
    same = _same_title(ads)
    for ad in ads:
        places = [found.span() for found in re.finditer(r"[A-Za-z]+", ad.title)]
        long = [(start, end) for start, end in places if end - start >= LONG]
        if long:
            draw = Random(ad.title)
            start, end = draw.choice(long)
            slip = ad.title[:start] + _slip(draw, ad.title[start:end]) + ad.title[end:]
            yield Question("one typo", slip, frozenset(same[_plain(ad.title)]))


def _slip(draw: Random, word: str) -> str:
    """Two letters swapped, one left out, doubled, or another one; the first stays."""
    at = draw.randrange(1, len(word) - 1)
    swaps = [n for n, pair in enumerate(pairwise(word)) if n and pair[0] != pair[1]]
    kind = draw.choice(["swapped", "left out", "doubled", "another"] if swaps else ["left out"])
    if kind == "swapped":
        at = draw.choice(swaps)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "left out":
        return word[:at] + word[at + 1 :]
    if kind == "doubled":
        return word[:at] + word[at] + word[at:]
    other = draw.choice([letter for letter in LETTERS if letter != word[at].lower()])
    return word[:at] + other + word[at + 1 :]


def _with_place(ads: Sequence[Ad]) -> Iterator[Question]:
    there: dict[tuple[str, str], set[str]] = defaultdict(set)
    for ad in ads:
        there[_plain(ad.title), ad.city].add(ad.id)
    for ad in ads:
        if ad.city:
            answers = frozenset(there[_plain(ad.title), ad.city])
            yield Question("title + place", f"{ad.title} {ad.city}", answers)


def _other_titles(ads: Sequence[Ad], titles: Titles) -> Iterator[Question]:
    called: dict[str, list[str]] = defaultdict(list)
    for occupation, title in titles:
        called[occupation].append(title)
    answers = _workers(ads, called)
    written = [f" {_plain(ad.title)} " for ad in ads]
    for occupation in sorted(answers, key=_turn):
        others = [
            title
            for title in sorted(called[occupation], key=_turn)
            if not any(f" {_plain(title)} " in each for each in written)
        ]
        for title in others[:EACH]:
            yield Question("other title", title, frozenset(answers[occupation]))


def _workers(ads: Sequence[Ad], called: dict[str, list[str]]) -> dict[str, set[str]]:
    """The ads of each occupation: those whose title has one of its titles in it, the longest one
    that any occupation has. Of one word only where that is all of the ad's title."""
    occupations: dict[str, set[str]] = defaultdict(set)
    for occupation, titles in called.items():
        for title in titles:
            occupations[_plain(title)].add(occupation)
    found: dict[str, set[str]] = defaultdict(set)
    for ad in ads:
        words = words_of(ad.title)
        spans = [words[a:b] for a, b in combinations(range(len(words) + 1), 2)]
        known = [span for span in spans if " ".join(span) in occupations]
        known = [span for span in known if len(span) > 1 or _is_head(span, ad.title)]
        if known:
            for occupation in occupations[" ".join(max(known, key=len))]:
                found[occupation].add(ad.id)
    return found


def _is_head(span: list[str], title: str) -> bool:
    """Whether a word is all that a title says before its first comma or bracket."""
    return words_of(re.split(r"[,(|]| - ", title)[0]) == span
