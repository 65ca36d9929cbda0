"""A web process of its own to ask, and a Chromium to look at it with."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import sync_playwright

from jobboard.cli.processes import web_command
from tests.boards import Servers, at, new_database
from tests.e2e.boards import free_port, jobboard
from tests.e2e.visitors import PASSWORD, People, Site


@pytest.fixture
def site(board: Servers, tmp_path: Path) -> Iterator[Site]:
    """A web process of its own, with an empty database and one moderator."""
    with ExitStack() as stack:
        name = stack.enter_context(new_database(board.database_url, template=board.template))
        port = free_port()
        site = Site(f"http://127.0.0.1:{port}", _environment(board, name, tmp_path, port))
        subprocess.run(
            jobboard("create-admin", "--email", "ali@example.com", "--name", "Ali Admin"),
            input=PASSWORD,
            env=site.environment,
            text=True,
            check=True,
            capture_output=True,
        )
        server = subprocess.Popen(
            web_command("--host", "127.0.0.1", "--port", str(port)), env=site.environment
        )
        stack.callback(server.wait)
        stack.callback(server.terminate)
        _wait_for(f"{site.address}/readyz")
        yield site


def _environment(board: Servers, database: str, folder: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JOBBOARD_")}
    return kept | {
        "JOBBOARD_DATABASE_URL": at(board.database_url, database),
        "JOBBOARD_REDIS_URL": board.redis_url,
        "JOBBOARD_MONGO_URL": board.mongo_url,
        "JOBBOARD_STORAGE_URL": folder.as_uri(),
        "JOBBOARD_SECRET_KEY": "a secret of the tests, thirty-two characters and more",
        "JOBBOARD_BASE_URL": f"http://127.0.0.1:{port}",
    }


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(f"{address} never answered")


@pytest.fixture
def people(site: Site) -> Iterator[People]:
    """A Chromium; at the end it must have had nothing to complain of."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next((path for name in names if (path := shutil.which(name))), None)
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        everyone = People(browser, site.address)
        yield everyone
        browser.close()
    assert everyone.complaints == []
