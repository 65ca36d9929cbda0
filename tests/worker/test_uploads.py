"""Files whose row is gone, or never came to be, do not stay."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import url2pathname

import httpx2
import pytest
from sqlalchemy import event, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.backup.postgres import snapshot
from jobboard.clock import now
from jobboard.infra.mailer import ConsoleMailer
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Message
from jobboard.infra.storage import Storage
from jobboard.settings import Settings
from jobboard.worker import outbox, uploads
from jobboard.worker.context import Context
from tests.factories.companies import make_company
from tests.factories.files import pdf, picture
from tests.factories.people import User, make_user

pytestmark = pytest.mark.anyio


@pytest.fixture
async def context(settings: Settings, db: Database) -> Context:
    return Context(settings, db, ConsoleMailer(), Storage(settings.storage_url))


@pytest.fixture
def folder(settings: Settings) -> Path:
    """Where the files lie, empty."""
    place = Path(url2pathname(settings.storage_url.removeprefix("file://")))
    for path in files(place):
        path.unlink()
    return place


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def age(folder: Path, hours: float) -> None:
    """Let all files be as old as this."""
    then = time.time() - hours * 3600
    for path in files(folder):
        os.utime(path, (then, then))


@contextmanager
def failing_commits(db: Database, *, after: int) -> Generator[None]:
    """The database goes at the worst moment, `after` as many commits."""
    passing = iter(range(after))

    def fail(*_: object) -> None:
        if next(passing, None) is None:
            raise ConnectionError("gone")

    event.listen(db.engine.sync_engine, "commit", fail)
    try:
        yield
    finally:
        event.remove(db.engine.sync_engine, "commit", fail)


async def post(client: httpx2.AsyncClient, user: User, kind: str, data: bytes) -> httpx2.Response:
    name = "cv.pdf" if kind == "resumes" else "a.png"
    return await client.post(f"/api/v1/{kind}", files={"file": (name, data)}, headers=user.headers)


async def test_a_deleted_picture_takes_its_files_along(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    settings: Settings,
    context: Context,
    folder: Path,
) -> None:
    user = await make_user(session, settings)
    image = (await post(client, user, "images", picture())).json()
    assert len(files(folder)) == len(image["variants"])
    await client.delete(f"/api/v1/images/{image['id']}", headers=user.headers)
    await outbox.deliver_all(context)
    assert files(folder) == []
    assert (await client.get(image["url"])).status_code == 404


async def test_a_logo_goes_when_another_takes_its_place(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    settings: Settings,
    context: Context,
    folder: Path,
) -> None:
    owner = await make_user(session, settings, Role.EMPLOYER)
    company = await make_company(session, owner)
    urls = []
    for side in (20, 30):
        answer = await client.put(
            f"/api/v1/companies/{company.id}/logo",
            files={"file": ("logo.png", picture(side, side))},
            headers=owner.headers,
        )
        urls.append(answer.json()["logo_url"])
    await outbox.deliver_all(context)
    assert [(await client.get(url)).status_code for url in urls] == [404, 200]


async def test_what_a_failed_transaction_left_is_swept_and_the_rest_stays(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    settings: Settings,
    db: Database,
    context: Context,
    folder: Path,
) -> None:
    user = await make_user(session, settings)
    resume = (await post(client, user, "resumes", pdf())).json()
    image = (await post(client, user, "images", picture())).json()
    kept = set(files(folder))

    with failing_commits(db, after=0):
        assert (await post(client, user, "resumes", pdf())).status_code == 503
    with failing_commits(db, after=1):  # the first is for knowing who asks
        assert (await post(client, user, "images", picture())).status_code == 503
    lost = 1 + len(image["variants"])
    assert len(files(folder)) == len(kept) + lost

    await uploads.sweep(context)
    assert len(files(folder)) == len(kept) + lost, "a transaction may still be open"
    age(folder, hours=2)
    await uploads.sweep(context)
    assert set(files(folder)) == kept
    assert (await client.get(resume["url"], headers=user.headers)).content == pdf()
    assert (await client.get(image["url"])).status_code == 200


async def test_while_a_backup_copies_them_files_stay(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    settings: Settings,
    context: Context,
    folder: Path,
) -> None:
    user = await make_user(session, settings)
    image = (await post(client, user, "images", picture())).json()
    kept = set(files(folder))
    async with snapshot(settings.database_url.get_secret_value()):
        await client.delete(f"/api/v1/images/{image['id']}", headers=user.headers)
        await outbox.deliver_all(context)
        age(folder, hours=2)
        await uploads.sweep(context)
        assert set(files(folder)) == kept
    await session.execute(
        update(Message).where(Message.done_at.is_(None)).values(available_at=now())
    )
    await session.commit()
    await outbox.deliver_all(context)
    assert files(folder) == []
