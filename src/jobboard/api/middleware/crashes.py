"""Exceptions that nobody handled."""

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobboard.api.errors import on_crash

log = structlog.get_logger()


class Crashes:
    """Logs the traceback and answers 500, inside the other middleware, so that they see it too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_and_notice(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_notice)
        except ClientDisconnect:
            return  # nobody is there to answer, and nothing is wrong
        except Exception:
            log.exception("request.crashed", method=scope["method"], path=scope["path"])
            if started:
                raise  # half an answer is out: only closing the connection tells the client
            await on_crash(Request(scope))(scope, receive, send)
