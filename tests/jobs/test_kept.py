"""Statements that are kept by their shape."""

import pytest
from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.jobs import kept

pytestmark = pytest.mark.anyio


async def test_what_was_not_asked_for_longest_goes(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST", 2)
    monkeypatch.setattr(kept, "_kept", {})
    built: list[str] = []

    async def ask(shape: str) -> None:
        def build() -> Select:
            built.append(shape)
            return select(bindparam("n", 1))

        assert (await kept.ask(session, shape, build, {"n": 7}))[0][0] == 7

    for shape in ("a", "b", "a", "c", "a", "b"):
        await ask(shape)
    assert built == ["a", "b", "c", "b"]


async def test_nobody_is_answered_with_the_values_of_another(session: AsyncSession) -> None:
    def build() -> Select:
        return select(bindparam("n", 1))

    await kept.ask(session, "of one parameter", build, {"n": 7})
    with pytest.raises(RuntimeError, match="other parameters"):
        await kept.ask(session, "of one parameter", build, {})
