"""What processes tell each other of their numbers goes on after it failed once."""

import asyncio
from collections.abc import Iterable

import pytest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from jobboard.api import tally
from jobboard.api.tally import Tally

pytestmark = pytest.mark.anyio


class FullOnce(Collector):
    """Fails the first time it is asked, as where there is no room; says when it was asked again."""

    def __init__(self) -> None:
        self.asked = 0
        self.again = asyncio.Event()

    def collect(self) -> Iterable[Metric]:
        self.asked += 1
        if self.asked == 1:
            raise OSError("No space left on device")
        self.again.set()
        return ()


async def test_numbers_are_told_again_after_they_could_not_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tally, "SECONDS", 0.0)
    collector = FullOnce()
    telling = asyncio.create_task(Tally([collector]).keep_putting())
    again = asyncio.create_task(collector.again.wait())
    done, _ = await asyncio.wait([telling, again], return_when=asyncio.FIRST_COMPLETED, timeout=10)
    telling.cancel()
    again.cancel()
    assert done == {again}
