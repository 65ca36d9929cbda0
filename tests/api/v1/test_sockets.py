"""News as it comes, in two web processes: who gets what, who gets in, and who is cut off."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.websockets import WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from jobboard.api import hub as module
from jobboard.api.hub import Hub, Seat
from jobboard.asgi import create_app
from jobboard.infra.postgres import Database
from jobboard.jobs.models import JobStatus
from jobboard.settings import Settings
from tests.api.served import Served, serve
from tests.api.v1.conftest import Cast
from tests.api.v1.test_notifications import tell
from tests.factories.jobs import make_job
from tests.factories.people import User

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient


@pytest.fixture(scope="module")
def sites(settings: Settings) -> Iterator[tuple[Served, Served]]:
    """Two web processes, as far as loops and clients go."""
    with (
        serve(create_app(settings), ws="websockets-sansio") as one,
        serve(create_app(settings), ws="websockets-sansio") as other,
    ):
        yield one, other


class Sockets:
    """Opens sockets, and closes them at the end."""

    def __init__(self, client: Client, stack: AsyncExitStack) -> None:
        self.client, self.stack = client, stack

    async def ticket(self, user: User) -> str:
        answer = await self.client.post("/api/v1/ws-tickets", headers=user.headers)
        return answer.json()["ticket"]

    async def open(self, site: Served, user: User, since: str = "") -> ClientConnection:
        ticket = await self.ticket(user)
        return await self.connect(site, ticket + (f"&since={since}" if since else ""))

    async def connect(self, site: Served, ticket: str, **options: Any) -> ClientConnection:
        url = site.address.replace("http", "ws") + f"/ws?ticket={ticket}"
        return await self.stack.enter_async_context(connect(url, **options))


@pytest.fixture
async def sockets(client: Client) -> AsyncIterator[Sockets]:
    async with AsyncExitStack() as stack:
        yield Sockets(client, stack)


async def heard(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of this kind."""
    async with asyncio.timeout(20):
        while (message := json.loads(await socket.recv()))["type"] != kind:
            pass
    return message


async def closed(socket: ClientConnection) -> int | None:
    """The code with which the server ended it."""
    async with asyncio.timeout(20):
        with suppress(ConnectionClosed):
            async for _ in socket:
                pass
        await socket.wait_closed()
    return socket.close_code


async def test_news_reaches_its_reader_in_every_process_and_nobody_else(
    sockets: Sockets, sites: tuple[Served, Served], db: Database, cast: Cast
) -> None:
    here, there, rival = [
        await sockets.open(site, user)
        for site, user in zip(
            (*sites, sites[0]), (cast.candidate, cast.candidate, cast.rival), strict=True
        )
    ]
    for socket in (here, there, rival):
        assert (await heard(socket, "hello"))["unread"] == 0
    await tell(db, cast.candidate, "Baker")
    for socket in (here, there):
        news = await heard(socket, "news")
        assert (news["unread"], [item["text"] for item in news["items"]]) == (
            1,
            ["Bakery answered: Baker"],
        )
    headers = cast.candidate.headers
    await sockets.client.post("/api/v1/notifications/read", json={}, headers=headers)
    for socket in (here, there):
        assert await heard(socket, "news") == {"type": "news", "unread": 0, "items": []}
    await tell(db, cast.rival, "Cook")
    news = await heard(rival, "news")  # the first that they hear
    assert [item["text"] for item in news["items"]] == ["Bakery answered: Cook"]


async def test_after_a_cut_what_was_missed_comes_first(
    sockets: Sockets, sites: tuple[Served, Served], db: Database, cast: Cast
) -> None:
    socket = await sockets.open(sites[0], cast.candidate)
    await heard(socket, "hello")
    await tell(db, cast.candidate, "Baker")
    (known,) = (await heard(socket, "news"))["items"]
    await socket.close()
    await tell(db, cast.candidate, "Miller", "Cook")
    again = await sockets.open(sites[1], cast.candidate, since=known["id"])
    hello = await heard(again, "hello")
    texts = [item["text"].removeprefix("Bakery answered: ") for item in hello["items"]]
    assert texts[-2:] == ["Miller", "Cook"]
    assert hello["unread"] == 3


