"""The port that a web process is handed."""

import socket

from jobboard.cli.listening import address_of, listen


def test_no_answer_waits_for_the_one_before_to_be_acknowledged() -> None:
    with (
        listen("127.0.0.1", 0, taken="is taken") as listener,
        socket.create_connection(address_of(listener)),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
