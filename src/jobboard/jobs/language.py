"""In which language an ad is written: it is stemmed by that.

Nothing is loaded for it but a library of letter frequencies (5 MB in each process), and an ad costs
some 100 microseconds: models of whole languages take 30 to 100 MB.
"""

import re

from charset_normalizer.cd import coherence_ratio

ENGLISH, GERMAN = "en", "de"
UNDETERMINED = "und"  # as in ISO 639-2
# Words that nearly every sentence of one language has, and the others do not.
_ENGLISH = re.compile(r"\b(?:the|and|of|for|with|you|we|our|are|your|this|will|be|who)\b")
_GERMAN = re.compile(
    r"\b(?:und|der|das|dem|für|mit|wir|ist|eine?n?|sie|dich|dir|auf|zu[mr]|von|bei|nicht"
    r"|oder|unser(?:e[mnr]?)?|deine?|ihre?|suchen|sowie)\b"
)
LOOKED_AT = 3_000  # characters
CLEAR = 3  # times as many of one's words as of the other's
RARE = 20  # a text with fewer of them than one word of so many is in another language
LONG = 800  # characters; letters of less tell too little
# Characters of a word. Lexemes of German ads get longer, and have 2,046 bytes at most.
LONGEST = 500
# What the library calls them; by their letters it tells them apart.
CODES = {
    "English": ENGLISH,
    "German": GERMAN,
    "French": "fr",
    "Spanish": "es",
    "Italian": "it",
    "Dutch": "nl",
    "Portuguese": "pt",
    "Polish": "pl",
    "Swedish": "sv",
    "Danish": "da",
}


def language_of(title: str, text: str) -> str:
    """ISO 639-1, or `und`. A search finds an ad whichever it is: its stems depend on it alone."""
    beginning = f"{title} {text}"[:LOOKED_AT]
    language = _by_words(beginning) or _by_letters(beginning)
    if language == GERMAN and any(len(word) > LONGEST for word in f"{title} {text}".split()):
        return UNDETERMINED
    return language


def _by_words(text: str) -> str | None:
    small = text.lower()
    english, german = len(_ENGLISH.findall(small)), len(_GERMAN.findall(small))
    few = small.count(" ") / RARE
    if german > max(few, CLEAR * english):
        return GERMAN
    return ENGLISH if english > max(few, CLEAR * german) else None


def _by_letters(text: str) -> str:
    """What is short is English: titles and lists of skills mostly are."""
    if len(text) < LONG:
        foreign = any(letter.isalpha() and not letter.isascii() for letter in text)
        return UNDETERMINED if foreign else ENGLISH
    found = coherence_ratio(text, lg_inclusion=",".join(CODES))
    return CODES[found[0][0]] if found else UNDETERMINED
