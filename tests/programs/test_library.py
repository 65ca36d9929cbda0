"""The library: ISBN, the rules of loans as a state machine, the file, the commands."""

import dataclasses
import json
import os
import stat
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import programs
from programs import library
from programs.library import (
    Audiobook,
    Book,
    InvalidIsbn,
    Library,
    LibraryError,
    Magazine,
    NotAvailable,
    NotFound,
    Refused,
    Repository,
    StillInUse,
    StorageError,
    from_json,
    isbn10,
    isbn13,
    to_json,
)

TODAY = date(2026, 3, 1)
ISBN, OTHER = "9780306406157", "9781861972712"


def later(days):
    return TODAY + timedelta(days=days)


# --- ISBN ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["9780306406157", "978-0-306-40615-7", "978 0 306 40615 7", "0306406152", "0-306-40615-2"],
)
def test_an_isbn_in_every_form(text):
    assert isbn13(text) == ISBN


def test_the_check_digit_x_is_ten():
    assert isbn13("0-8044-2957-x") == "9780804429573"
    assert isbn10("9780804429573") == "080442957X"


def test_an_isbn_that_begins_with_979_has_no_old_form():
    assert isbn13("979-10-90636-07-1") == "9791090636071"
    assert isbn10("9791090636071") is None


@pytest.mark.parametrize(
    "text", ["", "X306406152", "12345", "9770306406157", "978030640615X", "٠٣٠٦٤٠٦١٥٢", "a" * 10]
)
def test_what_is_no_isbn(text):
    with pytest.raises(InvalidIsbn, match="is not an ISBN"):
        isbn13(text)


@settings(deadline=None)
@given(st.integers(0, 10**9 - 1).map("{:09}".format), st.integers(0, 8), st.integers(1, 9))
def test_the_check_digits_find_every_wrong_digit(nine, place, change):
    old = nine + library.check_digit_10(nine)
    new = isbn13(old)
    assert isbn10(new) == old
    for isbn, at in ((old, place), (new, place + 3)):
        wrong = isbn[:at] + str((int(isbn[at]) + change) % 10) + isbn[at + 1 :]
        with pytest.raises(InvalidIsbn, match="check digit"):
            isbn13(wrong)


# --- items ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fines"),
    [(Book, [0, 20, 140, 1000]), (Magazine, [0, 50, 50, 750]), (Audiobook, [0, 0, 0, 0])],
)
def test_every_kind_has_its_own_fines(kind, fines):
    item = kind(id=ISBN, title="A")
    assert [item.fine(days) for days in (0, 1, 7, 100)] == fines


def test_search_looks_at_numbers_titles_and_names_in_any_case():
    shelf = shelf_with(
        Book(id=ISBN, title="On Straße", creators=("Zoë A", "B")), Magazine(id="m", title="a")
    )
    assert [item.title for item in shelf.search([])] == ["a", "On Straße"]
    for words in (["strasse", "zoë"], ["0306406152"], ["9780306406157"], ["b", "on"]):
        assert [item.id for item in shelf.search(words)] == [ISBN]
    assert not list(shelf.search(["on", "nobody"]))


def shelf_with(*items, members=3):
    shelf = Library()
    for item in items:
        shelf.add(item)
    for number in range(members):
        shelf.join(f"Member {number}")
    return shelf


def test_a_library_is_a_collection():
    shelf = shelf_with(Book(id=ISBN, title="b"), Book(id=OTHER, title="A"))
    assert [item.title for item in shelf] == ["A", "b"]
    assert len(shelf) == 2
    assert ISBN in shelf
    assert "nothing" not in shelf


# --- rules ----------------------------------------------------------------------------------------


def test_a_loan_from_end_to_end():
    shelf = shelf_with(Book(id=ISBN, title="A"))
    assert shelf.lend(ISBN, "M1", TODAY).due == later(28)
    assert shelf.give_back(ISBN, "M1", later(30)) == 40
    assert shelf.member("M1").fines == 40
    assert shelf.pay("M1", 15).fines == 25
    assert shelf.free_copies(ISBN) == [1]


