"""What a search is asked for, and what its cards hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs.criteria import JobSearch, Sort
from jobboard.jobs.excerpts import BULLETS, beginning
from tests.jobs.searching import Post, find

anyio = pytest.mark.anyio


@given(st.dictionaries(st.sampled_from(sorted(JobSearch.model_fields)), st.text(max_size=30)))
def test_any_form_is_read_or_refused_by_field(form: dict[str, str]) -> None:
    try:
        data = JobSearch.model_validate(form)
    except ValidationError as refused:
        data, places = JobSearch(), [error["loc"] for error in refused.errors()]
        assert all(places)
    assert data.order in Sort
    assert len(data.fingerprint()) == 12


@pytest.mark.parametrize(
    ("q", "said"),
    [
        ('""'.join(f"a{n}" for n in range(41)), "too many words"),
        (" ".join(f'"a{n}"' for n in range(41)), "too many words"),
        (" ".join(f"bak{n}*" for n in range(6)), "Use \\* after 5 words"),
        (" ".join(f"-bak{n}*" for n in range(6)), "Use \\* after 5 words"),
    ],
)
def test_no_more_words_than_a_search_can_bear(q: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        JobSearch(q=q)


def test_as_many_words_as_are_allowed() -> None:
    words = [f"a{n}" for n in range(35)] + [f"bak{n}*" for n in range(5)]
    assert JobSearch(q=" or ".join(words)).q
    assert JobSearch(q="baker " * 60).q


def test_empty_fields_are_absent() -> None:
    form = dict.fromkeys(JobSearch.model_fields, " ")
    assert JobSearch.model_validate(form) == JobSearch()
    lists = {"country": ["", " "], "tag": [""], "remote": [","]}
    assert JobSearch.model_validate(lists) == JobSearch()


def test_lists_mean_the_same_in_any_order() -> None:
    one = JobSearch.model_validate({"country": ["fr", "DE", "uk"], "remote": "remote,hybrid"})
    two = JobSearch.model_validate({"country": "GB, DE,FR", "remote": ["hybrid", "remote"]})
    assert one == two
    assert one.fingerprint() == two.fingerprint()


def test_an_amount_needs_a_currency() -> None:
    with pytest.raises(ValidationError) as refused:
        JobSearch.model_validate({"salary_min": "5", "currency": ""})
    [error] = refused.value.errors()
    assert error["loc"] == ("currency",)
    assert "currency" in error["msg"]
    JobSearch.model_validate({"salary_min": "", "currency": "EUR"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  Short\n\n text \n", "Short · text"),
        ("Skills:\n• Java\n -  Unit  tests\n*\n-5 °C", "Skills: · Java · Unit tests · -5 °C"),
        ("x" * 190 + "\nsome more", "x" * 190 + " · some…"),
        ("x" * 197 + "\nmore", "x" * 197 + "…"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("word, " * 60, ("word, " * 60)[:196] + "…"),
    ],
)
def test_an_excerpt_ends_at_a_word(text: str, expected: str) -> None:
    assert beginning(text) == expected


@given(st.text(max_size=500))
def test_an_excerpt_is_short_and_from_the_beginning(text: str) -> None:
    made = beginning(text)
    assert len(made) <= 200
    assert _bare(text).startswith(_bare(made.removesuffix("…")))


def _bare(text: str) -> str:
    return "".join(letter for letter in "".join(text.split()) if letter not in BULLETS)


@anyio
async def test_a_card_has_no_long_text(session: AsyncSession, post: Post) -> None:
    job = await post("Baker", description="Bread. " * 2000, apply_url="https://example.com/apply")
    [card] = (await find(session)).items
    assert card.id == job.id
    assert card.apply_url == job.apply_url
    assert card.excerpt.endswith("Bread…")
    assert len(card.model_dump_json()) < 1500
