"""Saved searches: who hears of a new job, when, and that nobody hears of it twice."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person, Role
from jobboard.alerts import forgetting, matching, telling, times
from jobboard.alerts.models import FoundJob, Frequency, SavedSearch
from jobboard.clock import now
from jobboard.infra.mailer import ConsoleMailer
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Message
from jobboard.infra.storage import Storage
from jobboard.jobs import decisions, news, service
from jobboard.jobs.models import Job, JobStatus
from jobboard.jobs.schemas import JobUpdate
from jobboard.settings import Settings
from jobboard.worker import alerts
from jobboard.worker.context import Context
from tests.factories.alerts import make_saved_search
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import User, make_user
from tests.letters import Mailbox, to, words

pytestmark = pytest.mark.anyio

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Board:
    """A company that posts jobs, a person who waits for some, and their mailbox."""

    def __init__(self, session: AsyncSession, settings: Settings, db: Database) -> None:
        self.session, self.settings = session, settings
        self.mailbox = Mailbox(settings, db)
        self.context = Context(settings, db, ConsoleMailer(), Storage(settings.storage_url))

    async def open(self) -> None:
        """Everybody comes."""
        self.ada = await make_user(self.session, self.settings)
        self.erin = await make_user(self.session, self.settings, Role.EMPLOYER)
        self.admin = await make_user(self.session, self.settings, Role.ADMIN)
        self.company = await make_company(self.session, self.erin, "Harbour Bakery")

    async def post(self, title: str = "Baker", **fields: object) -> Job:
        """A job that a moderator lets through."""
        job = await make_job(
            self.session, self.erin, self.company, status=JobStatus.PENDING, title=title, **fields
        )
        await decisions.approve(self.session, self.admin.actor, job.id, self.settings)
        await self.session.commit()
        return job

    async def mails(self, user: User | None = None) -> list[str]:
        """The texts of what came to someone since the last time, with the subject before each."""
        email = (user or self.ada).actor.email
        return [
            f"{mail['Subject']}\n{words(mail)}"
            for mail in await self.mailbox.read()
            if to(mail) == email
        ]

    async def tick(self) -> None:
        """The clock's minute."""
        await alerts.tell_due(self.context)

    async def set_back(self, search_id: UUID, **moments: datetime | None) -> None:
        """As if that had happened then."""
        row = update(SavedSearch).where(SavedSearch.id == search_id).values(**moments)
        await self.session.execute(row)
        await self.session.commit()


@pytest.fixture
async def town(session: AsyncSession, settings: Settings, db: Database) -> Board:
    town = Board(session, settings, db)
    await town.open()
    return town


async def test_a_new_job_is_mailed_at_once_with_a_way_out(town: Board) -> None:
    await make_saved_search(town.session, town.ada, q="baker", name="Baking")
    job = await town.post("Baker, early shift", location="Hamburg, Germany")
    await town.post("Welder")
    mails = await town.mailbox.read()
    (mail,) = [mail for mail in mails if to(mail) == town.ada.actor.email]
    assert mail["Subject"] == "New job: Baker, early shift, Harbour Bakery, Hamburg, Germany"
    assert f"{town.settings.base_url}/jobs/{job.slug}" in words(mail)
    assert "Welder" not in words(mail)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert await town.mails() == []


async def test_only_what_is_new_since_it_was_saved_counts(town: Board) -> None:
    old = await town.post("Old baker")
    saved = await make_saved_search(town.session, town.ada, q="baker")
    closed = await town.post("Baker who is gone")
    await service.close(town.session, town.erin.actor, closed.id)
    tags = JobUpdate(tags=["night"])
    await service.change(town.session, town.erin.actor, old.id, tags)  # is told anew
    await town.session.commit()
    assert await town.mails() == []
    found = select(FoundJob.job_id).where(FoundJob.saved_search_id == saved.id)
    assert (await town.session.scalars(found)).all() == []


