"""Draw docs/schema.md from the models: every table, its columns, and what refers to what.

python -m scripts.diagram            fail, and say how to mend it, when the file is not current
python -m scripts.diagram --write    write it
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql

from jobboard.infra.postgres import Base
from jobboard.models import metadata

FILE = Path(__file__).parents[1] / "docs" / "schema.md"
HEAD = """# The tables

Drawn from the models by `make schema`; `make check` fails when it is out of date. `PK` is part of
the primary key, `FK` refers to another table, `UK` is unique where it is not null, `null` may be
null. CHECKs, indexes and triggers are in `migrations/`. What MongoDB holds, which may be lost, is
told in [settings.md](settings.md#hits).
"""


def main() -> None:
    """Write or compare."""
    drawn = draw()
    if "--write" in sys.argv[1:]:
        FILE.write_text(drawn, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != drawn:
        sys.exit(f"docs/{FILE.name} does not show the models as they are: run `make schema`")


def draw() -> str:
    """The whole file."""
    parts = [HEAD, "## Who refers to whom\n", _fenced(_relations(metadata.sorted_tables))]
    for area, tables in sorted(_by_area().items()):
        parts += [f"## {area.capitalize()}\n", _fenced(_columns(tables))]
    return "\n".join(parts)


def _by_area() -> dict[str, list[Table]]:
    """Tables by the folder whose models they are of."""
    areas: dict[str, list[Table]] = defaultdict(list)
    modules = {str(each.local_table): each.class_.__module__ for each in Base.registry.mappers}
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        areas[modules[table.name].split(".")[1]].append(table)
    return areas


def _fenced(lines: Iterator[str]) -> str:
    return "\n".join(["```mermaid", "erDiagram", *lines, "```", ""])


def _relations(tables: list[Table]) -> Iterator[str]:
    """One line for each foreign key: how many may refer, and whether they must."""
    for table in sorted(tables, key=lambda table: table.name):
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            many = "o|" if _alone(key.parent) else "}o"
            one = "|o" if key.parent.nullable else "||"
            yield f"    {table.name} {many}--{one} {key.column.table.name} : {key.parent.name}"


def _alone(column: Column) -> bool:
    """Whether no two rows share a value: unique, or the whole primary key."""
    return [column] in [list(column.table.primary_key.columns), *_unique(column.table)]


def _unique(table: Table) -> Iterator[list[Column]]:
    """The columns of each unique key and of each unique index on nothing but columns."""
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield list(constraint.columns)
    for index in table.indexes:
        if index.unique and all(isinstance(each, Column) for each in index.expressions):
            yield list(index.columns)


def _columns(tables: list[Table]) -> Iterator[str]:
    for table in tables:
        yield f"    {table.name} {{"
        for column in table.columns:
            yield f"        {_type(column)} {column.name}{_marks(column)}"
        yield "    }"


def _type(column: Column) -> str:
    """As PostgreSQL writes it, without what Mermaid cannot read."""
    written = column.type.compile(dialect=postgresql.dialect()).lower()
    short = written.replace("timestamp with time zone", "timestamptz").split("(")[0]
    return short.replace(" ", "_")


def _marks(column: Column) -> str:
    keys: list[ForeignKey] = list(column.foreign_keys)
    marks = [
        mark
        for mark, holds in (
            ("PK", column.primary_key),
            ("FK", keys),
            ("UK", not column.primary_key and [column] in _unique(column.table)),
        )
        if holds
    ]
    notes = ["null"] if column.nullable else []
    for key in _unique(column.table):
        if key[0] is column and len(key) > 1 and not _alone(column):
            notes.append(f"unique with {', '.join(other.name for other in key[1:])}")
    keyed = f" {', '.join(marks)}" if marks else ""
    return keyed + (f' "{"; ".join(sorted(notes))}"' if notes else "")


if __name__ == "__main__":
    main()
