"""The command lines of the web process and of a worker, the same for `up` and for a server."""

import sys
from pathlib import Path

PACKAGES = Path(__file__).parents[2]
GRACE = 2  # seconds that requests under way get when the web process stops
# What uvicorn is told, whoever starts it; `draining.py` hands on the same.
SERVING: dict[str, str | int | bool] = {
    "loop": "uvloop",
    "http": "httptools",
    "lifespan": "on",
    "log_level": "warning",
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,  # who may say for whom they ask is our own setting
    # What comes in on a socket is nothing; to compress what goes out costs 300 kB a socket.
    "ws_max_size": 4096,
    "ws_per_message_deflate": False,
}
SWITCHES = {"access_log", "server_header", "proxy_headers"}  # options without a value
# -P: a file in the working folder must not pass for one of our modules.
PYTHON = [sys.executable, "-P", "-m"]
# On its standard output Celery says how it shuts down. What matters goes to standard error.
SILENT = ["/bin/sh", "-c", 'exec "$@" >/dev/null', "sh"]
# Celery warns root of pickled messages. Ours are JSON, and say no more than that there are some.
QUIET_ROOT = [
    sys.executable, "-P", "-W", "ignore:You're running the worker with superuser", "-m",
]  # fmt: skip


def web_command(*where: str) -> list[str]:
    """The web process, `where` being uvicorn's own `--fd` or `--host` and `--port`."""
    return [
        *PYTHON, "uvicorn", "--factory", "jobboard.asgi:create_app", "--app-dir", str(PACKAGES),
        *_options(),
        "--timeout-graceful-shutdown", str(GRACE), *where,
    ]  # fmt: skip


def _options() -> list[str]:
    """SERVING as uvicorn's command line has it."""
    options = []
    for name, value in SERVING.items():
        option = name.replace("_", "-")
        if name in SWITCHES:
            options.append(f"--{option}" if value else f"--no-{option}")
        else:
            options += [f"--{option}", str(value).lower()]
    return options


CELERY = [*SILENT, *QUIET_ROOT, "celery", "--quiet", "--app", "jobboard.worker.celery:app"]


def worker_command(*, concurrency: int, schedule: Path | None) -> list[str]:
    """A Celery worker. One worker of a board also runs the schedule, and keeps it in a file."""
    beat = [] if schedule is None else ["--beat", "--schedule", str(schedule)]
    return [
        *CELERY, "worker", "--loglevel", "WARNING", "--concurrency", str(concurrency),
        "--without-gossip", "--without-mingle", "--without-heartbeat", *beat,
    ]  # fmt: skip


def beat_command(schedule: Path) -> list[str]:
    """The schedule alone, kept in a file, where many workers run beside it."""
    return [*CELERY, "beat", "--loglevel", "WARNING", "--schedule", str(schedule)]
