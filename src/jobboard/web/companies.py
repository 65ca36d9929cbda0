"""A company's page."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from jobboard.companies import queries
from jobboard.companies.schemas import CompanyRead
from jobboard.jobs.search import JobSearch, search
from jobboard.web.deps import SessionDep, ViewerDep
from jobboard.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/companies/{slug}")
async def show_company(
    request: Request, slug: str, session: SessionDep, viewer: ViewerDep
) -> HTMLResponse:
    """Who they are, and the newest of their live jobs."""
    company = await queries.get_by_slug(session, slug)
    result = await search(session, JobSearch(company=company.slug))
    return render(
        request,
        "companies/page.html",
        company=CompanyRead.model_validate(company),
        result=result,
        ours=await queries.acts_for(session, viewer, company.id),
    )
