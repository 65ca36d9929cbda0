"""A pytest plugin for the tests of an older release: this one makes their databases.

`test_old_release.py` puts it beside that release and names, in NEWER, where this one is.
"""

import os
import subprocess
import sys

from jobboard.infra import migrate


def upgrade(database_url: str) -> None:
    """As a server does it: `jobboard migrate` of the release that comes, while the old one runs."""
    environment = os.environ | {
        "PYTHONPATH": os.environ["NEWER"],
        "JOBBOARD_DATABASE_URL": database_url,
    }
    command = [sys.executable, "-m", "jobboard.cli.main", "migrate"]
    subprocess.run(command, env=environment, check=True, timeout=300)


setattr(migrate, "upgrade", upgrade)  # noqa: B010 - the types would say that it is another one