async def test_nobody_hears_of_a_job_twice(town: Board) -> None:
    saved = await make_saved_search(town.session, town.ada, q="baker")
    job = await town.post()
    assert len(await town.mails()) == 1
    later = {"told_at": now() - HOUR}
    for _ in range(2):
        await service.close(town.session, town.erin.actor, job.id)
        await service.reopen(town.session, town.erin.actor, job.id, town.settings)
        await service.change(town.session, town.erin.actor, job.id, JobUpdate(tags=["a"]))
        news.published(town.session, [job.id])
        await town.set_back(saved.id, **later)
        assert await town.mails() == []
    job = await town.post("Another baker")
    assert len(await town.mails()) == 1


async def test_an_edit_that_makes_it_fit_is_news(town: Board) -> None:
    await make_saved_search(town.session, town.ada, tag=["night"])
    job = await town.post()
    assert await town.mails() == []
    await service.change(town.session, town.erin.actor, job.id, JobUpdate(tags=["night"]))
    await town.session.commit()
    assert len(await town.mails()) == 1


async def test_what_comes_soon_after_a_mail_waits_ten_minutes(town: Board) -> None:
    saved = await make_saved_search(town.session, town.ada)
    await town.post("First")
    assert len(await town.mails()) == 1
    await town.post("Second")
    await town.post("Third")
    assert await town.mails() == []
    await town.tick()
    assert await town.mails() == []
    await town.set_back(saved.id, told_at=now() - telling.SPACING)
    await town.tick()
    (mail,) = await town.mails()
    assert mail.startswith("2 new jobs: All jobs\n")
    assert mail.index("Third") < mail.index("Second")


async def test_one_mail_for_many_searches_and_each_job_once_in_it(town: Board) -> None:
    for name, q in (("Bread", "baker"), ("Night", "night"), ("Iron", "welder")):
        await make_saved_search(town.session, town.ada, frequency=Frequency.DAILY, q=q, name=name)
    await town.post("Baker, night shift")
    await town.post("Welder")
    assert await town.mails() == []
    await town.session.execute(update(SavedSearch).values(waiting_since=now() - 2 * DAY))
    await town.session.commit()
    await asyncio.gather(*(town.tick() for _ in range(5)))
    (mail,) = await town.mails()
    assert mail.startswith("2 new jobs for your saved searches\n")
    assert mail.count("Baker, night shift") == 1
    assert "Bread:" in mail
    assert "Iron:" in mail
    assert "Night:" not in mail
    await town.tick()
    assert await town.mails() == []


async def test_a_mail_holds_ten_jobs_of_a_search_and_says_how_many_more(town: Board) -> None:
    saved = await make_saved_search(
        town.session, town.ada, frequency=Frequency.DAILY, q="baker", location="Hamburg"
    )
    for number in range(12):
        await town.post(f"Baker {number}.", location="Hamburg")
    await town.mails()
    await town.set_back(saved.id, waiting_since=now() - 2 * DAY)
    await town.tick()
    (mail,) = await town.mails()
    assert mail.startswith("12 new jobs: baker, Hamburg\n")
    assert "Baker 11." in mail
    assert "Baker 2." in mail
    assert "Baker 1." not in mail
    assert "And 2 more: baker, Hamburg" in mail
    assert f"{town.settings.base_url}/?q=baker&location=Hamburg&sort=newest" in mail


async def test_what_ended_before_the_morning_is_not_mailed(town: Board) -> None:
    saved = await make_saved_search(town.session, town.ada, frequency=Frequency.DAILY)
    job = await town.post()
    await town.mails()
    await service.close(town.session, town.erin.actor, job.id)
    await town.set_back(saved.id, waiting_since=now() - 2 * DAY)
    await town.tick()
    assert await town.mails() == []
    assert await town.session.scalar(select(SavedSearch.told_at)) is None, "nobody was written to"


