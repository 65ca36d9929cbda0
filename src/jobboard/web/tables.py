"""Numbers to take along: as CSV for a spreadsheet, as JSON for programs."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from fastapi.responses import Response
from pydantic import BaseModel

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would begin to calculate


def csv_response(filename: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """RFC 4180, UTF-8 with the mark that Excel wants. Text that looks like a formula is quoted."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return Response(
        "\ufeff" + lines.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{filename}"',
            "Cache-Control": "no-store",
        },
    )


def json_response(shown: BaseModel) -> Response:
    """As the API writes it."""
    headers = {"Cache-Control": "no-store"}
    return Response(shown.model_dump_json(), media_type="application/json", headers=headers)


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
