"""docs/api-quickstart.md: its commands are run as they stand, and print what it says."""

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.visitors import Site

pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).parents[2] / "docs" / "api-quickstart.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "--- end of block ---"


def blocks() -> list[tuple[str, str]]:
    """Each block of commands with what it shall print, empty where nothing is shown."""
    found = [*BLOCK.findall(DOCUMENT.read_text("utf-8")), ("", "")]
    return [
        (text, shown if kind != "sh" else "")
        for (of, text), (kind, shown) in pairwise(found)
        if of == "sh"
    ]


def fits(printed: str, shown: str) -> bool:
    """Whether it is what the document shows: white space apart, `...` for anything."""
    parts = [re.escape("".join(part.split())) for part in shown.split("...")]
    return re.fullmatch(".*".join(parts), "".join(printed.split())) is not None


def test_the_commands_print_what_the_document_says(light_site: Site, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    commands = "".join(f"{text}\necho '{MARK}'\n" for text, _ in blocks())
    run = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=commands.replace("http://127.0.0.1:8000", light_site.address),
        cwd=tmp_path,
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert (run.returncode, run.stderr) == (0, ""), run
    printed = run.stdout.split(f"{MARK}\n")
    for (text, shown), said in zip(blocks(), printed, strict=False):
        assert fits(said, shown), f"{text}\nprinted:\n{said}\nand the document shows:\n{shown}"


def test_a_wrong_output_is_noticed() -> None:
    assert fits('{"id": "7", "tags": ["a"]}\n', '{"id": "...",\n "tags": ["a"]}')
    assert not fits('{"id": "7", "tags": ["b"]}', '{"id": "...", "tags": ["a"]}')
    assert not fits("draft", "")
