"""Invented names, as many as a large board needs: of companies, and of what people work with."""

from random import Random

_FIRST = [c + v for c in "bdfghklmnprstvz" for v in "aeiou"] + ["bra", "cle", "dri", "flo", "gru"]
_MIDDLE = [c + v for c in "dklmnrstvz" for v in "aeio"]
_LAST = (
    "lan", "ris", "mont", "tex", "dor", "lith", "var", "nox", "tik", "men", "sol", "pex",
    "dan", "gard", "quin", "bel",
)  # fmt: skip
WORDS = len(_FIRST) * len(_MIDDLE) * len(_LAST)
TOOLS = 40_000
_STRIDE = 31_337  # shares no factor with WORDS: neighbours in number do not look alike
_FORMS = (
    "{} Group", "{} and Daughters", "{} Works", "House of {}", "{} Collective", "{} Partners",
    "{} Services", "Studio {}", "{} Union", "{} Brothers", "{} International", "{} Foundation",
)  # fmt: skip


def word(number: int) -> str:
    """The invented word of that number; different ones for all numbers below WORDS."""
    number = number * _STRIDE % WORDS
    number, last = divmod(number, len(_LAST))
    first, middle = divmod(number, len(_MIDDLE))
    return (_FIRST[first] + _MIDDLE[middle] + _LAST[last]).capitalize()


def company(number: int) -> str:
    """The name of a company; different ones for some twenty thousand numbers."""
    return _FORMS[number % len(_FORMS)].format(word(TOOLS + number % (WORDS - TOOLS)))


def tool(number: int) -> str:
    """What people work with, of TOOLS things."""
    return word(number)


def often(rng: Random, most: int) -> int:
    """A number below `most`, the first ones the most often: the n-th about 1 / n as often as the
    first (Zipf's law)."""
    return int(most ** rng.random()) - 1
