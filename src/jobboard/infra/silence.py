"""A server that does not answer is left alone for a while: nobody waits for what is gone."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import ParamSpec, TypeVar

import structlog

REST_SECONDS = 5.0  # how long a silent server is not asked again
Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")
log = structlog.get_logger()


class Silence:
    """Asks a server, or leaves it alone. `name` is whose view that is and of which server, in the
    log; `failures` are the errors that mean silence."""

    def __init__(self, name: str, failures: tuple[type[Exception], ...]) -> None:
        self._name, self._failures = name, failures
        self._silent = False
        self._rests_until = 0.0

    async def ask(
        self,
        question: Callable[Parameters, Awaitable[Answer]],
        *args: Parameters.args,
        **options: Parameters.kwargs,
    ) -> Answer | None:
        """The answer; None where none comes, and during the rest after that.

        The first after a rest tries it alone: nobody else waits.
        """
        if monotonic() < self._rests_until:
            return None
        if self._silent:
            self._rests_until = monotonic() + REST_SECONDS
        return await self.insist(question, *args, **options)

    async def insist(
        self,
        question: Callable[Parameters, Awaitable[Answer]],
        *args: Parameters.args,
        **options: Parameters.kwargs,
    ) -> Answer | None:
        """The same for those who have time: no rest keeps them from trying."""
        try:
            answer = await question(*args, **options)
        except self._failures as error:
            self._failed(error)
            return None
        self._answered()
        return answer

    def _answered(self) -> None:
        if self._silent:
            log.info(f"{self._name}_back")
        self._silent, self._rests_until = False, 0.0

    def _failed(self, error: Exception) -> None:
        self._rests_until = monotonic() + REST_SECONDS
        if not self._silent:
            log.warning(f"{self._name}_silent", error=type(error).__name__)
        self._silent = True
