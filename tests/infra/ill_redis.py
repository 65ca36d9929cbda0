"""A Redis of the tests' own, to be ill-treated."""

import os

from redis import Redis


class Server:
    """Where it listens, a client of it, and its process to send signals to."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = Redis.from_url(url)
        self.pid: int = self.client.info("server")["process_id"]

    def send(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)
