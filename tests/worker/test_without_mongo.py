"""What the worker does where there is no MongoDB, or a silent one: all but the numbers."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from jobboard.analytics import rollups, searches
from jobboard.infra import mongo as module
from jobboard.infra.mailer import ConsoleMailer
from jobboard.infra.mongo import Mongo
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Message
from jobboard.infra.storage import Storage
from jobboard.settings import Settings
from jobboard.worker import analytics, digest, privacy
from jobboard.worker.context import Context, open_context

pytestmark = pytest.mark.anyio


@pytest.fixture
async def silent(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mongo]:
    """The client of a server that is not there."""
    monkeypatch.setattr(module, "CONNECT_MS", 20)
    mongo = Mongo("mongodb://127.0.0.1:1/none")
    yield mongo
    await mongo.close()


async def test_counting_waits_and_what_else_there_is_goes_on(
    settings: Settings, db: Database, silent: Mongo
) -> None:
    storage = Storage(settings.storage_url)
    erased = Message(kind="privacy.forget", payload={"person_id": str(uuid4())})
    for mongo, said in ((None, []), (silent, ["mongo.server_silent"])):
        context = Context(settings, db, ConsoleMailer(), storage, mongo)
        with capture_logs() as lines:
            await analytics.roll_up(context)
            await analytics.roll_up_searches(context)
        assert [line["event"] for line in lines] == said
    await privacy.forget_rest(Context(settings, db, ConsoleMailer(), storage), erased)


async def test_one_that_goes_while_it_is_asked_keeps_nothing_else_from_being_done(
    settings: Settings, db: Database, silent: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def was_there() -> bool:
        return True

    monkeypatch.setattr(silent, "is_there", was_there)
    for counting in (rollups, searches):
        monkeypatch.setattr(counting, "PATIENCE", 0.1)
    context = Context(settings, db, ConsoleMailer(), Storage(settings.storage_url), silent)
    with capture_logs() as lines:
        await analytics.roll_up(context)
        await analytics.roll_up_searches(context)
        assert await digest._views(context, [uuid4()]) is None
    assert [line["event"] for line in lines] == [
        "analytics.mongo_silent",
        "analytics.mongo_silent",
        "digest.mongo_silent",
    ]


async def test_a_worker_of_a_board_that_has_none(settings: Settings) -> None:
    without = settings.model_copy(update={"mongo_url": SecretStr("")})
    async with open_context(without) as context:
        assert context.mongo is None
        assert await context.database.ping() is None