def test_copies_are_added_to_those_that_are_there():
    shelf = shelf_with(Book(id=ISBN, title="A"), Book(id=ISBN, title="B", copies=2))
    assert (shelf.item(ISBN).title, shelf.item(ISBN).copies) == ("B", 3)
    with pytest.raises(Refused, match="is a book"):
        shelf.add(Audiobook(id=ISBN, title="A"))
    with pytest.raises(Refused, match="at least one copy"):
        shelf.add(Book(id=OTHER, title="A", copies=0))
    shelf.add(Book(id=ISBN, title="A", copies=9_997))
    with pytest.raises(Refused, match="at most 10000 copies"):
        shelf.add(Book(id=ISBN, title="A"))


def test_who_may_not_borrow():
    shelf = shelf_with(*(Magazine(id=f"m{n}", title="M", copies=2) for n in range(6)))
    shelf.lend("m0", "M1", TODAY)
    with pytest.raises(Refused, match="has m0 already"):
        shelf.lend("m0", "M1", TODAY)
    for number in range(1, 5):
        shelf.lend(f"m{number}", "M1", TODAY)
    with pytest.raises(Refused, match="5 loans already"):
        shelf.lend("m5", "M1", TODAY)
    assert shelf.give_back("m0", "M1", later(7 + 7 * 21)) == 1050
    with pytest.raises(Refused, match=r"owes 10\.50"):
        shelf.lend("m5", "M1", TODAY)


def test_holds_are_served_in_their_order():
    shelf = shelf_with(Book(id=ISBN, title="A"))
    shelf.lend(ISBN, "M1", TODAY)
    assert shelf.hold(ISBN, "M2", TODAY) == 1
    assert shelf.hold(ISBN, "M3", TODAY) == 2
    with pytest.raises(Refused, match="others wait"):
        shelf.renew(ISBN, "M1", TODAY)
    shelf.give_back(ISBN, "M1", TODAY)
    for member in ("M3", "M1"):
        with pytest.raises(NotAvailable):
            shelf.lend(ISBN, member, TODAY)
    shelf.lend(ISBN, "M2", TODAY)
    assert shelf.queue(ISBN) == ["M3"]
    shelf.cancel(ISBN, "M3")
    with pytest.raises(NotFound, match="does not wait"):
        shelf.cancel(ISBN, "M3")


def test_who_may_not_hold():
    shelf = shelf_with(Book(id=ISBN, title="A"))
    with pytest.raises(Refused, match="is free"):
        shelf.hold(ISBN, "M1", TODAY)
    shelf.lend(ISBN, "M1", TODAY)
    with pytest.raises(Refused, match=r"has .* already"):
        shelf.hold(ISBN, "M1", TODAY)
    shelf.hold(ISBN, "M2", TODAY)
    with pytest.raises(Refused, match="waits for"):
        shelf.hold(ISBN, "M2", TODAY)


def test_a_hold_ends_by_itself():
    shelf = shelf_with(Book(id=ISBN, title="A"))
    shelf.lend(ISBN, "M1", TODAY)
    shelf.hold(ISBN, "M2", TODAY)
    shelf.give_back(ISBN, "M1", TODAY)
    with pytest.raises(NotAvailable):
        shelf.lend(ISBN, "M3", later(60))
    assert shelf.lend(ISBN, "M3", later(61))


def test_renewals_are_counted():
    shelf = shelf_with(Book(id=ISBN, title="A"), Magazine(id="m", title="M"))
    shelf.lend(ISBN, "M1", TODAY)
    assert shelf.renew(ISBN, "M1", later(10)).due == later(38)
    assert shelf.renew(ISBN, "M1", later(10)).due == later(38)
    with pytest.raises(Refused, match="renewed 2 times"):
        shelf.renew(ISBN, "M1", later(10))
    shelf.lend("m", "M1", TODAY)
    with pytest.raises(Refused, match="renewed 0 times"):
        shelf.renew("m", "M1", TODAY)
    with pytest.raises(Refused, match="was due"):
        shelf.renew("m", "M1", later(8))


