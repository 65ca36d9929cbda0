"""One's own news: as a list, on the page, and at the bell."""

import re
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.asgi import create_app
from jobboard.infra.postgres import Database
from jobboard.notifications.service import notify
from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.conftest import BASE_URL
from tests.factories.people import User
from tests.web.browser import log_in

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient
API = "/api/v1/notifications"


async def tell(db: Database, user: User, *titles: str) -> None:
    """Each in a transaction of its own, so that one comes after the other."""
    for title in titles:
        async with db.transaction() as session:
            news = {"title": title, "company": "Bakery", "stage": "interview"}
            notify(session, user.id, "application_moved", {**news, "application_id": str(uuid4())})


async def listed(client: Client, user: User, **asked: Any) -> list[str]:
    answer = await client.get(API, params=asked, headers=user.headers)
    return [item["text"].removeprefix("Bakery answered: ") for item in answer.json()["items"]]


async def test_a_second_look_is_no_answer(client: Client, db: Database, cast: Cast) -> None:
    news = {"title": "Baker", "company": "Bakery", "application_id": str(uuid4())}
    async with db.transaction() as session:
        notify(session, cast.candidate.id, "application_moved", {**news, "stage": "viewed"})
    assert await listed(client, cast.candidate) == ["Bakery looks at your application: Baker"]


async def test_news_is_listed_page_by_page_and_marked_as_read(
    client: Client, db: Database, cast: Cast
) -> None:
    await tell(db, cast.candidate, "Baker", "Miller", "Cook")
    await tell(db, cast.rival, "Spy")
    headers = cast.candidate.headers
    first = (await client.get(API, params={"limit": 2}, headers=headers)).json()
    assert [item["text"] for item in first["items"]] == [
        "Bakery answered: Cook",
        "Bakery answered: Miller",
    ]
    assert first["unread"] == 3
    assert first["items"][0]["path"].startswith("/me/applications/")
    assert await listed(client, cast.candidate, cursor=first["next_cursor"]) == ["Baker"]
    cook, miller = (item["id"] for item in first["items"])
    some = await client.post(f"{API}/read", json={"ids": [cook]}, headers=headers)
    assert some.json() == {"unread": 2}
    assert await listed(client, cast.candidate, unread=True) == ["Miller", "Baker"]
    assert (await client.post(f"{API}/read", json={"until": miller}, headers=headers)).json() == {
        "unread": 0
    }
    theirs = (await client.get(API, headers=cast.rival.headers)).json()
    await client.post(f"{API}/read", json={"ids": [theirs["items"][0]["id"]]}, headers=headers)
    assert (await client.get(API, headers=cast.rival.headers)).json()["unread"] == 1


async def test_after_a_cut_one_goes_on_with_the_newest_that_one_has(
    client: Client, db: Database, cast: Cast
) -> None:
    await tell(db, cast.candidate, "Baker")
    answer = await client.get(API, headers=cast.candidate.headers)
    newest = answer.json()["items"][0]["id"]
    await tell(db, cast.candidate, "Miller")
    # What was written before and seen later must not be lost: the minute before comes again.
    assert await listed(client, cast.candidate, since=newest) == ["Miller", "Baker"]
    later = UUID(int=UUID(newest).int + (61_000 << 80))
    assert await listed(client, cast.candidate, since=later) == []


async def test_the_bell_and_the_list(
    client: Client, db: Database, session: AsyncSession, settings: Settings, cast: Cast
) -> None:
    browser = await log_in(client, session, settings, cast.candidate)
    assert "No news yet" in (await browser.get("/me/notifications")).text
    await tell(db, cast.candidate, "Baker", "Miller")
    page = await browser.get("/")
    assert 'id="unread">2<' in page.html
    page = await browser.get("/me/notifications")
    assert page.text.index(": Miller") < page.text.index(": Baker")
    await tell(db, cast.candidate, "Cook")  # after the page was shown
    lost = await browser.submit(page, "/me/notifications/read", until="yesterday")
    assert (lost.status, "how far you have read" in lost.text) == (422, True)
    await browser.submit(page, "/me/notifications/read")
    page = await browser.get("/me/notifications")
    assert 'id="unread">1<' in page.html
    (unread,) = re.findall(r'href="(/me/notifications/[^"]+)"', page.html)
    assert re.fullmatch("/me/applications/[-0-9a-f]+", (await browser.get(unread)).location)
    page = await browser.get("/me/notifications")
    assert 'id="unread" hidden>' in page.html
    assert not page.offers("/me/notifications/read")


async def test_without_redis_pages_show_news_and_there_are_no_tickets(
    client: Client, db: Database, settings: Settings, cast: Cast
) -> None:
    await tell(db, cast.candidate, "Baker")
    gone = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    app = create_app(gone)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as alone:
            assert await listed(alone, cast.candidate) == ["Baker"]
            refused = await alone.post("/api/v1/ws-tickets", headers=cast.candidate.headers)
            assert refused.status_code == 503
            await tell(app.state.engines.database, cast.candidate, "Miller")
            assert await listed(alone, cast.candidate) == ["Miller", "Baker"]
