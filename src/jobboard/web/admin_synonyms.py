"""Words that mean the same to searches, as a page."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.schemas import Actor
from jobboard.admin import synonyms
from jobboard.errors import Invalid
from jobboard.jobs.synonyms import SynonymCreate, SynonymRead
from jobboard.web.deps import FormDep, SessionDep, redirect
from jobboard.web.desk import AdminDep, href, outcome
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(prefix="/admin/synonyms", include_in_schema=False)

PATH = "/admin/synonyms"
SHOWN = 200  # groups


@router.get("")
async def show_synonyms(
    request: Request,
    session: SessionDep,
    actor: AdminDep,
    q: Annotated[str, Query(max_length=60)] = "",
) -> HTMLResponse:
    """The groups, by their first term; `q` is a part of a term."""
    return await _page(request, session, actor, Form(), q.strip())


async def _page(
    request: Request, session: AsyncSession, actor: Actor, form: Form, q: str = ""
) -> HTMLResponse:
    groups = (await synonyms.listed(session, actor, q)).items
    return render(
        request,
        "admin/synonyms.html",
        status=form.status,
        private=True,
        form=form,
        q=q,
        groups=groups[:SHOWN],
        number=len(groups),
    )


@router.post("")
async def add_synonyms(
    request: Request, session: SessionDep, actor: AdminDep, form: FormDep
) -> Response:
    """Let terms, with commas between them, mean the same."""
    text = ""
    async with form.attempt(session):
        form.require("terms")
        if "," not in form.value("terms"):
            raise Invalid.field("terms", "Write two of them or more, with commas between them.")
        first = form.chosen("first", "yes")
        added = await synonyms.add(session, actor, form.parse(SynonymCreate, both_ways=not first))
        text = f"{_said(added)}, from the next search on."
    if form.refused:
        return await _page(request, session, actor, form)
    return redirect(request, PATH, text)


@router.post("/{synonym_id}/remove")
async def remove_synonyms(
    request: Request, synonym_id: UUID, session: SessionDep, actor: AdminDep, form: FormDep
) -> RedirectResponse:
    """Let terms be what they are again."""
    terms = ""
    async with form.attempt(session):
        terms = ", ".join((await synonyms.remove(session, actor, synonym_id)).terms)
    return outcome(request, form, href(PATH, q=form.value("q") or None), f"“{terms}” is removed.")


def _said(group: SynonymRead) -> str:
    others = ", ".join(group.terms[1:])
    verb = "and" if group.both_ways else "also finds"
    return f"“{group.terms[0]}” {verb} “{others}”" + (" find each other" * group.both_ways)
