"""The to-do list: its format, its file, its commands."""

import io
import os
import random
import signal
import stat
import string
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import programs
from programs import todo
from programs.todo import Task, TodoError, TodoList

TODAY = date(2026, 3, 1)

CALM = settings(max_examples=60, deadline=None)

# Lines made of the pieces that mean something, so that the odd combinations do come up.
PIECES = st.sampled_from(
    "x_|x|(A)_|(a)_|(Z)|2026-01-02_|2026-02-31_|pri:B|pri:BB|due:|due:2026-05-31|+home|@phone|+|@"
    "|Zoë|_|\t|\r|\x0b|\u2028|🎉".replace("_", " ").split("|")
)
LINES = st.lists(PIECES | st.characters(exclude_characters="\n"), max_size=8).map("".join)
FILES = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n"])), max_size=8).flatmap(
    lambda pairs: st.tuples(
        st.sampled_from(["", "\ufeff"]), st.just("".join(a + b for a, b in pairs)), LINES
    ).map("".join)
)


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TODO_FILE", str(tmp_path / "todo.txt"))
    return tmp_path / "todo.txt"


def run(*argv):
    return todo.main([str(argument) for argument in argv])


# --- one task ---------------------------------------------------------------------------------


@CALM
@given(LINES)
def test_a_line_parsed_is_written_back_as_it_was(line):
    assert str(Task.parse(line)) == line


def test_the_marks_of_a_task():
    task = Task.parse("x (B) 2026-02-03 2026-01-02 Call +home @phone due:2026-05-31")
    assert task == Task(
        "Call +home @phone due:2026-05-31", True, "B", date(2026, 2, 3), date(2026, 1, 2)
    )
    assert (task.names("+"), task.names("@")) == ({"home"}, {"phone"})
    assert task.due == date(2026, 5, 31)


@pytest.mark.parametrize(
    "line",
    ["xylophone", "X done?", "(a) low", "(A)no space", "A) x", "2026-02-31 no day", "2026-01-02"],
)
def test_what_only_looks_like_a_mark_is_text(line):
    assert Task.parse(line) == Task(line)


def test_an_open_task_has_one_date_and_the_rest_is_text():
    assert Task.parse("2026-01-02 2026-02-03 x") == Task("2026-02-03 x", created=date(2026, 1, 2))


@pytest.mark.parametrize(
    "line", ["nothing", "due:", "due:soon", "due:2026-02-31", "overdue:2026-01-01"]
)
def test_no_due_date(line):
    assert Task.parse(line).due is None


def test_finishing_puts_the_priority_away_and_reopening_brings_it_back():
    done = Task.parse("(A) 2026-01-02 Call").finish(TODAY)
    assert str(done) == "x 2026-03-01 2026-01-02 Call pri:A"
    assert str(done.reopen()) == "(A) 2026-01-02 Call"


@CALM
@given(LINES.filter(lambda line: not line.startswith("x ") and "pri:" not in line))
def test_do_and_undo_are_each_others_inverse(line):
    assert str(Task.parse(line).finish(TODAY).reopen()) == line


def test_a_done_task_that_kept_its_priority_keeps_it():
    assert str(Task.parse("x (A) Call pri:B").reopen()) == "(A) Call pri:B"


def test_the_last_priority_tag_is_the_one_that_finishing_added():
    assert str(Task.parse("(A) Call pri:B").finish(TODAY).reopen()) == "(A) Call pri:B"


def test_a_due_date_is_replaced_added_and_removed():
    task = Task.parse("Call due:2026-01-01 now")
    assert task.due_on(TODAY).body == "Call now due:2026-03-01"
    assert task.due_on(None).body == "Call now"
    assert Task("").due_on(TODAY).body == "due:2026-03-01"


# --- the list ---------------------------------------------------------------------------------


@CALM
@given(FILES)
def test_a_list_read_is_written_back_as_it_was(text):
    assert str(TodoList(text)) == text


@CALM
@given(FILES, LINES.filter(str.strip))
def test_adding_keeps_every_byte_that_was_there(text, line):
    items = TodoList(text)
    number = items.add(Task.parse(line))
    assert str(items[number]) == line
    assert str(items).startswith(text)
    assert str(items).endswith("\n") == (text.endswith("\n") or not text.strip("\ufeff"))


