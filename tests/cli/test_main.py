"""The command line as a whole: what holds for every command."""

from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from jobboard import __version__
from jobboard.cli.main import COMMANDS, make_app, run
from tests.e2e.boards import free_port


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
