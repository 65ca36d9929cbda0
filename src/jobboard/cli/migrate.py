"""`jobboard migrate`: bring the schema of the database up to date."""

import typer

from jobboard.cli.board import board
from jobboard.cli.surroundings import DataDirOption
from jobboard.infra.migrate import upgrade

app = typer.Typer()


@app.command()
def migrate(data_dir: DataDirOption = None) -> None:
    """Bring the database up to date. Safe to run twice, and by two at once."""
    with board(data_dir, ["database_url"]) as settings:
        upgrade(settings.database_url.get_secret_value())
