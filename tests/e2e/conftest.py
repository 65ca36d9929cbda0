"""A board that serves, and a Chromium to look at it with."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from jobboard.accounts.service import create_admin
from jobboard.cli.processes import web_command
from jobboard.demo.people import ADMIN
from jobboard.demo.people import PASSWORD as DEMO_PASSWORD
from jobboard.infra.engines import Engines
from jobboard.settings import Settings
from tests.api.served import Served
from tests.api.stage import theatre
from tests.boards import Servers, at, new_database
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.e2e.boards import free_port, jobboard
from tests.e2e.fronted import Front, fronted
from tests.e2e.releases import has_history
from tests.e2e.visitors import PASSWORD, People, Site
from tests.e2e.waiting import wait_for

# Without an earlier release there is none to try.
collect_ignore = [] if has_history() else ["test_old_release.py"]


@pytest.fixture(scope="module")
def planned(board: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An empty database with one moderator, and where something shall serve it."""
    with new_database(board.database_url, template=board.template) as name:
        port = free_port()
        environment = _environment(board, name, tmp_path_factory.mktemp("site"), port)
        subprocess.run(
            jobboard("create-admin", "--email", "ali@example.com", "--name", "Ali Admin"),
            input=PASSWORD,
            env=environment,
            text=True,
            check=True,
            capture_output=True,
        )
        yield Site(f"http://127.0.0.1:{port}", environment)


@pytest.fixture(scope="module")
def site(planned: Site, alone: None) -> Site:
    """A board that serves."""
    return planned


@pytest.fixture(scope="module")
def alone(planned: Site) -> Iterator[None]:
    """One web process."""
    where = urlsplit(planned.address)
    command = web_command("--host", str(where.hostname), "--port", str(where.port))
    with subprocess.Popen(command, env=planned.environment) as server:
        try:
            wait_for(f"{planned.address}/readyz")
            yield
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def front(planned: Site) -> Iterator[Front]:
    """nginx and two gunicorns."""
    port = urlsplit(planned.address).port
    assert port is not None
    with fronted(planned.environment, port) as front:
        yield front


@pytest.fixture(scope="module")
def light_site(settings: Settings) -> Iterator[Site]:
    """The app in a thread, with the admin of the demo: there in a moment."""
    with theatre(settings) as server:
        server.do(_add_admin(server))
        yield Site(server.address, {})


async def _add_admin(server: Served) -> None:
    engines: Engines = server.app.state.engines
    async with engines.database.transaction() as session:
        await create_admin(
            session, engines.settings, email=ADMIN, full_name="Alex Moreau", password=DEMO_PASSWORD
        )


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


@pytest.fixture(scope="module")
def chromium(site: Site) -> Iterator[Browser]:
    """One for all tests of a file. It holds this thread's loop: what needs one comes before."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def people(site: Site, chromium: Browser) -> Iterator[People]:
    """Visitors; at the end their browser must have had nothing to complain of."""
    everyone = People(chromium, site.address)
    yield everyone
    for context in everyone.contexts:
        context.close()
    assert everyone.complaints == []
