"""The open sockets of this process, and what is sent to whom.

A ring (`infra/rings.py`) says for whom there is something. The hub gathers rings for a moment, asks
the database once for all of them, and sends. No socket holds a transaction. Every BEAT seconds it
looks after everybody: whose log-in has ended is cut off, and whoever missed a ring catches up.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect

from jobboard.accounts import queries as accounts
from jobboard.admin.queries import pending_count
from jobboard.infra.engines import Engines
from jobboard.infra.rings import MODERATION
from jobboard.notifications import queries
from jobboard.notifications.schemas import NotificationRead

GATHER = 0.02  # seconds in which rings gather
BEAT = 20.0  # seconds between two looks after everybody
SEND = 10.0  # seconds that a reader may take for a message, or until the next beat
FAREWELL = 5.0  # seconds for the last word to who is cut off
WAITING = 32  # messages that wait for a slow reader; more, and it is cut off
EACH = 10  # sockets of one person
NOTHING = UUID(int=0)
BATCH = 1_000  # people in one question to the database
ENDED, SLOW, MANY, LATER = 4401, 4408, 4429, 1013  # close codes; docs/live.md
GONE = (RuntimeError, WebSocketDisconnect)  # from a socket whose other end has left
log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Seat:
    """An open socket: whose, by which log-in, and what they have got."""

    socket: WebSocket
    person_id: UUID
    login_id: UUID
    moderates: bool
    since: UUID  # the newest that they have
    returns: bool  # they were here before, and shall hear what came since
    told: set[UUID] = field(default_factory=set)  # what they have of the minute before it
    unread: int = -1  # until they are greeted
    missed: bool = False  # a ring came while they were
    pending: int = -1  # jobs that wait for a moderator, as they were told
    waiting: deque[str] = field(default_factory=deque)
    sending: asyncio.Task[None] | None = None
    began: float = 0.0  # to send the message that is on its way, on the loop's clock
    closed: bool = False


class Hub:
    """One for each web process."""

    def __init__(self, engines: Engines) -> None:
        self.opened = self.sent = self.dropped = 0
        self._engines = engines
        self._seats: dict[UUID, set[Seat]] = defaultdict(set)
        self._rung: set[UUID] = set()
        self._moderation = False
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def seats(self) -> list[Seat]:
        """Every open socket."""
        return [seat for seats in self._seats.values() for seat in seats]

    def start(self) -> None:
        """Begin to listen."""
        work = (self._listen, self._serve, self._beat)
        self._tasks = [asyncio.create_task(each()) for each in work]

    async def close(self) -> None:
        """Listen no more. The server says good-bye to whoever is left."""
        tasks = [*self._tasks, *(seat.sending for seat in self.seats if seat.sending)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def enter(self, seat: Seat) -> bool:
        """Take a seat, unless this person has too many. They hear at once what there is."""
        if len(self._seats[seat.person_id]) >= EACH:
            return False
        self._seats[seat.person_id].add(seat)
        self.opened += 1
        return True

    def leave(self, seat: Seat) -> None:
        """Give it back."""
        seat.closed = True
        if seat.sending is not None:
            seat.sending.cancel()
        seats = self._seats.get(seat.person_id, set())
        seats.discard(seat)
        if not seats:
            self._seats.pop(seat.person_id, None)

    async def greet(self, seat: Seat) -> None:
        """The first message: how things stand, and what came since they were last here."""
        async with self._engines.database.transaction() as session:
            items: list[NotificationRead] = []
            if seat.returns:
                news = await queries.newer(session, {seat.person_id: seat.since})
                items = news.get(seat.person_id, [])
            else:
                _note(seat, await queries.newest_ids(session, seat.person_id))
            unread = await queries.unread_count(session, seat.person_id)
            pending = await pending_count(session) if seat.moderates else None
        items = _new(seat, items)
        if seat.missed:
            self._ring([str(seat.person_id), MODERATION])
        seat.unread = unread
        said: dict[str, Any] = {
            "type": "hello",
            "unread": unread,
            "since": str(seat.since),
            "items": items,
        }
        if pending is not None:
            seat.pending = said["pending"] = pending
        self._offer(seat, _json(said))

    async def _listen(self) -> None:
        async for names in self._engines.rings.listen():
            if names is None:
                self._ring_everybody()
            else:
                self._ring(names)

    def _ring_everybody(self) -> None:
        self._rung, self._moderation = set(self._seats), True
        self._woken.set()

    def _ring(self, names: Iterable[str]) -> None:
        for name in names:
            if name == MODERATION:
                self._moderation = True
                continue
            with suppress(ValueError):
                if (person_id := UUID(name)) in self._seats:
                    self._rung.add(person_id)
        if self._rung or self._moderation:
            self._woken.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            await _go_on_after(self._look_after_everybody())
            self._ring_everybody()

    async def _look_after_everybody(self) -> None:
        self._cut_off_the_stuck()
        for seat in self.seats:
            self._offer(seat, '{"type":"beat"}')
        await self._cut_off_who_left()

    async def _serve(self) -> None:
        while True:
            await self._woken.wait()
            await asyncio.sleep(GATHER)
            self._woken.clear()
            await _go_on_after(self._bring_what_is_new())  # the beat brings what this did not

    async def _bring_what_is_new(self) -> None:
        rung, self._rung = list(self._rung), set()
        moderation, self._moderation = self._moderation, False
        for begin in range(0, len(rung), BATCH):
            await self._bring(rung[begin : begin + BATCH])
        if moderation:
            await self._tell_moderators()

    async def _bring(self, person_ids: Collection[UUID]) -> None:
        seats = [seat for person_id in person_ids for seat in self._seats.get(person_id, ())]
        if not seats:
            return
        since: dict[UUID, UUID] = {}
        for seat in seats:
            since[seat.person_id] = min(seat.since, since.get(seat.person_id, seat.since))
        async with self._engines.database.transaction() as session:
            news = await queries.newer(session, since)
            unread = await queries.unread_counts(session, list(since))
        for seat in seats:
            self._tell(seat, news.get(seat.person_id, []), unread.get(seat.person_id, 0))

    def _tell(self, seat: Seat, news: list[NotificationRead], unread: int) -> None:
        if seat.unread < 0:
            seat.missed = True
            return
        new = _new(seat, news)
        if new or unread != seat.unread:
            seat.unread = unread
            self._offer(seat, _json({"type": "news", "unread": unread, "items": new}))

    async def _tell_moderators(self) -> None:
        seats = [seat for seat in self.seats if seat.moderates]
        if not seats:
            return
        async with self._engines.database.transaction() as session:
            pending = await pending_count(session)
        said = _json({"type": "moderation", "pending": pending})
        for seat in seats:
            if seat.unread < 0:
                seat.missed = True
            elif seat.pending != pending:
                seat.pending = pending
                self._offer(seat, said)

    async def _cut_off_who_left(self) -> None:
        seats = self.seats
        for begin in range(0, len(seats), BATCH):
            some = seats[begin : begin + BATCH]
            async with self._engines.database.transaction() as session:
                living = await accounts.living(session, {seat.login_id for seat in some})
            for seat in some:
                if seat.login_id not in living:
                    self._cut_off(seat, ENDED)

    def _cut_off_the_stuck(self) -> None:
        moment = asyncio.get_running_loop().time()
        for seat in self.seats:
            if seat.sending and not seat.sending.done() and moment - seat.began > SEND:
                self._cut_off(seat, SLOW)

    def _offer(self, seat: Seat, message: str) -> None:
        """Send it when they are ready to read; who is not for long is cut off."""
        if seat.closed:
            return
        seat.waiting.append(message)
        if seat.sending is None or seat.sending.done():
            seat.began = asyncio.get_running_loop().time()  # now, or a busy loop looks like them
            seat.sending = asyncio.create_task(self._send(seat))
        elif len(seat.waiting) > WAITING:
            self._cut_off(seat, SLOW)

    def _cut_off(self, seat: Seat, code: int) -> None:
        """Send no more but why. Nobody waits for a reader who may not read that either."""
        if seat.closed:
            return
        seat.closed = True
        self.dropped += 1
        if seat.sending is not None:
            seat.sending.cancel()
        seat.sending = asyncio.create_task(_say_farewell(seat.socket, code))

    async def _send(self, seat: Seat) -> None:
        # No timer for each message: the beat looks for those that take too long.
        clock = asyncio.get_running_loop().time
        try:
            while seat.waiting:
                seat.began = clock()
                await seat.socket.send_text(seat.waiting.popleft())
                self.sent += 1
        except GONE:
            seat.closed = True  # they left: who reads from the socket hears so


async def _say_farewell(socket: WebSocket, code: int) -> None:
    with suppress(TimeoutError, *GONE):
        async with asyncio.timeout(FAREWELL):
            await socket.close(code)


async def _go_on_after(work: Awaitable[None]) -> None:
    try:
        await work
    except (OSError, SQLAlchemyError) as error:
        log.warning("hub.database_silent", error=type(error).__name__)
    except Exception:  # whatever it was, all the others hear of nothing otherwise
        log.exception("hub.failed")


def _new(seat: Seat, items: list[NotificationRead]) -> list[NotificationRead]:
    """Those that they do not have yet; from now on they have them."""
    new = [item for item in items if item.id not in seat.told]
    _note(seat, [item.id for item in new])
    return new


def _note(seat: Seat, ids: list[UUID]) -> None:
    seat.since = max([seat.since, *ids])
    oldest = queries.earlier(seat.since)
    seat.told = {each for each in (*seat.told, *ids) if each > oldest}


def _json(message: dict[str, Any]) -> str:
    return to_json(message).decode()
