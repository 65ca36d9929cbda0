"""Moving the rows of a large table in a migration, a batch and a commit at a time.

No lock is held longer than a batch takes, and no statement meets the time limit of migrations.
"""

from collections.abc import Callable
from uuid import UUID

import sqlalchemy as sa
from alembic import op

SIZE = 1_000  # rows of the table that is walked through
FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)
UPTO = """
SELECT id FROM (SELECT id FROM {table} WHERE id > :after ORDER BY id LIMIT :size) AS batch
 ORDER BY id DESC LIMIT 1
"""


def in_batches(table: str, statement: str, *, size: int = SIZE) -> None:
    """Run `statement` for the rows of `table` with an id above `:after` and up to `:upto`.

    Each batch is committed, so what was stopped midway is run again from the first one: the
    statement must leave alone what is done, and its migration must do nothing else. In SQL that
    is only written down, all rows are one batch.
    """
    wanted = sa.text(statement).bindparams(sa.bindparam("after", FIRST), sa.bindparam("upto", LAST))
    if op.get_context().as_sql:
        op.execute(wanted)
        return
    each_batch(table, lambda connection, batch: connection.execute(wanted, batch), size=size)


def each_batch(
    table: str, run: Callable[[sa.Connection, dict[str, UUID]], object], *, size: int = SIZE
) -> None:
    """The same by a function, for what SQL cannot say: it gets `after` and `upto`."""
    with op.get_context().autocommit_block():
        connection, after = op.get_bind(), FIRST
        upto = sa.text(UPTO.format(table=table))
        while last := connection.scalar(upto, {"after": after, "size": size}):
            run(connection, {"after": after, "upto": last})
            after = last
