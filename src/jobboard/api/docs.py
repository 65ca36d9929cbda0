"""/api/docs: Swagger UI from a wheel, so that it needs no CDN, under a policy of its own."""

from importlib.resources import files

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from jobboard.errors import NotFound
from jobboard.infra.rates import exempt

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
# Swagger UI sets style attributes and draws its icons from data: addresses. No foreign origin.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API of this board</title>
<link rel="icon" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The schema itself:
<a href="/api/openapi.json">/api/openapi.json</a></noscript>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</html>
"""
START = """SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: "none",
});
"""
CACHE = {"Cache-Control": "public, max-age=86400"}
router = APIRouter(prefix="/api/docs", include_in_schema=False)


@router.get("")
@exempt
async def read_docs() -> HTMLResponse:
    """The page."""
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})


@router.get("/start.js")
@exempt
async def read_start() -> Response:
    """What an inline script would do, had the policy allowed one."""
    return Response(START, media_type="text/javascript", headers=CACHE)


@router.get("/{name}")
@exempt
def read_asset(name: str) -> Response:
    """A file of Swagger UI. Reads from disk, so in a thread."""
    if name not in ASSETS:
        raise NotFound
    content = files("fastapi_swagger").joinpath("resources", name).read_bytes()
    return Response(content, media_type=ASSETS[name], headers=CACHE)