@CALM
@given(FILES)
def test_sorting_moves_tasks_and_nothing_else(text):
    before, after = TodoList(text), TodoList(text)
    after.sort()
    assert after.endings == before.endings
    assert sorted(after.lines) == sorted(before.lines)
    assert [n for n, _ in after] == [n for n, _ in before]
    keys = [todo.sort_key(task) for _, task in after]
    assert keys == sorted(keys)


@CALM
@given(FILES)
def test_taking_the_done_leaves_the_open_in_order(text):
    before, after = TodoList(text), TodoList(text)
    done = after.take_done()
    assert done == [task for _, task in before if task.done]
    assert after.lines == [line for line in before.lines if line and not Task.parse(line).done]
    assert len(after.endings) == len(after.lines)
    assert not after.lines or str(after).endswith("\n") == text.endswith("\n")


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("", "b\n"),
        ("a\n", "a\nb\n"),
        ("a", "a\nb"),
        ("a\r\nc", "a\r\nc\r\nb"),
        ("\ufeffa", "\ufeffa\nb"),
    ],
)
def test_an_added_line_ends_as_the_file_does(text, added):
    items = TodoList(text)
    items.add(Task("b"))
    assert str(items) == added


def test_numbers_are_line_numbers_and_removing_moves_none():
    items = TodoList("a\n\nc\nd\n")
    assert [number for number, _ in items] == [1, 3, 4]
    assert items.remove(3) == Task("c")
    assert str(items) == "a\n\n\nd\n"
    assert items[4] == Task("d")


@pytest.mark.parametrize("number", [-1, 0, 2, 4])
def test_a_number_without_a_task_is_refused(number):
    with pytest.raises(TodoError, match=f"no task {number}"):
        TodoList("a\n \nc\n")[number]


class Model(RuleBasedStateMachine):
    """The program beside a plain list of lines: the file must always say the same."""

    done_so_far: ClassVar[Counter[str]] = Counter()

    def __init__(self):
        super().__init__()
        self.path = Path(tempfile.mkdtemp(dir=os.environ["TODO_TEST_FOLDER"])) / "todo.txt"
        self.expected = []

    def run(self, *argv):
        assert todo.main(["--file", str(self.path), *argv]) == 0
        self.done_so_far[argv[0]] += 1

    @rule(text=st.text(string.ascii_letters, min_size=1).filter(lambda text: text != "x"))
    def add(self, text):
        self.run("add", f"2026-01-01 {text}")
        self.expected.append(f"2026-01-01 {text}")

    @precondition(lambda self: any(self.expected))
    @rule(data=st.data())
    def do_or_undo(self, data):
        number, line = self.pick(data)
        self.run("undo" if line.startswith("x ") else "do", str(number))
        today = f"x {date.today()} "
        done = line.startswith("x ")
        self.expected[number - 1] = line.removeprefix(today) if done else today + line

    @precondition(lambda self: any(self.expected))
    @rule(data=st.data())
    def remove(self, data):
        number, _ = self.pick(data)
        self.run("remove", str(number))
        self.expected[number - 1] = ""

    @rule()
    def archive(self):
        self.run("archive")
        self.expected = [line for line in self.expected if line and not line.startswith("x ")]

    def pick(self, data):
        return data.draw(st.sampled_from([(n, x) for n, x in enumerate(self.expected, 1) if x]))

    @invariant()
    def the_file_says_the_same(self):
        text = self.path.read_text() if self.path.exists() else ""
        assert text == "".join(f"{line}\n" for line in self.expected)


