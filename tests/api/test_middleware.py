"""What surrounds every request: ids, addresses, headers, limits, compression, log lines, hits."""

import asyncio
import errno
import gzip
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
import structlog
from fastapi import FastAPI
from starlette.types import Message

from jobboard.analytics.hits import Hit
from jobboard.api.middleware.identify import Proxies
from jobboard.asgi import create_app
from jobboard.settings import Settings

pytestmark = pytest.mark.anyio
PROXY = ("10.9.0.5", 1234)


def coming_from(app: FastAPI, client: tuple[str, int]) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=client)
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


@pytest.fixture
def hits(probe_app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> list[Hit]:
    """The hits recorded during the test."""
    recorded: list[Hit] = []
    monkeypatch.setattr(probe_app.state.hits, "record", recorded.append)
    return recorded


class TestRequestId:
    async def test_each_request_has_an_id_of_its_own(self, probing: httpx2.AsyncClient) -> None:
        first, second = await probing.get("/healthz"), await probing.get("/healthz")
        assert first.headers["x-request-id"] != second.headers["x-request-id"]

    async def test_a_stranger_cannot_choose_it(self, probing: httpx2.AsyncClient) -> None:
        answer = await probing.get("/api/probe/who", headers={"X-Request-ID": "mine"})
        assert answer.headers["x-request-id"] != "mine"

    async def test_our_proxy_can(self, probe_app: FastAPI) -> None:
        async with coming_from(probe_app, PROXY) as client:
            answer = await client.get("/api/probe/who", headers={"X-Request-ID": "edge-1.a_B"})
        assert answer.headers["x-request-id"] == answer.json()["request_id"] == "edge-1.a_B"

    def test_a_proxy_may_come_by_a_socket(self) -> None:
        proxies = Proxies.parse("10.0.0.0/8, unix")
        peers = {"": True, "10.1.2.3": True, "::ffff:10.1.2.3": True, "192.0.2.1": False}
        assert {peer: proxies.include(peer) for peer in peers} == peers
        assert not proxies.include("testclient")  # no address at all
        assert not Proxies.parse("10.0.0.0/8").include("")

    @pytest.mark.parametrize("unfit", ["", "a b", "x" * 65, "é", "a\tb", "<script>"])
    async def test_but_not_with_anything(self, probe_app: FastAPI, unfit: str) -> None:
        async with coming_from(probe_app, PROXY) as client:
            headers = {b"X-Request-ID": unfit.encode()}
            answer = await client.get("/api/probe/who", headers=headers)
        assert answer.headers["x-request-id"] != unfit

    async def test_it_stands_in_the_log(self, probing: httpx2.AsyncClient) -> None:
        with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as seen:
            answer = await probing.get("/api/probe/raise/crash")
        assert {event["event"] for event in seen} == {"request.crashed", "request"}
        ids = {event["request_id"] for event in seen}
        assert ids == {answer.headers["x-request-id"]}


class TestClientAddress:
    @pytest.mark.parametrize(
        ("peer", "forwarded", "client"),
        [
            ("203.0.113.7", "198.51.100.1", "203.0.113.7"),  # not our proxy: not believed
            ("10.9.0.5", "198.51.100.1", "198.51.100.1"),
            ("10.9.0.5", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the left is made up
            ("10.9.0.5", "198.51.100.1, 10.9.3.4", "198.51.100.1"),  # two of our proxies
            ("::ffff:10.9.0.5", "2001:db8::1", "2001:db8::1"),
            ("fd00::1", "198.51.100.1", "198.51.100.1"),
            ("10.9.0.5", "garbage", "10.9.0.5"),
            ("10.9.0.5", "198.51.100.1, garbage", "10.9.0.5"),
            ("10.9.0.5", "", "10.9.0.5"),
        ],
    )
    async def test_only_our_proxies_are_believed_from_the_right(
        self, probe_app: FastAPI, peer: str, forwarded: str, client: str
    ) -> None:
        async with coming_from(probe_app, (peer, 1)) as http:
            answer = await http.get("/api/probe/who", headers={"X-Forwarded-For": forwarded})
        assert answer.json()["client"] == client

    async def test_the_scheme_too(self, probe_app: FastAPI) -> None:
        headers = {"X-Forwarded-Proto": "https"}
        async with coming_from(probe_app, PROXY) as http:
            assert (await http.get("/api/probe/who", headers=headers)).json()["scheme"] == "https"
        async with coming_from(probe_app, ("203.0.113.7", 1)) as http:
            assert (await http.get("/api/probe/who", headers=headers)).json()["scheme"] == "http"


class TestSecurityHeaders:
    @pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/api/probe/raise/crash", "/"])
    async def test_every_answer_has_them(self, probing: httpx2.AsyncClient, path: str) -> None:
        headers = (await probing.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert "strict-transport-security" not in headers  # this is a development board

    async def test_a_route_keeps_its_own(self, probing: httpx2.AsyncClient) -> None:
        headers = (await probing.get("/api/probe/own-policy")).headers
        assert headers.get_list("content-security-policy") == ["sandbox"]

    async def test_production_asks_for_https_for_good(self, settings: Settings) -> None:
        production = settings.model_copy(
            update={"environment": "production", "base_url": "https://jobs.example.com"}
        )
        async with coming_from(create_app(production), PROXY) as http:
            headers = (await http.get("/healthz")).headers
        assert headers["strict-transport-security"].startswith("max-age=63072000")

    async def test_the_docs_need_no_foreign_server(self, client: httpx2.AsyncClient) -> None:
        page = await client.get("/api/docs")
        assert page.status_code == 200
        assert "http://" not in page.text
        assert "https://" not in page.text
        assert "script-src 'self';" in page.headers["content-security-policy"]
        for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js", "favicon-32x32.png"):
            assert (await client.get(f"/api/docs/{name}")).status_code == 200
        assert (await client.get("/api/docs/..%2fmain.py")).status_code == 404
        assert (await client.get("/api/openapi.json")).json()["openapi"].startswith("3.")


async def pieces(count: int, size: int) -> AsyncGenerator[bytes]:
    for _ in range(count):
        yield b"x" * size


class TestBodyLimit:
    async def test_up_to_the_limit(self, probing: httpx2.AsyncClient) -> None:
        answer = await probing.post("/api/probe/body", content=b"x" * 1_000_000)
        assert answer.json() == {"bytes": 1_000_000}

    async def test_an_announced_body_is_refused_unread(self, probing: httpx2.AsyncClient) -> None:
        answer = await probing.post("/api/probe/body", content=b"x" * 1_000_001)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_one_without_length_is_counted(self, probing: httpx2.AsyncClient) -> None:
        answer = await probing.post("/api/probe/body", content=pieces(11, 100_000))
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    @pytest.mark.parametrize("lie", ["5", "-1", "many", "1e3"])
    async def test_a_lie_about_the_length_does_not_help(
        self, probing: httpx2.AsyncClient, lie: str
    ) -> None:
        answer = await probing.post(
            "/api/probe/echo",
            content=pieces(11, 100_000),
            headers={"Content-Length": lie, "Content-Type": "application/json"},
        )
        assert answer.status_code == 413

    async def test_uploads_may_be_larger_but_not_endless(
        self, probing: httpx2.AsyncClient, settings: Settings
    ) -> None:
        most = settings.resume_max_mb * 1024 * 1024
        answer = await probing.post("/api/probe/upload", files={"file": ("a.pdf", b"x" * most)})
        assert answer.json() == {"bytes": most}
        answer = await probing.post(
            "/api/probe/upload", files={"file": ("a.pdf", b"x" * (most + 100_000))}
        )
        assert answer.status_code == 413

    async def test_a_route_may_ask_for_as_much(self, probing: httpx2.AsyncClient) -> None:
        answer = await probing.post("/api/probe/stream", content=pieces(20, 100_000))
        assert answer.json() == {"bytes": 2_000_000}

    async def test_a_person_gets_a_page(self, probing: httpx2.AsyncClient) -> None:
        answer = await probing.post(
            "/log-in", content=b"x" * 1_000_001, headers={"Accept": "text/html"}
        )
        assert answer.status_code == 413
        assert "<h1" in answer.text


class TestCompression:
    async def test_long_answers_are_compressed(self, probing: httpx2.AsyncClient) -> None:
        answer = await probing.get("/api/probe/text?size=20000")
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) < 1000
        assert len(answer.json()["text"]) == 20_000

    async def test_short_ones_are_not(self, probing: httpx2.AsyncClient) -> None:
        assert "content-encoding" not in (await probing.get("/api/probe/text?size=100")).headers

    async def test_streams_stay_streams(self, probe_app: FastAPI) -> None:
        """Every piece leaves when it is made, compressed or not."""
        sent: list[bytes] = []

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                sent.append(message.get("body", b""))

        headers = [(b"accept-encoding", b"gzip")]
        await request(probe_app, "/api/probe/stream", "pieces=3", headers=headers, send=send)
        assert len([piece for piece in sent if piece]) >= 3
        assert gzip.decompress(b"".join(sent)) == b"piece 0\npiece 1\npiece 2\n"


def get(path: str, query: bytes = b"") -> dict[str, Any]:
    """The scope of a GET."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": [],
        "client": ("203.0.113.77", 4711),
        "server": ("127.0.0.1", 8000),
    }


async def request(
    app: FastAPI,
    path: str,
    query: str = "",
    *,
    send: Any,
    headers: list[tuple[bytes, bytes]] | None = None,
    leaves_after: float | None = None,
) -> None:
    """A GET straight to the app; the client hangs up after `leaves_after` seconds."""
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.sleep(3600 if leaves_after is None else leaves_after)
        return {"type": "http.disconnect"}

    scope = {**get(path, query.encode()), "headers": headers or []}
    await app(scope, receive, send)


def tasks_of_ours() -> set[asyncio.Task[Any]]:
    """What runs now, without what PyMongo does by itself."""
    return {task for task in asyncio.all_tasks() if "pymongo" not in repr(task)}


class TestDisconnect:
    async def test_a_stream_that_nobody_reads_ends(
        self, probe_app: FastAPI, hits: list[Hit], caplog: pytest.LogCaptureFixture
    ) -> None:
        async def send(message: Message) -> None:
            pass

        before = tasks_of_ours()
        with structlog.testing.capture_logs() as lines, caplog.at_level(logging.WARNING):
            async with asyncio.timeout(5):
                await request(
                    probe_app,
                    "/api/probe/stream",
                    "pieces=100000&pause=0.01",
                    send=send,
                    leaves_after=0.05,
                )
        assert [hit.status for hit in hits] == [499]
        assert [line["event"] for line in lines] == ["request"]
        assert not caplog.records
        assert tasks_of_ours() <= before

    async def test_one_who_does_not_wait_is_seen(self, probe_app: FastAPI, hits: list[Hit]) -> None:
        """A plain answer: nobody reads `receive` while it is made, so we look before we send."""
        async with asyncio.timeout(5):
            gone = asyncio.Event()
            messages = [{"type": "http.request", "body": b"", "more_body": False}]

            async def receive() -> Message:
                if messages:
                    return messages.pop()
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(message: Message) -> None:
                pass

            asyncio.get_running_loop().call_later(0.05, gone.set)
            scope = get("/api/probe/slow", b"seconds=0.15")
            await probe_app(scope, receive, send)
        assert [hit.status for hit in hits] == [499]

    async def test_a_server_that_repeats_itself_does_not_hold_us(
        self, probe_app: FastAPI, hits: list[Hit]
    ) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            pass

        async with asyncio.timeout(5):
            await probe_app(get("/api/probe/slow", b"seconds=0.15"), receive, send)
        assert [hit.status for hit in hits] == [200]

    async def test_an_upload_cut_off_is_no_crash(self, probe_app: FastAPI, hits: list[Hit]) -> None:
        messages: list[Message] = [
            {"type": "http.request", "body": b"x" * 10, "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive() -> Message:
            return messages.pop(0) if len(messages) > 1 else messages[0]

        async def send(message: Message) -> None:
            pass

        scope = {
            **get("/api/probe/body"),
            "method": "POST",
            "headers": [(b"content-length", b"100")],
        }
        with structlog.testing.capture_logs() as lines:
            await probe_app(scope, receive, send)
        assert [hit.status for hit in hits] == [499]
        assert [line["log_level"] for line in lines] == ["info"]

    async def test_an_answer_that_breaks_off_is_not_made_to_look_whole(
        self, probe_app: FastAPI, hits: list[Hit]
    ) -> None:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        with pytest.raises(RuntimeError), structlog.testing.capture_logs() as lines:
            await request(probe_app, "/api/probe/breaks-off", send=send)
        assert sent[-1].get("more_body") is True
        assert [hit.status for hit in hits] == [500]
        assert "request.crashed" in [line["event"] for line in lines]


class TestHits:
    async def test_a_hit_says_what_was_asked_by_whom_and_how_it_went(
        self, probing: httpx2.AsyncClient, hits: list[Hit]
    ) -> None:
        answer = await probing.get("/api/probe/who?secret=value")
        (hit,) = hits
        assert hit.route == "/api/probe/who"
        assert (hit.method, hit.status, hit.bytes) == ("GET", 200, len(answer.content))
        assert hit.person_id == "0199-a-person"
        assert hit.address == "203.0.113.0/24"
        assert hit.request_id == answer.headers["x-request-id"]
        assert 0 < hit.ms < 5000

    @pytest.mark.parametrize(
        ("method", "path", "route"),
        [
            ("GET", "/api/probe/things/7", "/api/probe/things/{number}"),
            ("GET", "/api/v1/jobs/0199c0ff-ee00-7000-8000-000000000000", "/api/v1/jobs/{id}"),
            ("PATCH", "/api/probe/things/7", "/api/probe/things/{number}"),  # 405
            ("GET", "/api/v1/nowhere/7", "unmatched"),
            ("GET", "/api/%00", "unmatched"),
        ],
    )
    async def test_routes_are_templates(
        self, probing: httpx2.AsyncClient, hits: list[Hit], method: str, path: str, route: str
    ) -> None:
        await probing.request(method, path)
        assert [hit.route for hit in hits] == [route]

    async def test_pages_are_no_hits(self, probing: httpx2.AsyncClient, hits: list[Hit]) -> None:
        for path in ("/", "/healthz", "/metrics", "/nowhere"):
            await probing.get(path)
        assert hits == []

    async def test_bytes_are_those_on_the_wire(
        self, probing: httpx2.AsyncClient, hits: list[Hit]
    ) -> None:
        answer = await probing.get("/api/probe/text?size=20000")
        assert [hit.bytes for hit in hits] == [int(answer.headers["content-length"])]


class TestMetrics:
    async def test_requests_are_counted_by_template(self, probing: httpx2.AsyncClient) -> None:
        await probing.get("/api/probe/things/1")
        await probing.request("BREW", "/api/probe/things/1")
        text = (await probing.get("/metrics")).text
        template = "/api/probe/things/{number}"
        assert f'jobboard_requests_total{{method="GET",route="{template}",status="200"}}' in text
        assert f'jobboard_requests_total{{method="other",route="{template}",status="405"}}' in text
        assert (
            f'jobboard_request_seconds_bucket{{le="0.005",method="GET",route="{template}"' in text
        )
        assert "things/1" not in text

    async def test_without_room_for_numbers_requests_are_answered_all_the_same(
        self, probe_app: FastAPI, hits: list[Hit], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(probe_app.state.metrics, "_requests", SimpleNamespace(labels=full))
        transport = httpx2.ASGITransport(app=probe_app)  # an error of the app is raised here
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as one:
            with structlog.testing.capture_logs() as lines:
                answer = await one.get("/api/probe/things/1")
        assert (answer.status_code, len(hits)) == (200, 1)
        assert [line["event"] for line in lines] == ["metrics.lost", "request"]

    async def test_no_hit_is_unaccounted_for(self, probing: httpx2.AsyncClient) -> None:
        await probing.get("/api/probe/things/1")
        lines = (await probing.get("/metrics")).text.splitlines()
        values = {
            name: float(value)
            for name, _, value in (line.partition(" ") for line in lines)
            if name.startswith("jobboard_hits_")
        }
        assert values["jobboard_hits_received_total"] > 0
        assert values["jobboard_hits_received_total"] == (
            values["jobboard_hits_stored_total"]
            + values["jobboard_hits_known_total"]
            + values["jobboard_hits_dropped_total"]
            + values["jobboard_hits_buffered"]
        )


class TestHead:
    @pytest.mark.parametrize("path", ["/", "/robots.txt", "/api/v1/jobs", "/api/probe/things/7"])
    async def test_it_is_a_get_without_the_body(
        self, probing: httpx2.AsyncClient, path: str
    ) -> None:
        whole, head = await probing.get(path), await probing.head(path)
        assert (head.status_code, head.content) == (200, b"")
        differing = {"x-request-id", "etag", "set-cookie"}
        differing |= {"ratelimit", "ratelimit-remaining", "ratelimit-reset"}
        assert {k: v for k, v in head.headers.items() if k not in differing} == {
            k: v for k, v in whole.headers.items() if k not in differing
        }
        assert int(head.headers["content-length"]) > 0

    async def test_what_is_refused_has_no_body_either(self, probing: httpx2.AsyncClient) -> None:
        assert (await probing.head("/api/v1/nowhere")).status_code == 404
        refused = await probing.head("/api/v1/auth/token")
        assert (refused.status_code, refused.content) == (405, b"")
        assert refused.headers["allow"] == "OPTIONS, POST"

    async def test_log_and_hits_tell_it_from_a_get(
        self, probing: httpx2.AsyncClient, hits: list[Hit]
    ) -> None:
        with structlog.testing.capture_logs() as lines:
            await probing.head("/api/probe/things/7")
        assert [(line["event"], line["method"]) for line in lines] == [("request", "HEAD")]
        (hit,) = hits
        assert (hit.method, hit.route) == ("HEAD", "/api/probe/things/{number}")
        assert (hit.status, hit.bytes) == (200, 0)


class TestHost:
    @pytest.fixture(scope="class")
    async def public_app(self, settings: Settings, anyio_backend: Any) -> AsyncIterator[FastAPI]:
        public = {"environment": "production", "base_url": "https://jobs.example.com"}
        app = create_app(settings.model_copy(update=public))
        async with app.router.lifespan_context(app):
            yield app

    @pytest.fixture
    async def production(
        self, public_app: FastAPI, clean: None
    ) -> AsyncIterator[httpx2.AsyncClient]:
        async with coming_from(public_app, PROXY) as http:
            yield http

    @pytest.mark.parametrize(
        "host", ["jobs.example.com", "JOBS.example.com:443", "localhost:8000", "[::1]:8000"]
    )
    async def test_production_answers_to_its_own_name(
        self, production: httpx2.AsyncClient, host: str
    ) -> None:
        assert (await production.get("/api/v1/jobs", headers={"Host": host})).status_code == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "jobs.example.com.evil.example",
            "a@jobs.example.com",
            "jobs.example.com/a",
            "",
        ],
    )
    async def test_and_to_no_other(self, production: httpx2.AsyncClient, host: str) -> None:
        answer = await production.get("/api/v1/jobs", headers={"Host": host})
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_host")
        page = await production.get("/", headers={"Host": host, "Accept": "text/html"})
        assert page.status_code == 400
        assert "<h1" in page.text

    @pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
    async def test_what_is_for_the_inside_answers_to_any_name_there(
        self, production: httpx2.AsyncClient, path: str
    ) -> None:
        assert (await production.get(path, headers={"Host": "web:8000"})).status_code == 200

    async def test_nor_to_a_socket_that_asks_for_another(self, public_app: FastAPI) -> None:
        said: list[Message] = []

        async def send(message: Message) -> None:
            said.append(message)

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        scope = get("/ws") | {"type": "websocket", "headers": [(b"host", b"evil.example")]}
        await public_app(scope, receive, send)
        assert said == [{"type": "websocket.close", "code": 1008}]

    @pytest.mark.parametrize("path", ["/api/v1/jobs/", "/log-in/"])
    async def test_a_slash_too_many_leads_nowhere(
        self, probing: httpx2.AsyncClient, path: str
    ) -> None:
        answer = await probing.get(path, headers={"Host": "evil.example"})
        assert answer.status_code == 404
        assert "location" not in answer.headers
