"""What GitHub runs for us: pinned, with few rights, and of files that are there."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
WRITES = {
    "publish": {"id-token", "pages"},
    "release": {"attestations", "contents", "id-token", "packages"},
}

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(path.read_text("utf-8"))["jobs"]


@each_workflow
def test_each_action_is_pinned_by_commit_and_says_its_version(path: Path) -> None:
    for used in re.findall(r"uses: (.+)", path.read_text("utf-8")):
        assert used.startswith("./") or PINNED.fullmatch(used), used


@each_workflow
def test_rights_are_few(path: Path) -> None:
    text = path.read_text("utf-8")
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in text
    for name, job in jobs(path).items():
        assert {right for right, kind in job.get("permissions", {}).items() if kind == "write"} == (
            WRITES.get(name, set())
        )
        for step in job.get("steps", ()):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


@each_workflow
def test_nothing_of_the_event_is_put_into_a_script(path: Path) -> None:
    for job in jobs(path).values():
        for step in job.get("steps", ()):
            assert "${{" not in step.get("run", "")


@each_workflow
def test_each_job_ends(path: Path) -> None:
    for job in jobs(path).values():
        assert job.get("timeout-minutes", 0) or job["uses"].startswith("./")


@pytest.mark.parametrize(
    ("version", "tags", "early"),
    [
        ("1.2.0", "r.example/a/board:1.2.0,r.example/a/board:latest", None),
        ("1.2.0-rc1", "r.example/a/board:1.2.0-rc1", "--prerelease"),
        ("1.2.0rc1", "r.example/a/board:1.2.0rc1", "--prerelease"),
    ],
)
def test_only_a_finished_version_becomes_the_latest(
    tmp_path: Path, version: str, tags: str, early: str | None
) -> None:
    [path] = [path for path in WORKFLOWS if path.stem == "release"]
    steps = jobs(path)["release"]["steps"]
    [step] = [step for step in steps if step.get("id") == "version"]
    (tmp_path / "pyproject.toml").write_text(f'version = "{version}"\n')
    environment = {
        "PATH": os.environ["PATH"],
        "GITHUB_REF_NAME": f"v{version}",
        "GITHUB_REPOSITORY": "A/Board",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "REGISTRY": "r.example",
    }
    script = ["bash", "-e", "-c", step["run"]]
    subprocess.run(script, cwd=tmp_path, env=environment, check=True, timeout=10)
    lines = (tmp_path / "output").read_text().splitlines()
    told = dict(line.split("=", 1) for line in lines)
    assert (told["tags"], told.get("early")) == (tags, early)
    [pushed] = [step["with"]["tags"] for step in steps if step.get("id") == "image"]
    assert pushed == "${{ steps.version.outputs.tags }}"


def test_a_release_is_looked_at_before_it_is_published() -> None:
    [path] = [path for path in WORKFLOWS if path.stem == "release"]
    steps = jobs(path)["release"]["steps"]
    used = [step.get("uses", step.get("run", "")).partition("@")[0] for step in steps]
    given = [step.get("with", {}) for step in steps]
    scanned = used.index("anchore/scan-action")
    tried = used.index(".ci/try-compose")
    [published] = [number for number, each in enumerate(given) if each.get("push")]
    assert given[scanned]["fail-build"] is True
    assert max(scanned, tried) < min(used.index("docker/login-action"), published)
    looked_at, pushed = given[used.index("docker/build-push-action")], given[published]
    assert looked_at["build-args"] == pushed["build-args"]
    assert looked_at["tags"] == given[scanned]["image"]


@each_workflow
def test_what_is_called_is_there(path: Path) -> None:
    text = path.read_text("utf-8")
    for name in re.findall(r"(?<!\w)(\.ci/[\w-]+)", text):
        assert os.access(ROOT / name, os.X_OK)
    for name in re.findall(r"(?:requirements|\.github)/[\w./-]+\.(?:txt|yml)", text):
        assert (ROOT / name).is_file()
