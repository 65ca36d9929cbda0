"""Whether the time of an answer tells who has an account: medians side by side, from one run.

python -m benchmarks.log_in_times [TRIES]

Log-in, sign-up and forgotten password are asked in turn about each kind of address, in one process
and without a network between, so that nothing hides a difference. TRIES (2,000) are shared among
the kinds of each. Every try is about an address of its own.
"""

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter

import httpx2
from sqlalchemy import insert

from benchmarks.board import board
from jobboard.accounts.models import Person, Role
from jobboard.accounts.passwords import hash_password
from jobboard.asgi import create_app
from jobboard.clock import now
from jobboard.infra.postgres import Database
from jobboard.settings import Settings

TRIES = 2_000
LIMIT_MS = 5.0
WARM_UP = 10
KINDS = ("unknown", "known", "suspended")
Ask = Callable[[httpx2.AsyncClient, str], Awaitable[httpx2.Response]]


async def log_in(client: httpx2.AsyncClient, email: str) -> httpx2.Response:
    """With a wrong password."""
    form = {"grant_type": "password", "username": email, "password": "a wrong sentence"}
    return await client.post("/api/v1/auth/token", data=form)


async def sign_up(client: httpx2.AsyncClient, email: str) -> httpx2.Response:
    """With an address that is free or taken."""
    person = {"email": email, "password": "a long and quiet sentence", "full_name": "Ada"}
    return await client.post("/api/v1/auth/register", json=person)


async def reset(client: httpx2.AsyncClient, email: str) -> httpx2.Response:
    """Ask for a link."""
    return await client.post("/api/v1/auth/password-reset", json={"email": email})


def main(tries: int = TRIES) -> None:
    """Print medians and the largest difference of each door."""
    with board("database_url", "redis_url") as settings:
        asyncio.run(_measure(settings, tries))


async def _measure(settings: Settings, tries: int) -> None:
    app = create_app(settings)
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url=settings.base_url) as client,
    ):
        await _people(app.state.engines.database, tries)
        print(f"{tries} tries each, medians in ms" + " " * 8, *(f"{kind:>10}" for kind in KINDS))
        tells = []
        for name, ask in (("log-in", log_in), ("sign-up", sign_up), ("reset", reset)):
            medians = await _medians(client, ask, name, tries)
            spread = max(medians) - min(medians)
            verdict = "within" if spread <= LIMIT_MS else "NOT within"
            figures = " ".join(f"{median:10.2f}" for median in medians)
            print(f"{name:35} {figures}   differ by {spread:.2f}, {verdict} {LIMIT_MS:.0f} ms")
            tells += [name] * (spread > LIMIT_MS)
    if tells:
        sys.exit(f"the time tells who has an account: {', '.join(tells)}")


async def _people(database: Database, tries: int) -> None:
    """An account for every try about someone known or suspended."""
    hashed = await hash_password("a long and quiet sentence")
    rows = [
        {
            "email": f"{kind}{number}@example.com",
            "full_name": "Kim",
            "role": Role.CANDIDATE,
            "password_hash": hashed,
            "suspended_at": now() if kind == "suspended" else None,
        }
        for kind in ("known", "suspended")
        for number in range(tries + WARM_UP)
    ]
    async with database.transaction() as session:
        await session.execute(insert(Person), rows)


async def _medians(client: httpx2.AsyncClient, ask: Ask, name: str, tries: int) -> list[float]:
    """In milliseconds, by kind; the first few are not counted."""
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(tries // len(KINDS) + WARM_UP):
        first = number % len(KINDS)  # none is always asked after the same other
        for kind in (*KINDS[first:], *KINDS[:first]):
            prefix = f"{name}-{kind}" if kind == "unknown" else kind
            began = perf_counter()
            await ask(client, f"{prefix}{number}@example.com")
            taken[kind].append((perf_counter() - began) * 1000)
    return [statistics.median(taken[kind][WARM_UP:]) for kind in KINDS]


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:2]))
