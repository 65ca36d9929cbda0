"""One connection to Redis that carries the questions of all requests of a process.

redis-py lends a connection to one command at a time, which costs more than the command. Here what
is asked in one turn of the loop leaves in one write, and the answers are handed out in the order of
the questions, which is the order in which Redis answers.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from redis.asyncio import Connection, Redis
from redis.exceptions import ConnectionError as Broken
from redis.exceptions import RedisError, ResponseError

ANSWER_SECONDS = 0.5
# So often the same question must be found unanswered, in equal steps up to ANSWER_SECONDS. When our
# own loop stands still, a question may be unsent and its answer unread: looks count turns of the
# loop, too, and after as many both have happened, however long each turn took.
LOOKS = 4
NEVER = float("inf")


class Line:
    """Dials with the first question, and anew with the first after a break."""

    def __init__(self, redis: Redis) -> None:
        self._pool = redis.connection_pool
        self._call: _Call | None = None

    async def ask(self, *command: str | int) -> Any:
        """The answer. Raises what redis-py raises, and TimeoutError if none comes.

        A connection that broke, as by a restart of Redis, is replaced once.
        """
        if self._call is not None and not self._call.over:
            with suppress(Broken):
                return await self._call.ask(command)
        if self._call is None or self._call.over:  # else someone has dialled meanwhile
            self._call = _Call(self._pool.make_connection())
        return await self._call.ask(command)

    async def close(self) -> None:
        """Hang up."""
        if self._call is not None:
            await self._call.close()


class _Call:
    """A connection from dialling to its end, with the questions that wait for answers."""

    def __init__(self, connection: Connection) -> None:
        self.over = False
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._unsent: list[bytes] = []
        self._some = asyncio.Event()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._suspect: asyncio.Future[Any] | None = None
        self._looks = 0
        self._talking = self._loop.create_task(self._talk())

    def ask(self, command: tuple[str | int, ...]) -> asyncio.Future[Any]:
        question: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(question)
        self._unsent += self._connection.pack_command(*command)
        self._some.set()
        if self._alarm is None:
            self._alarm = self._loop.call_later(ANSWER_SECONDS / LOOKS, self._look)
        return question

    async def close(self) -> None:
        self._end(Broken("we hang up"))
        await asyncio.wait([self._talking])

    async def _talk(self) -> None:
        writing = None
        try:
            await self._connection.connect()
            writing = self._loop.create_task(self._write())
            await self._read()
        except (RedisError, OSError) as error:
            self._end(error)
        finally:
            if writing is not None:
                writing.cancel()
            await self._connection.disconnect(nowait=True)

    async def _write(self) -> None:
        with suppress(RedisError, OSError):  # whoever reads is told, too
            while True:
                await self._some.wait()
                self._some.clear()
                unsent, self._unsent = self._unsent, []
                await self._connection.send_packed_command(unsent)

    async def _read(self) -> None:
        while True:
            answer: Any
            try:
                answer = await self._connection.read_response(timeout=NEVER)
            except ResponseError as refusal:
                answer = refusal
            question = self._waiting.popleft()
            if question.done():  # who asked has left
                continue
            if isinstance(answer, ResponseError):
                question.set_exception(answer)
            else:
                question.set_result(answer)

    def _look(self) -> None:
        """See whether the oldest question has been answered since the last look."""
        self._alarm = None
        if not self._waiting:
            return
        self._looks = self._looks + 1 if self._waiting[0] is self._suspect else 1
        self._suspect = self._waiting[0]
        if self._looks < LOOKS:
            self._alarm = self._loop.call_later(ANSWER_SECONDS / LOOKS, self._look)
        else:
            self._end(TimeoutError("Redis is silent"))

    def _end(self, error: Exception) -> None:
        """What one question has learnt, the others need not wait for."""
        self.over = True
        if self._alarm is not None:
            self._alarm.cancel()
        for question in self._waiting:
            if not question.done():
                question.set_exception(error)
        self._waiting.clear()
        self._talking.cancel()
