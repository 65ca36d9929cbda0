"""One trace, from a request through its statements to the mail that the worker sends of it."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobboard.asgi import create_app
from jobboard.infra.shared import make_replica
from jobboard.infra.traces import Traces, working
from jobboard.settings import Settings, SettingsError
from jobboard.worker import outbox
from jobboard.worker.context import open_context

pytestmark = pytest.mark.anyio
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PERSON = {"email": "ada@example.com", "password": "three brown hens", "full_name": "Ada"}


@dataclass
class Collector:
    """Takes what is exported to it."""

    url: str = ""
    spans: dict[str, list[Span]] = field(default_factory=dict)

    def take(self, body: bytes) -> None:
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            (service,) = [
                each.value.string_value
                for each in sent.resource.attributes
                if each.key == "service.name"
            ]
            for scope in sent.scope_spans:
                self.spans.setdefault(service, []).extend(scope.spans)

    def of(self, service: str, name: str) -> Span:
        """The only one."""
        (found,) = [span for span in self.spans[service] if span.name == name]
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            kept.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Not in the output of tests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield kept
        server.shutdown()


def attributes(span: Span) -> dict[str, str]:
    return {each.key: each.value.string_value for each in span.attributes}


async def test_a_trace_goes_through_web_database_and_worker(
    settings: Settings, clean: None, collector: Collector
) -> None:
    traced = settings.model_copy(update={"otlp_url": collector.url})
    app = create_app(traced)
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
    ):
        answer = await client.post(
            "/api/v1/auth/register",
            json=PERSON,
            headers={"traceparent": f"00-{TRACE}-{PARENT}-01"},
        )
        await client.get("/reset-password?token=a-secret-of-a-mail")
        await client.get("/healthz")
    async with open_context(traced) as context:
        await outbox.deliver_all(context)

    request = collector.of("jobboard-web", "POST /api/v1/auth/register")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes(request)["jobboard.request_id"] == answer.headers["x-request-id"]
    mail = collector.of("jobboard-worker", "accounts.letter")
    assert mail.trace_id == request.trace_id
    insert = next(
        span
        for span in collector.spans["jobboard-web"]
        if "INSERT INTO people" in attributes(span).get("db.query.text", "")
    )
    assert insert.trace_id == request.trace_id
    below = {span.span_id: span.parent_span_id for span in collector.spans["jobboard-web"]}
    assert ancestors(insert.parent_span_id, below) & {request.span_id}
    assert ancestors(mail.parent_span_id, below) & {request.span_id}

    every = [span for spans in collector.spans.values() for span in spans]
    told = " ".join(str(span) for span in every)
    assert "a-secret-of-a-mail" not in told
    assert PERSON["email"] not in told
    assert not [span for span in every if attributes(span).get("url.path") == "/healthz"]


def ancestors(span_id: bytes, parents: dict[bytes, bytes]) -> set[bytes]:
    """It, and all above it."""
    above = set()
    while span_id in parents and span_id not in above:
        above.add(span_id)
        span_id = parents[span_id]
    return above


async def test_a_statement_that_failed_says_so(settings: Settings, collector: Collector) -> None:
    async with open_context(settings.model_copy(update={"otlp_url": collector.url})) as context:
        with pytest.raises(DBAPIError):
            async with context.database.transaction() as session:
                await session.execute(text("SELECT 1 / 0"))
    failed = collector.of("jobboard-worker", "SELECT")
    assert failed.status.code == Status.STATUS_CODE_ERROR
    assert attributes(failed)["db.query.text"] == "SELECT 1 / 0"


async def test_where_there_is_no_database_the_error_is_the_databases(
    settings: Settings, collector: Collector
) -> None:
    gone = {"otlp_url": collector.url, "database_url": SecretStr("postgresql://127.0.0.1:1/none")}
    async with open_context(settings.model_copy(update=gone)) as context:
        with pytest.raises(OSError, match="Connect"):
            async with context.database.transaction() as session:
                await session.execute(text("SELECT 1"))
    assert collector.spans == {}


async def test_statements_at_the_replica_are_seen_too(
    settings: Settings, collector: Collector
) -> None:
    update = {"otlp_url": collector.url, "database_replica_url": settings.database_url}
    named = settings.model_copy(update=update)
    traces = Traces.make(named, "jobboard-web")
    replica = make_replica(named, traces)
    assert traces
    assert replica
    async with replica.database.transaction() as session:
        await session.execute(text("SELECT 7"))
    await replica.close()
    traces.close()
    assert attributes(collector.of("jobboard-web", "SELECT"))["db.query.text"] == "SELECT 7"


async def test_without_the_libraries_the_setting_says_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jobboard.infra.collector", None)
    wanted = settings.model_copy(update={"otlp_url": "http://127.0.0.1:9"})
    with pytest.raises(SettingsError, match=r"install jobboard\[traces\]"):
        create_app(wanted)


async def test_work_that_failed_says_what_of_and_nothing_of_people(
    settings: Settings, collector: Collector
) -> None:
    async with open_context(settings.model_copy(update={"otlp_url": collector.url})) as context:
        statement = text("SELECT CAST(:value AS text)::integer")
        async with context.database.transaction() as session:
            with pytest.raises(DBAPIError), working(context.traces, "a.message", ""):
                await session.execute(statement, {"value": PERSON["email"]})
            await session.rollback()
    failed = collector.of("jobboard-worker", "a.message")
    assert failed.status.code == Status.STATUS_CODE_ERROR
    assert failed.status.message == "DBAPIError"
    assert not failed.events
    assert PERSON["email"] not in str(collector.spans)


async def test_a_collector_that_is_gone_holds_up_nothing(settings: Settings, clean: None) -> None:
    app = create_app(settings.model_copy(update={"otlp_url": "http://127.0.0.1:9"}))
    async with (
        asyncio.timeout(30),
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1:8000"
        ) as client,
    ):
        assert (await client.get("/api/v1/companies")).status_code == 200
