"""Which mail one gets: under one's account, or by the link of a mail, without a log-in."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from jobboard.accounts.models import Person
from jobboard.errors import Invalid
from jobboard.infra.rates import WRITES, limited
from jobboard.notifications import choices
from jobboard.notifications.choices import Ticket
from jobboard.notifications.models import Topic
from jobboard.notifications.schemas import MailChoicesUpdate
from jobboard.web.deps import ActorDep, FormDep, FoundDep, SessionDep, SettingsDep, redirect
from jobboard.web.forms import Form
from jobboard.web.rendering import render

router = APIRouter(include_in_schema=False)

Token = Annotated[str, Query(max_length=200)]
# Nobody else learns the address of a page whose token speaks for someone.
HEADERS = {"Referrer-Policy": "no-referrer"}
TO_TOP = {"token": ""}
WORDS = {
    Topic.APPLICATIONS: ("News of applications", "That one arrived, and each step it takes."),
    Topic.DIGEST: ("Your company's week", "On Mondays: new applications, and who waits longest."),
    Topic.ALERTS: ("New jobs", "Those that fit a search that you saved."),
}
AGAIN = "again"  # the field of the button that takes an unsubscription back


@router.get("/me/mail")
async def show_choices(request: Request, session: SessionDep, actor: ActorDep) -> Response:
    """A box for each topic."""
    wanted = await choices.read(session, actor.id)
    return render(
        request,
        "accounts/mail.html",
        private=True,
        form=Form.of({name: "yes" for name, value in wanted if value}),
        topics=[(topic, *WORDS[topic]) for topic in Topic],
    )


@router.post("/me/mail")
async def save_choices(
    request: Request, session: SessionDep, actor: ActorDep, form: FormDep
) -> Response:
    """As they are ticked."""
    ticked = {topic.value: form.chosen(topic, "yes") for topic in Topic}
    await choices.update(session, actor.id, MailChoicesUpdate(**ticked))
    return redirect(request, "/me/mail", "Saved. That is what we mail you from now on.")


@router.get("/unsubscribe")
async def show_unsubscribe(
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    _viewer: FoundDep,
    token: Token = "",
) -> Response:
    """A button: programs that look for viruses open links, too."""
    form = Form.of({"token": token})
    try:
        return await _page(request, session, choices.read_token(settings, token), form)
    except Invalid as error:
        form.refuse(error, TO_TOP)
    return _dead(request, form)


@router.post("/unsubscribe")
@limited(WRITES)
async def unsubscribe(
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    _viewer: FoundDep,
    token: Token = "",
) -> Response:
    """One click, of a person or of their mail program (RFC 8058), which has no page and no cookie
    of ours: the token alone speaks, and can do nothing else."""
    async with request.form() as sent:
        form = Form(sent)
    form.fill("token", token)
    try:
        ticket = choices.read_token(settings, token)
    except Invalid as error:
        form.refuse(error, TO_TOP)
        return _dead(request, form)
    topics = [ticket.topic]
    if await session.get(Person, ticket.person_id) is not None:
        back = form.chosen(AGAIN, "yes")
        wanted, unwanted = (topics, []) if back else ([], topics)
        await choices.choose(session, ticket.person_id, wanted, unwanted)
    return await _page(request, session, ticket, form)


async def _page(request: Request, session: AsyncSession, ticket: Ticket, form: Form) -> Response:
    out = ticket.topic in await choices.unwanted(session, ticket.person_id)
    return render(
        request,
        "accounts/unsubscribe.html",
        private=True,
        headers=HEADERS,
        form=form,
        name=WORDS[ticket.topic][0],
        out=out,
    )


def _dead(request: Request, form: Form) -> Response:
    return render(
        request,
        "accounts/unsubscribe.html",
        status=form.status,
        private=True,
        headers=HEADERS,
        form=form,
        name="",
        out=False,
    )
