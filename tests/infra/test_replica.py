"""What a replica costs requests while servers are silent. tests/e2e shows it with real ones."""

import asyncio
from asyncio import StreamReader, StreamWriter

import pytest

from jobboard.infra import replica as module
from jobboard.infra.postgres import Database
from jobboard.infra.replica import Replica, State

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
