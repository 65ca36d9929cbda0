"""/api/docs: Swagger UI from a wheel, so that it needs no CDN, under a policy of its own."""

import json
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from jobboard.api import manual
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
VERSIONS
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The schema itself:
<a href="/api/openapi.json">/api/openapi.json</a></noscript>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</html>
"""
START = """const schemas = SCHEMAS;
const wanted = new URLSearchParams(location.search).get("version");
SwaggerUIBundle({
  url: schemas[wanted] ?? Object.values(schemas)[0],
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  validatorUrl: "none",
});
"""
CACHE = {"Cache-Control": "public, max-age=86400"}
router = APIRouter(prefix="/api/docs", include_in_schema=False)


@router.get("")
@exempt
async def read_docs(request: Request) -> HTMLResponse:
    """The page. Where there is more than one version, it leads to each."""
    names = [version.name for version in request.app.versions]
    links = " ".join(f'<a href="?version={name}">{name}</a>' for name in names)
    page = PAGE.replace("VERSIONS", f"<nav>Versions: {links}</nav>" if len(names) > 1 else "")
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})


@router.get("/start.js")
@exempt
async def read_start(request: Request) -> Response:
    """What an inline script would do, had the policy allowed one."""
    current, *others = request.app.versions
    schemas = {current.name: "/api/openapi.json"}
    schemas |= {version.name: version.schema_path for version in others}
    script = START.replace("SCHEMAS", json.dumps(schemas))
    return Response(script, media_type="text/javascript", headers=CACHE)


@router.get("/{name}")
@exempt
def read_asset(name: str) -> Response:
    """A page of the manual, or a file of Swagger UI. Reads from disk, so in a thread."""
    if name in manual.DOCUMENTS:
        return HTMLResponse(manual.page(name), headers=CACHE | {"Content-Security-Policy": POLICY})
    if name not in ASSETS:
        raise NotFound
    content = files("fastapi_swagger").joinpath("resources", name).read_bytes()
    return Response(content, media_type=ASSETS[name], headers=CACHE)
