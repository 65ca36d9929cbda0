"""Rules of the house that no tool checks: who commits, and that the documents speak the truth."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "jobboard").rglob("*.py"))
DOCUMENTS = sorted(
    path for folder in (ROOT, ROOT / "docs", ROOT / "programs") for path in folder.glob("*.md")
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
PATH = re.compile(r"`((?:src|tests|docs|programs|migrations|\.github|\.ci)/[\w./-]*)`")


def test_only_the_transaction_begins_and_commits() -> None:
    ends = re.compile(r"\.(?:commit|rollback)\(\)|session\.begin\(\)")
    guilty = [path.relative_to(ROOT) for path in SOURCES if ends.search(path.read_text("utf-8"))]
    assert guilty == [Path("src/jobboard/infra/postgres.py")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_is_there(document: Path) -> None:
    text = document.read_text("utf-8")
    links = [document.parent / target for target in LINK.findall(text)]
    paths = [ROOT / target for target in PATH.findall(text)]
    missing = [str(path) for path in (*links, *paths) if not path.exists()]
    assert missing == []
