"""Waiting for servers of other processes."""

import time
from urllib.error import HTTPError
from urllib.request import urlopen

STARTING = 60.0  # seconds, for a machine that does much else meanwhile


def wait_for(address: str, *, status: int = 200) -> None:
    """Until it answers so."""
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        try:
            with urlopen(address, timeout=5) as answer:
                found = answer.status
        except HTTPError as error:
            found = error.code
        except OSError:
            found = 0
        if found == status:
            return
        time.sleep(0.05)
    raise AssertionError(f"{address} never answered {status}")
