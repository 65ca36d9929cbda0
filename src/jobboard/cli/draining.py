"""The web process under gunicorn: it ends without losing a request that had reached it.

uvicorn, told to end, closes every connection that has no request under way, also one that was
accepted a moment ago and whose request is on the wire. Behind a proxy that is a lost request: one
that writes is never sent twice. So it stops to accept, waits for what was accepted, and then ends.
"""

import asyncio
import signal
import socket
from typing import Any

from uvicorn.server import Server
from uvicorn_worker import UvicornWorker

from jobboard.cli.processes import SERVING

DRAIN = 1.0  # seconds for what was accepted to be read: nginx sends a request whole, and at once
ENDING = 20  # seconds for what is under way then; gunicorn's graceful_timeout is longer


class Draining(Server):
    """uvicorn's server with a pause between the last connection and the end of the idle ones."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """The same, after DRAIN. gunicorn's master keeps the socket: who comes now, waits for the
        next process."""
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        await asyncio.sleep(DRAIN)
        await super().shutdown(sockets)


class Worker(UvicornWorker):
    """uvicorn as `jobboard serve` runs it, below gunicorn. ENDING is shorter than gunicorn's own
    patience: open WebSockets would use all of it up, and nothing would be closed."""

    CONFIG_KWARGS: dict[str, Any] = {**SERVING, "timeout_graceful_shutdown": ENDING}

    async def _serve(self) -> None:
        self.config.app = self.wsgi
        self._install_sigquit_handler()
        # uvicorn raises the signal that ended it once more: to end in order, not to die of it.
        signal.signal(signal.SIGTERM, _leave)
        await Draining(self.config).serve(sockets=self.sockets)


def _leave(*_: object) -> None:
    raise SystemExit(0)
