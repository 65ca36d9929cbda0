"""Whether the servers of a board are there, are new enough, and agree with this code.

Each check is a coroutine that returns what it found. One that cannot look says so: nothing raises.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import asyncpg
from pymongo import MongoClient
from redis.asyncio import Redis

from jobboard.infra.mailer import ConsoleMailer, SmtpMailer, make_mailer
from jobboard.infra.migrate import current, heads
from jobboard.infra.queue import make_celery
from jobboard.infra.replica import CLUSTER, END, REPLAYED, record_end
from jobboard.infra.storage import Storage
from jobboard.settings import Settings

SECONDS = 10.0  # that one check may take
POSTGRES, REDIS = 18, (6, 2)  # the oldest that will do
EXTENSIONS = ("unaccent",)  # of PostgreSQL, which `jobboard migrate` makes
SKEW = timedelta(
    seconds=2
)  # between the clocks of two machines; a code of two-step log-in lives 30
ROOM = 2**30  # bytes on the disk of files
LATE = timedelta(minutes=5)  # of work by the clock, after which no worker seems to look at it


class Verdict(StrEnum):
    """How it stands."""

    OK = "ok"
    WARN = "warn"  # it works, but somebody should know
    FAIL = "fail"  # it does not
    OFF = "off"  # not configured


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it stands, and, if need be, what to do."""

    what: str
    verdict: Verdict
    said: str
    advice: str = ""


LACKING = """
SELECT name, name IN (SELECT name FROM pg_available_extensions) AS to_be_had
  FROM unnest($1::text[]) AS name WHERE name NOT IN (SELECT extname FROM pg_extension)
"""
Check = Callable[[Settings], Awaitable[list[Finding]]]


async def look(settings: Settings) -> list[Finding]:
    """Everything, side by side."""
    checks: Sequence[tuple[str, str, Check]] = (
        ("PostgreSQL", "JOBBOARD_DATABASE_URL", _postgres),
        ("Replica", "JOBBOARD_DATABASE_REPLICA_URL", _replica),
        ("Redis", "JOBBOARD_REDIS_URL", _redis),
        ("Broker", "JOBBOARD_BROKER_URL", _broker),
        ("MongoDB", "JOBBOARD_MONGO_URL", _mongo),
        ("Files", "JOBBOARD_STORAGE_URL", _files),
        ("Mail", "JOBBOARD_SMTP_URL", _mail),
    )
    found = await asyncio.gather(*(_try(*each, settings) for each in checks))
    return [finding for findings in found for finding in findings]


async def _try(what: str, setting: str, check: Check, settings: Settings) -> list[Finding]:
    try:
        async with asyncio.timeout(SECONDS):
            return await check(settings)
    except TimeoutError:
        said = f"no answer within {SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is what was found
        # PyMongo adds its settings and what it knows of each server.
        line = str(error).strip().partition("\n")[0].partition(" (configured timeouts: ")[0]
        said = line.rstrip(".") or type(error).__name__
    wrong = "Is it there, and may we write to it?" if check is _files else "Is it running?"
    return [Finding(what, Verdict.FAIL, said, f"{wrong} Its address is {setting}.")]


async def _postgres(settings: Settings) -> list[Finding]:
    url = settings.database_url.get_secret_value()
    connection = await asyncpg.connect(url, timeout=SECONDS)
    try:
        version = connection.get_server_version()
        written = str(await connection.fetchval("SHOW server_version")).partition(" ")[0]
        began = datetime.now(UTC)
        theirs = await connection.fetchval("SELECT clock_timestamp()")
        ours = began + (datetime.now(UTC) - began) / 2
        late = await connection.fetchval(
            "SELECT max(now() - due_at) FROM schedules"
            if await connection.fetchval("SELECT to_regclass('schedules') IS NOT NULL")
            else "SELECT NULL::interval"
        )
        lacking = {
            row["name"]: row["to_be_had"] for row in await connection.fetch(LACKING, EXTENSIONS)
        }
    finally:
        await connection.close()
    said = f"version {written}"
    if version.major < POSTGRES:
        advice = f"Use PostgreSQL {POSTGRES} or later."
        return [Finding("PostgreSQL", Verdict.FAIL, said, advice)]
    at = await current(url)
    return [
        Finding("PostgreSQL", Verdict.OK, said),
        _schema(at),
        _extensions(lacking, made=bool(at)),
        _clock(abs(theirs - ours)),
        _worker(late),
    ]


