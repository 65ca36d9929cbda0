"""`jobboard`: finds the command, and says in one line what went wrong.

Exit codes: 0 done, 1 not done, 2 the command line is wrong, 130 interrupted.
"""

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import typer
from typer.main import get_command

from jobboard import __version__
from jobboard.errors import DomainError
from jobboard.infra.embedded import BoardError
from jobboard.settings import SettingsError

# Which file of this folder has the command, as `app`, a Typer. One command loads one file:
# `up` lives as long as the board and must not keep the core in memory.
COMMANDS = {
    "up": "up",
    "serve": "serve",
    "worker": "serve",
    "beat": "serve",
    "migrate": "migrate",
    "create-admin": "accounts",
    "turn-off-two-step": "accounts",
    "grant": "wallet",
    "bounce": "mail",
    "import": "jobs",
    "synonyms": "synonyms",
    "rates": "rates",
    "demo": "demo",
    "doctor": "doctor",
    "backup": "backup",
    "restore": "backup",
}
# Trouble with a server, by name: their drivers may not even be loaded.
UNREACHABLE = {
    "ConnectionError",
    "InterfaceError",
    "InvalidAuthorizationSpecificationError",
    "InvalidCatalogNameError",
    "InvalidPasswordError",
    "OperationalError",
    "TimeoutError",
}


def make_app(areas: Sequence[str]) -> typer.Typer:
    """The command line with the commands of some files."""
    app = typer.Typer(
        help="A self-hosted job board.", add_completion=False,
        rich_markup_mode=None, pretty_exceptions_enable=False,
    )  # fmt: skip
    app.callback()(_options)
    for area in areas:
        app.add_typer(import_module(f"jobboard.cli.{area}").app)
    return app


def main() -> None:
    """Run the command that `sys.argv` names."""
    words = sys.argv[3:] if sys.argv[1:2] == ["--data-dir"] else sys.argv[1:]
    command = next((word for word in words if not word.startswith("-")), None)
    areas = [COMMANDS[command]] if command in COMMANDS else list(dict.fromkeys(COMMANDS.values()))
    sys.exit(run(make_app(areas), sys.argv[1:] or ["--help"]))


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; trouble is one line on standard error."""
    try:
        return get_command(app).main(arguments, "jobboard", standalone_mode=False) or 0
    except typer.TyperException as error:
        return _fail(_wrong_command_line(error), error.exit_code)
    except (BoardError, SettingsError, DomainError) as error:
        return _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        return 1
    except OSError as error:
        return _fail(_os_trouble(error))
    except Exception as error:
        if type(error).__name__ not in UNREACHABLE:
            raise
        return _fail(f"a server does not answer: {_first_line(error)}")


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"jobboard {__version__}")
        raise typer.Exit


def _options(
    _version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_say_version, help="Say the version."
    ),
    data_dir: str = typer.Option(
        "", "--data-dir", show_default=False, help="The board's folder, for any command."
    ),
) -> None:
    if data_dir:
        os.environ["DATA_DIR"] = data_dir


def _wrong_command_line(error: typer.TyperException) -> str:
    """One line, whatever choices there are, and where to read more."""
    message = " ".join(error.format_message().replace("Value error, ", "").split())
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "jobboard"
    return f"{message} (`{command} --help` says more)"


def _fail(message: str, code: int = 1) -> int:
    typer.echo(f"jobboard: {message}", err=True)
    return code


def _os_trouble(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"the disk is full; free some space (while writing {error.filename or 'a file'})"
    if isinstance(error, ConnectionError | TimeoutError):
        return f"a server does not answer: {_first_line(error)}"
    return f"{error.filename}: {error.strerror}" if error.filename else _first_line(error)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


if __name__ == "__main__":
    main()
