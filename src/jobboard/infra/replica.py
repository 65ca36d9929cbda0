"""A streaming replica that answers searches, while it is there and not late.

Each process looks once a second how far the replica has come, and asks it or not by what it saw: no
request looks for itself. A look that finds the replica silent lets all go who wait for it; they ask
the primary. After some good looks in a row it is asked again, after more the sooner it fell. What
is no standby of the primary is never asked: each new connection says whose data it has.

A replica is always a little late. What is kept for everybody (`cache.py`) must not be: it is asked
only when it has what the primary had after the answer's marks were seen, and so every change that
had taken older marks away.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from time import monotonic
from typing import Any, TypeVar

import asyncpg
import structlog
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.postgres import Database
from jobboard.infra.statements import NAME, STOPPED

LOOK_EVERY = 1.0  # seconds
PATIENCE = 1.0  # seconds that a server may take for a look
AGAIN = 0.1  # seconds between looks that somebody asks for
STEADY, STEADIEST = 3, 60  # good looks in a row before it is asked again
CALM = 300.0  # seconds without a fall, after which STEADY are enough once more
MOST_MARKS = 1_000
MOST_SEEN = 3_600
PAGE, SEGMENT = 8192, 16 * 2**20  # bytes of the write-ahead log
PAGE_HEADER, SEGMENT_HEADER = 24, 40

END = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
REPLAYED = "SELECT (pg_last_wal_replay_lsn() - '0/0')::bigint WHERE pg_is_in_recovery()"
CLUSTER = "SELECT system_identifier FROM pg_control_system()"  # the same for all copies of a server
STANDBY = f"{CLUSTER} WHERE pg_is_in_recovery()"

Result = TypeVar("Result")
Load = Callable[[AsyncSession], Awaitable[Result]]
Marks = tuple[bytes, ...]
FAILURES = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
log = structlog.get_logger()


class State(StrEnum):
    """How the replica stands."""

    UP = "up"
    LATE = "late"  # by more than the setting allows
    DOWN = "down"
    OTHER = "no replica"  # it was promoted, or is another server's, or a copy that went its own way


class Unanswered(Exception):
    """The replica did not answer; the primary may."""


class Reads:
    """Asks the replica where it may answer, else the primary."""

    def __init__(self, primary: Database, replica: "Replica | None" = None) -> None:
        self.replica = replica
        self._primary = primary

    async def ask(self, load: Load[Result], *, marks: Marks = (), fresh: bool = False) -> Result:
        """What `load` finds in a transaction of its own.

        With `marks` it finds every change that came before them. Without, `fresh` finds every
        change there is, and others may find what was true a moment ago.
        """
        if self.replica is not None and await self.replica.may_answer(marks, fresh=fresh):
            with suppress(Unanswered):
                return await self.replica.ask(load)
        async with self._primary.transaction() as session:
            return await load(session)


class Replica:
    """What this process knows of the replica. `most_late` seconds are how far it may lag."""

    def __init__(self, database: Database, url: str, primary_url: str, *, most_late: float) -> None:
        self.database = database
        self.state = State.DOWN
        self.lag = 0.0  # seconds, at the last look
        self.answered = self.passed = 0  # questions: by the replica, by the primary in its place
        self._most_late = most_late
        self._own, self._primary = _Sounder(url, REPLAYED), _Sounder(primary_url, END)
        self._trail = Trail()
        self._standby = self._strayed = False
        self._replayed = self._good = 0
        self._wanted = 2  # the first look cannot tell whether it strayed
        self._rose = 0.0
        self._looked = 0.0
        self._needed: dict[Marks, int] = {}
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left: set[asyncio.Task[Any]] = set()
        self._hurry = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        event.listen(database.engine.sync_engine, "connect", self._check_dialled)

    def start(self) -> None:
        """Begin to look."""
        self._watching = asyncio.create_task(self._watch(), name="replica")

    async def close(self) -> None:
        """Hang up."""
        tasks = [*self._left, *([self._watching] if self._watching else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._own.hang_up()
        self._primary.hang_up()
        await self.database.close()

    async def may_answer(self, marks: Marks, *, fresh: bool) -> bool:
        """Whether it is up and knows enough for this question."""
        if self.state is State.UP and (await self._has(marks) if marks else not fresh):
            return True
        self.passed += 1
        return False

    async def ask(self, load: Load[Result]) -> Result:
        """What `load` finds there. Raises Unanswered where it fails, or falls silent meanwhile."""
        asking = asyncio.create_task(self._load(load))
        try:
            await asyncio.wait({asking, self._gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not asking.done():  # not awaited: a driver takes seconds to leave what hangs
                asking.cancel()
                self._left.add(asking)
                asking.add_done_callback(self._forget)
        if asking in self._left:
            self.passed += 1
            raise Unanswered
        try:
            result = asking.result()
        except FAILURES as error:
            if _was_stopped(error):  # by its time-out: the primary would take as long
                raise
            self._hurry.set()
            self.passed += 1
            log.warning("replica.failed", error=type(error).__name__)
            raise Unanswered from error
        self.answered += 1
        return result

    async def _load(self, load: Load[Result]) -> Result:
        async with self.database.transaction() as session:
            return await load(session)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._left.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that nothing warns of it

    async def _has(self, marks: Marks) -> bool:
        """Whether it has replayed what the primary had when these marks were there already."""
        needed = self._needed.get(marks)
        if needed is None:
            try:
                needed = record_end(await self._primary.read())
            except FAILURES:
                return False
            while len(self._needed) >= MOST_MARKS:
                del self._needed[next(iter(self._needed))]
            self._needed[marks] = needed
        if self._replayed < needed and monotonic() - self._looked >= AGAIN:
            with suppress(*FAILURES):  # the watch will say so
                await self._hear()
        return self._replayed >= needed and not self._wrong()

    async def _watch(self) -> None:
        while True:
            await self._look()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._hurry.wait()
                    await asyncio.sleep(AGAIN)
            self._hurry.clear()

    async def _look(self) -> None:
        """Where the primary's log ends, how far the replica is, and what follows from it."""
        before = self._replayed
        end, heard = await asyncio.gather(
            self._primary.read(), self._hear(), return_exceptions=True
        )
        if isinstance(end, int):
            self._trail.note(record_end(end), monotonic())
            self._strayed = before > record_end(end)
        if isinstance(heard, BaseException) or not self._trail.known:
            return self._judge(State.DOWN)  # or nobody can say how late it is
        if why := self._wrong():
            return self._judge(State.OTHER, why)
        self.lag = self._trail.lag(self._replayed, monotonic())
        allowed = self._most_late if self.state is State.UP else self._most_late / 2
        # What a primary that is gone took along is nowhere else to be asked for.
        last = self.state is State.UP and not isinstance(end, int)
        return self._judge(State.UP if last or self.lag <= allowed else State.LATE)

    async def _hear(self) -> None:
        """Ask the replica how far it is."""
        self._looked = monotonic()
        replayed = await self._own.read()
        self._standby, self._replayed = replayed is not None, replayed or 0

    def _wrong(self) -> str:
        """Why it is no standby of the primary; nothing where it is one."""
        if not self._standby:
            return "it takes writes"
        if self._own.cluster != self._primary.cluster:
            return "its data are those of another server"
        return "it has what the primary never wrote" if self._strayed else ""

    def _check_dialled(self, connection: Any, _entry: Any) -> None:
        """Whatever the watch saw: an address may lead to several servers, or to another by now."""
        if connection.run_async(lambda driver: driver.fetchval(STANDBY)) != self._primary.cluster:
            connection.terminate()
            raise ConnectionRefusedError("this server is no standby of the primary")

    def _judge(self, found: State, why: str = "") -> None:
        self._good = self._good + 1 if found is State.UP else 0
        if found is State.UP and self._good < self._wanted:
            return
        if found is self.state:
            return
        moment = monotonic()
        if found is State.UP:
            self._gone = asyncio.get_running_loop().create_future()
            self._rose = moment
            log.info("replica.up")
        else:
            said = {"why": why} if why else {"lag": round(self.lag, 1)}
            log.warning("replica.not_asked", state=str(found), **said)
        if self.state is State.UP:
            calm = moment - self._rose > CALM
            self._wanted = STEADY if calm else min(max(STEADY, 2 * self._wanted), STEADIEST)
            self._gone.set_result(None)
        self.state = found


