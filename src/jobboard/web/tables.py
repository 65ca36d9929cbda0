"""Numbers to take along: as CSV for a spreadsheet, as JSON for programs."""

import csv
import io
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from datetime import datetime

from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would begin to calculate
MARK = "\ufeff"  # tells Excel that this is UTF-8
CSV = "text/csv; charset=utf-8"

Row = Sequence[object]


def csv_response(filename: str, heads: Sequence[str], rows: Iterable[Row]) -> Response:
    """RFC 4180, UTF-8 with the mark that Excel wants. Text that looks like a formula is quoted."""
    return Response(
        MARK + _lines([heads]) + _lines(rows), media_type=CSV, headers=_headers(filename)
    )


def csv_stream(
    filename: str, heads: Sequence[str], batches: AsyncIterable[Iterable[Row]]
) -> StreamingResponse:
    """The same for more rows than memory should hold: sent as they come."""
    pieces = _pieces(heads, batches)
    return StreamingResponse(pieces, media_type=CSV, headers=_headers(filename))


def json_response(shown: BaseModel) -> Response:
    """As the API writes it."""
    headers = {"Cache-Control": "no-store"}
    return Response(shown.model_dump_json(), media_type="application/json", headers=headers)


async def _pieces(
    heads: Sequence[str], batches: AsyncIterable[Iterable[Row]]
) -> AsyncIterator[str]:
    yield MARK + _lines([heads])
    async for rows in batches:
        yield _lines(rows)


def _headers(filename: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{filename}"',
        "Cache-Control": "no-store",
    }


def _lines(rows: Iterable[Row]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    """Numbers as they are, a negative `Decimal` too."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
