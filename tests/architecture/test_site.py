"""A link of the documentation that leads nowhere is an error, also one to code or a picture."""

from pathlib import Path

import pytest

from scripts import site


@pytest.mark.parametrize("target", ["../src/gone.py", "images/gone.png", "../gone/"])
def test_what_a_page_links_to_is_there(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs" / "images").mkdir(parents=True)
    (tmp_path / "docs" / "page.md").write_text(f"# Page\n\n[Look]({target}).\n")
    (tmp_path / "zensical.toml").write_text('[project]\nnav = ["docs/page.md"]\n')
    monkeypatch.setattr(site, "ROOT", tmp_path)
    monkeypatch.setattr(site, "PAGES", ())
    assert site.build(None) == 1
    assert f"docs/page.md links to {target}" in capsys.readouterr().out
