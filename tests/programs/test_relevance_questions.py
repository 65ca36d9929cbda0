"""The questions of the benchmark of relevance: what is asked, and what answers it."""

from benchmarks.relevance.__main__ import score
from benchmarks.relevance.ads import Ad
from benchmarks.relevance.questions import Question, questions, words_of

ADS = [
    Ad("1", "Registered nurse", "A", "Berlin, Germany", "Berlin", "", ""),
    Ad("2", "Registered Nurse", "B", "Hamburg, Germany", "Hamburg", "", ""),
    Ad("3", "Nurse, registered", "B", "", "", "", ""),
    Ad("4", "C++ developer", "C", "Lyon, France", "Lyon", "", ""),
]
TITLES = [("Nurses", "registered nurse"), ("Nurses", "RN"), ("Nurses", "sister of mercy")]


def answers(kind: str) -> dict[str, frozenset[str]]:
    """By the words of the questions of this kind."""
    return {
        " ".join(words_of(each.words)): each.answers
        for each in questions(ADS, TITLES, 10)
        if each.kind == kind
    }


def test_an_ad_of_the_same_title_answers_as_well() -> None:
    assert answers("whole title") == {
        "registered nurse": frozenset("12"),
        "nurse registered": frozenset("3"),
        "c++ developer": frozenset("4"),
    }
    assert answers("title + place")["registered nurse berlin"] == frozenset("1")


def test_two_words_are_answered_by_all_titles_that_have_both() -> None:
    assert frozenset("123") in answers("two words").values()


def test_another_title_is_one_that_no_ad_has() -> None:
    found = answers("other title")
    assert set(found) == {"rn", "sister of mercy"}
    assert set(found.values()) == {frozenset("12")}


def test_a_slip_is_in_one_word_and_the_same_each_time() -> None:
    first, again = answers("one typo"), answers("one typo")
    assert first == again
    assert not set(first) & {" ".join(words_of(ad.title)) for ad in ADS}


def test_scores_are_those_of_the_definitions() -> None:
    one, two = Question("", "", frozenset("12")), Question("", "", frozenset("3"))
    assert score([(one, ["9", "1", "2"]), (two, [])]) == (0.25, 0.5)
