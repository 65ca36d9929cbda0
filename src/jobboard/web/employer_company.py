"""A company as its own people see it: what it says of itself, its logo, its team."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.may import Right, may
from jobboard.accounts.schemas import Actor
from jobboard.companies import queries, service
from jobboard.companies.models import Company, MemberRole
from jobboard.companies.schemas import (
    CompanyCreate,
    CompanyRead,
    CompanyUpdate,
    MemberAdd,
    MemberRead,
    MemberStatus,
)
from jobboard.errors import Invalid, NotFound
from jobboard.infra.engines import Engines
from jobboard.infra.rates import UPLOADS, limited
from jobboard.uploads import service as uploads
from jobboard.wallet import queries as wallets
from jobboard.wallet.schemas import WalletRead
from jobboard.web.deps import EnginesDep, FormAloneDep, FormDep, SessionDep, redirect
from jobboard.web.desk import EmployerAloneDep, EmployerDep, outcome
from jobboard.web.forms import MEGABYTE, UPLOAD_BODY, Form
from jobboard.web.rendering import engines_of, render
from jobboard.web.wallet import amount_of

router = APIRouter(prefix="/employer/companies", include_in_schema=False)


@router.get("/new")
async def show_new_company(request: Request, _actor: EmployerDep) -> HTMLResponse:
    """An empty form."""
    return _new_page(request, Form())


def _new_page(request: Request, form: Form) -> HTMLResponse:
    return render(request, "employer/new_company.html", status=form.status, private=True, form=form)


@router.post("/new")
async def create_company(
    request: Request, session: SessionDep, actor: EmployerDep, form: FormDep
) -> Response:
    """Make a company; whoever does owns it."""
    company: Company | None = None
    async with form.attempt(session):
        company = await service.create(session, actor, form.parse(CompanyCreate))
    if company is None:
        return _new_page(request, form)
    text = f"{company.name} is set up. Now write your first job."
    return redirect(request, f"/employer/jobs/new?company={company.id}", text)


@router.get("/{company_id}")
async def show_company(
    request: Request, company_id: UUID, session: SessionDep, actor: EmployerDep
) -> HTMLResponse:
    """What the company says of itself, its logo and its team."""
    return await _page(request, session, actor, company_id)


async def _page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    company_id: UUID,
    **refused: Form,
) -> HTMLResponse:
    """The page with its three forms; `refused` is the one that was sent, by its name."""
    members = await service.list_members(session, actor, company_id)
    company = CompanyRead.model_validate(await queries.get(session, company_id))
    role = await queries.role_of(session, actor, company_id)
    filled = {"name": company.name, "website": company.website, "description": company.description}
    forms: dict[str, Form] = {
        "details": Form.of(filled),
        "logo": Form(),
        "member": Form.of({"role": MemberRole.RECRUITER}),
    }
    context: dict[str, Any] = forms | refused
    return render(
        request,
        "employer/company.html",
        status=max((form.status for form in refused.values()), default=200),
        private=True,
        company=company,
        members=members,
        role=role,
        owns=may(actor, Right.MANAGE_KEYS, *queries.RELATIONS[role]),
        manages=may(actor, Right.MANAGE_COMPANY, *queries.RELATIONS[role]),
        wallet=await _wallet(session, actor, company_id),
        currency=(await wallets.of_company(session, company_id)).currency,
        max_mb=engines_of(request).settings.image_max_mb,
        **context,
    )


async def _wallet(session: AsyncSession, actor: Actor, company_id: UUID) -> WalletRead | None:
    """The company's credits, where `actor` may look into them."""
    try:
        return await wallets.get(session, actor, (await wallets.of_company(session, company_id)).id)
    except NotFound:
        return None


@router.post("/{company_id}")
async def change_company(
    request: Request, company_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> Response:
    """Save what the company says of itself."""
    async with form.attempt(session):
        await service.change(session, actor, company_id, form.parse(CompanyUpdate))
    if form.refused:
        return await _page(request, session, actor, company_id, details=form)
    return redirect(request, f"/employer/companies/{company_id}", "Your changes are saved.")


@router.post("/{company_id}/logo", max_body_size=UPLOAD_BODY)
@limited(UPLOADS)
async def set_logo(
    request: Request,
    company_id: UUID,
    actor: EmployerAloneDep,
    form: FormAloneDep,
    engines: EnginesDep,
) -> Response:
    """Show a picture as the logo, or none any more."""
    here = f"/employer/companies/{company_id}"
    async with engines.database.transaction() as session:
        await service.require_manager(session, actor, company_id)
        if form.value("do") == "remove":
            await service.remove_logo(session, actor, company_id)
            text = "The logo is gone. The company's initials stand there now."
            return redirect(request, here, text)
    async with form.attempt(renamed={"": "file"}):
        await _show_logo(engines, actor, company_id, form)
    if form.refused:
        async with engines.database.transaction() as session:
            return await _page(request, session, actor, company_id, logo=form)
    return redirect(request, here, "This is your logo now.")


async def _show_logo(engines: Engines, actor: Actor, company_id: UUID, form: Form) -> None:
    """Read the picture while no transaction is open, and keep it in one."""
    if not form.has_file("file"):
        raise Invalid.field("file", "Choose a picture first.")
    settings = engines.settings
    filename, data = await form.read_file("file", limit=settings.image_max_mb * MEGABYTE)
    picture = await uploads.read_picture(engines.pictures, settings, data)
    async with engines.database.transaction() as session:
        await service.show_logo(
            session, engines.storage, settings, actor, company_id, picture, filename=filename
        )


@router.post("/{company_id}/members")
async def add_member(
    request: Request, company_id: UUID, session: SessionDep, actor: EmployerDep, form: FormDep
) -> Response:
    """Invite a colleague to act for the company, or change what a member is for it."""
    limiter = engines_of(request).limiter
    async with form.attempt(session):
        limit = await _limit(session, company_id, form)
        data = form.parse(MemberAdd, **limit)
        member = await service.add_member(session, limiter, actor, company_id, data)
        here = f"/employer/companies/{company_id}#team"
        return redirect(request, here, _said(member))
    return await _page(request, session, actor, company_id, member=form)


def _said(member: MemberRead) -> str:
    if member.status is MemberStatus.MEMBER:
        return f"Saved what {member.full_name} may do."
    return (
        f"{member.email} is invited: a letter with a link is on its way. "
        "They act for this company once they have accepted."
    )


async def _limit(session: AsyncSession, company_id: UUID, form: Form) -> dict[str, int]:
    """What a member may spend, where the form says it, in minor units. Raises Invalid."""
    if not form.value("spending_limit").strip():
        return {}
    currency = (await wallets.of_company(session, company_id)).currency
    return {"spending_limit": amount_of(form, "spending_limit", currency)}


@router.post("/{company_id}/members/{person_id}/remove")
async def remove_member(
    request: Request,
    company_id: UUID,
    person_id: UUID,
    session: SessionDep,
    actor: EmployerDep,
    form: FormDep,
) -> RedirectResponse:
    """Let someone go, or leave."""
    here = f"/employer/companies/{company_id}"
    async with form.attempt(session):
        await service.remove_member(session, actor, company_id, person_id)
    if person_id == actor.id and not form.refused:
        return redirect(request, "/employer", "You have left the company.")
    return outcome(request, form, here, "They can no longer act for this company.")