async def _replica(settings: Settings) -> list[Finding]:
    """Nothing where none is set."""
    url = settings.database_replica_url.get_secret_value()
    if not url:
        return []
    primary = await asyncpg.connect(settings.database_url.get_secret_value(), timeout=SECONDS)
    try:
        replica = await asyncpg.connect(url, timeout=SECONDS)
        try:
            return [await _compared(primary, replica, settings.database_replica_lag)]
        finally:
            await replica.close()
    finally:
        await primary.close()


async def _compared(
    primary: asyncpg.Connection, replica: asyncpg.Connection, allowed: float
) -> Finding:
    if await replica.fetchval(CLUSTER) != await primary.fetchval(CLUSTER):
        advice = "Name a replica of the server of JOBBOARD_DATABASE_URL."
        return Finding("Replica", Verdict.FAIL, "it is none of this server", advice)
    if await replica.fetchval(REPLAYED) is None:
        advice = "Name a streaming replica, or leave the setting empty."
        return Finding("Replica", Verdict.FAIL, "it takes writes", advice)
    began, end = monotonic(), await primary.fetchval(END)
    while await replica.fetchval(REPLAYED) < record_end(end):
        if (lag := monotonic() - began) > min(allowed, SECONDS / 2):
            advice = (
                "Searches are asked of the primary meanwhile. Look at pg_stat_replication there."
            )
            return Finding("Replica", Verdict.WARN, f"more than {lag:.0f} s late", advice)
        await asyncio.sleep(0.05)
    return Finding("Replica", Verdict.OK, f"at most {monotonic() - began:.1f} s late")


def _schema(found: set[str]) -> Finding:
    newest = heads()
    if found == newest:
        return Finding("Schema", Verdict.OK, "up to date")
    return Finding(
        "Schema",
        Verdict.FAIL,
        f"at {', '.join(found) or 'nothing'}, this code is at {', '.join(newest)}",
        "Run `jobboard migrate`; if that changes nothing, a newer version has been here.",
    )


def _extensions(lacking: dict[str, bool], *, made: bool) -> Finding:
    """`lacking` says of each one that the database has not whether its server has it."""
    absent = ", ".join(name for name, to_be_had in lacking.items() if not to_be_had)
    if absent:
        advice = "Install PostgreSQL's contrib package on its server."
        return Finding("Extensions", Verdict.FAIL, f"the server has no {absent}", advice)
    if lacking and made:
        advice = " ".join(f"Run CREATE EXTENSION {name} in that database." for name in lacking)
        return Finding("Extensions", Verdict.FAIL, f"{', '.join(lacking)} was dropped", advice)
    return Finding("Extensions", Verdict.OK, ", ".join(EXTENSIONS))


def _clock(apart: timedelta) -> Finding:
    said = f"{apart.total_seconds():.1f} s from the database's"
    if apart <= SKEW:
        return Finding("Clock", Verdict.OK, said)
    advice = "Let both machines set their clocks by NTP: tokens and codes depend on them."
    return Finding("Clock", Verdict.FAIL, said, advice)


