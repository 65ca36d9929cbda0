"""Every request is counted: by class, by who asks, and told in the answer's headers."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.params import File
from fastapi.routing import APIRoute, APIWebSocketRoute, RouteContext, iter_route_contexts
from limits import parse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from jobboard.accounts.models import Role
from jobboard.api import callers, deps, limits
from jobboard.api.openapi import App
from jobboard.asgi import create_app
from jobboard.infra import rates
from jobboard.infra.limiter import Limiter
from jobboard.infra.rates import RateClass
from jobboard.settings import Settings
from jobboard.web import deps as web_deps
from tests.factories.people import User, make_user
from tests.web.browser import SAME_ORIGIN
from tests.web.browser import log_in as open_browser

DOORS = (APIRoute, APIWebSocketRoute)
pytestmark = pytest.mark.anyio


@pytest.fixture
def limiter(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Limiter:
    """The app's own, each class three a minute."""
    limiter: Limiter = app.state.engines.limiter
    for rate_class in rates.CLASSES:
        monkeypatch.setitem(limiter.rates, rate_class, parse("3/minute"))
    return limiter


def told(answer: httpx2.Response) -> dict[str, str]:
    return {k: v for k, v in answer.headers.items() if k.startswith("ratelimit")}


async def statuses(*asked: Any) -> list[int]:
    return [(await request).status_code for request in asked]


class TestHeaders:
    async def test_a_success_says_what_is_left(
        self, client: httpx2.AsyncClient, limiter: Limiter
    ) -> None:
        await client.get("/api/v1/companies")
        answer = await client.get("/api/v1/companies")
        seconds = int(answer.headers["ratelimit-reset"])
        assert 55 <= seconds <= 60
        assert told(answer) == {
            "ratelimit-policy": '"reads";q=3;w=60',
            "ratelimit": f'"reads";r=1;t={seconds}',
            "ratelimit-limit": "3",
            "ratelimit-remaining": "1",
            "ratelimit-reset": str(seconds),
        }

    async def test_a_refusal_is_a_problem_that_says_when_to_come_back(
        self, client: httpx2.AsyncClient, limiter: Limiter
    ) -> None:
        for _ in range(3):
            assert (await client.get("/api/v1/companies")).status_code == 200
        refused = await client.get("/api/v1/companies")
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (429, "rate_limited")
        assert refused.headers["content-type"] == "application/problem+json"
        assert problem["request_id"] == refused.headers["x-request-id"]
        assert refused.headers.get_list("retry-after") == [refused.headers["ratelimit-reset"]]
        assert refused.headers["retry-after"] in problem["detail"]
        assert refused.headers["ratelimit-remaining"] == "0"

    async def test_a_person_gets_a_page_that_says_what_to_do(
        self, client: httpx2.AsyncClient, limiter: Limiter
    ) -> None:
        for _ in range(3):
            await client.get("/")
        page = await client.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 429
        assert "Please wait a little" in page.text
        assert f"Try again in {page.headers['retry-after']} seconds." in page.text

    async def test_an_error_counts_and_tells_too(
        self, client: httpx2.AsyncClient, limiter: Limiter
    ) -> None:
        answer = await client.get("/api/v1/jobs?limit=0")
        assert (answer.status_code, answer.headers["ratelimit-remaining"]) == (422, "2")

    async def test_the_schema_tells_of_it(self, app: FastAPI) -> None:
        schema = app.openapi()
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                assert ("429" in operation["responses"]) == path.startswith("/api/"), path
        responses = schema["paths"]["/api/v1/jobs"]["get"]["responses"]
        assert "RateLimit" in responses["200"]["headers"]
        refused = schema["components"]["responses"]["RateLimited"]
        assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(refused["headers"])