def test_an_audiobook_comes_back_by_itself():
    shelf = shelf_with(Audiobook(id=ISBN, title="A"), Book(id=OTHER, title="B"))
    shelf.lend(ISBN, "M1", TODAY)
    shelf.lend(OTHER, "M1", TODAY)
    assert [loan.item for loan in shelf.overdue(later(29))] == [OTHER]
    assert shelf.free_copies(ISBN) == [1]
    with pytest.raises(NotFound, match="does not have"):
        shelf.give_back(ISBN, "M1", later(29))


def test_overdue_begins_with_the_latest():
    shelf = shelf_with(Book(id=ISBN, title="A"), Magazine(id="m", title="M"))
    shelf.lend(ISBN, "M1", TODAY)
    shelf.lend("m", "M1", TODAY)
    assert [loan.item for loan in shelf.overdue(later(99))] == ["m", ISBN]
    assert shelf.overdue(later(7)) == []


def test_nothing_in_use_is_removed():
    shelf = shelf_with(Magazine(id="m", title="M"))
    shelf.lend("m", "M1", TODAY)
    shelf.hold("m", "M2", TODAY)
    for remove, thing in ((shelf.remove, "m"), (shelf.leave, "M1")):
        with pytest.raises(StillInUse):
            remove(thing)
    shelf.leave("M2")
    assert shelf.queue("m") == []
    shelf.give_back("m", "M1", TODAY)
    shelf.remove("m")
    shelf.leave("M1")
    assert len(shelf) == 0
    assert shelf.join("again").id == "M4"


def test_what_is_not_there_is_not_found():
    shelf = shelf_with(Magazine(id="m", title="M"))
    for wrong in (
        lambda: shelf.lend("x", "M1", TODAY),
        lambda: shelf.lend("m", "M9", TODAY),
        lambda: shelf.hold("m", "M9", TODAY),
        lambda: shelf.hold("x", "M1", TODAY),
        lambda: shelf.remove("x"),
        lambda: shelf.leave("M9"),
        lambda: shelf.pay("M9", 1),
    ):
        with pytest.raises(NotFound):
            wrong()


@pytest.mark.parametrize("cents", [0, -1, 1])
def test_only_what_is_owed_is_paid(cents):
    with pytest.raises(Refused, match=r"owes 0\.00"):
        shelf_with().pay("M1", cents)


def test_a_member_has_a_name():
    with pytest.raises(Refused, match="has a name"):
        Library().join(" ")


class Rules(RuleBasedStateMachine):
    """Any sequence of requests, refused or not: the library never contradicts itself."""

    items = st.sampled_from([ISBN, OTHER, "m"])
    people = st.integers(1, 4).map("M{}".format)

    def __init__(self):
        super().__init__()
        self.shelf = shelf_with(
            Book(id=ISBN, title="A", copies=2),
            Audiobook(id=OTHER, title="B"),
            Magazine(id="m", title="C"),
            members=4,
        )
        self.today = TODAY
        self.charged = self.paid = 0

    def attempt(self, verb, *arguments):
        """A refusal leaves everything as it was, but for what has ended by itself."""
        self.shelf.expire(self.today)
        before = to_json(self.shelf)
        try:
            return verb(*arguments)
        except LibraryError:
            assert to_json(self.shelf) == before
            return None

    @rule(days=st.integers(1, 40))
    def time_passes(self, days):
        self.today += timedelta(days=days)

    @rule(item=items, person=people)
    def lend(self, item, person):
        self.shelf.expire(self.today)
        free, waiting = self.shelf.free_copies(item), self.shelf.queue(item)
        loan = self.attempt(self.shelf.lend, item, person, self.today)
        if loan:
            assert loan.copy in free
            assert loan.due > self.today
            assert person in waiting[: len(free)] or len(waiting) < len(free)
            assert person not in self.shelf.queue(item)

    @rule(item=items, person=people)
    def give_back(self, item, person):
        self.charged += self.attempt(self.shelf.give_back, item, person, self.today) or 0

    @rule(item=items, person=people)
    def renew(self, item, person):
        loan = self.attempt(self.shelf.renew, item, person, self.today)
        assert loan is None or 1 <= loan.renewed <= self.shelf.item(item).renewals

    @rule(item=items, person=people)
    def hold(self, item, person):
        place = self.attempt(self.shelf.hold, item, person, self.today)
        assert place is None or self.shelf.queue(item)[place - 1] == person

    @rule(item=items, person=people)
    def cancel(self, item, person):
        self.attempt(self.shelf.cancel, item, person)

    @precondition(lambda self: self.charged > self.paid)
    @rule(person=people, cents=st.integers(1, 100))
    def pay(self, person, cents):
        self.paid += cents if self.attempt(self.shelf.pay, person, cents) else 0

    @invariant()
    def no_copy_is_lent_twice(self):
        assert max(Counter((n.item, n.copy) for n in self.shelf.loans).values(), default=1) == 1

    @invariant()
    def counts_add_up(self):
        lent = Counter(loan.item for loan in self.shelf.loans)
        for item in self.shelf:
            assert lent[item.id] + len(self.shelf.free_copies(item.id)) == item.copies
        assert all(len(self.shelf.lent_to(member)) <= 5 for member in self.shelf.members)

    @invariant()
    def money_adds_up(self):
        owed = sum(member.fines for member in self.shelf.members.values())
        assert owed == self.charged - self.paid

    @invariant()
    def saving_and_loading_change_nothing(self):
        assert from_json(to_json(self.shelf)) == self.shelf


