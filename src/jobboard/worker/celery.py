"""The Celery app, its schedule, and the one asyncio runner of each worker process.

    celery -A jobboard.worker.celery:app worker -B

An `async def` Celery task would never run: tasks are plain functions that hand a coroutine to the
process's own runner, whose clients live as long as the process.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog
from celery.beat import PersistentScheduler
from celery.signals import (
    setup_logging,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
)

from jobboard.infra import logs
from jobboard.infra.queue import DELIVER, TICK, make_celery
from jobboard.settings import Settings
from jobboard.worker import clock, outbox
from jobboard.worker.context import Context, open_context

SCHEDULE_SECONDS = 5.0  # between two looks at the process that holds the schedule
ALIVE_SECONDS = 5.0  # between two signs of life
log = structlog.get_logger()
settings = Settings.from_environment()
app = make_celery(settings.broker)
# Both look into the database for what there is to do: ringing twice, or late, does no harm.
app.conf.beat_schedule = {
    # Delivers what nobody rang for: the doorbell was broken, or a message waited for a retry.
    "deliver": {"task": DELIVER, "schedule": 10.0, "options": {"expires": 10}},
    "tick": {"task": TICK, "schedule": 10.0, "options": {"expires": 10}},
}
app.conf.beat_scheduler = f"{__name__}:Schedule"


def _show_life(name: str) -> None:
    """Whoever looks at the age of this file sees a process that hangs as well as one that ended."""
    if settings.alive_path:
        Path(settings.alive_path + name).touch()


class Schedule(PersistentScheduler):
    """Celery's own, which shows that it lives with each look at what is due."""

    def tick(self, *args: Any, **options: Any) -> float:
        """Send what is due; seconds until the next look."""
        _show_life(".schedule")
        return super().tick(*args, **options)


class Process:
    """What one worker process holds from its start to its end."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.opened = open_context(settings)
        self.context: Context = self.runner.run(self.opened.__aenter__())

    def run(self, work: Callable[[Context], Coroutine[Any, Any, object]]) -> None:
        """Do one piece of work to its end."""
        self.runner.run(work(self.context))

    def close(self) -> None:
        """Let go of every client."""
        self.runner.run(self.opened.__aexit__(None, None, None))
        self.runner.close()


processes: list[Process] = []  # one, from worker_process_init on


@setup_logging.connect
def _logs(**_: object) -> None:
    logs.configure(settings.log_format)


@worker_process_init.connect
def _start(**_: object) -> None:
    processes.append(Process())


@worker_process_shutdown.connect
def _stop(**_: object) -> None:
    while processes:
        processes.pop().close()


@worker_ready.connect
def _live(sender: Any, **_: object) -> None:
    sender.timer.call_repeatedly(ALIVE_SECONDS, _show_life, ("",))


@worker_ready.connect
def _watch_schedule(sender: Any, **_: object) -> None:
    """A worker whose schedule was killed ends, so that whoever runs it starts it again whole.

    Celery replaces children that work, but not the one that holds the schedule: without it nothing
    would be delivered late, and nothing done when it is due.
    """
    if not (beat := sender.controller.beat):
        return

    def look() -> None:
        if not beat.is_alive():
            log.error("worker.schedule_ended")
            os.kill(os.getpid(), signal.SIGTERM)

    sender.timer.call_repeatedly(SCHEDULE_SECONDS, look)


@app.task(name=DELIVER)
def deliver() -> None:
    """Deliver every waiting message."""
    processes[0].run(outbox.deliver_all)


@app.task(name=TICK)
def tick() -> None:
    """Do what is due by the clock."""
    processes[0].run(clock.tick)
