"""The board as a server runs it: nginx, with our own file, before two gunicorns."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.e2e.boards import free_port
from tests.e2e.waiting import wait_for

DEPLOY = Path(__file__).parents[2] / "deploy"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
GATEWAY = "172.30.241.1"  # that the shipped file trusts
needs_nginx = pytest.mark.skipif(NGINX is None, reason="no nginx on this machine")


@dataclass
class Gunicorn:
    """One that listens on a port of its own."""

    process: subprocess.Popen[bytes]
    address: str

    def workers(self) -> set[int]:
        """The processes below it."""
        pid = self.process.pid
        return {
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        }

    def replace_workers(self) -> set[int]:
        """As a new release does: new ones in the place of the old ones, which are returned."""
        old = self.workers()
        self.process.send_signal(signal.SIGHUP)
        return old


@dataclass(frozen=True)
class Front:
    """Where nginx listens, and what is behind it."""

    address: str
    behind: Sequence[Gunicorn]


@contextmanager
def gunicorn(environment: Mapping[str, str], stderr: int | None = None) -> Generator[Gunicorn]:
    """One that answers; what it says goes to ours, or where `stderr` says."""
    where = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-P", "-m", "gunicorn", "--config", str(DEPLOY / "gunicorn.conf.py")]
    process = subprocess.Popen(command, env={**environment, "BIND": where}, stderr=stderr)
    try:
        wait_for(f"http://{where}/readyz")
        yield Gunicorn(process, f"http://{where}")
    finally:
        process.terminate()
        process.wait()


@contextmanager
def nginx(port: int, *behind: str, trusted: str = "") -> Generator[str]:
    """Ours, at a port of 127.0.0.1, before these `host:port`; `trusted` stands before it."""
    assert NGINX is not None
    folder = Path(mkdtemp(prefix="jobboard-nginx-"))
    folder.chmod(0o755)  # started by root, its workers are somebody else
    file = folder / "nginx.conf"
    file.write_text(_configuration(folder, port, behind))
    if trusted:
        shipped = (DEPLOY / "trusted.conf").read_text()
        (folder / "trusted").mkdir()
        (folder / "trusted" / "edge.conf").write_text(shipped.replace(GATEWAY, trusted))
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(file), "-g", "daemon off;"])
    try:
        wait_for(f"http://127.0.0.1:{port}/metrics", status=404)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _configuration(folder: Path, port: int, behind: Sequence[str]) -> str:
    """The file that is shipped, at other ports."""
    text = (DEPLOY / "nginx.conf").read_text()
    rest = " max_fails=1 fail_timeout=2s;"
    for shipped, here in (
        ("listen 8080 default_server reuseport;", f"listen 127.0.0.1:{port} default_server;"),
        (f"server web:8000{rest}", " ".join(f"server {each}{rest}" for each in behind)),
        ("/tmp/nginx", str(folder / "nginx")),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    return text


@contextmanager
def fronted(environment: Mapping[str, str], port: int) -> Generator[Front]:
    """nginx at `port`, two gunicorns behind it."""
    trusting = {**environment, "JOBBOARD_TRUSTED_PROXIES": "127.0.0.0/8"}
    with ExitStack() as stack:
        behind = [stack.enter_context(gunicorn(trusting)) for _ in range(2)]
        hosts = [each.address.removeprefix("http://") for each in behind]
        yield Front(stack.enter_context(nginx(port, *hosts)), behind)
