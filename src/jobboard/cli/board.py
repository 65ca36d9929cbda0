"""Which board a command works on: the one of DATA_DIR, running or not, or the servers named.

with board(data_dir) as settings:
    ...  # settings.database_url answers until the end of the block
"""

import time
from collections.abc import Collection, Generator
from contextlib import ExitStack, contextmanager

from jobboard.cli.surroundings import folder_of, named, own_settings, settings_with
from jobboard.infra.embedded import DataDir, InUse, engines
from jobboard.infra.migrate import upgrade
from jobboard.settings import Settings

PATIENCE = 60.0  # seconds to wait for another command, or for a board that is starting


@contextmanager
def board(
    data_dir: str | None = None, needed: Collection[str] = ("database_url", "redis_url")
) -> Generator[Settings]:
    """Settings whose `needed` servers answer; engines started for this stop at the end.

    The environment's settings are judged first: in production they must be whole, and no folder
    fills their gaps. Raises BoardError and SettingsError.
    """
    Settings.from_environment()
    missing = [setting for setting in needed if not named(setting)]
    with ExitStack() as stack:
        found = _find(stack, folder_of(data_dir), missing) if missing else {}
        yield settings_with(found)


def _find(stack: ExitStack, folder: DataDir, missing: Collection[str]) -> dict[str, str]:
    """The settings of the running board of `folder`, or of engines started until `stack` ends."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urls = stack.enter_context(engines(folder.root, needed=missing))
        except InUse:
            if running := folder.running_settings():
                return running
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            if urls.database_url:
                upgrade(urls.database_url)
            return {name: getattr(urls, name) for name in missing} | own_settings(folder)
