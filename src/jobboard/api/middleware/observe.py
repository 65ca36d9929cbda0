"""What happened: one log line, metrics, and a hit, for every request."""

from time import perf_counter

import anyio
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobboard.analytics.hits import Hit, truncated
from jobboard.analytics.recorder import Recorder
from jobboard.api.metrics import Metrics
from jobboard.api.routes import RouteTable
from jobboard.clock import now

CLIENT_LEFT = 499  # nginx's number for a client that did not wait
PATIENCE = 0.1  # seconds after which we look whether someone still waits for the answer
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
QUIET = ("/healthz", "/readyz", "/metrics", "/static/")  # asked too often to be worth a line
log = structlog.get_logger("jobboard.requests")


class Observe:
    """Counts every request. Those below /api/ are hits; pages are in the metrics and the log."""

    def __init__(
        self, app: ASGIApp, *, routes: RouteTable, metrics: Metrics, hits: Recorder
    ) -> None:
        self.app = app
        self.routes = routes
        self.metrics = metrics
        self.hits = hits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        watch = Watch(scope, receive, send)
        # Routing changes the scope: a mount moves the beginning of `path` into `root_path`.
        path: str = scope["path"]
        raw_path: bytes = scope.get("raw_path") or path.encode()
        try:
            await self.app(scope, watch.receive, watch.send)
        except Exception:
            watch.status, watch.broken = 500, True
            raise
        finally:
            self._note(scope, path, raw_path, watch)

    def _note(self, scope: Scope, path: str, raw_path: bytes, watch: "Watch") -> None:
        seconds = perf_counter() - watch.started
        route = self.routes.template(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"
        status = watch.outcome()
        client = scope["client"][0] if scope.get("client") else ""
        state = scope["state"]
        person_id, key_id = state.get("person_id"), state.get("key_id")
        self.metrics.observe(route, method, status, seconds)
        if path.startswith("/api/"):
            self.hits.record(
                Hit(
                    at=now(),
                    route=route,
                    method=method,
                    status=status,
                    ms=round(seconds * 1000, 2),
                    bytes=watch.sent_bytes,
                    person_id=person_id,
                    key_id=key_id,
                    address=truncated(client),
                    request_id=state["request_id"],
                )
            )
        if not path.startswith(QUIET):
            log.info(
                "request",
                method=method,
                # As it came, percent-encoded: a decoded one could hold a line break.
                path=raw_path.decode("latin-1"),
                status=status,
                ms=round(seconds * 1000, 1),
                bytes=watch.sent_bytes,
                client=client,
                person=person_id or key_id,
            )


class Watch:
    """One request's clock and counters, wrapped around `receive` and `send`."""

    __slots__ = (
        "_body_read", "_client_left", "_complete", "_receive", "_send",
        "broken", "sent_bytes", "started", "status",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._body_read = scope["method"] in ("GET", "HEAD")
        self._client_left = False
        self._complete = False
        self.started = perf_counter()
        self.status = 0
        self.broken = False
        self.sent_bytes = 0

    def outcome(self) -> int:
        """The status sent, or 499 when the client left before the end of the answer."""
        whole = self.broken or (self._complete and not self._client_left)
        return self.status if whole else CLIENT_LEFT

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._client_left = self._client_left or not self._complete
        elif not message.get("more_body", False):
            self._body_read = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._body_read and perf_counter() - self.started > PATIENCE:
                await self._look()
        else:  # its body: of ASGI's extensions we use none
            self.sent_bytes += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
        await self._send(message)

    async def _look(self) -> None:
        """See, without waiting, whether the client has hung up. The server would not tell us."""
        with anyio.CancelScope() as scope:
            scope.cancel()
            await self.receive()  # the end of a body that no route wanted, or the hang-up
            await self.receive()