async def test_a_search_that_cannot_be_read_holds_up_nobody_else(town: Board) -> None:
    bob = await make_user(town.session, town.settings)
    first, second = [
        await make_saved_search(town.session, user, frequency=Frequency.DAILY)
        for user in (town.ada, bob)
    ]
    await town.post()
    await town.mails()
    broken = update(SavedSearch).where(SavedSearch.id == first.id)
    await town.session.execute(broken.values(criteria={"salary_min": "much"}, fingerprint=""))
    await town.set_back(first.id, waiting_since=now() - 3 * DAY)
    await town.set_back(second.id, waiting_since=now() - 2 * DAY)
    await town.tick()
    assert len(await town.mails(bob)) == 1
    waits = select(SavedSearch.waiting_since).where(SavedSearch.id == first.id)
    assert await town.session.scalar(waits) is not None
    await town.post("Cook")
    await town.mails(bob)
    await town.set_back(second.id, waiting_since=now() - 2 * DAY)
    await town.tick()
    assert len(await town.mails(bob)) == 1, "what is new is found for the others"


async def test_what_was_off_the_board_that_morning_is_told_when_it_is_back(town: Board) -> None:
    saved = await make_saved_search(town.session, town.ada, frequency=Frequency.DAILY)
    job = await town.post()
    await town.mails()
    pending = update(Job).where(Job.id == job.id).values(status=JobStatus.PENDING)
    await town.session.execute(pending)
    await town.set_back(saved.id, waiting_since=now() - 2 * DAY)
    await town.tick()
    assert await town.mails() == []
    await decisions.approve(town.session, town.admin.actor, job.id, town.settings)
    await town.session.commit()
    assert await town.mails() == []
    await town.set_back(saved.id, waiting_since=now() - 2 * DAY)
    await town.tick()
    (mail,) = await town.mails()
    assert mail.startswith("New job: Baker")
    await town.tick()
    assert await town.mails() == []


async def test_several_people_who_ask_the_same_each_hear_of_it(town: Board) -> None:
    bob = await make_user(town.session, town.settings)
    await make_saved_search(town.session, town.ada, q="baker")
    before = await town.post("Baker before")
    await make_saved_search(town.session, bob, q="baker")
    news.published(town.session, [before.id])
    await town.session.commit()
    await town.post("Baker after")
    mails = await town.mailbox.read()
    texts = {to(mail): words(mail) for mail in mails if to(mail) != town.erin.actor.email}
    assert "Baker before" in texts[town.ada.actor.email]
    assert "Baker before" not in texts[bob.actor.email]
    assert "Baker after" in texts[bob.actor.email]


@pytest.mark.parametrize("out", ["suspended", "unverified"])
async def test_who_is_shut_out_or_unknown_gets_no_mail(town: Board, out: str) -> None:
    verify = town.settings.model_copy(update={"require_verified_email": "on"})
    town.context = Context(verify, town.context.database, ConsoleMailer(), town.context.storage)
    await make_saved_search(town.session, town.ada, frequency=Frequency.DAILY)
    if out == "suspended":
        gone = {"suspended_at": now(), "email_verified_at": now()}
        await town.session.execute(update(Person).where(Person.id == town.ada.id).values(**gone))
    await town.post()
    await town.mails()
    await town.session.execute(update(SavedSearch).values(waiting_since=now() - 2 * DAY))
    await town.session.commit()
    await town.tick()
    assert await town.mails() == []
    back = {"suspended_at": None, "email_verified_at": now()}
    await town.session.execute(update(Person).where(Person.id == town.ada.id).values(**back))
    await town.session.commit()
    await town.tick()
    assert len(await town.mails()) == 1


async def test_a_job_for_many_is_found_and_told_in_pieces(
    town: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "PIECE", 2)
    monkeypatch.setattr(telling, "PEOPLE", 2)
    users = [await make_user(town.session, town.settings) for _ in range(5)]
    for number, user in enumerate(users):
        wanted = None if number % 2 else "baker"
        await make_saved_search(town.session, user, q=wanted)
    await town.post("First baker")
    await town.post("Second baker")
    kinds = select(Message.kind).where(Message.kind.in_([alerts.MATCH, alerts.TELL]))
    mails = await town.mailbox.read()
    await town.tick()  # for who was found just as the last ones were told
    mails += await town.mailbox.read()
    told = [to(mail) for mail in mails if "baker" in mail["Subject"] + words(mail)]
    emails = {user.actor.email for user in users}
    assert sorted(each for each in told if each in emails) == sorted(emails)
    assert {*await town.session.scalars(kinds)} == {alerts.MATCH, alerts.TELL}


