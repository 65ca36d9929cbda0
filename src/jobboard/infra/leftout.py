"""Indexes that are left out while a table is filled, and made again when it is full.

What was left out is written down in the table's comment, in the same transaction, and struck off
one by one: whatever ends the filling, `make_again` knows what is missing. Unique indexes stay.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from jobboard.infra.locks import FILLING

MARK = "Indexes left out while it is filled: "
LEFT_OUT = """
SELECT relname, obj_description(oid, 'pg_class') AS comment FROM pg_class
 WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
   AND obj_description(oid, 'pg_class') LIKE $1 || '%' ORDER BY relname
"""
DEFINITIONS = """
SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = to_regclass($1) AND NOT i.indisunique ORDER BY c.relname
"""


@asynccontextmanager
async def alone(connection: asyncpg.Connection) -> AsyncGenerator[bool]:
    """Whether nobody else fills a table or makes its indexes, until the end of the block."""
    mine = await connection.fetchval("SELECT pg_try_advisory_lock($1)", FILLING)
    try:
        yield mine
    finally:
        if mine and not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", FILLING)


async def leave_out(connection: asyncpg.Connection, table: str) -> None:
    """Drop the indexes of a table that are not unique. Gives up on a lock after five seconds.

    What a killed run left out stays noted.
    """
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '5s'")
        found = await connection.fetch(DEFINITIONS, table)
        missing = (await waiting(connection)).get(table, [])
        await _note(connection, table, [*missing, *(row["definition"] for row in found)])
        for row in found:
            await connection.execute(f'DROP INDEX "{row["name"]}"')


async def waiting(connection: asyncpg.Connection) -> dict[str, list[str]]:
    """What is left out still: definitions of indexes by table."""
    return {
        row["relname"]: json.loads(row["comment"].removeprefix(MARK))
        for row in await connection.fetch(LEFT_OUT, MARK)
    }


async def make_again(connection: asyncpg.Connection) -> None:
    """Make all that was left out. What is stopped in it goes on with the next call."""
    for table, definitions in (await waiting(connection)).items():
        for done, definition in enumerate(definitions, 1):
            async with connection.transaction():
                await connection.execute("SET LOCAL statement_timeout = 0")
                await connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
                await connection.execute(definition)
                await _note(connection, table, definitions[done:])


async def _note(connection: asyncpg.Connection, table: str, definitions: Sequence[str]) -> None:
    comment = await connection.fetchval(
        "SELECT quote_nullable($1::text)", MARK + json.dumps(definitions) if definitions else None
    )
    await connection.execute(f'COMMENT ON TABLE "{table}" IS {comment}')
