"""How much of a limit is left, in the headers of every answer that was counted."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobboard.api.limits import HEADERS, STRANGER, Callers


class Quota:
    """Adds what `limits.check` found, and lets it learn whose credential was let in."""

    def __init__(self, app: ASGIApp, *, callers: Callers) -> None:
        self.app = app
        self.callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope["state"]

        async def send_with_quota(message: Message) -> None:
            if message["type"] == "http.response.start" and HEADERS in state:
                message["headers"] = [*message.get("headers", ()), *state[HEADERS]]
                if STRANGER in state:
                    self.callers.learn(state[STRANGER], state)
            await send(message)

        await self.app(scope, receive, send_with_quota)
