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


@dataclass(frozen=True)
class Tls:
    """A certificate with its key, as PEM files, and the port where nginx shall speak TLS."""

    port: int
    certificate: Path
    key: Path


@contextmanager
def nginx(
    port: int, *behind: str, trusted: str = "", tls: Tls | None = None, root: Path | None = None
) -> Generator[str]:
    """Ours, at a port of 127.0.0.1, before these `host:port`; `trusted` stands before it. `root`
    is where it keeps its files."""
    assert NGINX is not None
    folder = root or Path(mkdtemp(prefix="jobboard-nginx-"))
    folder.chmod(0o755)  # started by root, its workers are somebody else
    file = folder / "nginx.conf"
    file.write_text(_configuration(folder, port, behind))
    if trusted:
        _beside(folder, "trusted", {GATEWAY: trusted})
    if tls is not None:
        _beside(folder, "tls", _at(tls))
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(file), "-g", "daemon off;"])
    try:
        address = f"http://127.0.0.1:{port}"
        if tls is None:
            wait_for(f"{address}/metrics", status=404)
        else:
            wait_for(f"{address}/healthz")
        yield address
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _configuration(folder: Path, port: int, behind: Sequence[str]) -> str:
    """The file that is shipped, at other ports."""
    rest = " max_fails=1 fail_timeout=2s;"
    here = {
        "listen 8080 default_server reuseport;": f"listen 127.0.0.1:{port} default_server;",
        f"server web:8000{rest}": " ".join(f"server {each}{rest}" for each in behind),
        "/tmp/nginx": str(folder / "nginx"),
    }
    return _changed("nginx.conf", here)


def _beside(folder: Path, name: str, here: Mapping[str, str]) -> None:
    """A file that is shipped, where nginx looks for it."""
    (folder / name).mkdir()
    (folder / name / "edge.conf").write_text(_changed(f"{name}.conf", here))


def _changed(name: str, here: Mapping[str, str]) -> str:
    text = (DEPLOY / name).read_text()
    for shipped, other in here.items():
        assert shipped in text
        text = text.replace(shipped, other)
    return text


def _at(tls: Tls) -> dict[str, str]:
    """What is different here: names, and how an older nginx wants to be told of HTTP/2."""
    assert NGINX is not None
    said = subprocess.run([NGINX, "-v"], stderr=subprocess.PIPE, check=True, text=True).stderr
    version = tuple(map(int, said.partition("/")[2].split()[0].split(".")))
    listening = f"listen 127.0.0.1:{tls.port} ssl"
    spoken = f"{listening};\nhttp2 on;" if version >= (1, 25, 1) else f"{listening} http2;"
    return {
        "listen 8443 ssl;\nhttp2 on;": spoken,
        "/run/secrets/tls.crt": str(tls.certificate),
        "/run/secrets/tls.key": str(tls.key),
    }


@contextmanager
def fronted(environment: Mapping[str, str], port: int) -> Generator[Front]:
    """nginx at `port`, two gunicorns behind it."""
    trusting = {**environment, "JOBBOARD_TRUSTED_PROXIES": "127.0.0.0/8"}
    with ExitStack() as stack:
        behind = [stack.enter_context(gunicorn(trusting)) for _ in range(2)]
        hosts = [each.address.removeprefix("http://") for each in behind]
        yield Front(stack.enter_context(nginx(port, *hosts)), behind)
