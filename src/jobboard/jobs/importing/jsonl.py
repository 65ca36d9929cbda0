"""Files of ads, one JSON object in each line, any of the fields missing or dirty:
source, id, title, company, location, description, salary, employment_type, remote, posted, url."""

import json
from collections.abc import Iterator
from typing import Any

from jobboard.jobs.importing.jsontext import decoded
from jobboard.jobs.importing.model import RawJob, Reading, Rejected, line, read

MAX_ROW = 2**20  # characters; the longest ads have some 30,000
_SHOWN = 200  # of a row that is no JSON


def read_all(data: bytes, company: str | None) -> Iterator[Reading]:
    """Every line of a file that is not empty; the row's number is its line's."""
    for row, written in enumerate(decoded(data).split("\n"), 1):
        if written.strip("\r\t \x00"):
            yield _read(row, written, company)


def _read(row: int, written: str, company: str | None) -> Reading:
    if len(written) > MAX_ROW:
        return Rejected(row, f"it is longer than {MAX_ROW // 2**20} MB", written[:_SHOWN])
    try:
        ad = json.loads(written)
    except (ValueError, RecursionError):
        return Rejected(row, "it is not JSON", written[:_SHOWN])
    if not isinstance(ad, dict):
        return Rejected(row, "it is not an object", written[:_SHOWN])
    return read(_raw(row, ad), company)


def _raw(row: int, ad: dict[str, Any]) -> RawJob:
    names = (
        "id", "title", "company", "location", "description", "salary", "employment_type",
        "remote", "posted", "url",
    )  # fmt: skip
    tags = ad.get("tags")
    return RawJob(
        source=line(ad.get("source"), 50).lower() or "jsonl",
        row=row,
        raw=ad,
        level=ad.get("experience"),
        tags=tags if isinstance(tags, list) else [],
        **{name: ad.get(name) for name in names},
    )
