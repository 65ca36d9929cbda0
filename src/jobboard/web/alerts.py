"""Saved searches: save the one of a search page, and look after those that one has."""

from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from jobboard.accounts import service as accounts
from jobboard.accounts.schemas import Actor, PersonUpdate, time_zones
from jobboard.alerts import service
from jobboard.alerts.addresses import MAX_NAME, name_of, pairs
from jobboard.alerts.models import Frequency
from jobboard.alerts.schemas import (
    SavedCriteria,
    SavedSearchCreate,
    SavedSearchRead,
    SavedSearchUpdate,
)
from jobboard.jobs.search import JobSearch
from jobboard.notifications import choices
from jobboard.notifications.models import Topic
from jobboard.web.deps import ActorDep, FormDep, SessionDep, SettingsDep, redirect
from jobboard.web.desk import outcome
from jobboard.web.forms import Form
from jobboard.web.rendering import render
from jobboard.web.search import Asked, chips_of, company_name

router = APIRouter(include_in_schema=False, prefix="/me/alerts")

HERE = "/me/alerts"
FREQUENCIES = [
    ("daily", "Every morning at 8"),
    ("weekly", "On Mondays at 8"),
    ("at_once", "At once, as soon as there is one"),
]
SAVED = "Saved. We mail you the new jobs that it finds. Change or stop that under Job alerts."
LABELS = {"frequency": "How often", "time_zone": "Your time zone", "name": "Name"}
# The search comes in a hidden field: what is wrong with it stands at the top.
TO_TOP = {"search": ""}


@dataclass(frozen=True, slots=True)
class Shown:
    """A saved search, and its filters in words."""

    search: SavedSearchRead
    words: list[str]


@router.get("")
async def show_alerts(
    request: Request, session: SessionDep, settings: SettingsDep, actor: ActorDep
) -> Response:
    """What one hears of, and how often."""
    page = await service.list_own(session, actor, cursor=None, limit=service.MOST)
    person = await accounts.get(session, actor.id)
    return render(
        request,
        "alerts/list.html",
        private=True,
        alerts=[await _shown(session, each) for each in page.items],
        frequencies=FREQUENCIES,
        zone=Form.of({"time_zone": person.time_zone or "UTC"}),
        zones=_zones(),
        out=Topic.ALERTS in await choices.unwanted(session, actor.id),
        unconfirmed=settings.must_verify_email and not person.email_verified,
        max_name=MAX_NAME,
    )


def _zones() -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in sorted(time_zones())]


async def _shown(session: AsyncSession, saved: SavedSearchRead) -> Shown:
    return Shown(saved, await _words(session, Asked(pairs(saved.search))))


async def _words(session: AsyncSession, asked: Asked) -> list[str]:
    """All that a search asks for, each part as a person would say it."""
    q = asked.value("q")
    boxes = [q if '"' in q else f"“{q}”"] if q else []
    boxes += filter(None, [asked.value("location")])
    company = await company_name(session, asked)
    return [*boxes, *(chip.words for chip in chips_of(asked, company))] or ["All jobs"]


@router.get("/new")
async def show_new(request: Request, session: SessionDep, actor: ActorDep) -> Response:
    """What would be saved, and how often to hear of it."""
    asked = Asked(request.query_params.multi_items())
    person = await accounts.get(session, actor.id)
    given = {
        "name": name_of(_criteria(asked)),
        "frequency": Frequency.DAILY,
        "time_zone": person.time_zone or "UTC",
    }
    return await _new_page(request, session, asked, Form.of(given), known=bool(person.time_zone))


async def _new_page(
    request: Request, session: AsyncSession, asked: Asked, form: Form, *, known: bool
) -> Response:
    """`known`: whether the person has said where they live; else a script may guess."""
    return render(
        request,
        "alerts/new.html",
        status=form.status,
        private=True,
        asked=asked,
        words=await _words(session, asked),
        form=form,
        labels=LABELS,
        frequencies=FREQUENCIES,
        zones=_zones(),
        known=known,
        max_name=MAX_NAME,
    )


def _criteria(asked: Asked) -> SavedCriteria:
    """The search without how it is shown."""
    how = set(JobSearch.model_fields) - set(SavedCriteria.model_fields)
    return SavedCriteria.model_validate(asked.search.model_dump(exclude=how, exclude_none=True))


@router.post("")
async def save(request: Request, session: SessionDep, actor: ActorDep, form: FormDep) -> Response:
    """Save it, and go back to where it was found."""
    asked = Asked(parse_qsl(form.value("search")))
    async with form.attempt(session, TO_TOP):
        data = form.parse(SavedSearchCreate, search=_criteria(asked))
        await _live_in(session, actor, form)
        await service.save(session, actor, data)
        return redirect(request, asked.href(), SAVED)
    return await _new_page(request, session, asked, form, known=True)


async def _live_in(session: AsyncSession, actor: Actor, form: Form) -> None:
    if form.value("time_zone"):
        zone = Form.of({"time_zone": form.value("time_zone")})
        await accounts.update_me(session, actor, zone.parse(PersonUpdate))


@router.post("/time-zone")
async def set_time_zone(
    request: Request, session: SessionDep, actor: ActorDep, form: FormDep
) -> RedirectResponse:
    """Where it is morning when mail comes."""
    async with form.attempt(session):
        form.require("time_zone")
        await _live_in(session, actor, form)
    return outcome(request, form, HERE, "Saved. Your mornings begin there from now on.")


@router.get("/{search_id}")
async def look(search_id: UUID, session: SessionDep, actor: ActorDep) -> RedirectResponse:
    """What it finds, newest first; none of it is new any more."""
    return RedirectResponse(await service.look(session, actor, search_id), status_code=303)


@router.post("/{search_id}")
async def change(
    request: Request, search_id: UUID, session: SessionDep, actor: ActorDep, form: FormDep
) -> RedirectResponse:
    """Its name, and how often."""
    async with form.attempt(session):
        form.require("name")
        await service.change(session, actor, search_id, form.parse(SavedSearchUpdate))
    return outcome(request, form, HERE, "Saved.")


@router.post("/{search_id}/pause")
async def pause(
    request: Request, search_id: UUID, session: SessionDep, actor: ActorDep, form: FormDep
) -> RedirectResponse:
    """No mail for now, or again."""
    paused = form.chosen("paused", "yes")
    async with form.attempt(session):
        await service.change(session, actor, search_id, SavedSearchUpdate(paused=paused))
    said = "Paused: no mail until you let it go on." if paused else "It goes on from now."
    return outcome(request, form, HERE, said)


@router.post("/{search_id}/delete")
async def delete(
    request: Request, search_id: UUID, session: SessionDep, actor: ActorDep, form: FormDep
) -> RedirectResponse:
    """No mail about it any more."""
    async with form.attempt(session):
        await service.delete(session, actor, search_id)
    return outcome(request, form, HERE, "Deleted: no more mail about it.")
