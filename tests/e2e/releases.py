"""Earlier releases, as the history of this clone has them."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The oldest release that may serve while this one migrates. A migration that breaks it moves this
# to the commit of its own release, and docs/operations.md says what to stop before.
COMPATIBLE_SINCE = "5abeffe80a4ff648f38cadd8f5bb1ee0aca8f73e"


def git(*arguments: str) -> bytes:
    """What git prints. Raises CalledProcessError."""
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, check=True
    ).stdout


def has_history() -> bool:
    """Whether that release is there: not in a shallow clone, nor in files without a history."""
    try:
        git("cat-file", "-e", f"{COMPATIBLE_SINCE}^{{commit}}")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
