"""What every program promises in the shell, tried on each of them."""

import ast
import io
import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from importlib import import_module
from pathlib import Path

import pytest

import programs
from programs import __main__ as catalogue

FOLDER = Path(programs.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))

# A request that prints at least one line, and one that is refused.
ACCEPTED = {
    "calculator": ["1 + 2"],
    "call_logger": ["textwrap:dedent", "Übung"],
    "fibonacci": ["first", "3"],
    "library": ["join", "Übung"],
    "todo": ["add", "Übung 🎉"],
    "validators": ["email", "ann@example.org"],
    "word_count": ["words.txt"],
}
REFUSED = {
    "calculator": ["1 / 0"],
    "call_logger": ["nothing:at_all"],
    "fibonacci": ["nth", "10000001"],
    "library": ["lend", "nothing", "M1"],
    "todo": ["do", "99"],
    "validators": ["email", "--file", "missing.txt"],
    "word_count": ["missing.txt"],
}
UNICODE = {
    "call_logger",
    "library",
    "todo",
    "word_count",
}  # programs whose accepted request prints the text above


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """No program may touch the files of the person who runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("TODO_FILE", "LIBRARY_FILE", "CALCULATOR_HISTORY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("Übung", encoding="utf-8")


def run(name, *arguments, stdin=b"", **environment):
    """Run a program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-m", f"programs.{name}", *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parent), **environment},
    )


def main_of(name):
    return import_module(f"programs.{name}").main


def exit_code(name, argv):
    """What `main` returns, or asks argparse to exit with."""
    try:
        return main_of(name)(argv)
    except SystemExit as exit_request:
        return exit_request.code


@pytest.mark.parametrize("name", NAMES)
def test_help_has_examples_and_version_a_number(name, capsys):
    assert exit_code(name, ["--help"]) == 0
    shown = capsys.readouterr().out
    assert f"python -m programs.{name}" in shown.partition("examples:")[2]
    assert exit_code(name, ["--version"]) == 0
    assert capsys.readouterr().out == f"{name} {import_module(f'programs.{name}').VERSION}\n"


@pytest.mark.parametrize("name", NAMES)
def test_wrong_usage_is_2_and_one_line(name, capsys):
    assert exit_code(name, ["--no-such\noption"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{name}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_refused_request_is_1_and_says_why(name, capsys):
    assert exit_code(name, REFUSED[name]) == 1
    assert capsys.readouterr().err.startswith(f"{name}: ")


@pytest.mark.parametrize("name", NAMES)
def test_output_need_not_be_a_real_file(name):
    with redirect_stdout(io.StringIO()) as output:
        assert exit_code(name, ACCEPTED[name]) == 0
    assert output.getvalue()


def complaints(err):
    """Standard error, without the lines of a log."""
    return re.sub(r"(?m)^\d{4}-\d\d-\d\d .*\n", "", err)


def closed_pipe():
    """The writing end of a pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


@pytest.mark.parametrize("name", ["__main__", *NAMES])
def test_a_closed_pipe_is_no_error(name, monkeypatch, capsys):
    with closed_pipe() as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert exit_code(name, ACCEPTED.get(name, [])) == 0
    assert complaints(capsys.readouterr().err) == ""


@pytest.mark.parametrize("name", ["__main__", *NAMES])
def test_a_full_disk_under_standard_output_is_one_line(name, monkeypatch, capsys):
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert exit_code(name, ACCEPTED.get(name, [])) == 1
    err = complaints(capsys.readouterr().err).replace("programs", "__main__")
    assert err == f"{name}: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_that_no_one_can_read_is_still_1(name, monkeypatch, capsys):
    with closed_pipe() as pipe:
        pipe.reconfigure(line_buffering=True)
        monkeypatch.setattr(sys, "stderr", pipe)
        assert exit_code(name, REFUSED[name]) == 1
        with suppress(BrokenPipeError):
            pipe.close()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("library", ["--file", "Ü/x.json", "members"]),
        ("todo", ["--file", "Ü/x.txt", "add", "a"]),
        ("validators", ["email", "--file", "Ü.txt"]),
        ("word_count", ["Ü.txt"]),
    ],
)
def test_the_name_of_a_file_is_utf8_whatever_the_locale(name, arguments):
    locale = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"}
    done = run(name, *arguments, **locale, PYTHONUTF8="0")
    assert done.returncode == 1
    assert "Ü" in done.stderr.decode()


@pytest.mark.parametrize("name", NAMES)
def test_an_interrupt_is_130_and_silent(name, monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"programs.{name}.run", interrupted)
    assert exit_code(name, ACCEPTED[name]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", NAMES)
def test_utf8_whatever_the_locale(name):
    locale = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"}
    done = run(name, *ACCEPTED[name], **locale, PYTHONUTF8="0")
    assert complaints(done.stderr.decode()) == ""
    assert done.returncode == 0
    assert done.stdout
    assert name not in UNICODE or "übung" in done.stdout.decode().lower()


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_that_leaves_early_sees_no_traceback(name):
    """Through the real shell, so that the interpreter's own last flush is tried too."""
    command = f"{shlex.quote(sys.executable)} -X dev -m programs.{name} --help | :"
    shell = subprocess.run(
        command,
        shell=True,
        capture_output=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parent)},
    )
    assert shell.stderr == b""


@pytest.mark.parametrize("name", ["__main__", *NAMES])
def test_a_program_run_as_a_module_exits_with_what_main_returns(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--no-such-option"])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    assert capsys.readouterr().err.count("\n") == 1


def test_an_interrupt_from_the_keyboard_is_no_traceback():
    program = subprocess.Popen(
        [sys.executable, "-m", "programs.todo", "add", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parent), "PYTHONVERBOSE": ""},
        # A suite in a shell's background is deaf to it, and so would be what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    with program:
        wait_until_reading(program.pid)
        program.send_signal(signal.SIGINT)
        assert program.wait(timeout=30) == 130
        assert program.stderr is not None
        assert program.stderr.read() == b""


def wait_until_reading(pid):
    """Until the process sleeps in a read of its standard input."""
    while not Path(f"/proc/{pid}/syscall").read_text().startswith("0 0x0 "):
        os.sched_yield()


def test_the_catalogue_lists_every_program(capsys):
    assert catalogue.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == [f"programs.{name}" for name in NAMES]
    assert all(len(line.split()) > 5 for line in lines)


def test_the_catalogue_takes_no_arguments(capsys):
    assert catalogue.main(["todo"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_catalogue_reads_the_command_line(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["programs", "todo"])
    assert catalogue.main() == 2


def test_a_program_without_docstring_has_an_empty_summary():
    assert catalogue.summary("x = 1") == ""


@pytest.mark.parametrize("name", NAMES)
def test_only_the_standard_library_and_no_other_program(name):
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in walk(tree, ast.Import) for alias in node.names}
    imported |= {node.module for node in walk(tree, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in imported} <= sys.stdlib_module_names


def walk(tree, kind):
    return (node for node in ast.walk(tree) if isinstance(node, kind))