async def test_who_had_no_news_before_the_cut_hears_of_the_first(
    sockets: Sockets, sites: tuple[Served, Served], db: Database, cast: Cast
) -> None:
    socket = await sockets.open(sites[0], cast.candidate)
    hello = await heard(socket, "hello")
    await socket.close()
    await tell(db, cast.candidate, "Miller")
    again = await sockets.open(sites[1], cast.candidate, since=hello["since"])
    (item,) = (await heard(again, "hello"))["items"]
    assert item["text"] == "Bakery answered: Miller"


async def test_what_a_client_says_changes_nothing(
    sockets: Sockets, sites: tuple[Served, Served], db: Database, cast: Cast
) -> None:
    socket = await sockets.open(sites[0], cast.candidate)
    await heard(socket, "hello")
    await socket.send(b"\xff")
    await socket.send("what?")
    await tell(db, cast.candidate, "Miller")
    assert len((await heard(socket, "news"))["items"]) == 1


async def test_moderators_who_return_hear_each_change(
    sockets: Sockets,
    sites: tuple[Served, Served],
    session: AsyncSession,
    cast: Cast,
) -> None:
    admin = await sockets.open(sites[1], cast.admin)
    jobs = [
        await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
        for _ in range(2)
    ]
    submit = [f"/api/v1/jobs/{job.id}/submit" for job in jobs]
    await sockets.client.post(submit[0], headers=cast.employer.headers)
    assert (await heard(admin, "moderation"))["pending"] == 1
    await admin.close()
    await admin.wait_closed()
    await sockets.client.post(submit[1], headers=cast.employer.headers)
    admin = await sockets.open(sites[1], cast.admin)
    assert (await heard(admin, "hello"))["pending"] == 2
    approve = f"/api/v1/admin/jobs/{jobs[0].id}/approve"
    await sockets.client.post(approve, headers=cast.admin.headers)
    assert (await heard(admin, "moderation"))["pending"] == 1


async def test_moderators_hear_how_many_jobs_wait(
    sockets: Sockets,
    sites: tuple[Served, Served],
    session: AsyncSession,
    db: Database,
    cast: Cast,
) -> None:
    admin = await sockets.open(sites[1], cast.admin)
    assert (await heard(admin, "hello"))["pending"] == 0
    employer = await sockets.open(sites[1], cast.employer)
    assert "pending" not in await heard(employer, "hello")
    job = await make_job(session, cast.employer, cast.company, status=JobStatus.DRAFT)
    headers = cast.employer.headers
    await sockets.client.post(f"/api/v1/jobs/{job.id}/submit", headers=headers)
    assert await heard(admin, "moderation") == {"type": "moderation", "pending": 1}
    await sockets.client.post(f"/api/v1/admin/jobs/{job.id}/approve", headers=cast.admin.headers)
    assert (await heard(admin, "moderation"))["pending"] == 0
    assert (await heard(employer, "news"))["items"][0]["text"] == f"Your job is live: {job.title}"


async def test_who_does_not_get_in(
    sockets: Sockets, sites: tuple[Served, Served], cast: Cast
) -> None:
    used = await sockets.ticket(cast.candidate)
    await heard(await sockets.connect(sites[0], used), "hello")
    left = await sockets.ticket(cast.rival)
    await sockets.client.post("/api/v1/auth/revoke", data={"token": token_of(cast.rival)})
    foreign = await sockets.ticket(cast.candidate)
    cases = [
        (used, None),
        ("nonsense", None),
        ("", None),
        (left, None),
        (foreign, "https://evil.example.com"),
        (foreign, "http://["),  # no address at all
    ]
    for ticket, origin in cases:
        with pytest.raises(InvalidStatus) as refused:
            await sockets.connect(sites[1], ticket, origin=origin)
        assert refused.value.response.status_code == 403, (ticket, origin)
    ours = await sockets.ticket(cast.candidate)
    socket = await sockets.connect(sites[0], ours, origin=sites[0].address)
    await heard(socket, "hello")


