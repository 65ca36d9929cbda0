"""`jobboard grant`: credits for a person or a company, from the command line."""

import asyncio
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import queries as accounts
from jobboard.cli.board import board
from jobboard.cli.database import open_database
from jobboard.cli.surroundings import DataDirOption
from jobboard.companies import queries as companies
from jobboard.errors import Invalid, NotFound
from jobboard.schema import field_errors
from jobboard.settings import Settings
from jobboard.wallet import queries, service
from jobboard.wallet.ledger import worded
from jobboard.wallet.schemas import GrantCreate, WalletRead

app = typer.Typer()


@app.command()
def grant(
    to: Annotated[
        str, typer.Argument(help="A person's e-mail address, or the name in a company's address.")
    ],
    amount: Annotated[int, typer.Argument(help="In minor units: 1500 EUR are 15.00.")],
    memo: Annotated[str, typer.Option(help="What the owner reads about it.")] = "",
    data_dir: DataDirOption = None,
) -> None:
    """Put credits into a wallet. Each call grants them once more."""
    try:
        data = GrantCreate(amount=amount, memo=memo)
    except ValidationError as error:
        problem = field_errors(error.errors())[0]
        raise Invalid(f"{problem.pointer.strip('/')}: {problem.message}") from None
    with board(data_dir, ["database_url"]) as settings:
        wallet = asyncio.run(_grant(settings, to.strip(), data))
    typer.echo(f"{wallet.owner.name} has {worded(wallet.balance, wallet.currency)} now.")


async def _grant(settings: Settings, to: str, data: GrantCreate) -> WalletRead:
    async with open_database(settings) as database, database.transaction() as session:
        await service.issue(session, None, await _wallet(session, to), data)
        return await _wallet(session, to)  # others may have paid before ours had its turn


async def _wallet(session: AsyncSession, to: str) -> WalletRead:
    if "@" not in to:
        return await queries.of_company(session, (await companies.get_by_slug(session, to)).id)
    person = await accounts.by_email(session, to)
    if person is None:
        raise NotFound("There is no account with this e-mail address.")
    return await queries.of_person(session, person.id)