async def test_what_nobody_could_be_told_of_is_forgotten_in_the_end(
    town: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    monkeypatch.setattr(forgetting, "SEARCHES", 1)
    old, bob = now() - forgetting.KEEP_UNTOLD - HOUR, await make_user(town.session, town.settings)
    waits = await make_saved_search(town.session, town.ada, frequency=Frequency.DAILY)
    gone = await make_saved_search(town.session, bob, frequency=Frequency.DAILY)
    told = await make_saved_search(town.session, town.ada, frequency=Frequency.DAILY, q="baker")
    jobs = [await town.post() for _ in range(3)]
    await town.mails()
    mine = FoundJob.saved_search_id == waits.id
    for found in (mine & (FoundJob.job_id != jobs[0].id), FoundJob.saved_search_id == gone.id):
        await town.session.execute(update(FoundJob).where(found).values(found_at=old))
    mailed = update(FoundJob).where(FoundJob.saved_search_id == told.id)
    long_ago = now() - forgetting.KEEP_TOLD - HOUR
    await town.session.execute(mailed.values(told_at=long_ago, found_at=long_ago))
    await town.set_back(told.id, waiting_since=None)
    for each in (waits, gone):
        await town.set_back(each.id, waiting_since=old)
    await alerts.forget_old(town.context)
    kept = (await town.session.execute(select(FoundJob.saved_search_id, FoundJob.job_id))).all()
    assert kept == [(waits.id, jobs[0].id)]
    since = select(SavedSearch.id, SavedSearch.waiting_since, FoundJob.found_at)
    since = since.outerjoin(FoundJob, FoundJob.saved_search_id == SavedSearch.id)
    waiting = {
        row.id: (row.waiting_since, row.found_at) for row in await town.session.execute(since)
    }
    assert waiting[gone.id] == waiting[told.id] == (None, None)
    assert waiting[waits.id][0] == waiting[waits.id][1] is not None


async def test_mornings_are_where_the_person_lives(town: Board) -> None:
    saved = await make_saved_search(town.session, town.ada, frequency=Frequency.DAILY)
    await town.post()
    await town.mails()
    # One zone where the last eight o'clock is less than two hours ago, one where it is more.
    for hours, due in ((1, True), (3, False)):
        zone = _zone_where_it_is(8 + hours)
        await town.session.execute(
            update(Person).where(Person.id == town.ada.id).values(time_zone=zone)
        )
        await town.set_back(saved.id, waiting_since=now() - timedelta(hours=2, minutes=30))
        async with town.context.database.transaction() as session:
            assert bool(await telling.due(session, verified=False)) is due, zone


def _zone_where_it_is(hour: int) -> str:
    """A zone whose clock shows this hour now. The signs of Etc are the wrong way round."""
    ahead = (hour - now().hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


@pytest.mark.parametrize(
    "zone",
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Renamed/Since", None],
)
@pytest.mark.parametrize("frequency", [Frequency.DAILY, Frequency.WEEKLY])
def test_every_morning_comes_once_through_a_year(zone: str | None, frequency: Frequency) -> None:
    moment, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    dues = [times.next_due(frequency, zone, moment)]
    while dues[-1] < end:
        assert times.last_due(frequency, zone, dues[-1]) == dues[-1]
        dues.append(times.next_due(frequency, zone, dues[-1]))
        just_before = dues[-1] - timedelta(microseconds=1)
        assert times.last_due(frequency, zone, just_before) == dues[-2]
    local = [times.local(due, zone) for due in dues]
    assert {(each.hour, each.minute) for each in local} == {(8, 0)}
    step = 7 if frequency is Frequency.WEEKLY else 1
    assert {(b.date() - a.date()).days for a, b in pairwise(local)} == {step}
    if frequency is Frequency.WEEKLY:
        assert {each.weekday() for each in local} == {0}
