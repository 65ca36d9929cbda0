"""The documentation as a site: `python -m scripts.site [FOLDER]`; without a folder it is checked.

Every page lies where it lies in the repository, so that links are the same in both. What a page
links to and is no page itself (code, settings) becomes one, and so does each file that the roadmap
names: the course can be read to its end without a clone. A link that leads nowhere is an error.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from shutil import copy, copytree, rmtree
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "programs/README.md")
PICTURES = {".png", ".svg", ".webp"}
ROADMAP = Path("docs/roadmap.md")
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|[#/])([^)#\s]+)(#L\d+)?")  # and a line of code
NAMED = re.compile(r"(?<!\[)`([\w./-]+\.\w+)`(?!\])")  # in the roadmap: a file, if there is one
LANGUAGES = {".py": "python", ".conf": "nginx", ".yml": "yaml", ".yaml": "yaml", ".json": "json"}


class Site:
    """Pages and what they lead to, put together in a folder."""

    def __init__(self, folder: Path, *, code: bool) -> None:
        """Without `code` its pages are empty: enough to see whether links lead somewhere."""
        self.folder = folder
        self.lost: list[str] = []  # links to files that are not there
        self._code = code
        self._shown: set[Path] = set()

    def put(self) -> None:
        """Every page, changed only where it links to something that is none."""
        copytree(ROOT / "docs" / "images", self.folder / "docs" / "images")
        for page in pages():
            text = (ROOT / page).read_text()
            if page == ROADMAP:
                text = NAMED.sub(self._link, text)
            text = LINK.sub(lambda found, page=page: self._target(page, found), text)
            self._write(page, text)

    def _link(self, found: re.Match[str]) -> str:
        """A file that is named becomes one that is linked."""
        named = found[1]
        return f"[`{named}`](../{named})" if (ROOT / named).is_file() else found[0]

    def _target(self, page: Path, found: re.Match[str]) -> str:
        file = (ROOT / page.parent / found[1]).resolve()
        if not file.exists():
            self.lost.append(f"{page} links to {found[1]}, which is not there")
        if file.suffix in {".md", *PICTURES} or not file.is_file():
            return found[0]
        shown = self._show(file.relative_to(ROOT))
        return os.path.relpath(shown, page.parent)

    def _show(self, file: Path) -> Path:
        """A page with what stands in a file; the generator does not look into hidden folders."""
        page = Path(f"{file}.md".lstrip("."))
        if page in self._shown:
            return page
        self._shown.add(page)
        language = LANGUAGES.get(file.suffix, "text")
        text = (ROOT / file).read_text() if self._code else ""
        fence = "`" * (3 + max(map(len, re.findall("`{3,}", text)), default=0))
        title = f"---\ntitle: {file.name}\n---\n\n# {file}\n"
        code = f'{fence}{{.{language} linenums="1"}}\n{text}\n{fence}\n'
        self._write(page, f"{title}\n{code}")
        return page

    def _write(self, page: Path, text: str) -> None:
        where = self.folder / page
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text)


def pages() -> Iterator[Path]:
    """By their place in the repository."""
    yield from map(Path, PAGES)
    yield from sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))


def _listed(entry: Any) -> Iterator[str]:
    """The pages of the navigation, however deep."""
    if isinstance(entry, str):
        yield entry
        return
    for each in entry.values() if isinstance(entry, dict) else entry:
        yield from _listed(each)


def build(target: Path | None) -> int:
    """Put the site together and build it, into a folder or into nothing. The exit code."""
    configuration = tomllib.loads((ROOT / "zensical.toml").read_text())
    lost = set(map(str, pages())) - set(_listed(configuration["project"]["nav"]))
    if lost:
        print(f"zensical.toml does not list {', '.join(sorted(lost))}")
        return 1
    with TemporaryDirectory(prefix="jobboard-site-") as name:
        work = Path(name)
        site = Site(work / "pages", code=target is not None)
        site.put()
        if site.lost:
            print("\n".join(site.lost))
            return 1
        copy(ROOT / "zensical.toml", work)
        done = subprocess.run(
            [sys.executable, "-m", "zensical", "build", "--strict"],
            cwd=work, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode:
            print(done.stdout)
        elif target is not None:
            rmtree(target, ignore_errors=True)
            copytree(work / "site", target)
            print(f"The documentation is in {target}: open {target / 'index.html'}")
        return done.returncode


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]) if sys.argv[1:] else None))
