"""The ads that are asked for: those of the demo, or of a file in JSON lines."""

import gzip
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from benchmarks.board import analyse
from jobboard.demo.board import fill
from jobboard.infra.postgres import Database
from jobboard.infra.storage import Storage
from jobboard.jobs import vocabulary
from jobboard.jobs.importing import jsonl, service
from jobboard.settings import Settings

DEMO = 1_500
READ = text(
    "SELECT jobs.id::text AS id, title, company_name AS company, coalesce(location, '') AS place,"
    " coalesce(city, '') AS city, array_to_string(jobs.tags, ' ') AS tags,"
    " description_text AS body FROM jobs JOIN live_jobs USING (id) ORDER BY external_id"
)


@dataclass(frozen=True, slots=True)
class Ad:
    """What is indexed of a live job."""

    id: str
    title: str
    company: str
    place: str
    city: str
    tags: str
    body: str


def unpacked(path: Path) -> bytes:
    """A file, or what is in it where it is packed."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


async def put(database: Database, settings: Settings, source: Path | None) -> list[Ad]:
    """Fill the board; what is live on it then, in an order that stays."""
    async with database.transaction() as session:
        if source is None:
            await fill(session, Storage(settings.storage_url), settings, jobs=DEMO, seed=1)
        else:
            await service.import_jobs(session, jsonl.read_all(unpacked(source), None), settings)
    more = True
    while more:  # as the worker does: corrections know the words then
        async with database.transaction() as session:
            more = await vocabulary.count(session)
    await analyse(database, "live_jobs")
    async with database.transaction() as session:
        return [Ad(**row._mapping) for row in await session.execute(READ)]