def token_of(user: User) -> str:
    return user.headers["Authorization"].removeprefix("Bearer ")


async def test_who_logs_out_is_cut_off(
    sockets: Sockets, sites: tuple[Served, Served], cast: Cast
) -> None:
    socket = await sockets.open(sites[0], cast.candidate)
    stays = await sockets.open(sites[0], cast.employer)
    for each in (socket, stays):
        await heard(each, "hello")
    await sockets.client.post("/api/v1/auth/revoke", data={"token": token_of(cast.candidate)})
    hub: Hub = sites[0].app.state.hub
    await asyncio.to_thread(sites[0].do, hub._cut_off_who_left())
    assert await closed(socket) == module.ENDED
    assert cast.employer.id in {seat.person_id for seat in hub.seats}
    async with httpx2.AsyncClient(base_url=sites[0].address) as there:
        metrics = (await there.get("/metrics")).text
    assert "jobboard_sockets_dropped_total 1.0" in metrics


async def test_nobody_has_more_than_a_few(
    sockets: Sockets, sites: tuple[Served, Served], cast: Cast
) -> None:
    for _ in range(module.EACH):
        await heard(await sockets.open(sites[0], cast.admin), "hello")
    assert await closed(await sockets.open(sites[0], cast.admin)) == module.MANY


async def test_a_process_that_ends_says_so_and_waits_for_nobody(
    sockets: Sockets, settings: Settings, cast: Cast
) -> None:
    with ExitStack() as stack:
        serving = serve(create_app(settings), ws="websockets-sansio")
        site = await asyncio.to_thread(lambda: stack.enter_context(serving))
        socket = await sockets.open(site, cast.candidate)
        await heard(socket, "hello")
        ending = asyncio.create_task(asyncio.to_thread(stack.close))
        assert await closed(socket) == 1012
        await ending


