"""What PostgreSQL hears of who asks, and what is said of statements that took long."""

from time import perf_counter
from typing import Any

import asyncpg
import structlog
from sqlalchemy import Engine, ExceptionContext, ExecutionContext, event

from jobboard.infra.provenance import origin

BEGIN = "BEGIN;"  # as asyncpg says it
NAME = "jobboard"
LONGEST_NAME = 63  # bytes that PostgreSQL keeps of an application's name
LONGEST_TEXT = 2_000  # characters of a statement that the log shows
STOPPED = {"57014"}  # by its timeout
log: Any = structlog.get_logger()


class NamedConnection(asyncpg.Connection):
    """Tells the server with each BEGIN, in the same round trip, for which request it works.

    `application_name` stands in pg_stat_activity and, by `%a`, in the server's log lines. A comment
    in each statement would say the same, but make each one a new one to parse and plan.
    """

    async def execute(
        self,
        query: str,
        *args: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - asyncpg's own
    ) -> str:
        if query == BEGIN and (request_id := origin().request_id):
            name = f"{NAME} {request_id}"[:LONGEST_NAME].replace("'", "")
            query = f"{BEGIN} SET LOCAL application_name = '{name}'"
        return await super().execute(query, *args, timeout=timeout)

    async def set_type_codec(self, *args: Any, **options: Any) -> None:
        """SQLAlchemy does this to each new connection, and lets asyncpg's own errors through, which
        nobody above expects. A server that ends right then is one that cannot be reached."""
        try:
            await super().set_type_codec(*args, **options)
        except (asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            raise ConnectionResetError(f"a new connection was ended: {error}") from error


class SlowStatements:
    """Logs what took longer than `limit` seconds, with the request id, and counts it.

    Only the text is logged, in which parameters are `$1`: values are people's.
    """

    def __init__(self, engine: Engine, limit: float) -> None:
        self.limit = limit
        self.number = 0
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)
        event.listen(engine, "handle_error", self._failed)

    @staticmethod
    def _begin(*arguments: Any) -> None:
        arguments[4].jobboard_began = perf_counter()

    def _end(self, *arguments: Any) -> None:
        self._note(arguments[4], arguments[2])

    def _failed(self, context: ExceptionContext) -> None:
        code = getattr(context.original_exception, "sqlstate", None)
        if code in STOPPED or isinstance(context.original_exception, TimeoutError):
            self._note(context.execution_context, context.statement or "")

    def _note(self, context: ExecutionContext | None, statement: str) -> None:
        began = getattr(context, "jobboard_began", None)
        if began is None or (took := perf_counter() - began) < self.limit:
            return
        self.number += 1
        text = " ".join(statement.split())[:LONGEST_TEXT]
        log.warning("statement.slow", ms=round(took * 1000), statement=text)
