"""What is asked: searches whose words are rare or common on a demo board, and filters."""

from dataclasses import dataclass
from typing import Any

from jobboard.demo.names import tool

WORDS = {
    "rare": tool(12_000),
    "mid, few": tool(1_500),
    "mid": tool(150),
    "mid, many": tool(15),
    "common": "work",
    "two words": "work team",
    "phrase": '"five working days"',
    "prefix": "shif*",
}
FILTERS: dict[str, dict[str, Any]] = {
    "": {},
    "usual filters": {"country": ["GB"], "employment_type": ["full_time"]},
    "rare filters": {"country": ["SE"], "remote": ["remote"], "experience": ["lead"]},
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of search."""

    words: str
    filters: str

    @property
    def name(self) -> str:
        return f"{self.words}, {self.filters}" if self.filters else self.words

    @property
    def query(self) -> dict[str, Any]:
        """As JobSearch takes it."""
        return {"q": WORDS[self.words], **FILTERS[self.filters]}


SHAPES = [Shape(words, filters) for filters in FILTERS for words in WORDS]