def test_commands_against_a_model(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TODO_TEST_FOLDER", str(tmp_path))
    monkeypatch.setattr(os, "fsync", lambda _: None)  # a slow disk is not what is tested here
    Model.done_so_far.clear()
    bounds = settings(max_examples=25, stateful_step_count=12, deadline=None)
    run_state_machine_as_test(Model, settings=bounds)
    assert capsys.readouterr().err == ""
    assert len(set(Model.done_so_far)) >= 3  # which of the five is left to chance


# --- the file ---------------------------------------------------------------------------------


def test_the_mode_stays_and_no_other_file_is_left(path):
    path.write_text("a\n")
    path.chmod(0o640)
    assert run("add", "b") == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(file.name for file in path.parent.iterdir()) == [".todo.txt.lock", "todo.txt"]


def test_a_link_stays_a_link(path, tmp_path):
    (tmp_path / "real").mkdir()
    path.symlink_to(tmp_path / "real" / "list.txt")
    assert run("add", "2026-01-01 a") == 0
    assert path.is_symlink()
    assert (tmp_path / "real" / "list.txt").read_text() == "2026-01-01 a\n"


def test_what_cannot_be_decoded_is_never_overwritten(path, capsys):
    path.write_bytes(b"ok\n\xff\xfe\n")
    for command in (["add", "x"], ["list"], ["do", "1"], ["sort"], ["archive"]):
        assert run(*command) == 1
        assert capsys.readouterr().err == f"todo: {path}: byte 3 is not UTF-8; left as it is\n"
    assert path.read_bytes() == b"ok\n\xff\xfe\n"


def test_an_archive_that_cannot_be_decoded_keeps_both_files(path):
    path.write_text("x a\n")
    path.with_name("done.txt").write_bytes(b"\xff")
    assert run("archive") == 1
    assert path.read_text() == "x a\n"
    assert path.with_name("done.txt").read_bytes() == b"\xff"


def test_a_read_only_file_stays(path, monkeypatch, capsys):
    path.write_text("a\n")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everything
    assert run("do", "1") == 1
    assert path.read_text() == "a\n"
    assert "read-only" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["missing/todo.txt", ""])
def test_what_the_system_refuses_is_one_line(tmp_path, name, capsys):
    assert todo.main(["--file", str(tmp_path / name), "add", "a"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("call", ["os.fsync", "os.fchmod", "pathlib.Path.replace"])
def test_a_failure_while_writing_leaves_the_old_file(path, call, monkeypatch, capsys):
    def fail(*_):
        raise OSError(28, "No space left on device")

    path.write_text("a\n")
    monkeypatch.setattr(call, fail)
    assert run("add", "b") == 1
    assert path.read_text() == "a\n"
    assert capsys.readouterr().err == f"todo: {path}: No space left on device\n"


def test_a_pipe_is_not_waited_for_and_stays_a_pipe(path, tmp_path, capsys):
    os.mkfifo(path)
    for command in (["list"], ["add", "a"], ["do", "1"], ["sort"], ["archive"]):
        assert run(*command) == 1
        assert capsys.readouterr().err == f"todo: {path}: not a regular file\n"
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert list(tmp_path.iterdir()) == [path]


def test_an_archive_that_is_a_pipe_keeps_the_list(path, capsys):
    path.write_text("x a\n")
    os.mkfifo(path.with_name("done.txt"))
    assert run("archive") == 1
    assert path.read_text() == "x a\n"
    assert capsys.readouterr().err.endswith("done.txt: not a regular file\n")


@pytest.mark.parametrize("name", ["/", ".", ""])
@pytest.mark.parametrize("command", [["list"], ["add", "a"], ["archive"]])
def test_a_path_without_a_name_is_refused(path, tmp_path, name, command, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("--file", name, *command) == 1
    assert capsys.readouterr().err.endswith(": not a regular file\n")
    assert not list(tmp_path.iterdir())


ADD_FOR_EVER = """
import itertools, sys
from programs import todo
for number in itertools.count():
    sys.stdout.write(f"{number}\\n") if todo.main(["add", f"x {sys.argv[1]} {number}"]) else None
"""


def start(script, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(programs.__file__).parent.parent)},
    )


def test_a_kill_at_any_moment_loses_nothing_that_was_said_to_be_saved(path):
    """Each round kills the writer in the middle of its work; the list only ever grows."""
    saved = 0
    for _ in range(8):
        with start(ADD_FOR_EVER, "task") as writer:
            assert writer.stdout is not None
            for _ in range(random.randint(1, 12)):
                said = writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
            said = (said + writer.stdout.read()).rpartition(b"\n")[0].rpartition(b"\n")[2]
        lines = path.read_text().splitlines()
        assert len(lines) >= int(said.split()[0]) > saved
        assert all(line.startswith("x task ") for line in lines)
        saved = len(lines)


ADD_TWENTY = """
import sys
from programs import todo
for number in range(20):
    todo.main(["add", f"x {sys.argv[1]} {number}"])
"""


def test_two_processes_at_once_lose_nothing(path):
    writers = [start(ADD_TWENTY, name) for name in ("one", "two", "three")]
    for writer in writers:
        writer.communicate()
    lines = path.read_text().splitlines()
    assert sorted(lines) == sorted(f"x {n} {i}" for n in ("one", "two", "three") for i in range(20))


# --- the commands -----------------------------------------------------------------------------


def test_add_dates_a_task_unless_it_has_a_date_or_is_done(path):
    today = date.today()
    for text in ("a", "(A) b", "2026-01-01 c", "x d"):
        assert run("add", *text.split()) == 0
    assert path.read_text() == f"{today} a\n(A) {today} b\n2026-01-01 c\nx d\n"


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "a\rb"])
def test_what_is_not_one_line_of_text_is_refused(path, text, capsys):
    assert run("add", text) == 1
    assert not path.exists()
    assert "a task" in capsys.readouterr().err


