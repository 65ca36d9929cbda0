"""The passage where the words of a search stand, and which words are marked in it."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs import excerpts
from jobboard.jobs.criteria import JobCriteria
from jobboard.jobs.words import understand
from jobboard.web.formatting import marked
from tests.jobs.searching import Post, find

pytestmark = pytest.mark.anyio

FILLER = "We are a friendly team with a long tradition and short ways. " * 8


async def passages(
    session: AsyncSession, q: str, *texts: str, language: str | None = None
) -> list[str]:
    """With brackets around what is marked."""
    [data] = await understand(session, [JobCriteria(q=q)])
    found = await excerpts.passages(session, data.words or "", [(language, text) for text in texts])
    return [
        str(marked(each.text, each.matches)).replace("<mark>", "[").replace("</mark>", "]")
        for each in found
    ]


async def test_words_are_marked_as_the_search_finds_them(session: AsyncSession) -> None:
    for language, q, text, shown in [
        ("en", "manager", "You manage managers well.", "You [manage] [managers] well."),
        ("en", "happy", "Happiness for happy people", "[Happiness] for [happy] people"),
        (
            "de",
            "Bäcker",
            "Der Backer und die Bäcker backen.",
            "Der [Backer] und die [Bäcker] [backen].",
        ),
        ("en", "cafe", "Our Café, a cafeteria.", "Our [Café], a cafeteria."),
        ("en", "c++ c# .net", "C++, C# and .NET; C", "[C++], [C#] and [.NET]; C"),
        ("en", "it r&d", "IT and R&D, it is", "[IT] and [R&amp;D], it is"),
        ("en", "full stack", "A full-stack job, fullstack.", "A [full]-[stack] job, [fullstack]."),
        ("en", "develop*", "Developing devops", "[Developing] devops"),
        ("en", '"early shift" -late', "Early, not late shift", "[Early], not late [shift]"),
        ("en", "-late", "Never late", "Never late"),
        ("en", "nurse", "An RN wanted", "An [RN] wanted"),
        ("de", "straße", "Straßen und Strasse", "[Straßen] und [Strasse]"),
        ("en", "the", "The end", "The end"),
        ("de", "der Bäcker", "Der Bäcker", "Der [Bäcker]"),
        ("sv", "bagare", "En bagare, bagaren", "En [bagare], bagaren"),
        (None, "managers", "Manage", "[Manage]"),
    ]:
        assert await passages(session, q, text, language=language) == [shown], q


async def test_only_so_many_words_are_remembered(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excerpts, "KEPT", 2)
    for _ in range(2):
        text = "Pears and plums and quinces"
        assert await passages(session, "plum", text) == ["Pears and [plums] and quinces"]
        assert len(excerpts._forms) <= 2


async def test_the_passage_with_the_most_words_is_shown(session: AsyncSession) -> None:
    text = f"A baker. {FILLER}The baker bakes rye bread at night. {FILLER}"
    [shown] = await passages(session, "rye baker bread", text)
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert "The [baker] bakes [rye] [bread] at night." in shown
    assert len(shown) <= excerpts.EXCERPT + 2 * 4
    assert await passages(session, "pilot", text) == [excerpts.beginning(text)]
    [late] = await passages(session, "rye", f"{FILLER}rye")
    assert late.endswith(" [rye]")
    assert await passages(session, "rye", "x" * 5_000, "", "rye") == [
        excerpts.beginning("x" * 5_000),
        "",
        "[rye]",
    ]


async def test_lines_stay_apart(session: AsyncSession) -> None:
    text = f"{FILLER}\nJavaScript\n• Experience in testing\n{FILLER}"
    [shown] = await passages(session, "testing", text)
    assert "JavaScript · Experience in [testing] · We are" in shown
    line = "We are a friendly team with fun"
    [shown] = await passages(session, "rye", f"{FILLER}\n{line}\nAnd rye. {FILLER}")
    assert shown.startswith(f"…{line} · And [rye].")  # not with a dot


async def test_a_word_deep_in_a_long_one_is_shown(session: AsyncSession) -> None:
    [shown] = await passages(session, "rye", f"{FILLER}{'q/' * 100}rye/bread. {FILLER}")
    assert "/[rye]/bread. We are" in shown


async def test_a_text_cannot_bring_html(session: AsyncSession) -> None:
    [shown] = await passages(session, "baker", "<b>baker</b> & <mark>more")
    assert shown == "&lt;b&gt;[baker]&lt;/b&gt; &amp; &lt;mark&gt;more"


async def test_cards_have_it(session: AsyncSession, post: Post) -> None:
    await post("Baker", description=f"{FILLER}\n\nYou **knead** sourdough &amp; rye.")
    [card] = (await find(session, q="sourdough")).items
    words = [card.excerpt[match.start : match.end] for match in card.excerpt_matches]
    assert words == ["sourdough"]
    for query in ({"q": "sourdough", "sort": "newest"}, {"q": "sourdough", "sort": "salary"}):
        assert (await find(session, **query)).items[0].excerpt_matches == card.excerpt_matches
    [card] = (await find(session)).items
    assert card.excerpt.startswith("We are a friendly team")
    assert card.excerpt_matches == []