TestRules = Rules.TestCase
TestRules.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


# --- the file -------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("LIBRARY_FILE", str(tmp_path / "library.json"))
    return tmp_path / "library.json"


def test_a_repository_saves_all_or_nothing(path):
    with Repository(path) as shelf:
        shelf.join("Zoë")
    before = path.read_bytes()
    assert "Zoë".encode() in before
    with pytest.raises(NotFound):
        join_and_fail(path)
    assert path.read_bytes() == before
    with Repository(path) as shelf:
        assert [member.name for member in shelf.members.values()] == ["Zoë"]


def join_and_fail(path):
    with Repository(path) as shelf:
        shelf.join("B")
        shelf.lend("nothing", "M1", TODAY)


def test_the_mode_and_the_link_stay(path, tmp_path):
    real = tmp_path / "real.json"
    real.write_text(to_json(Library()))
    real.chmod(0o640)
    path.symlink_to(real)
    with Repository(path) as shelf:
        shelf.join("A")
    assert path.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert "M1" in real.read_text()


def test_what_did_not_change_is_not_written(path):
    path.write_text(to_json(Library()))
    before = path.stat().st_ino
    with Repository(path):
        pass
    assert path.stat().st_ino == before


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace"])
def test_a_failure_while_writing_leaves_the_old_file(path, call, monkeypatch, capsys):
    def fail(*_):
        raise OSError(28, "No space left on device")

    path.write_text(to_json(Library()))
    before = path.read_bytes()
    monkeypatch.setattr(call, fail)
    assert run("join", "A") == 1
    assert path.read_bytes() == before
    assert capsys.readouterr().err == f"library: {path}: No space left on device\n"


def full():
    shelf = shelf_with(Book(id=ISBN, title="A", creators=("B",)), Magazine(id="m", title="M"))
    shelf.lend(ISBN, "M1", TODAY)
    shelf.hold(ISBN, "M2", TODAY)
    return json.loads(to_json(shelf))


