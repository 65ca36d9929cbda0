"""What happens by itself, for moderators: the queue in numbers, what failed, what is due."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from jobboard.accounts import mailboxes
from jobboard.admin import messages
from jobboard.admin.messages import FailedMessage, MessageChoice, Step
from jobboard.analytics.schemas import Bucket
from jobboard.errors import NotFound
from jobboard.infra import backlog
from jobboard.infra.backlog import Moment
from jobboard.infra.queue import Failure
from jobboard.notifications.models import BlockReason
from jobboard.web import charts
from jobboard.web.admin_analytics import Period
from jobboard.web.charts import Chart, Kind, Place, Series
from jobboard.web.deps import FormDep, SessionDep, redirect
from jobboard.web.desk import AdminDep, Cursor, href, outcome
from jobboard.web.formatting import count, plural
from jobboard.web.rendering import render

router = APIRouter(prefix="/admin/background", include_in_schema=False)

FAILED = 25
BLOCKED = 100
HOW = {
    BlockReason.REFUSED: "Its mail server refused our mail for good",
    BlockReason.BOUNCED: "Mail came back",
    BlockReason.REPORTED: "Someone said so",
}
# What a message asks for, in words; a mail says which one itself.
KINDS = {
    "notifications.mail": "Mail to a person",
    "accounts.letter": "Mail with a link",
    "companies.invitation": "Mail with an invitation",
    "companies.news": "News for the people of a company",
    "jobs.published": "New jobs, for saved searches",
    "alerts.match": "Finding more saved searches for new jobs",
    "alerts.tell": "Mailing saved searches what they found",
    "uploads.forget_files": "Deleting files",
    "privacy.forget_rest": "Erasing what is left of a person",
}
FAILURES = {
    Failure.GAVE_UP: "It went wrong each time, and we gave up.",
    Failure.STOPPED: "The worker died in the middle of the last try.",
    Failure.UNSURE: "The worker or the line died while it was handed over. It may have arrived: "
    "run it again only if twice is better than never.",
    Failure.REFUSED: "It was refused for good: trying again will hardly help.",
    Failure.UNKNOWN: "This version does not know this kind of message.",
}
WORKS = {
    "roll_up_hits": "Count the hits",
    "roll_up_searches": "Count what people search for",
    "count_terms": "Count the words of live jobs, for corrections and suggestions",
    "expire_jobs": "End jobs whose time is over",
    "refile_alerts": "File saved searches anew",
    "tell_alerts": "Mail saved searches what they found",
    "keep_answer_figures": "Reckon how companies answer",
    "forget_told_jobs": "Forget what saved searches found long ago",
    "clean_outbox": "Forget old messages",
    "forget_old_answers": "Forget answers kept for repeated requests",
    "forget_old_logins": "Forget old log-ins",
    "forget_deliveries": "Forget old deliveries of webhooks",
    "employer_digests": "Mail companies their week",
    "expire_rejected": "Delete old rejected applications",
    "forget_invitations": "Forget old invitations",
    "forget_news": "Forget old news",
    "sweep_files": "Delete files that belong to nothing",
}
DONE = {Step.RETRY: "to be tried again", Step.DROP: "dropped"}
TOLD = {Step.RETRY: "The message is tried again.", Step.DROP: "The message is dropped."}
LIST = "/admin/background#failed"
BLOCKS = "/admin/background#blocked"
BACK = {
    Period.HOUR: ("Last hour", Bucket.MINUTE, timedelta(minutes=1), 60),
    Period.DAY: ("Last day", Bucket.HOUR, timedelta(hours=1), 24),
    Period.MONTH: ("Last week", Bucket.DAY, timedelta(days=1), 7),
}


@router.get("")
async def show_background(
    request: Request,
    session: SessionDep,
    actor: AdminDep,
    period: Period = Period.DAY,
    cursor: Cursor = None,
) -> HTMLResponse:
    """The queue now and lately, failed messages, and the schedule."""
    _, bucket, length, pieces = BACK[period]
    moments = await backlog.history(session, length, pieces)
    page = await messages.failed(session, actor, cursor=cursor, limit=FAILED)
    more = href("/admin/background", period=period, cursor=page.next_cursor)
    return render(
        request,
        "admin/background.html",
        private=True,
        queue=await messages.queue(session, actor),
        periods=[
            (each.value, href("/admin/background", period=each), words)
            for each, (words, *_) in BACK.items()
        ],
        period=period,
        bucket=bucket,
        charts=_charts(moments, bucket),
        moments=moments,
        when=lambda moment: _when(moment, bucket),
        seconds=seconds,
        failed=page.items,
        what=_what,
        why=FAILURES,
        works=WORKS,
        blocked=(await mailboxes.listed(session, actor, cursor=None, limit=BLOCKED)).items,
        how=HOW,
        before=max((item.failed_at for item in page.items), default=None),
        first_href=href("/admin/background", period=period) if cursor else None,
        next_href=more if page.next_cursor else None,
    )


def _what(message: FailedMessage) -> str:
    """What it was: `Mail to a person: application received`."""
    words = KINDS.get(message.kind, message.kind)
    return f"{words}: {message.about.replace('_', ' ')}" if message.about else words


def seconds(value: float) -> str:
    """0.4 s, 12 s, 5 min, 3 h, 2 days"""
    for limit, length, unit in ((60, 1, "s"), (3600, 60, "min"), (2 * 86400, 3600, "h")):
        if value < limit:
            return (
                f"{value / length:.2g} {unit}"
                if value / length < 10
                else (f"{value / length:.0f} {unit}")
            )
    return plural(round(value / 86400), "day", "days")


def _when(moment: Moment, bucket: Bucket) -> str:
    if bucket is Bucket.DAY:
        return f"{moment.at:%a} {charts.moment_text(moment.at, 'day')}"
    return f"{charts.moment_text(moment.at, 'day')}, {moment.at:%H:%M} UTC"


def _words(moment: Moment, bucket: Bucket) -> str:
    """A tooltip."""
    said = [_when(moment, bucket), f"{count(moment.done)} done, {count(moment.failed)} failed"]
    if moment.half_within is not None and moment.most_within is not None:
        said.append(f"half in {seconds(moment.half_within)}, 95 % in {seconds(moment.most_within)}")
    return "\n".join([*said, f"{count(moment.waiting)} waited at the end"])


def _charts(moments: Sequence[Moment], bucket: Bucket) -> list[Chart]:
    places = [Place(moment.at, _words(moment, bucket)) for moment in moments]
    done, failed = sum(each.done for each in moments), sum(each.failed for each in moments)
    most = max(moments, key=lambda moment: moment.waiting)
    drawn: dict[str, Any] = {"step": bucket, "places": places}
    return [
        charts.draw(
            "handled",
            f"Messages by {bucket}",
            f"{plural(done, 'message', 'messages')} done by {bucket}, {count(failed)} failed",
            kind=Kind.BARS,
            series=[
                Series("Done at once", "main", [each.done - each.retried for each in moments]),
                Series("Done after more tries", "second", [each.retried for each in moments]),
                Series("Failed", "bad", [each.failed for each in moments]),
            ],
            whole=True,
            **drawn,
        ),
        charts.draw(
            "length",
            "Waiting",
            f"Messages that waited at the end of each {bucket}: at most {count(most.waiting)}",
            kind=Kind.LINES,
            series=[Series("Waiting", "main", [each.waiting for each in moments])],
            whole=True,
            **drawn,
        ),
        charts.draw(
            "took",
            "From written to done",
            f"Time from written to done by {bucket}: half, and 95 % of messages",
            kind=Kind.LINES,
            series=[
                Series("Half within", "main", [each.half_within for each in moments]),
                Series("95 % within", "second", [each.most_within for each in moments]),
            ],
            words=seconds,
            **drawn,
        ),
    ]


@router.post("/{step}")
async def settle_all(
    request: Request, step: Step, session: SessionDep, actor: AdminDep, form: FormDep
) -> RedirectResponse:
    """Run all failed messages that the page showed again, or drop them."""
    number = 0
    async with form.attempt(session):
        choice = form.parse(MessageChoice)
        number = await messages.ALL[step](session, actor, choice)
    told = f"{plural(number, 'message', 'messages')} {DONE[step]}."
    return outcome(request, form, LIST, told)


@router.post("/mail-blocks/{block_id}")
async def allow_mail(
    request: Request, block_id: UUID, session: SessionDep, actor: AdminDep, _form: FormDep
) -> RedirectResponse:
    """Mail to an address again."""
    try:
        await mailboxes.allow(session, actor, block_id)
    except NotFound as error:
        return redirect(request, BLOCKS, error.message, tone="warn")
    return redirect(request, BLOCKS, "The address gets mail again.")


@router.post("/{message_id}/{step}")
async def settle_one(
    request: Request,
    message_id: UUID,
    step: Step,
    session: SessionDep,
    actor: AdminDep,
    _form: FormDep,
) -> RedirectResponse:
    """Run one failed message again, or drop it. Someone may have been quicker."""
    try:
        await messages.ONE[step](session, actor, message_id)
    except NotFound as error:
        return redirect(request, LIST, error.message, tone="warn")
    return redirect(request, LIST, TOLD[step])