def _worker(late: timedelta | None) -> Finding:
    if late is None:
        said, verdict = "no worker has looked at the clock yet", Verdict.WARN
    elif late > LATE:
        said, verdict = (
            f"work by the clock is {late.total_seconds() / 60:.0f} min late",
            Verdict.WARN,
        )
    else:
        return Finding("Worker", Verdict.OK, "work by the clock is done in time")
    advice = "On a board that runs: start `jobboard worker --schedule FILE`."
    return Finding("Worker", verdict, said, advice)


async def _redis(settings: Settings) -> list[Finding]:
    client = Redis.from_url(settings.redis_url.get_secret_value())
    try:
        found = await client.info()
    finally:
        await client.aclose()
    version = str(found["redis_version"])
    policy = str(found.get("maxmemory_policy", "noeviction"))
    numbers = tuple(int(part) for part in version.split(".")[:2])
    if numbers < REDIS:
        oldest = ".".join(map(str, REDIS))
        advice = f"Use Redis {oldest} or later."
        return [Finding("Redis", Verdict.FAIL, f"version {version}", advice)]
    if int(found.get("maxmemory", 0)) and policy != "noeviction":
        advice = "Set it to noeviction: else a full Redis forgets counts of limits and tasks."
        return [Finding("Redis", Verdict.WARN, f"maxmemory-policy is {policy}", advice)]
    return [Finding("Redis", Verdict.OK, f"version {version}")]


async def _broker(settings: Settings) -> list[Finding]:
    """Nothing where it is that Redis."""
    if not settings.broker_url.get_secret_value():
        return []
    await asyncio.to_thread(_dial, settings.broker)
    return [Finding("Broker", Verdict.OK, "takes connections")]


def _dial(broker_url: str) -> None:
    """Once: what Celery itself offers for this tries again and again."""
    with make_celery(broker_url).connection_for_write() as connection:
        transport = connection.transport
        transport.close_connection(transport.establish_connection())


async def _mongo(settings: Settings) -> list[Finding]:
    url = settings.mongo_url.get_secret_value()
    if not url:
        return [Finding("MongoDB", Verdict.OFF, "hits and events are not kept")]
    return [Finding("MongoDB", Verdict.OK, f"version {await asyncio.to_thread(_version_of, url)}")]


def _version_of(url: str) -> str:
    """By the client without asyncio: the other one, closed right after it began, leaves a socket
    open."""
    milliseconds = int(SECONDS * 1000 / 2)
    client: MongoClient[dict[str, Any]] = MongoClient(
        url, serverSelectionTimeoutMS=milliseconds, connectTimeoutMS=milliseconds
    )
    with client:
        return client.admin.command("buildInfo")["version"]


async def _files(settings: Settings) -> list[Finding]:
    storage, key, data = Storage(settings.storage_url), f"doctor-{token_hex(8)}", b"written"
    await storage.put(key, data)
    try:
        read = b"".join([piece async for piece in await storage.open(key)])
    finally:
        await storage.delete(key)
    if read != data:
        raise OSError("what was written is not what is read")
    parts = urlsplit(settings.storage_url)
    if parts.scheme != "file":
        return [Finding("Files", Verdict.OK, "written, read and deleted")]
    free = shutil.disk_usage(Path(url2pathname(parts.path))).free
    said = f"written, read and deleted; {free / 2**30:.1f} GB free"
    if free < ROOM:
        return [Finding("Files", Verdict.WARN, said, "Free some space on that disk.")]
    return [Finding("Files", Verdict.OK, said)]


async def _mail(settings: Settings) -> list[Finding]:
    mailer = make_mailer(settings)
    if isinstance(mailer, SmtpMailer):
        await mailer.greet()
        return [Finding("Mail", Verdict.OK, "the server takes our log-in")]
    if isinstance(mailer, ConsoleMailer) and settings.production:
        advice = "Set JOBBOARD_SMTP_URL: nobody gets what is only printed."
        return [Finding("Mail", Verdict.WARN, "mail is printed", advice)]
    return [Finding("Mail", Verdict.OFF, "mail goes nowhere but to the console or a folder")]
