"""A MongoDB that is gone: one finds that out, and the others do not wait for it."""

import asyncio

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from jobboard.errors import Unavailable
from jobboard.infra import mongo as module
from jobboard.infra.mongo import Mongo, asking
from jobboard.settings import Settings
from tests.timing import at_once

pytestmark = pytest.mark.anyio


async def test_who_asks_after_the_first_does_not_wait() -> None:
    mongo = Mongo("mongodb://127.0.0.1:9/none")
    with pytest.raises(Unavailable, match="does not answer"):
        await asking(mongo).__aenter__()
    with pytest.raises(Unavailable, match="does not answer"):
        at_once(asking(mongo).__aenter__())
    await mongo.close()


async def test_a_process_that_has_not_looked_yet_looks(settings: Settings) -> None:
    mongo = Mongo(settings.mongo_url.get_secret_value())
    async with asking(mongo) as database:
        assert (await database.command("ping"))["ok"] == 1
    await mongo.close()


async def test_a_board_without_one_says_so() -> None:
    with pytest.raises(Unavailable) as refused:
        at_once(asking(None).__aenter__())
    assert refused.value.message == module.UNSET


async def test_what_goes_wrong_amid_a_question(settings: Settings) -> None:
    mongo = Mongo(settings.mongo_url.get_secret_value())
    with pytest.raises(Unavailable, match="does not answer"):
        async with asking(mongo):
            raise AutoReconnect("connection closed")
    with pytest.raises(OperationFailure, match="unknown operator"):  # a bug of ours: not hidden
        async with asking(mongo):
            raise OperationFailure("unknown operator: $most")
    await mongo.close()


async def test_nobody_need_look_at_a_question_that_was_given_up() -> None:
    asked = asyncio.get_running_loop().create_future()
    asked.add_done_callback(module._look_at)
    asked.cancel()
    await asyncio.wait([asked])
    assert asked.cancelled()
