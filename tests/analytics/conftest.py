"""A database of the real engine, empty before each test that asks for it."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from jobboard.infra import mongo as engine
from jobboard.infra.mongo import Mongo
from jobboard.settings import Settings


@pytest.fixture
async def mongo(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mongo]:
    """One beside the board's, whose own requests are counted all the time; nothing is in it, and
    it has patience for a busy machine."""
    monkeypatch.setattr(engine, "CONNECT_MS", 30_000)
    monkeypatch.setattr(engine, "ANSWER_MS", 60_000)
    url = urlsplit(settings.mongo_url.get_secret_value())
    mongo = Mongo(url._replace(path=url.path + "-beside").geturl())
    for name in await mongo.database.list_collection_names():
        await mongo.database[name].delete_many({})
    yield mongo
    await mongo.close()
