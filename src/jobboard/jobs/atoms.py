"""What `q` is made of: words, "phrases", -exclusions, `or`, and `develop*`."""

import re
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

# A phrase, or what stands between blanks; a minus before it excludes.
_PART = re.compile(r'(-*)"([^"]*)"|([^\s"]+)')
MOST_WORDS = 5  # of which one may be missing; of more, any
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


def bare_words(q: str) -> list[str]:
    """The words of `q`, each once; none where it says more than words that are all to be found."""
    groups = [[atom for atom in group if atom.text] for group in parse(q)]
    if len(groups) > 1 or not all(atom.plain for atom in groups[0]):
        return []
    return list({atom.text.lower(): atom.text for atom in groups[0]}.values())


def loosened(words: Sequence[str], common: Container[str] = ()) -> Iterator[str]:
    """Searches for most of these words, then for any of those that are not `common`."""
    if 2 < len(words) <= MOST_WORDS:
        yield " or ".join(" ".join(each for each in words if each != left) for left in words)
    if len(words) > 1:
        yield " or ".join(word for word in words if word not in common)