def broken(change):
    document = full()
    change(document)
    return document


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        broken(lambda d: d.pop("holds")),
        broken(lambda d: d.update(joined="3")),
        broken(lambda d: d.update(joined=2)),
        broken(lambda d: d["items"][0].update(kind="film")),
        broken(lambda d: d["items"][0].update(copies=True)),
        broken(lambda d: d["items"][0].update(copies=0)),
        broken(lambda d: d["items"][0].update(copies=10**9)),
        broken(lambda d: d["items"][0].update(creators=[1])),
        broken(lambda d: d["items"][0].update(creators="Zoe")),
        broken(lambda d: d["items"][0].update(creators=["\udfff"])),
        broken(lambda d: d["items"][0].update(id="9780306406158")),
        broken(lambda d: d["items"][0].update(id="0306406152")),
        broken(lambda d: d["items"].append(d["items"][0])),
        broken(lambda d: d["items"][1].update(copies=-1)),
        broken(lambda d: d["members"][0].update(fines=-1)),
        broken(lambda d: d["members"][0].update(fines=10**4000)),
        broken(lambda d: d["members"].append({"id": "X", "name": "X", "fines": 0})),
        broken(lambda d: d["members"].append({"id": "2", "name": "X", "fines": 0})),
        broken(lambda d: d["members"].append({"id": "M03", "name": "X", "fines": 0})),
        broken(lambda d: d.update(members=[], loans=[], holds=[], joined=-1)),
        broken(lambda d: d["members"].pop(0)),
        broken(lambda d: d["loans"][0].update(due="soon")),
        broken(lambda d: d["loans"][0].update(copy=2)),
        broken(lambda d: d["loans"][0].update(item="x")),
        broken(lambda d: d["loans"].append(d["loans"][0])),
        broken(lambda d: d["holds"].append(d["holds"][0])),
        broken(lambda d: d["holds"][0].update(member="M1")),
    ],
)
def test_a_file_that_is_no_library_is_left_alone(path, document, capsys):
    path.write_text(json.dumps(document))
    before = path.read_bytes()
    assert run("join", "A") == 1
    assert path.read_bytes() == before
    assert capsys.readouterr().err.startswith(f"library: {path} is not a library: ")


def test_a_whole_document_is_a_library():
    assert from_json(json.dumps(full())).queue(ISBN) == ["M2"]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[" * 100_000, b"\xff", b'{"format": 2}', b'{"format": "\\ud800"}']
)
def test_bytes_that_are_no_document_are_left_alone(path, data, capsys):
    path.write_bytes(data)
    assert run("members") == 1
    assert path.read_bytes() == data
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("item", "title"), [("", "A"), ("  ", "A"), ("m", ""), ("m", " ")])
def test_an_item_has_a_name_and_a_title(path, item, title, capsys):
    assert run("add", "magazine", item, title) == 1
    assert "a name to find it by, and a title" in capsys.readouterr().err
    assert not path.exists()


def test_what_is_shown_is_one_line_and_leaves_the_terminal_alone(path, capsys):
    assert run("add", "magazine", "m", "red \x1b[31m\nZoë") == 0
    assert run("join", "B\tC") == 0
    assert capsys.readouterr().out.splitlines() == [
        "m  magazine: red \\x1b[31m\\x0aZoë (1 of 1 free)",
        "M1  B\\x09C (loans: 0, fines: 0.00)",
    ]
    assert "\\u001b[31m\\nZoë" in path.read_text(encoding="utf-8")


def test_a_newer_format_says_so():
    with pytest.raises(StorageError, match="format 2 is newer"):
        from_json('{"format": 2}')


def test_what_the_system_refuses_is_one_line(tmp_path, capsys):
    assert library.main(["--file", str(tmp_path / "missing" / "x.json"), "members"]) == 1
    assert "No such file" in capsys.readouterr().err


def test_a_pipe_is_not_waited_for_and_stays_a_pipe(path, tmp_path, capsys):
    os.mkfifo(path)
    for command in (["members"], ["join", "A"]):
        assert run(*command) == 1
        assert capsys.readouterr().err == f"library: {path}: not a regular file\n"
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["/", ".", ""])
def test_a_path_without_a_name_is_refused(tmp_path, name, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("--file", name, "join", "A") == 1
    assert capsys.readouterr().err.endswith(": not a regular file\n")
    assert not list(tmp_path.iterdir())


def test_a_read_only_file_stays(path, monkeypatch, capsys):
    path.write_text(to_json(Library()))
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everything
    assert run("join", "A") == 1
    assert path.read_text() == to_json(Library())
    assert "read-only" in capsys.readouterr().err
    assert not path.with_name(".library.json.new").exists()


def test_half_a_character_is_damage(path, capsys):
    path.write_text(json.dumps(broken(lambda d: d["members"][0].update(name="\ud800"))))
    assert run("join", "A") == 1
    assert "is not a library" in capsys.readouterr().err
    assert not path.with_name(".library.json.new").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(color="red"),
        lambda d: d["items"][0].update(color="red"),
        lambda d: d["members"][0].update(color="red"),
        lambda d: d["loans"][0].update(color="red"),
        lambda d: d["holds"][0].update(color="red"),
    ],
)
def test_an_unknown_key_is_named_and_not_lost(change):
    with pytest.raises(StorageError, match=r"unknown keys \['color'\], perhaps of a newer format"):
        from_json(json.dumps(broken(change)))