def feed(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_add_reads_standard_input(path, monkeypatch):
    feed(monkeypatch, "2026-01-01 Zoë\r\n\n2026-01-01 b".encode())
    assert run("add", "-") == 0
    assert path.read_text() == "2026-01-01 Zoë\n2026-01-01 b\n"


def test_standard_input_that_is_not_text_adds_nothing(path, monkeypatch, capsys):
    feed(monkeypatch, b"a\n\xff")
    assert run("add", "-") == 1
    assert not path.exists()
    assert "standard input: byte 2" in capsys.readouterr().err


def test_standard_input_that_is_closed_is_refused(path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    assert run("add", "-") == 1
    assert not path.exists()
    assert capsys.readouterr().err == "todo: standard input is closed\n"


def test_do_and_undo_change_all_or_nothing(path, capsys):
    path.write_text("a\nx b\nc\n")
    assert run("do", 1, 2) == 1
    assert path.read_text() == "a\nx b\nc\n"
    assert capsys.readouterr().err == "todo: done already: b\n"
    assert run("undo", 1) == 1
    assert run("do", 1, 1, 3) == 0
    assert run("undo", 2, 3) == 0
    assert path.read_text() == f"x {date.today()} a\nb\nc\n"


def test_edit_changes_only_what_it_is_told(path):
    path.write_text("(A) 2026-01-01 a\n")
    for arguments, expected in (
        (["b"], "(A) 2026-01-01 b"),
        (["--priority", "C"], "(C) 2026-01-01 b"),
        (["--due", "2026-05-31"], "(C) 2026-01-01 b due:2026-05-31"),
        (["--due", "none", "--priority", "none"], "2026-01-01 b"),
        (["(B) 2026-02-02 c d"], "(B) 2026-02-02 c d"),
    ):
        assert run("edit", 1, *arguments) == 0
        assert path.read_text() == f"{expected}\n"


def test_edit_cannot_finish_a_task_or_do_nothing(path, capsys):
    path.write_text("a\n")
    assert run("edit", 1) == 1
    assert "nothing to change" in capsys.readouterr().err
    assert run("edit", 1, "x b") == 1
    assert "use do" in capsys.readouterr().err


def test_sort_and_archive(path, capsys):
    path.write_text("x old\nb\n\n(B) c\n(A) d due:2026-02-02\n(A) e due:2026-01-01")
    assert run("sort") == 0
    assert path.read_text() == "(A) e due:2026-01-01\n(A) d due:2026-02-02\n\n(B) c\nb\nx old"
    assert run("archive") == 0
    assert path.read_text() == "(A) e due:2026-01-01\n(A) d due:2026-02-02\n(B) c\nb"
    assert path.with_name("done.txt").read_text() == "x old\n"
    assert capsys.readouterr().out.endswith("1 x old\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\r\nx b\n", "a\r\n"),
        ("a\nx b\r\n", "a\n"),
        ("x a\r\nb\nc\r\n", "b\nc\r\n"),
        ("a\r\nx b", "a"),
        ("x a", ""),
    ],
)
def test_archiving_leaves_each_line_its_ending(path, before, after):
    path.write_bytes(before.encode())
    assert run("archive") == 0
    assert path.read_bytes() == after.encode()