async def test_where_the_database_is_gone_a_new_socket_is_told_to_come_later(
    sockets: Sockets, sites: tuple[Served, Served], cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub: Hub = sites[0].app.state.hub
    gone = replace(hub._engines, database=Database("postgresql://nobody@127.0.0.1:9/none"))
    monkeypatch.setattr(hub, "_engines", gone)
    assert await closed(await sockets.open(sites[0], cast.candidate)) == module.LATER


class Stuck:
    """A reader that reads nothing."""

    def __init__(self) -> None:
        self.code = asyncio.get_running_loop().create_future()

    async def send_text(self, _text: str) -> None:
        await asyncio.Event().wait()

    async def close(self, code: int) -> None:
        self.code.set_result(code)


class StuckToTheEnd(Stuck):
    """One that does not even read a farewell."""

    async def close(self, code: int) -> None:
        await super().close(code)
        await asyncio.Event().wait()


class Vanished(Stuck):
    """One who left amid a message, so that the server finds nobody there."""

    async def close(self, code: int) -> None:
        await super().close(code)
        raise WebSocketDisconnect(1006)


class Reader(Stuck):
    """One that reads, until they leave."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self.left = False

    async def send_text(self, _text: str) -> None:
        if self.left:
            raise WebSocketDisconnect(1006)
        self.read.append(json.loads(_text)["type"])


def seat_on(hub: Hub, socket: Stuck, moderator: User | None = None) -> Seat:
    """Of this moderator, or of somebody who has logged out."""
    seat = Seat(
        socket,  # ty: ignore[invalid-argument-type] - all that the hub needs of a socket
        moderator.id if moderator else uuid4(),
        uuid4(),
        moderates=moderator is not None,
        since=uuid4(),
        returns=True,
    )
    assert hub.enter(seat)
    return seat


async def test_who_is_rung_for_while_they_are_greeted_is_looked_after_again(
    app: Any, cast: Cast
) -> None:
    hub, reader = Hub(app.state.engines), Reader()
    seat = seat_on(hub, reader, cast.admin)
    hub._ring([str(cast.admin.id), module.MODERATION])
    await hub._bring_what_is_new()
    assert (seat.missed, seat.sending) == (True, None)  # first they are greeted
    await hub.greet(seat)
    assert (hub._rung, hub._moderation) == ({cast.admin.id}, True)
    await hub._bring_what_is_new()  # nothing that the greeting did not say
    assert seat.sending is not None
    await seat.sending
    assert reader.read == ["hello"]
    hub._ring([str(cast.admin.id)])
    hub.leave(seat)
    await hub._bring_what_is_new()  # of interest to nobody any more
    assert reader.read == ["hello"]
    await hub.close()


async def test_who_left_is_sent_nothing_more_and_cut_off_once(app: Any) -> None:
    hub, reader = Hub(app.state.engines), Reader()
    seat = seat_on(hub, reader)
    reader.left = True
    hub._offer(seat, '{"type":"beat"}')
    assert seat.sending is not None
    await seat.sending
    assert seat.closed
    assert hub.sent == 0
    hub._cut_off(seat, module.ENDED)
    assert (hub.dropped, reader.code.done()) == (0, False)
    await hub.close()


async def test_farewells_are_not_waited_for(app: Any) -> None:
    hub, readers = Hub(app.state.engines), [StuckToTheEnd(), StuckToTheEnd()]
    seats = [seat_on(hub, reader) for reader in readers]
    hub._offer(seats[0], "news")
    sending = seats[0].sending
    async with asyncio.timeout(10):
        await hub._cut_off_who_left()
        assert {seat.sending.done() for seat in seats if seat.sending} == {False}
        assert [await reader.code for reader in readers] == [module.ENDED] * 2
    assert sending is not None
    assert sending.cancelled()
    await hub.close()


class OnceOdd:
    """A database with a bug, or one that is away for a moment."""

    def __init__(self, database: Database, odd: Exception | None) -> None:
        self.database, self.odd = database, odd

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        odd, self.odd = self.odd, None
        if odd is not None:
            raise odd
        return self.database.transaction()


@pytest.mark.parametrize(
    "odd",
    [None, LookupError("odd"), ConnectionRefusedError("away")],
    ids=["a reader vanished", "a bug", "away"],
)
async def test_the_beat_goes_on(
    app: Any, monkeypatch: pytest.MonkeyPatch, odd: Exception | None
) -> None:
    monkeypatch.setattr(module, "BEAT", 0.01)
    engines = app.state.engines
    hub = Hub(replace(engines, database=OnceOdd(engines.database, odd)))
    hub.start()
    try:
        async with asyncio.timeout(20):
            for _ in range(2):
                vanished = Vanished()
                seat = seat_on(hub, vanished)
                assert await vanished.code == module.ENDED
                hub.leave(seat)
    finally:
        await hub.close()


@pytest.mark.parametrize("how", ["too many wait", "one waits for too long"])
async def test_who_does_not_read_is_cut_off_and_keeps_nobody_waiting(
    app: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    messages = module.WAITING + 3
    if how == "one waits for too long":
        monkeypatch.setattr(module, "SEND", -1.0)
        messages = 1
    hub, socket = Hub(app.state.engines), Stuck()
    seat = seat_on(hub, socket)
    for number in range(messages):
        hub._offer(seat, "news")
        if number == 0 and messages > 1:  # who has only just been sent something is not slow
            hub._cut_off_the_stuck()
        await asyncio.sleep(0)
        assert number > module.WAITING or not socket.code.done()
    hub._cut_off_the_stuck()
    async with asyncio.timeout(10):
        assert await socket.code == module.SLOW
    hub.leave(seat)
    assert hub.seats == []
    await hub.close()
