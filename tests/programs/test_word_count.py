"""The word counter: what a word is, that no cut matters, what it reads and writes."""

import csv
import io
import itertools
import json
import re
import sys
import tracemalloc
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs import word_count
from programs.word_count import WordCountError, count, decode, whole_words, words

CALM = settings(max_examples=100, deadline=None)

PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"

# Pieces in which a wrong cut would show, among any other characters.
PLAIN = [
    "a",
    "B",
    "don't",
    "well-being",
    "Größe",
    "GRÖSSE",
    "12",
    "snake_case",
    "Σίσυφος",
    "ﬁ",
    "İ",
]
ODD = [
    "e\u0301",
    "é",
    "हिन्दी",
    "ไทย",
    PERSIAN,
    "co\u00adop",
    "\u2019",
    "\u2010",
    "\u0301",
    "\u200d",
]
GAPS = ["'", "-", " ", "\n", "\u2028", ",", "—", "🎉"]
PIECES = st.sampled_from(PLAIN) | st.sampled_from(ODD) | st.sampled_from(GAPS)
TEXTS = st.lists(PIECES | st.characters(), max_size=20).map("".join)


def pieces(text, lengths):
    """The text cut into pieces of these lengths, again and again."""
    stream = io.StringIO(text, newline="")
    return list(iter(lambda: stream.read(next(lengths)), ""))


# --- what is a word -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't panic!", "don't panic"),
        ("don\u2019t DON\u02bcT", "don't don't"),
        ("'quoted' well-being - re\u2010use", "quoted well-being re-use"),
        ("rock-'n'-roll a--b", "rock n roll a b"),
        ("Größe GRÖSSE", "grösse grösse"),
        ("cafe\u0301 CAFÉ", "café café"),
        ("हिन्दी ไทย", "हिन्दी ไทย"),
        (PERSIAN, PERSIAN),
        ("co\u00adoperate", "cooperate"),
        ("snake_case 2nd 3.14", "snake case 2nd 3 14"),
        ("Σίσυφος ΣΊΣΥΦΟΣ", "σίσυφοσ σίσυφοσ"),
        ("\u0301mark", "mark"),
        ("🎉 … —", ""),
    ],
)
def test_words(text, expected):
    assert words(text) == expected.split()


@CALM
@given(TEXTS)
def test_words_do_not_depend_on_case_or_composition(text):
    found = words(text)
    assert words(unicodedata.normalize("NFD", text)) == found
    assert words(unicodedata.normalize("NFC", text).casefold()) == found
    assert found == [unicodedata.normalize("NFC", word) for word in found]


def test_every_mark_is_known_and_nothing_that_is_a_gap_is_in_a_word():
    everything = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    marks = "".join(
        character for character in everything if unicodedata.category(character)[0] == "M"
    )
    assert re.fullmatch(f"[{word_count.MARKS}]+", marks)
    gaps = re.findall(word_count.GAP, "".join(everything))
    assert len(gaps) > 900_000
    assert words(" ".join(gaps)) == []


# --- counting -------------------------------------------------------------------------------------


@CALM
@given(TEXTS, st.lists(st.integers(1, 5), min_size=1))
def test_no_cut_splits_a_word(text, lengths):
    assert count(pieces(text, itertools.cycle(lengths))) == Counter(words(text))


@given(TEXTS)
@settings(max_examples=50, deadline=None)
def test_the_sizes_of_the_batches_do_not_matter(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_count, "BATCH", 3)
        patch.setattr(word_count, "MAX_RUNS", 2)
        assert count(list(text)) == Counter(words(text))


@CALM
@given(TEXTS, st.lists(st.integers(1, 5), min_size=1))
def test_cutting_loses_no_character(text, lengths):
    assert "".join(whole_words(pieces(text, itertools.cycle(lengths)))) == text


def test_an_endless_word_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(word_count, "MAX_CARRY", 10)
    found = list(whole_words(itertools.repeat("abc", 1000)))
    assert "".join(found) == "abc" * 1000
    assert max(map(len, found)) <= 13


