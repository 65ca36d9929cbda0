"""gunicorn's settings for the web process of a server: `gunicorn --config deploy/gunicorn.conf.py`.

BIND is where it listens, WEB_CONCURRENCY how many processes. In a container one process is enough:
more containers are more processes, each of which Prometheus can ask by itself. Of several, each
answers /metrics for all. SIGHUP puts new processes in the place of the old ones and loses nothing.
"""

import os
import re
import stat
from pathlib import Path
from typing import Any

from jobboard.settings import Settings, SettingsError

wsgi_app = "jobboard.asgi:create_app()"
worker_class = "jobboard.cli.draining.Worker"
bind = os.environ.get("BIND", "0.0.0.0:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
timeout = 60  # seconds without a sign of life, after which a process is killed
graceful_timeout = 25
keepalive = 75  # seconds; longer than nginx keeps a connection, so that nginx ends it
worker_tmp_dir = "/dev/shm"
control_socket_disable = True  # whoever supervises the container has its signals
loglevel = "warning"  # of gunicorn's own; requests are logged by the app

if workers > 1:  # before prometheus_client is imported: then it decides where it counts
    name = f"jobboard-metrics-{os.getuid()}-{re.sub(r'[^A-Za-z0-9]+', '-', bind)}"
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", f"{worker_tmp_dir}/{name}")


def on_starting(_server: Any) -> None:
    """Say at once what no process could start with. What those of an earlier life counted is not
    ours."""
    try:
        Settings.from_environment()
    except SettingsError as error:
        raise SystemExit(f"jobboard: {error}") from None
    if workers > 1:
        folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()  # anybody may write into /dev/shm, and its name can be guessed
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise SystemExit(
                f"{folder} is a link or somebody else's: remove it, or set PROMETHEUS_MULTIPROC_DIR"
                " to a folder of your own"
            )
        folder.chmod(0o700)
        for file in folder.glob("*.db"):
            file.unlink()


def child_exit(server: Any, worker: Any) -> None:
    """What a process had open or waiting is gone with it; what it counted is kept for it.

    An error that left here would end gunicorn, and every process with it.
    """
    if workers > 1:
        from jobboard.infra.counted import keep  # not before the variable is set

        try:
            keep(worker.pid)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others serve on
            server.log.warning("What process %s counted stays apart: %r", worker.pid, error)
