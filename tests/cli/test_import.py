"""`jobboard import`: sources, counts, rejects and exit codes."""

import gzip
import json
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from jobboard.cli import jobs
from jobboard.cli.main import make_app, run
from jobboard.clock import now
from jobboard.settings import Settings
from tests.cli.terminals import terminal

AD: dict[str, Any] = {
    "source": "harbour", "title": "Baker", "company": "Harbour Bakery", "location": "Leeds, UK",
    "description": "Bake bread.",
}  # fmt: skip

Import = Callable[..., int]


@pytest.fixture
def import_(settings: Settings, clean: None, monkeypatch: pytest.MonkeyPatch) -> Import:
    """Runs the command on the test board and gives its exit code."""
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", settings.database_url.get_secret_value())
    app = make_app(["jobs", "migrate"])
    return lambda *arguments: run(app, ["import", *map(str, arguments)])


@pytest.fixture
def ads(tmp_path: Path) -> Path:
    """A file of two ads and a broken line."""
    path = tmp_path / "a file of ads.jsonl"
    lines = [AD | {"id": 1}, AD | {"id": 2}]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + "{\n")
    return path


def test_says_what_became_of_the_rows(
    import_: Import, ads: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_("jsonl", ads) == 0
    assert capsys.readouterr().out == "2 created, 0 updated, 0 unchanged, 1 rejected\n"
    assert import_("jsonl", ads) == 0
    assert capsys.readouterr().out == "0 created, 0 updated, 2 unchanged, 1 rejected\n"


def test_what_takes_long_is_no_warning_at_a_terminal(
    import_: Import,
    ads: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JOBBOARD_SLOW_STATEMENT_MS", "1")
    monkeypatch.setenv("JOBBOARD_REDIS_URL", "redis://127.0.0.1:1")
    assert import_("jsonl", ads) == 0
    assert "statement" not in "".join(capfd.readouterr())


def test_rows_are_counted_at_a_terminal(
    import_: Import, ads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with terminal(monkeypatch) as shown:
        assert import_("jsonl", ads) == 0
    assert "3 rows" in shown[0]


def test_reads_packed_files(
    import_: Import, ads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = tmp_path / "ads.gz"
    packed.write_bytes(gzip.compress(ads.read_bytes()))
    assert import_("jsonl", packed) == 0
    assert "2 created" in capsys.readouterr().out


def test_writes_rejects_with_reasons(import_: Import, ads: Path, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    assert import_("jsonl", ads, "--rejects", rejects) == 0
    (refused,) = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert refused == {"row": 3, "reason": "it is not JSON", "raw": "{"}


def test_names_the_company_where_the_source_does_not(
    import_: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lever.json"
    path.write_text(json.dumps([{"id": "x", "text": "Baker", "description": "Bake."}]))
    assert import_("lever", path) == 0
    assert "0 created" in capsys.readouterr().out
    assert import_("lever", path, "--company", "Harbour Bakery") == 0
    assert "1 created" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("greenhouse", b"[]", 'an object with a list "jobs" was expected'),
        ("lever", b"<html>", "not JSON"),
        ("jsonl", b"\x1f\x8bbroken", "no whole gzip file"),
        ("jsonl", gzip.compress(b"{}" * 9000, mtime=0)[:40], "no whole gzip file"),
        ("jsonl", None, "No such file"),
    ],
)
def test_a_source_that_cannot_be_read_fails_in_one_line(
    import_: Import,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    content: bytes | None,
    message: str,
) -> None:
    path = tmp_path / "source"
    if content is not None:
        path.write_bytes(content)
    assert import_(kind, path) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1


def test_a_source_that_is_too_large_is_refused_before_it_is_read(
    import_: Import, ads: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_BYTES", 10)
    assert import_("jsonl", ads) == 1
    assert "Split it, please" in capsys.readouterr().err


def test_a_process_that_is_killed_imports_nothing(
    import_: Import, ads: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: Any, **__: Any) -> None:
        raise BrokenProcessPool("A process in the process pool was terminated abruptly")

    monkeypatch.setattr(jobs, "import_jobs", killed)
    assert import_("jsonl", ads) == 1
    assert "is memory short? Nothing was imported." in capsys.readouterr().err


@pytest.mark.parametrize(
    "address", ["http://example.com/jobs", "https://127.0.0.1/jobs", "file:///etc/passwd"]
)
def test_addresses_that_are_not_public_https_are_refused(
    import_: Import, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    assert import_("jsonl", address) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument 'kind'. Choose from: greenhouse, lever, ashby, jsonl"),
        (
            ("monster", "ads"),
            "Invalid value for 'kind': "
            "'monster' is not one of 'greenhouse', 'lever', 'ashby', 'jsonl'.",
        ),
        (("jsonl", "ads", "--nope"), "No such option: --nope"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(make_app(["jobs", "migrate"]), ["import", *arguments]) == 2
    said = capsys.readouterr().err
    assert said == f"jobboard: {message} (`jobboard import --help` says more)\n"


def test_the_help_says_what_each_kind_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(make_app(["jobs", "migrate"]), ["import", "--help"]) == 0
    assert "jsonl for ads as JSON" in " ".join(capsys.readouterr().out.split())


def test_says_how_many_ads_are_older_than_a_year(
    import_: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ads.jsonl"
    posted = ["2019-05-01", "2020-01-31", now().date().isoformat(), None]
    lines = [AD | {"id": number, "posted": day} for number, day in enumerate(posted)]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert import_("jsonl", path) == 0
    said = capsys.readouterr()
    assert said.out == "4 created, 0 updated, 0 unchanged, 0 rejected\n"
    assert said.err == "jobboard: 2 were posted more than a year ago\n"