class Trail:
    """Where the primary's log ended at which moment: so one knows how old it is what a replica has
    replayed, without a clock of theirs."""

    def __init__(self) -> None:
        self.known = False
        self._last = 0
        self._ahead: deque[tuple[int, float]] = deque()

    def note(self, end: int, moment: float) -> None:
        """It ended there at that moment."""
        self.known = True
        if end != self._last and len(self._ahead) < MOST_SEEN:
            self._ahead.append((end, moment))
            self._last = end

    def lag(self, replayed: int, moment: float) -> float:
        """Seconds since something was written that is not replayed yet."""
        while self._ahead and self._ahead[0][0] <= replayed:
            self._ahead.popleft()
        return moment - self._ahead[0][1] if self._ahead else 0.0


class _Sounder:
    """Asks one question over a connection of its own: it waits for no pool, and not for long."""

    def __init__(self, url: str, question: str) -> None:
        self.cluster: int | None = None  # of the server that was dialled last
        self._url, self._question = url, question
        self._turn = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None

    async def read(self) -> Any:
        """The one value of the answer; None for no row. Raises one of FAILURES.

        The wait for those before counts: else each would wait for all of them in turn.
        """
        async with asyncio.timeout(PATIENCE), self._turn:
            try:
                if self._connection is None:
                    self._connection = await asyncpg.connect(
                        self._url, server_settings={"application_name": NAME}
                    )
                    self.cluster = await self._connection.fetchval(CLUSTER)
                return await self._connection.fetchval(self._question)
            except BaseException:
                self.hang_up()
                raise

    def hang_up(self) -> None:
        """At once; the next question dials again."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def record_end(inserted: int) -> int:
    """Where the last record ends: at the start of a page the insert position is behind the page's
    header, which a replica has only with the next record."""
    if inserted % SEGMENT == SEGMENT_HEADER:
        return inserted - SEGMENT_HEADER
    return inserted - PAGE_HEADER if inserted % PAGE == PAGE_HEADER else inserted


def _was_stopped(error: BaseException) -> bool:
    origin = getattr(error, "orig", error)
    return getattr(origin, "sqlstate", None) in STOPPED
