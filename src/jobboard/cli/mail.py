"""`jobboard bounce`: where a mail server delivers the mail that came back."""

import asyncio
import sys

import typer

from jobboard.accounts import mailboxes
from jobboard.cli.board import board
from jobboard.cli.database import open_database
from jobboard.cli.surroundings import DataDirOption
from jobboard.errors import Invalid
from jobboard.notifications import blocks
from jobboard.notifications.models import BlockReason
from jobboard.settings import Settings

LARGEST = 1_000_000  # bytes; a bounce with a whole mail in it is some ten thousand

app = typer.Typer()


@app.command()
def bounce(data_dir: DataDirOption = None) -> None:
    """Read a bounce from standard input, and mail its address no more.

    Let the mail server pipe the mailbox of JOBBOARD_MAIL_FROM here. What is no bounce, tells of a
    delay only, or is about no mail of ours changes nothing, and is said so.
    """
    found = blocks.bounced(sys.stdin.buffer.read(LARGEST))
    if found is None:
        typer.echo("This is no bounce, or of a delay only: nothing changed.")
        return
    with board(data_dir, ["database_url"]) as settings:
        email = found.address(settings)
        if email is None:
            raise Invalid("This bounce is about no mail of ours: nothing changed.")
        asyncio.run(_block(settings, email, found.words))
    typer.echo(f"{email} gets no more mail.")


async def _block(settings: Settings, email: str, words: str) -> None:
    async with open_database(settings) as database, database.transaction() as session:
        await mailboxes.block(session, email, BlockReason.BOUNCED, words)
