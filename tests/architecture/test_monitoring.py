"""The dashboard and the alert rules ask for series that there are, with labels that they have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"
SERIES = re.compile(r"\b(jobboard_\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
GIVEN = {"instance", "job"}  # by Prometheus itself


def dashboard() -> dict[str, Any]:
    return json.loads((FOLDER / "grafana.json").read_text())


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return group["rules"]


def questions() -> Iterator[tuple[str, str]]:
    """What each asks, by its name."""
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for rule in rules():
        yield rule["alert"], rule["expr"]


@pytest.mark.anyio
async def test_every_series_is_there(client: httpx2.AsyncClient) -> None:
    await client.get("/api/v1/companies")
    text = (await client.get("/metrics")).text
    families = list(text_string_to_metric_families(text))
    labels: dict[str, set[str]] = {}
    for family in families:
        for name in (family.name, f"{family.name}_total", f"{family.name}_bucket"):
            labels.setdefault(name, set())
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    asked = [(where, *found) for where, text in questions() for found in SERIES.findall(text)]
    assert len(asked) >= 25
    assert [(where, name) for where, name, _ in asked if name not in labels] == []
    unknown = [
        (where, name, label)
        for where, name, within in asked
        for label in LABEL.findall(within)
        if label not in labels[name] | GIVEN
    ]
    assert unknown == []


def test_panels_do_not_overlap_and_say_what_they_count_in() -> None:
    panels = dashboard()["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels)


def test_every_alert_says_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "warn"}
        assert rule["annotations"].keys() == {"summary", "action"}
