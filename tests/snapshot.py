"""The rows of a board as they stood, to be put back: much quicker than making them anew."""

from dataclasses import dataclass

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jobboard.models import metadata
from tests.boards import filled_tables

SCHEMA = "snapshot"
TRIGGERS = text(
    "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
)


@dataclass(frozen=True)
class Snapshot:
    """Copies of the tables that held rows, beside the tables."""

    kept: list[Table]  # parents first
    watched: list[str]  # tables with triggers: what they would do is in the copies

    async def put_back(self, engine: AsyncEngine) -> None:
        """Every row as it was, and no other."""
        async with engine.begin() as connection:
            filled = await filled_tables(connection)
            await _run(
                connection,
                *(f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in self.watched),
                *(f"DELETE FROM {name}" for name in filled),
                *(_copy(table) for table in self.kept),
                *(f"ALTER TABLE {name} ENABLE TRIGGER USER" for name in self.watched),
            )

    async def forget(self, engine: AsyncEngine) -> None:
        """Drop the copies."""
        async with engine.begin() as connection:
            await _run(connection, f"DROP SCHEMA {SCHEMA} CASCADE")


async def take(engine: AsyncEngine) -> Snapshot:
    """Copy what there is."""
    async with engine.begin() as connection:
        filled = await filled_tables(connection)
        kept = [table for table in metadata.sorted_tables if table.name in filled]
        copies = (f"CREATE TABLE {SCHEMA}.{t.name} AS SELECT * FROM {t.name}" for t in kept)
        await _run(connection, f"CREATE SCHEMA {SCHEMA}", *copies)
        return Snapshot(kept, list((await connection.scalars(TRIGGERS)).all()))


def _copy(table: Table) -> str:
    names = ", ".join(column.name for column in table.columns if column.computed is None)
    return f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {SCHEMA}.{table.name}"


async def _run(connection: AsyncConnection, *statements: str) -> None:
    """All of them in one message to the server."""
    raw = await connection.get_raw_connection()
    assert raw.driver_connection is not None
    await raw.driver_connection.execute("; ".join(statements))