@pytest.mark.parametrize(
    ("line", "command", "message"),
    [
        ("(A) x foo", ["edit", "1", "--priority", "none"], "as another task: x foo"),
        ("x x bar", ["undo", "1"], "as another task: x bar"),
        ("x a", ["edit", "1", "2026-02-02 b"], "as another task: x 2026-02-02 b"),
        ("due:2026-01-01", ["edit", "1", "--due", "none"], "use remove"),
    ],
)
def test_a_change_that_would_be_read_as_something_else(path, line, command, message, capsys):
    path.write_text(f"{line}\n")
    assert run(*command) == 1
    assert path.read_text() == f"{line}\n"
    assert message in capsys.readouterr().err


def test_a_list_is_not_archived_into_itself(tmp_path, capsys):
    assert todo.main(["--file", str(tmp_path / "done.txt"), "archive"]) == 1
    assert "into itself" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ([], "1 2 4"),
        (["--all"], "1 2 3 4"),
        (["--done"], "3"),
        (["--project", "home"], "1"),
        (["--project", "+home", "--all"], "1 3"),
        (["--context", "@phone", "--context", "desk"], "2"),
        (["--priority", "a"], "1"),
        (["--priority", "A", "--priority", "B"], "1 2"),
        (["--due", "2026-05-31"], "2"),
        (["--due", "today", "--all"], "2"),
        (["--due", "tomorrow"], "2"),
        (["zoË"], "4"),
        (["zoë", "nobody"], ""),
    ],
)
def test_the_filters_of_list(path, filters, numbers, capsys):
    path.write_text(
        "(A) a +home due:9999-01-01\n(B) b @phone @desk due:2026-05-31\nx c +home\nZoë homework\n"
    )
    assert run("list", *filters) == 0
    assert " ".join(line.split()[0] for line in capsys.readouterr().out.splitlines()) == numbers


def test_list_leaves_the_file_and_the_terminal_alone(path, capsys):
    assert run("list") == 0
    assert not path.exists()
    path.write_text("red \x1b[31m\n" + "\n" * 8 + "ten\n")
    assert run("list") == 0
    assert capsys.readouterr().out == " 1 red \\x1b[31m\n10 ten\n"
    assert sorted(file.name for file in path.parent.iterdir()) == ["todo.txt"]


@pytest.mark.parametrize(
    "argv",
    [["do", "one"], ["edit", "1", "--due", "soon"], ["list", "--priority", "1"], ["add"], []],
)
def test_wrong_usage(path, argv, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(*argv)
    assert not path.exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_the_list_is_in_the_home_folder_by_default(path, monkeypatch):
    monkeypatch.delenv("TODO_FILE")
    assert run("add", "2026-01-01 a") == 0
    assert path.read_text() == "2026-01-01 a\n"


def test_without_a_home_folder_the_file_must_be_named(path, tmp_path, monkeypatch, capsys):
    for variable in ("TODO_FILE", "HOME"):
        monkeypatch.delenv(variable)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # an account that the system does not know
    assert run("list") == 1
    assert capsys.readouterr().err.startswith("todo: there is no home folder: give --file")
    assert run("--file", path, "add", "2026-01-01 a") == 0
    assert path.read_text() == "2026-01-01 a\n"


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_closed_stream_is_no_reason_to_fail(path, name, monkeypatch, capsys):
    monkeypatch.setattr(sys, name, None)
    assert run("add", "a") == 0
    assert run("do", "9") == 1
    assert "no task 9" in capsys.readouterr().err or name == "stderr"
    with pytest.raises(SystemExit, match="2"):
        run("nothing")


def test_an_error_is_not_printed_where_the_answer_belongs(path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    assert run("do", "9") == 1
    assert capsys.readouterr().out == ""


def test_a_system_error_without_standard_output(path, monkeypatch, capsys):
    def fail(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(todo, "run", fail)
    monkeypatch.setattr(sys, "stdout", None)
    assert run("add", "a") == 1
    assert "Input/output error" in capsys.readouterr().err


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_stream_the_shell_closed(path, closed):
    command = f'"$0" -m programs.todo "$@" {closed}'
    root = Path(programs.__file__).parent.parent
    for words, code in ((["add", "a"], 0), (["do", "9"], 1), (["nothing"], 2)):
        argv = ["/bin/sh", "-c", command, sys.executable, *words]
        done = subprocess.run(argv, capture_output=True, cwd=root, check=False)
        assert done.returncode == code
        assert b"Traceback" not in done.stdout + done.stderr
