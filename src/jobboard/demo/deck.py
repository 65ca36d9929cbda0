"""Deals without repeating itself: what was dealt comes again only when all else has."""

from collections.abc import Sequence
from random import Random
from typing import Generic, TypeVar

Card = TypeVar("Card")


class Deck(Generic[Card]):
    """Cards in random order, shuffled anew whenever they run out."""

    def __init__(self, cards: Sequence[Card], rng: Random) -> None:
        self._cards = list(cards)
        self._rng = rng
        self._left: list[Card] = []

    def deal(self) -> Card:
        """The next card."""
        if not self._left:
            self._left = self._rng.sample(self._cards, len(self._cards))
        return self._left.pop()

    def hand(self, size: int) -> list[Card]:
        """`size` different cards (or all that there are), as far as possible ones not yet seen."""
        hand: list[Card] = []
        while len(hand) < min(size, len(self._cards)):
            card = self.deal()
            if card not in hand:
                hand.append(card)
        return hand
