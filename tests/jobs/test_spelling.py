"""How near words are, and what is written in their place."""

import pytest

from jobboard.jobs.spelling import Known, Word, distance, mended, spots


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("baker", "baker", 0),
        ("bakr", "baker", 1),
        ("bakker", "baker", 1),
        ("beker", "baker", 1),
        ("abker", "baker", 1),  # changed places: once
        ("bkaer", "baker", 1),
        ("enginere", "engineer", 1),
        ("enignere", "engineer", 2),
        ("abker", "bakery", 2),
        ("cook", "baker", 5),
    ],
)
def test_slips_are_counted(one: str, other: str, slips: int) -> None:
    assert distance(one, other) == distance(other, one) == slips


def known(word: str, *near: tuple[str, int], jobs: int = 0) -> dict[str, Known]:
    """A word that so many jobs have, and what is near to it."""
    found = [Word(each, each, times) for each, times in near]
    return {word: Known(word, jobs, jobs > 0, found)}


@pytest.mark.parametrize(
    ("q", "near", "jobs", "meant"),
    [
        ("bakr", [("baker", 3), ("banker", 9_000)], 0, "baker"),  # the banker is two slips away
        ("bakor", [("baker", 3), ("bator", 8)], 0, "bator"),  # of equals the commoner
        ("banner", [("manner", 30), ("banker", 4)], 0, "banker"),  # rarely the first letter
        ("prorgamer", [("programmer", 2)], 0, "programmer"),
        ("baaker", [("baker", 99)], 5, None),  # some have it, and the other is not so common
        ("baaker", [("baker", 100)], 5, "baker"),
        ("bak", [("bake", 100)], 0, None),  # too short
        ('"bakr"', [("baker", 3)], 0, None),
        ("-bakr", [("baker", 3)], 0, None),
        ("bakr*", [("baker", 3)], 0, None),
        ("(bakr),", [("baker", 3)], 0, "(baker),"),
    ],
)
def test_the_likeliest_word_is_meant(
    q: str, near: list[tuple[str, int]], jobs: int, meant: str | None
) -> None:
    word = "".join(letter for letter in q if letter.isalpha())
    there = known(word, *near, jobs=jobs)
    assert mended(q, there, rare=True) == meant
    assert mended(q, there, rare=False) == (None if jobs else meant)


def test_a_word_is_one_with_one_neighbour() -> None:
    there = {word: Known(word, 0, False, []) for word in ("soft", "ware", "house")}
    there |= {word: Known(word, 9, True, []) for word in ("software", "warehouse")}
    assert mended("soft ware house", there, rare=True) == "software house"


def test_only_ten_words_are_looked_at() -> None:
    assert len(spots("a-b or c " * 20)) == 10
