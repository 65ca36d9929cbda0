"""What `q` is made of: words, "phrases", -exclusions, `or`, and `develop*`."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# A phrase, or what stands between blanks; a minus before it excludes.
_PART = re.compile(r'(-*)"([^"]*)"|([^\s"]+)')
_PREFIX = re.compile(r"(\w{3,})\*")


class Atom(NamedTuple):
    """A word, or words side by side: those in quotes are taken at their word. `begins`: what begins
    so will do."""

    text: str
    excluded: bool = False
    begins: bool = False
    quoted: bool = False

    @property
    def plain(self) -> bool:
        """Whether synonyms will do."""
        return not (self.excluded or self.begins or self.quoted)


def parse(q: str) -> list[list[Atom]]:
    """Any of the groups is to be found, with all of a group's atoms."""
    groups: list[list[Atom]] = [[]]
    for minus, phrase, word in _PART.findall(q):
        if word.lower() == "or":
            groups.append([])
        elif word:
            groups[-1].append(_word(word))
        else:
            groups[-1].append(Atom(phrase, excluded=bool(minus), quoted=True))
    return groups


def plain_words(q: str) -> Iterator[tuple[int, int]]:
    """Where in `q` words stand that synonyms will do for: from, up to."""
    for part in _PART.finditer(q):
        word = part[3]
        if word and word.lower() != "or" and _word(word).plain:
            yield part.span(3)


def _word(word: str) -> Atom:
    bare = word.lstrip("-")
    prefix = _PREFIX.fullmatch(bare)
    return Atom(prefix[1] if prefix else bare, excluded=bare != word, begins=prefix is not None)
