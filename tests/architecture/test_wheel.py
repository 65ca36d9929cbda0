"""What is installed: the product and its migrations, and nothing beside it."""

import subprocess
import sys
import zipfile
from pathlib import Path

from jobboard.api.manual import DOCUMENTS

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_the_product_only(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"jobboard", "jobboard-0.1.0.dist-info"}
    assert "jobboard/_migrations/env.py" in names
    assert "jobboard/web/static/base.css" in names
    documents = {f"jobboard/_docs/{name}" for name in DOCUMENTS.values()}
    assert {name for name in names if "/_docs/" in name} == documents