class TestClasses:
    async def test_each_class_has_a_budget_of_its_own(
        self, client: httpx2.AsyncClient, limiter: Limiter
    ) -> None:
        reads = [client.get("/api/v1/companies") for _ in range(4)]
        assert await statuses(*reads) == [200, 200, 200, 429]
        assert (await client.get("/api/v1/jobs")).status_code == 200  # a search
        assert (await client.get("/")).headers["ratelimit-remaining"] == "1"  # the same
        answer = await client.post("/api/v1/auth/token", data={})
        assert answer.headers["ratelimit-policy"].startswith('"log-in"')
        answer = await client.post("/api/v1/jobs", json={})
        assert answer.headers["ratelimit-policy"].startswith('"writes"')

    async def test_who_scans_for_addresses_meets_the_limit_too(
        self, client: httpx2.AsyncClient, limiter: Limiter
    ) -> None:
        scan = [client.get(f"/api/v1/nothing-{number}") for number in range(4)]
        assert await statuses(*scan) == [404, 404, 404, 429]
        refused = await client.get("/wp-login.php", headers={"Accept": "text/html"})
        assert (refused.status_code, refused.headers["ratelimit-remaining"]) == (429, "0")
        assert (await client.get("/admin/data/people/list")).status_code == 429

    async def test_head_counts_as_the_get_that_it_is(
        self, client: httpx2.AsyncClient, limiter: Limiter
    ) -> None:
        heads = [client.head("/api/v1/companies") for _ in range(4)]
        assert await statuses(*heads) == [200, 200, 200, 429]

    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/robots.txt"])
    async def test_monitoring_is_never_refused(
        self, client: httpx2.AsyncClient, limiter: Limiter, path: str
    ) -> None:
        answers = [await client.get(path) for _ in range(5)]
        assert 429 not in {answer.status_code for answer in answers}
        assert not any(told(answer) for answer in answers)

    async def test_the_log_in_page_is_limited_whoever_asks(
        self, client: httpx2.AsyncClient, limiter: Limiter
    ) -> None:
        def log_in(number: int) -> Any:
            form = {"email": f"p{number}@example.com", "password": "not it"}
            headers = SAME_ORIGIN | {"Authorization": f"Bearer {number}"}
            return client.post("/log-in", data=form, headers=headers)

        assert await statuses(*map(log_in, range(4))) == [422, 422, 422, 429]

    async def test_a_development_board_is_not_met_by_accident(self, app: FastAPI) -> None:
        general = set(rates.CLASSES) - {rates.LOGIN}
        for rate_class in general:
            limit = app.state.engines.limiter.rates[rate_class]
            assert limit.amount / limit.get_expiry() > 30  # a second

    async def test_off_lifts_and_tells_nothing(self, settings: Settings, clean: None) -> None:
        app = create_app(settings.model_copy(update={"rate_limits": "off"}))
        async with app.router.lifespan_context(app), coming_from(app, "203.0.113.7") as http:
            assert not told(await http.get("/api/v1/companies"))


def coming_from(app: FastAPI, address: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 1))
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


