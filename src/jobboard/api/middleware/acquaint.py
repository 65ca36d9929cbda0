"""Whose credential it was: learnt from a request that was let in."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobboard.api.callers import STRANGER, Callers


class Acquaint:
    """Lets `Callers` learn who came with a credential, so that the next request counts for them."""

    def __init__(self, app: ASGIApp, *, callers: Callers) -> None:
        self.app = app
        self.callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope["state"]

        async def send_and_learn(message: Message) -> None:
            if message["type"] == "http.response.start" and STRANGER in state:
                self.callers.learn(state[STRANGER], state)
            await send(message)

        await self.app(scope, receive, send_and_learn)
