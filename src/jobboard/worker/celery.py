"""The Celery app, its schedule, and the one asyncio runner of each worker process.

    celery -A jobboard.worker.celery:app worker -B

An `async def` Celery task would never run: tasks are plain functions that hand a coroutine to the
process's own runner, whose clients live as long as the process.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from celery.signals import setup_logging, worker_process_init, worker_process_shutdown

from jobboard.infra import logs
from jobboard.infra.queue import DELIVER, make_celery
from jobboard.settings import Settings
from jobboard.worker import accounts, analytics, answers, jobs, outbox, privacy, uploads
from jobboard.worker.context import Context, open_context

EXPIRE = "jobboard.expire_jobs"
CLEAN = "jobboard.clean_outbox"
FORGET_LOGINS = "jobboard.forget_old_logins"
SWEEP = "jobboard.sweep_files"
EXPIRE_REJECTED = "jobboard.expire_rejected"
FORGET_ANSWERS = "jobboard.forget_old_answers"
ROLL_UP = "jobboard.roll_up_hits"

settings = Settings.from_environment()
app = make_celery(settings.redis_url.get_secret_value())
app.conf.beat_schedule = {
    # Delivers what nobody rang for: the doorbell was broken, or a message waited for a retry.
    "deliver": {"task": DELIVER, "schedule": 10.0, "options": {"expires": 10}},
    "roll_up": {"task": ROLL_UP, "schedule": 10.0, "options": {"expires": 10}},
    "expire": {"task": EXPIRE, "schedule": 60.0, "options": {"expires": 60}},
    "clean": {"task": CLEAN, "schedule": 3600.0, "options": {"expires": 3600}},
    "forget_answers": {"task": FORGET_ANSWERS, "schedule": 3600.0, "options": {"expires": 3600}},
    "forget": {"task": FORGET_LOGINS, "schedule": 3600.0, "options": {"expires": 3600}},
    "sweep": {"task": SWEEP, "schedule": 6 * 3600.0, "options": {"expires": 3600}},
    "rejected": {"task": EXPIRE_REJECTED, "schedule": 3600.0, "options": {"expires": 3600}},
}


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


@app.task(name=DELIVER)
def deliver() -> None:
    """Deliver every waiting message."""
    processes[0].run(outbox.deliver_all)


@app.task(name=EXPIRE)
def expire_jobs() -> None:
    """Mark the jobs whose time is over."""
    processes[0].run(jobs.expire_due)


@app.task(name=CLEAN)
def clean_outbox() -> None:
    """Forget messages that were delivered long ago."""
    processes[0].run(outbox.forget_delivered)


@app.task(name=FORGET_LOGINS)
def forget_old_logins() -> None:
    """Forget log-ins that were over long ago."""
    processes[0].run(accounts.forget_old_logins)


@app.task(name=SWEEP)
def sweep_files() -> None:
    """Delete files that belong to nothing."""
    processes[0].run(uploads.sweep)


@app.task(name=EXPIRE_REJECTED)
def expire_rejected() -> None:
    """Forget applications that were turned down long ago."""
    processes[0].run(privacy.expire_rejected)


@app.task(name=FORGET_ANSWERS)
def forget_old_answers() -> None:
    """Forget what was kept for requests with an Idempotency-Key."""
    processes[0].run(answers.forget_old)


@app.task(name=ROLL_UP)
def roll_up_hits() -> None:
    """Count the hits that came."""
    processes[0].run(analytics.roll_up)
