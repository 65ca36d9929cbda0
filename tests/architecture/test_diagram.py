"""docs/schema.md tells what is unique, however the models say it."""

import pytest

from scripts.diagram import draw


@pytest.mark.parametrize(
    "line",
    [
        "transfers o|--|o transfers : original_id",
        'uuid original_id FK, UK "null"',
        'varchar board "null; unique with currency"',
        'uuid job_id FK "unique with person_id"',
        "text slug UK",
    ],
)
def test_unique_keys_and_indexes_are_marked(line: str) -> None:
    assert f"    {line}\n" in draw()
