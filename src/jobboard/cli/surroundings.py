"""What a command finds around it: the environment, DATA_DIR, and what it hands to a child.

Apart from `board.py`, because `up` lives long and should not load the database's libraries.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from jobboard.infra.embedded import DataDir
from jobboard.settings import PREFIX, Settings

DataDirOption = Annotated[
    str | None,
    typer.Option(
        "--data-dir",
        envvar="DATA_DIR",
        help="The board's folder. Default: /var/lib/jobboard for root, else "
        "$XDG_DATA_HOME/jobboard or ~/.local/share/jobboard.",
        show_default=False,
    ),
]


def folder_of(data_dir: str | None) -> DataDir:
    """DATA_DIR or its default."""
    if data_dir:
        return DataDir(Path(data_dir))
    if os.geteuid() == 0:
        return DataDir(Path("/var/lib/jobboard"))
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return DataDir(Path(home) / "jobboard")


def named(setting: str) -> bool:
    """Whether the environment gives this setting."""
    variable = PREFIX + setting.upper()
    return bool(os.environ.get(variable) or os.environ.get(variable + "_FILE"))


def own_settings(folder: DataDir) -> dict[str, str]:
    """What a board of its own folder runs with, beside its engines."""
    return {"secret_key": folder.secret("secret_key"), "storage_url": folder.files.as_uri()}


def settings_with(found: Mapping[str, Any]) -> Settings:
    """The settings of the environment, with what was found where it names nothing."""
    unnamed: dict[str, Any] = {name: value for name, value in found.items() if not named(name)}
    return Settings.from_environment(None, **unnamed)


def environment(settings: Settings) -> dict[str, str]:
    """Our environment with `settings` in it, for a child process."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for name in Settings.model_fields:
        env[PREFIX + name.upper()] = plain(settings, name)
    return env


def plain(settings: Settings, name: str) -> str:
    """A setting as the environment would give it."""
    value = getattr(settings, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
