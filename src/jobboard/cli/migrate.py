"""`jobboard migrate`: bring the schema of the database up to date."""

from typing import Annotated

import typer

from jobboard.cli.board import board
from jobboard.cli.surroundings import DataDirOption
from jobboard.infra.migrate import script, upgrade

app = typer.Typer()


@app.command()
def migrate(
    data_dir: DataDirOption = None,
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the SQL that is still to be run, and run nothing.")
    ] = False,
) -> None:
    """Bring the database up to date. Safe to run twice, and by two at once.

    Each migration is a transaction. One that meets a lock gives up after five seconds, undone.
    """
    with board(data_dir, ["database_url"]) as settings:
        database_url = settings.database_url.get_secret_value()
        if sql:
            typer.echo(script(database_url), nl=False)
        else:
            upgrade(database_url)
