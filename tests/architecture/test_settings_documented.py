"""docs/settings.md tells of every setting, with the default and the words of the code."""

import re
from pathlib import Path

import pytest

from jobboard.settings import PREFIX, Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
ROW = re.compile(r"^\| `(?P<name>JOBBOARD_\w+)` \| (?:`(?P<default>.*?)`)? ?\| (?P<meaning>.*) \|$")


def rows() -> dict[str, tuple[str, str]]:
    """Default and meaning by name."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    matches = [match for line in lines if (match := ROW.match(line))]
    return {match["name"]: (match["default"] or "", match["meaning"]) for match in matches}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_stands_in_the_table(name: str) -> None:
    field = Settings.model_fields[name]
    secret = hasattr(field.default, "get_secret_value")
    default = field.default.get_secret_value() if secret else str(field.default)
    assert rows()[PREFIX + name.upper()] == (default, field.description)


def test_nothing_else_does() -> None:
    assert set(rows()) == {PREFIX + name.upper() for name in Settings.model_fields}
