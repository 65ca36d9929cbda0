"""What a replica costs requests while servers are silent. tests/e2e shows it with real ones."""

import asyncio
import gc
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra import replica as module
from jobboard.infra.postgres import Database
from jobboard.infra.replica import Replica, State, Unanswered, record_end
from jobboard.settings import Settings
from tests.timing import until

pytestmark = pytest.mark.anyio
ASKING = 300


async def test_who_asks_a_silent_server_does_not_wait_for_those_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)

    async def say_nothing(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"postgresql://board:secret@127.0.0.1:{port}/board?sslmode=disable"
        replica = Replica(Database(url), url, url, most_late=5)
        replica.state = State.UP
        async with asyncio.timeout(ASKING * module.PATIENCE / 2):  # in turn it would take it twice
            found = await asyncio.gather(
                *(replica.may_answer((b"%d" % number,), fresh=False) for number in range(ASKING))
            )
        await replica.close()
    assert not any(found)


class Trusting(Replica):
    """Asks whatever server it is led to."""

    def _check_dialled(self, connection: object, _entry: object) -> None:
        pass


@pytest.fixture
async def itself(settings: Settings, db: Database) -> AsyncGenerator[Replica]:
    """A "replica" that is the primary."""
    url = settings.database_url.get_secret_value()
    replica = Trusting(Database(url, pool_size=1, statement_timeout_ms=100), url, url, most_late=5)
    yield replica
    await replica.close()


async def test_a_server_that_takes_writes_is_not_asked(itself: Replica) -> None:
    with structlog.testing.capture_logs() as lines:
        itself.start()
        await until(lambda: itself.state is State.OTHER)
    assert "it takes writes" in str(lines)
    assert not await itself.may_answer((), fresh=False)


async def test_what_took_too_long_there_is_not_asked_of_the_primary(itself: Replica) -> None:
    async def load(session: AsyncSession) -> None:
        await session.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(DBAPIError, match="statement timeout"):
        await itself.ask(load)
    assert itself.passed == 0


async def test_what_is_left_there_may_end_in_any_way(itself: Replica) -> None:
    begun, complaints = asyncio.Event(), []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))

    async def load(_: AsyncSession) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError("the connection broke") from None

    try:
        asking = asyncio.create_task(itself.ask(load))
        await begun.wait()
        itself._gone.set_result(None)
        with pytest.raises(Unanswered):
            await asking
        await until(lambda: not itself._left)
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert (itself.passed, complaints) == (1, [])


async def test_it_remembers_only_so_many_marks(
    itself: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_MARKS", 3)
    itself.state = State.UP
    for number in range(9):
        await itself.may_answer((b"%d" % number,), fresh=False)
    assert len(itself._needed) == 3
    assert (b"8",) in itself._needed


@pytest.mark.parametrize(
    ("inserted", "end"),
    [
        (0x3000028, 0x3000000),  # behind the long header of a segment's first page
        (0x3002018, 0x3002000),  # behind the short one of any other page
        (0x3002100, 0x3002100),
    ],
)
def test_headers_of_pages_are_no_records(inserted: int, end: int) -> None:
    assert record_end(inserted) == end
