"""`jobboard create-admin`, the one way to a moderator's account, and a way back into any."""

import asyncio
import sys
from typing import Annotated

import typer
from pydantic import SecretStr, ValidationError

from jobboard.accounts import queries, second_factor, service
from jobboard.accounts.schemas import PersonRead, Registration
from jobboard.cli.board import board
from jobboard.cli.database import open_database
from jobboard.cli.surroundings import DataDirOption
from jobboard.errors import Invalid, NotFound
from jobboard.schema import field_errors
from jobboard.settings import Settings

app = typer.Typer()


@app.command()
def create_admin(
    email: Annotated[str, typer.Option(help="The address to log in with.")],
    name: Annotated[str, typer.Option(help="The name that colleagues see.")] = "Admin",
    data_dir: DataDirOption = None,
) -> None:
    """Make a moderator's account. The password comes from standard input, or is asked for."""
    data = _checked(email, name, _password())
    with board(data_dir, ["database_url"]) as settings:
        admin = asyncio.run(_create(settings, data))
    typer.echo(f"{admin.email} can log in as an admin now.")


def _password() -> str:
    """The first line of standard input; at a terminal typed twice, unseen."""
    if sys.stdin.isatty():
        return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        password = sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Invalid("The password on standard input is not UTF-8 text.") from None
    if not password:
        raise Invalid("Give the password on standard input.")
    return password


def _checked(email: str, name: str, password: str) -> Registration:
    """The same checks as for anyone who signs up."""
    try:
        return Registration(email=email, full_name=name, password=SecretStr(password))
    except ValidationError as error:
        problem = field_errors(error.errors())[0]
        raise Invalid(f"{problem.pointer.strip('/')}: {problem.message}") from None


async def _create(settings: Settings, data: Registration) -> PersonRead:
    async with open_database(settings) as database, database.transaction() as session:
        return await service.create_admin(
            session,
            settings,
            email=data.email,
            full_name=data.full_name,
            password=data.password.get_secret_value(),
        )


@app.command()
def turn_off_two_step(
    email: Annotated[str, typer.Option(help="The address of the account.")],
    data_dir: DataDirOption = None,
) -> None:
    """Turn two-step log-in off for someone who lost both phone and recovery codes."""
    with board(data_dir, ["database_url"]) as settings:
        asyncio.run(_turn_off(settings, email))
    typer.echo(f"{email} logs in with the password alone now.")


async def _turn_off(settings: Settings, email: str) -> None:
    async with open_database(settings) as database, database.transaction() as session:
        person = await queries.by_email(session, email.strip())
        if person is None:
            raise NotFound("There is no account with this e-mail address.")
        await second_factor.remove(session, person.id, by=None)
