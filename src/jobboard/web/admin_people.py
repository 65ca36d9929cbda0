"""Moderation's people: who is here, what they did, shutting out; and companies with new names."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import service as accounts
from jobboard.accounts.schemas import Actor
from jobboard.admin import companies, people
from jobboard.admin.schemas import NameSeen, PersonModeration
from jobboard.companies import service as company_service
from jobboard.web.deps import FormDep, SessionDep, local_path, redirect
from jobboard.web.desk import AdminDep, Cursor, href, outcome
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(prefix="/admin", include_in_schema=False)

PEOPLE = 50
COMPANIES = 50


@router.get("/people")
async def show_people(
    request: Request,
    session: SessionDep,
    _actor: AdminDep,
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: Cursor = None,
) -> HTMLResponse:
    """Everyone, newest first; `q` is part of a name or an address."""
    words = q.strip() or None
    page = await accounts.list_people(session, q=words, cursor=cursor, limit=PEOPLE)
    more = href("/admin/people", q=words, cursor=page.next_cursor)
    return render(
        request,
        "admin/people.html",
        private=True,
        q=q,
        people=page.items,
        back=href("/admin/people", q=words, cursor=cursor),
        first_href=href("/admin/people", q=words) if cursor else None,
        next_href=more if page.next_cursor else None,
    )


@router.get("/people/{person_id}")
async def show_person(
    request: Request, person_id: UUID, session: SessionDep, actor: AdminDep
) -> HTMLResponse:
    """One person and their doings."""
    return await _person_page(request, session, actor, person_id, Form())


async def _person_page(
    request: Request, session: AsyncSession, actor: Actor, person_id: UUID, form: Form
) -> HTMLResponse:
    person = await people.overview(session, actor, person_id)
    return render(
        request,
        "admin/person.html",
        status=form.status,
        private=True,
        form=form,
        person=person,
        alone=[place for place in person.companies if place.alone and place.live_jobs],
    )


@router.post("/people/{person_id}")
async def suspend_person(
    request: Request, person_id: UUID, session: SessionDep, actor: AdminDep, form: FormDep
) -> Response:
    """Shut someone out, with a reason, or let them back in."""
    text = ""
    async with form.attempt(session):
        if form.value("suspended") != "false":
            form.require("reason")
        wanted = form.parse(
            PersonModeration,
            suspended=form.value("suspended") != "false",
            remove_jobs=form.chosen("remove_jobs", "yes"),
        )
        person = await people.moderate(session, actor, person_id, wanted)
        out = "is logged out everywhere and cannot log in any more."
        text = f"{person.full_name} {out if person.suspended else 'can log in again.'}"
    if form.refused:
        return await _person_page(request, session, actor, person_id, form)
    return redirect(request, f"/admin/people/{person_id}", text)


@router.get("/companies")
async def show_renamed(
    request: Request, session: SessionDep, actor: AdminDep, cursor: Cursor = None
) -> HTMLResponse:
    """Companies with live jobs whose new name nobody has looked at."""
    page = await companies.renamed(session, actor, cursor=cursor, limit=COMPANIES)
    more = href("/admin/companies", cursor=page.next_cursor)
    return render(
        request,
        "admin/companies.html",
        private=True,
        companies=page.items,
        first_href="/admin/companies" if cursor else None,
        next_href=more if page.next_cursor else None,
    )


@router.post("/companies/{company_id}/name-seen")
async def mark_name_seen(
    request: Request, company_id: UUID, session: SessionDep, actor: AdminDep, form: FormDep
) -> RedirectResponse:
    """A new name may stay."""
    async with form.attempt(session):
        seen = form.parse(NameSeen)
        await company_service.see_name(session, actor, company_id, seen.name)
    back = local_path(form.value("back"), "/admin/companies")
    return outcome(request, form, back, f"“{form.value('name')}” may stay.")
