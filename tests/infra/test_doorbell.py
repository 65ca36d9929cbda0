"""A broker that takes connections and falls silent holds nobody up for long: the doorbell of
RabbitMQ, before a server that answers so far and no further, as a frozen one does."""

import socket
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from struct import pack, unpack

import pytest
from amqp import spec
from amqp.serialization import dumps
from amqp.transport import DEFAULT_SOCKET_SETTINGS
from kombu.exceptions import OperationalError
from structlog.testing import capture_logs

from jobboard.infra import queue
from jobboard.infra.queue import DELIVER, Doorbell, make_celery

SOON = 20.0  # seconds, for a machine that does much else meanwhile
Method = tuple[int, int]
# What is said to each of the client's methods, in the order of a first message.
GREETING = (spec.Connection.Start, "ooFSS", (0, 9, {}, b"PLAIN", b"en_US"))
ANSWERS = {
    spec.Connection.StartOk: (spec.Connection.Tune, "BlB", (2047, 131072, 0)),
    spec.Connection.Open: (spec.Connection.OpenOk, "s", ("",)),
    spec.Channel.Open: (spec.Channel.OpenOk, "S", ("",)),
    spec.Exchange.Declare: (spec.Exchange.DeclareOk, "", ()),
    spec.Queue.Declare: (spec.Queue.DeclareOk, "sll", ("celery", 0, 0)),
    spec.Queue.Bind: (spec.Queue.BindOk, "", ()),
}


class Broker(threading.Thread):
    """Falls silent when it hears `last`, and reads nothing afterwards."""

    def __init__(self, server: socket.socket, last: Method) -> None:
        super().__init__()
        self.url = f"amqp://board:secret@127.0.0.1:{server.getsockname()[1]}//"
        self.silent = threading.Event()
        self._server, self._last = server, last
        self._clients: list[socket.socket] = []

    def run(self) -> None:
        """One client after the other."""
        with suppress(OSError):  # it is closed
            while True:
                client, _ = self._server.accept()
                self._clients.append(client)
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        client.recv(8, socket.MSG_WAITALL)  # "AMQP" and a version
        client.sendall(_frame(0, *GREETING))
        while head := client.recv(7, socket.MSG_WAITALL):
            _, channel, size = unpack(">BHI", head)
            heard = unpack(">HH", client.recv(size + 1, socket.MSG_WAITALL)[:4])
            if heard in ANSWERS:
                client.sendall(_frame(channel, *ANSWERS[heard]))
            if heard == self._last:
                self.silent.set()
                return

    def end(self) -> None:
        """Hang up: who still waits, waits no more."""
        for each in (self._server, *self._clients):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def _frame(channel: int, method: Method, shape: str, values: tuple[object, ...]) -> bytes:
    payload = pack(">HH", *method) + dumps(shape, values)
    return pack(">BHI", 1, channel, len(payload)) + payload + b"\xce"


@contextmanager
def broker(last: Method) -> Generator[Broker]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        speaking = Broker(server, last)
        speaking.start()
        try:
            yield speaking
        finally:
            speaking.end()
            speaking.join()


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in queue.AMQP_OPTIONS:
        monkeypatch.setitem(queue.AMQP_OPTIONS, name, 0.3)


def test_a_process_ends_although_the_broker_never_answers() -> None:
    """Frozen right after the handshake, so that the channel is never open."""
    with broker(spec.Connection.Open) as frozen, capture_logs() as lines:
        doorbell = Doorbell(frozen.url)
        doorbell.ring()
        assert frozen.silent.wait(SOON)
        closing_it = threading.Thread(target=doorbell.close)
        closing_it.start()
        closing_it.join(SOON)
        ended = not closing_it.is_alive()
    assert ended
    assert [line["event"] for line in lines] == ["doorbell.silent"]


def test_nobody_writes_for_long_to_a_broker_that_does_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the kernel lets a full window stand, which py-amqp asks it not to."""
    monkeypatch.setitem(DEFAULT_SOCKET_SETTINGS, "TCP_USER_TIMEOUT", 0)
    with broker(spec.Queue.Bind) as frozen, closing(make_celery(frozen.url)) as celery:
        failed = threading.Event()

        def publish() -> None:
            with suppress(OSError, OperationalError):
                while True:
                    celery.send_task(DELIVER, ["x" * 100_000], retry=False)
            failed.set()

        publishing = threading.Thread(target=publish)
        publishing.start()
        gave_up = failed.wait(SOON)
        frozen.end()
        publishing.join()
    assert frozen.silent.is_set()
    assert gave_up
