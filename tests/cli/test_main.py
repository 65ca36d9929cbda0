"""The command line as a whole: what holds for every command."""

import errno
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
import typer

from jobboard import __version__
from jobboard.cli import listening, serve
from jobboard.cli.main import COMMANDS, make_app, run
from jobboard.cli.processes import SILENT, worker_command
from jobboard.settings import Settings
from tests.e2e.boards import environment, free_port, jobboard, taken_port


def test_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(make_app(["migrate"]), ["--version"]) == 0
    assert capsys.readouterr().out == f"jobboard {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve"],
        ["worker"],
        ["migrate"],
        ["demo"],
        ["create-admin", "--email", "ada@example.com"],
        ["import", "jsonl", "/dev/null"],
    ],
)
@pytest.mark.parametrize("own", [{}, {"JOBBOARD_BASE_URL": "https://jobs.example.com"}])
def test_in_production_no_folder_fills_what_is_not_set(
    arguments: list[str],
    own: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = own | {"JOBBOARD_ENVIRONMENT": "production", "PORT": str(free_port())}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"a quiet sentence for tests\n")))
    folder = tmp_path / "board"
    app = make_app(list(dict.fromkeys(COMMANDS.values())))
    assert run(app, [*arguments, "--data-dir", str(folder)]) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "STORAGE_URL"):
        assert f"JOBBOARD_{name}" in line
    assert ("JOBBOARD_BASE_URL" in line) == (not own)
    assert not folder.exists()


def test_serve_says_in_one_line_that_its_port_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "board"
    with taken_port() as port:
        arguments = ["serve", "--port", str(port), "--data-dir", str(folder)]
        assert run(make_app(["serve", "migrate"]), arguments) == 1
    said = capsys.readouterr().err
    assert said == f"jobboard: port {port} is taken; choose another with --port or PORT\n"
    assert not folder.exists()


def test_a_port_that_cannot_be_opened_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, folder = make_app(["serve", "migrate"]), tmp_path / "board"
    elsewhere = ["serve", "--host", "192.0.2.1", "--port", "8000", "--data-dir", str(folder)]
    assert run(app, elsewhere) == 1
    said = capsys.readouterr().err
    assert said.startswith("jobboard: port 8000 of 192.0.2.1: ")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(listening.socket, "create_server", refuse)
    assert run(app, ["serve", "--port", "80", "--data-dir", str(folder)]) == 1
    said = capsys.readouterr().err
    assert said == "jobboard: no right to open port 80; choose a PORT above 1023\n"
    assert not folder.exists()


class InterfaceError(Exception):
    """As drivers call one."""


@pytest.mark.parametrize(
    ("trouble", "code", "said"),
    [
        (KeyboardInterrupt(), 130, ""),
        (typer.Abort(), 130, ""),
        (BrokenPipeError(), 1, ""),
        (OSError(errno.ENOSPC, "No space left"), 1, "the disk is full; free some space"),
        (InterfaceError("connection is closed\nand more"), 1, "connection is closed\n"),
        (InterfaceError(), 1, "a server does not answer: InterfaceError\n"),
    ],
)
def test_trouble_has_an_exit_code_and_at_most_a_line(
    trouble: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(failing(trouble), []) == code
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == bool(said)


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(LookupError):
        run(failing(LookupError("a bug")), [])


def failing(trouble: BaseException) -> typer.Typer:
    """A command that meets it."""
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise trouble

    return app


def test_a_program_that_ends_before_it_answers_is_not_said_to_listen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
        serve._say_when_it_answers(ended, ("127.0.0.1", free_port()))
    assert capsys.readouterr().err == ""


def test_a_worker_keeps_celerys_own_words_to_itself() -> None:
    silent = worker_command(concurrency=1, schedule=None)[: len(SILENT)]
    talk = [sys.executable, "-c", "import sys; print('Warm'); print('trouble', file=sys.stderr)"]
    said = subprocess.run([*silent, *talk], capture_output=True, text=True, timeout=30)
    assert (said.stdout, said.stderr) == ("", "trouble\n")


def test_serve_says_where_it_listens_once_it_answers(
    settings: Settings, clean: None, tmp_path: Path
) -> None:
    own = {
        "JOBBOARD_DATABASE_URL": settings.database_url.get_secret_value(),
        "JOBBOARD_REDIS_URL": settings.redis_url.get_secret_value(),
        "JOBBOARD_STORAGE_URL": settings.storage_url,
        "JOBBOARD_SECRET_KEY": settings.secret_key.get_secret_value(),
    }
    port = free_port()
    env = environment(tmp_path / "board", PORT=str(port), **own)
    serve = jobboard("serve")
    with subprocess.Popen(serve, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.terminate()
        rest = process.stderr.read()
    assert line == f"Jobboard listens at http://127.0.0.1:{port}. Ctrl-C stops it.\n"
    assert rest == ""


def test_the_folder_may_stand_before_the_command(tmp_path: Path) -> None:
    env = environment(tmp_path / "elsewhere", JOBBOARD_REDIS_URL="redis://127.0.0.1:1")
    (tmp_path / "up").touch()  # a file, in which no board can be, called as a command
    said = subprocess.run(
        jobboard("--data-dir", "up", "migrate"),
        env=env, cwd=tmp_path, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert said.returncode == 1
    assert "set DATA_DIR to a folder" in said.stderr
    assert not (tmp_path / "elsewhere").exists()
