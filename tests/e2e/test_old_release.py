"""An update migrates while the old release still serves: its own tests pass on the new schema."""

import os
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.boards import Servers
from tests.e2e.releases import COMPATIBLE_SINCE, ROOT, git

pytestmark = pytest.mark.slow

WALK = [
    "tests/api/v1/test_story.py",
    "tests/api/v1/test_kept_answers.py",
]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The files of that release."""
    with tarfile.open(fileobj=BytesIO(git("archive", COMPATIBLE_SINCE))) as files:
        # Debian 12's Python 3.11 has no filters yet; these files are our own.
        files.extraction_filter = getattr(tarfile, "data_filter", None)
        files.extractall(tmp_path / "old")
    return tmp_path / "old"


def test_the_old_release_passes_on_the_new_schema(
    old: Path, tmp_path: Path, board: Servers
) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    shutil.copy(Path(__file__).with_name("newer_schema.py"), plugins)
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("JOBBOARD_", "PYTEST_", "COV"))
    }
    environment = kept | {
        # Its databases have names of their own. Redis has numbers, which are ours: it starts one.
        "JOBBOARD_TEST_DATABASE_URL": board.database_url,
        "JOBBOARD_TEST_MONGO_URL": board.mongo_url,
        "PYTHONPATH": f"{old / 'src'}:{plugins}",
        "NEWER": str(ROOT / "src"),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "newer_schema", *WALK]
    run = subprocess.run(command, cwd=old, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    assert " passed" in run.stdout
