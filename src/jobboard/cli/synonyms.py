"""`jobboard synonyms`: words that mean the same to searches, listed, added and removed."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import ValidationError

from jobboard.admin import synonyms as moderation
from jobboard.cli.board import board
from jobboard.cli.database import open_database
from jobboard.cli.surroundings import DataDirOption
from jobboard.errors import Invalid, NotFound
from jobboard.jobs import synonyms
from jobboard.jobs.synonyms import Synonym, SynonymCreate, SynonymRead
from jobboard.schema import field_errors
from jobboard.settings import Settings

app = typer.Typer()


@app.command("synonyms")
def list_synonyms(
    term: Annotated[str, typer.Argument(help="Show only those that have this term.")] = "",
    add: Annotated[
        str, typer.Option(help='Terms that mean the same: "nurse, rn, registered nurse".')
    ] = "",
    first: Annotated[
        bool, typer.Option("--first", help="With --add: only the first finds the others.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Forget those that have TERM.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Words that mean the same to searches: a line for each group."""
    data = _read(add, first=first) if add else None
    if remove and not term:
        raise Invalid("Say which: jobboard synonyms TERM --remove.")
    with board(data_dir, ["database_url"]) as settings:
        groups = asyncio.run(_run(settings, term.strip(), data, remove=remove))
    for terms, both_ways in groups:
        typer.echo((", " if both_ways else " -> ").join([terms[0], ", ".join(terms[1:])]))


def _read(add: str, *, first: bool) -> SynonymCreate:
    try:
        return SynonymCreate(terms=add.split(","), both_ways=not first)
    except ValidationError as error:
        problem = field_errors(error.errors())[0]
        raise Invalid(f"{problem.pointer.strip('/')}: {problem.message}") from None


async def _run(
    settings: Settings, term: str, data: SynonymCreate | None, *, remove: bool
) -> list[tuple[list[str], bool]]:
    async with open_database(settings) as database, database.transaction() as session:
        if data:
            return _shown([await moderation.add(session, None, data)])
        if not term:
            return _shown(await synonyms.every(session))
        found = await synonyms.named(session, term)
        if not found:
            raise NotFound("No synonyms have this term.", code="synonym_not_found")
        shown = _shown(found)
        for each in found if remove else ():
            await moderation.remove(session, None, each.id)
        return shown


def _shown(found: Sequence[Synonym | SynonymRead]) -> list[tuple[list[str], bool]]:
    return [(each.terms, each.both_ways) for each in found]
