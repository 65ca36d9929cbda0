"""A server that does not answer is left alone for a while: nobody waits for what is gone."""

from time import monotonic

import structlog

REST_SECONDS = 5.0  # how long a silent server is not asked again
log = structlog.get_logger()


class Silence:
    """Whether a server answers. `name` is whose view that is, in the log."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._silent = False
        self._rests_until = 0.0

    def may_ask(self) -> bool:
        """Whether to ask. The first after a rest tries it alone: nobody else waits."""
        if monotonic() < self._rests_until:
            return False
        if self._silent:
            self._rests_until = monotonic() + REST_SECONDS
        return True

    def answered(self) -> None:
        """It does."""
        if self._silent:
            log.info(f"{self._name}.redis_back")
        self._silent, self._rests_until = False, 0.0

    def failed(self, error: Exception) -> None:
        """It does not."""
        self._rests_until = monotonic() + REST_SECONDS
        if not self._silent:
            log.warning(f"{self._name}.redis_silent", error=type(error).__name__)
        self._silent = True