class TestWhoAsks:
    async def test_addresses_do_not_share(
        self, app: FastAPI, clean: None, limiter: Limiter
    ) -> None:
        async def left(address: str) -> str:
            async with coming_from(app, address) as http:
                return (await http.get("/api/v1/companies")).headers["ratelimit-remaining"]

        assert [await left("203.0.113.7"), await left("203.0.113.7")] == ["2", "1"]
        assert await left("203.0.113.8") == "2"
        # One customer holds a whole /64.
        assert [await left("2001:db8::1"), await left("2001:db8::ffff:1")] == ["2", "1"]
        assert await left("2001:db8:0:1::1") == "2"

    async def test_people_behind_one_address_do_not_share(
        self,
        client: httpx2.AsyncClient,
        session: AsyncSession,
        settings: Settings,
        limiter: Limiter,
    ) -> None:
        ann, bob = await make_user(session, settings), await make_user(session, settings)

        async def left(user: User) -> str:
            answer = await client.get("/api/v1/me", headers=user.headers)
            return answer.headers["ratelimit-remaining"]

        assert [await left(ann), await left(bob)] == ["2", "1"]  # not known yet: their address
        assert [await left(ann), await left(ann), await left(bob)] == ["2", "1", "2"]

    async def test_a_page_counts_for_who_is_logged_in(
        self,
        client: httpx2.AsyncClient,
        session: AsyncSession,
        settings: Settings,
        limiter: Limiter,
    ) -> None:
        user = await make_user(session, settings, Role.CANDIDATE)
        browser = await open_browser(client, session, settings, user)
        await browser.get("/me")
        for _ in range(3):
            assert (await browser.get("/me")).status == 200
        assert (await browser.get("/me")).status == 429
        assert (await client.get("/api/v1/companies")).status_code == 200

    async def test_made_up_credentials_count_for_the_address(
        self, client: httpx2.AsyncClient, limiter: Limiter
    ) -> None:
        tries = [
            client.get("/api/v1/me", headers={"Authorization": f"Bearer {number}"})
            for number in range(4)
        ]
        assert await statuses(*tries) == [401, 401, 401, 429]

    def test_a_key_has_a_class_of_its_own(self) -> None:
        known = callers.Callers("session")
        known.learn(b"digest", {"key_id": "7", "person_id": "8"})
        assert known._known[b"digest"] == "key:7"

    def test_of_too_many_the_longest_known_are_forgotten(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(callers, "MOST_CALLERS", 2)
        known = callers.Callers("session")
        for credential in (b"first", b"second", b"third"):
            known.learn(credential, {"person_id": credential.decode()})
        assert list(known._known) == [b"second", b"third"]


class TestWebSocket:
    async def test_it_is_counted_before_it_opens(self, settings: Settings, clean: None) -> None:
        app = create_app(settings)
        router = APIRouter()

        @router.websocket("/api/v1/echo")
        async def echo(websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.send_text("open")
            await websocket.close()

        app.include_router(router, dependencies=[Depends(limits.check)])
        answers = await asyncio.to_thread(open_four, app, "/api/v1/echo", rates.READS)
        assert answers == ["open"] * 3 + ["429 rate_limited True"]

    @pytest.mark.parametrize("path", ["/ws", "/no/such/socket", "/admin/data/socket"])
    async def test_without_a_ticket_or_where_there_is_none_it_is_counted_and_shut(
        self, settings: Settings, clean: None, path: str
    ) -> None:
        app = create_app(settings)
        answers = await asyncio.to_thread(open_four, app, path, rates.READS)
        assert answers == ["shut"] * 3 + ["429 rate_limited True"]


def open_four(app: App, path: str, rate_class: RateClass) -> list[str]:
    """What four clients get where three are allowed, in a loop of its own."""
    with TestClient(app) as client:
        app.state.engines.limiter.rates[rate_class] = parse("3/minute")
        return [open_one(client, path) for _ in range(4)]


def open_one(client: TestClient, path: str) -> str:
    try:
        with client.websocket_connect(path) as socket:
            return socket.receive_text()
    except WebSocketDenialResponse as refused:
        wait = 1 <= int(refused.headers["retry-after"]) <= 60
        return f"{refused.status_code} {refused.json()['code']} {wait}"
    except WebSocketDisconnect:
        return "shut"


def routes(app: FastAPI) -> list[RouteContext]:
    return [r for r in iter_route_contexts(app.routes) if isinstance(r.original_route, APIRoute)]


def endpoint_of(route: RouteContext) -> Callable[..., Any]:
    assert route.endpoint is not None
    return route.endpoint


def calls(dependant: Any) -> set[Any]:
    return {d.call for d in dependant.dependencies} | {
        call for d in dependant.dependencies for call in calls(d)
    }


class TestEveryRoute:
    def test_is_counted(self, app: FastAPI) -> None:
        doors = [r for r in iter_route_contexts(app.routes) if isinstance(r.original_route, DOORS)]
        uncounted = [r.path for r in doors if limits.check not in calls(r.dependant)]
        assert uncounted == []
        others = [
            r.path
            for r in iter_route_contexts(app.routes)
            if not isinstance(r.original_route, DOORS)
        ]
        # The schemas are kept in memory; the data admin is an app that `Counted` stands before.
        assert others == ["/api/openapi.json", "/api/v1/openapi.json", "/admin/data"]

    def test_that_takes_files_is_an_upload(self, app: FastAPI) -> None:
        for route in routes(app):
            files = [b for b in route.dependant.body_params if isinstance(b.field_info, File)]
            if files or route.max_body_size:
                assert rates.class_of(endpoint_of(route), "POST") is rates.UPLOADS, route.path

    def test_that_strangers_may_send_says_its_class_itself(self, app: FastAPI) -> None:
        """WRITES by default is for people; what guards passwords must not be forgotten."""
        known = {
            getattr(module, name)
            for module in (deps, web_deps)
            for name in ("get_actor", "get_actor_alone", "get_newcomer", "get_newcomer_alone")
        }
        silent = [
            f"{route.methods} {route.path}"
            for route in routes(app)
            if not (route.methods or set()) <= rates.SAFE
            and not calls(route.dependant) & known
            and not rates.is_declared(endpoint_of(route))
        ]
        assert silent == []

    def test_class_names_are_fit_for_a_header(self) -> None:
        for rate_class in rates.CLASSES:
            assert isinstance(rate_class, RateClass)
            assert rate_class.name.replace("-", "").isalpha()