def test_a_search_leaves_a_file_as_another_wrote_it(path):
    path.write_text(json.dumps(full()))
    before = path.read_bytes()
    assert run("search") == 0
    assert path.read_bytes() == before
    assert run("join", "A") == 0
    assert path.read_bytes() != before


def test_a_search_makes_no_file(path):
    assert run("search") == 0
    assert not path.exists()


JOIN_TEN = """
import sys
from programs import library
for number in range(10):
    library.main(["join", f"{sys.argv[1]} {number}"])
"""


def test_two_librarians_at_once_lose_nothing(path):
    env = {**os.environ, "PYTHONPATH": str(Path(programs.__file__).parent.parent)}
    librarians = [
        subprocess.Popen([sys.executable, "-c", JOIN_TEN, name], env=env, stdout=subprocess.PIPE)
        for name in ("one", "two")
    ]
    for librarian in librarians:
        librarian.communicate()
    with Repository(path) as shelf:
        names = {member.name for member in shelf.members.values()}
    assert names == {f"{name} {number}" for name in ("one", "two") for number in range(10)}


# --- the commands ---------------------------------------------------------------------------------


def run(*argv):
    return library.main(["--today", "2026-03-01", *argv])


def test_a_day_at_the_library(path, capsys):
    for command in (
        ["add", "book", "0-306-40615-2", "A Title", "--by", "Zoë", "--by", "B", "--copies", "2"],
        ["add", "magazine", "  weekly  1 ", "Weekly"],
        ["join", "Ann"],
        ["join", "Bob"],
        ["lend", "0306406152", "M1"],
        ["lend", "weekly 1", "M1"],
        ["hold", "weekly 1", "M2"],
        ["cancel", "weekly 1", "M2"],
        ["renew", ISBN, "M1"],
        ["loans"],
        ["return", ISBN, "M1"],
        ["search", "zoë"],
        ["--today", "2026-03-10", "overdue"],
        ["--today", "2026-03-10", "return", "weekly 1", "M1"],
        ["pay", "M1", "0.20"],
        ["members"],
        ["leave", "M2"],
        ["remove", ISBN],
        ["search"],
    ):
        assert run(*command) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{ISBN}  book: A Title by Zoë, B (2 of 2 free)",
        "weekly 1  magazine: Weekly (1 of 1 free)",
        "M1  Ann (loans: 0, fines: 0.00)",
        "M2  Bob (loans: 0, fines: 0.00)",
        f"{ISBN} copy 1 with M1 until 2026-03-29",
        "weekly 1 copy 1 with M1 until 2026-03-08",
        "M2 is number 1 in the queue for weekly 1",
        "done",
        f"{ISBN} copy 1 with M1 until 2026-03-29",
        f"{ISBN} copy 1 with M1 until 2026-03-29",
        "weekly 1 copy 1 with M1 until 2026-03-08",
        f"{ISBN} is back",
        f"{ISBN}  book: A Title by Zoë, B (2 of 2 free)",
        "weekly 1 copy 1 with M1 until 2026-03-08",
        "weekly 1 is back; M1 owes 0.50 for it",
        "M1  Ann (loans: 0, fines: 0.30)",
        "M1  Ann (loans: 0, fines: 0.30)",
        "M2  Bob (loans: 0, fines: 0.00)",
        "done",
        "done",
        "weekly 1  magazine: Weekly (1 of 1 free)",
    ]
    assert dataclasses.asdict(from_json(path.read_text()).members["M1"])["fines"] == 30


