"""What measuring Python 3.11 rightly takes; each process that scripts/coverage starts reads it.

A task whose future fails throws the error into the innermost coroutine, and 3.11 then tells no
tracer of those that wait for it: their lines count as missed. Tasks written in Python can be told
to go on instead, and the future raises its error by itself, at the same place.
"""

import asyncio.tasks
import sys
from typing import Any

if sys.version_info < (3, 12):
    InPython: Any = vars(asyncio.tasks)["_PyTask"]

    class Resumed(InPython):
        """A task that is never thrown at by what it waited for."""

        def _Task__wakeup(self, _future: object) -> None:
            self._Task__step()

    vars(asyncio)["Task"] = vars(asyncio.tasks)["Task"] = Resumed