def test_ten_times_the_text_takes_the_same_memory():
    line = b"It was the best of times, it was the worst of times. "

    def peak(size):
        tracemalloc.start()
        counts = count(decode(io.BytesIO(line * (size // len(line))), size=1 << 14))
        assert counts["the"] == 2 * (size // len(line))
        taken = tracemalloc.get_traced_memory()[1] - size
        tracemalloc.stop()
        return taken

    peak(1 << 16)
    assert peak(10 << 17) < peak(1 << 17) * 1.2 + 10_000


# --- reading --------------------------------------------------------------------------------------

MARKED = {
    "utf-8": "",
    "utf-8-sig": "",
    "utf-16-le": "\ufeff",
    "utf-16-be": "\ufeff",
    "utf-32-le": "\ufeff",
    "utf-32-be": "\ufeff",
}


@CALM
@given(st.text(), st.sampled_from(list(MARKED)), st.integers(1, 9))
def test_no_chunk_splits_a_character(text, encoding, size):
    text = text.lstrip("\ufeff")
    if encoding.startswith("utf-16"):
        text = text.lstrip("\0")  # behind its mark, UTF-16 that begins so is UTF-32 to anyone
    data = (MARKED[encoding] + text).encode(encoding)
    assert "".join(decode(io.BytesIO(data), size=size)) == text


@CALM
@given(st.text(), st.sampled_from([b"\xff", b"\xc3", b"\xe2\x82", b"\x80a"]), st.integers(1, 9))
def test_an_error_knows_its_offset(text, wrong, size):
    text = text.lstrip("\ufeff")
    with pytest.raises(WordCountError, match=rf"^byte {len(text.encode())} is not UTF-8$"):
        list(decode(io.BytesIO(text.encode() + wrong), size=size))
    assert "".join(decode(io.BytesIO(text.encode() + wrong), "replace", size)).startswith(text)


def test_the_offset_counts_the_mark():
    with pytest.raises(WordCountError, match=r"^byte 4 is not UTF-16-LE$"):
        list(decode(io.BytesIO(b"\xff\xfea\x00\x00\xdc"), size=1))


class Clock:
    """A second passes whenever someone looks."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        self.now += 1
        return self.now


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_a_terminal_when_it_takes_long(terminal, monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", shown)
    stream = word_count.Progress(io.BytesIO(b"x" * 4_000_000), Clock())
    while stream.read(1_000_000):
        pass
    messages = [text.rstrip() for text in shown.getvalue().split("\r") if text]
    assert messages == (["2 MB read", "3 MB read", "4 MB read", ""] if terminal else [])


def test_what_is_quick_shows_no_progress(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", shown)
    assert list(decode(word_count.Progress(io.BytesIO(b"quick"), lambda: 0.0))) == ["quick", ""]
    assert shown.getvalue() == ""


# --- the command line -----------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text('The cat. The Ünal cat, the "end"\n', encoding="utf-8")
    return path


def run(capsys, *argv):
    assert word_count.main([str(argument) for argument in argv]) == 0
    return capsys.readouterr().out


def test_text_is_for_people(book, capsys):
    assert run(capsys, book) == "3 the\n2 cat\n1 end\n1 ünal\n"
    assert run(capsys, "--top", 1, book) == "3 the\n"
    assert run(capsys, "--min-length", 4, book) == "1 ünal\n"


def test_json_and_csv_are_for_programs(book, capsys):
    answer = json.loads(run(capsys, "--format", "json", "--top", 1, book))
    assert answer == {"total": 7, "distinct": 4, "words": [{"word": "the", "count": 3}]}
    rows = list(csv.reader(run(capsys, "--format", "csv", "--top", 2, book).splitlines()))
    assert rows == [["word", "count"], ["the", "3"], ["cat", "2"]]


def test_stop_words_are_compared_as_words(book, tmp_path, capsys):
    (tmp_path / "stop.txt").write_text("THE\nünal, end\n", encoding="utf-8")
    assert run(capsys, "--stop-words", tmp_path / "stop.txt", book) == "2 cat\n"


def test_several_files_are_counted_together_and_do_not_touch(book, tmp_path, capsys):
    (tmp_path / "a.txt").write_text("the ca")
    (tmp_path / "b.txt").write_text("t")
    assert run(capsys, book, tmp_path / "a.txt", tmp_path / "b.txt").startswith(
        "4 the\n2 cat\n1 ca\n"
    )


def test_an_empty_file_has_no_words(tmp_path, capsys):
    (tmp_path / "empty.txt").touch()
    assert run(capsys, tmp_path / "empty.txt") == ""


@pytest.mark.parametrize("argv", [[], ["-"]])
def test_standard_input(argv, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("a\ufeffÄ".encode("utf-16"))))
    assert run(capsys, *argv) == "1 a\n1 ä\n"


def test_standard_input_that_is_closed_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    assert word_count.main([]) == 1
    assert capsys.readouterr().err == "word_count: standard input: closed\n"


def test_bytes_that_are_no_text_are_refused_or_replaced(tmp_path, capsys):
    path = tmp_path / "broken.txt"
    path.write_bytes(b"good\xffbad good")
    assert word_count.main([str(path)]) == 1
    assert capsys.readouterr() == ("", f"word_count: {path}: byte 4 is not UTF-8\n")
    assert run(capsys, "--errors", "replace", path) == "2 good\n1 bad\n"


def test_what_cannot_be_read_is_named(tmp_path, capsys):
    assert word_count.main([str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"word_count: {tmp_path}: Is a directory\n"


@pytest.mark.parametrize("top", ["0", "-1", "many", "9" * 5000])
def test_wrong_usage(top, capsys):
    with pytest.raises(SystemExit, match="2"):
        word_count.main(["--top", top, "x.txt"])
    assert capsys.readouterr().err.count("\n") == 1


def test_the_program_finds_itself_a_file_of_words(capsys):
    assert "counts" in run(capsys, Path(word_count.__file__))


def test_closed_standard_streams_are_no_traceback(monkeypatch, capfd):
    """Nothing is said where nothing can be, and no error goes to standard output."""
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert word_count.main(["missing.txt"]) == 1
    assert capfd.readouterr() == ("", "")
    monkeypatch.undo()
    monkeypatch.setattr(word_count, "run", fail)
    monkeypatch.setattr(sys, "stdout", None)
    assert word_count.main(["missing.txt"]) == 1
    assert capfd.readouterr() == ("", "word_count: no\n")


def fail(_):
    raise OSError("no")


def test_without_standard_error_nothing_says_how_far_it_was_read(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    (tmp_path / "words.txt").write_text("a b a")
    assert word_count.main([str(tmp_path / "words.txt")]) == 0
    assert capsys.readouterr().out == "2 a\n1 b\n"
