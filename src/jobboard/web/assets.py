"""Static files: read once, served from memory under an address that changes with them.

Every address holds a digest of all files together, so browsers may keep a file for good, and
ES modules can import each other by relative paths. `static/` holds only what we wrote by hand.
"""

import hashlib
import mimetypes
from pathlib import Path

from fastapi import APIRouter, Response

from jobboard.errors import NotFound
from jobboard.infra.rates import exempt

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOR_GOOD = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


def _read() -> dict[str, bytes]:
    files = sorted(path for path in FOLDER.rglob("*") if path.is_file())
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in files}


FILES = _read()
VERSION = hashlib.sha256(b"\0".join(b"%s\0%s" % (n.encode(), f) for n, f in FILES.items()))
PREFIX = f"/static/{VERSION.hexdigest()[:12]}"


def static_url(name: str) -> str:
    """The address of one of our files. A wrong name fails in the first test that draws the page."""
    if name not in FILES:
        raise KeyError(name)
    return f"{PREFIX}/{name}"


@router.get("/static/{version}/{name:path}")
@exempt
async def read_static(version: str, name: str) -> Response:
    """A file; of an older version's address the newest, not kept, for pages open over an update."""
    if name not in FILES:
        raise NotFound
    current = PREFIX.endswith(f"/{version}")
    return Response(
        FILES[name],
        media_type=_media_type(name),
        headers={"Cache-Control": FOR_GOOD if current else "no-cache"},
    )


def _media_type(name: str) -> str:
    kind = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
    return kind or "application/octet-stream"
