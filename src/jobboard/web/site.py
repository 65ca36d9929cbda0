"""What robots ask for."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from jobboard.infra.rates import exempt

router = APIRouter(include_in_schema=False)

ROBOTS = """\
User-agent: *
Disallow: /me
Disallow: /employer
Disallow: /admin
Disallow: /log-in
Disallow: /sign-up
Disallow: /forgot-password
Disallow: /reset-password
Disallow: /verify-email
Disallow: /change-email
Disallow: /undo-change-email
Disallow: /resumes
Disallow: /jobs/*/apply
Disallow: /api/
"""


@router.get("/robots.txt")
@exempt
async def read_robots() -> PlainTextResponse:
    """Jobs and companies may be indexed, the rest is of no use to searchers."""
    return PlainTextResponse(ROBOTS, headers={"Cache-Control": "public, max-age=3600"})