@pytest.mark.parametrize(
    "argv",
    [
        ["pay", "M1", "2.5"],
        ["pay", "M1", "-1"],
        ["--today", "soon", "members"],
        ["--today", "9000-01-01", "members"],
        ["--today", "9999-12-31", "lend", ISBN, "M1"],
        ["add", "film"],
        [],
    ],
)
def test_wrong_usage(path, argv, capsys):
    with pytest.raises(SystemExit, match="2"):
        library.main(argv)
    assert not path.exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_a_whole_amount(path, capsys):
    assert run("join", "Ann") == 0
    assert run("pay", "M1", "3") == 1
    assert capsys.readouterr().err == "library: M1 owes 0.00, not 3.00\n"
    assert path.exists()


def test_a_mistyped_isbn_is_refused(path, capsys):
    assert run("add", "book", "0-306-40615-3", "A") == 1
    assert "wrong check digit" in capsys.readouterr().err
    assert not path.exists()


def test_too_many_copies_are_refused(path, capsys):
    assert run("add", "book", ISBN, "A", "--copies", "1000000000") == 1
    assert capsys.readouterr().err == "library: an item has at most 10000 copies\n"
    assert not path.exists()


def test_the_last_day_there_is(path, capsys):
    assert run("add", "book", ISBN, "A") == 0
    assert run("join", "Ann") == 0
    assert run("--today", "8999-12-31", "lend", ISBN, "M1") == 0
    assert capsys.readouterr().out.endswith("until 9000-01-28\n")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["search"], f"{ISBN}  audiobook: A (1 of 1 free)"),
        (["loans"], ""),
        (["members"], "M1  Member 0 (loans: 0, fines: 0.00)"),
        (["leave", "M1"], "done"),
        (["remove", ISBN], "done"),
    ],
)
def test_what_has_ended_by_itself_counts_for_no_command(path, command, said, capsys):
    with Repository(path) as shelf:
        shelf.add(Audiobook(id=ISBN, title="A"))
        shelf.join("Member 0")
        shelf.lend(ISBN, "M1", TODAY)
    assert run("--today", str(later(15)), *command) == 0
    assert capsys.readouterr().out.strip() == said


def test_a_hold_that_has_ended_keeps_no_item(path):
    with Repository(path) as shelf:
        shelf.add(Magazine(id="m", title="M"))
        shelf.join("Ann")
        shelf.join("Bob")
        shelf.lend("m", "M1", TODAY)
        shelf.hold("m", "M2", TODAY)
        shelf.give_back("m", "M1", TODAY)
    assert run("--today", str(later(60)), "remove", "m") == 1
    assert run("--today", str(later(61)), "remove", "m") == 0


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_closed_stream_is_no_reason_to_fail(path, name, monkeypatch, capsys):
    monkeypatch.setattr(sys, name, None)
    assert run("join", "A") == 0
    assert run("leave", "M9") == 1
    assert "no member M9" in capsys.readouterr().err or name == "stderr"
    with pytest.raises(SystemExit, match="2"):
        run("nothing")


def test_an_error_is_not_printed_where_the_answer_belongs(path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    assert run("leave", "M9") == 1
    assert capsys.readouterr().out == ""


def test_a_system_error_without_standard_output(path, monkeypatch, capsys):
    def fail(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(library, "run", fail)
    monkeypatch.setattr(sys, "stdout", None)
    assert run("join", "A") == 1
    assert "Input/output error" in capsys.readouterr().err


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_stream_the_shell_closed(path, closed):
    command = f'"$0" -m programs.library "$@" {closed}'
    root = Path(programs.__file__).parent.parent
    for words, code in ((["join", "A"], 0), (["leave", "M9"], 1), (["nothing"], 2)):
        argv = ["/bin/sh", "-c", command, sys.executable, *words]
        done = subprocess.run(argv, capture_output=True, cwd=root, check=False)
        assert done.returncode == code
        assert b"Traceback" not in done.stdout + done.stderr
