"""A worker whose schedule was killed: Celery starts that process no second time."""

import os
import signal
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from jobboard.worker import celery


def worker(beat: object, looks: list[Callable[[], None]]) -> Any:
    """What Celery hands over of one that is ready."""
    timer = SimpleNamespace(call_repeatedly=lambda _seconds, look: looks.append(look))
    return SimpleNamespace(controller=SimpleNamespace(beat=beat), timer=timer)


def test_a_worker_without_its_schedule_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[tuple[int, int]] = []
    monkeypatch.setattr(celery.os, "kill", lambda *what: ended.append(what))
    looks: list[Callable[[], None]] = []
    lives = [True, False]
    celery._watch_schedule(worker(SimpleNamespace(is_alive=lambda: lives.pop(0)), looks))
    (look,) = looks
    look()
    assert ended == []
    look()
    assert ended == [(os.getpid(), signal.SIGTERM)]


def test_one_that_has_none_is_not_watched() -> None:
    looks: list[Callable[[], None]] = []
    celery._watch_schedule(worker(None, looks))
    assert looks == []
