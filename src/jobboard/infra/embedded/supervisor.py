"""Keeps programs running: one that dies is started again, one that cannot stay up ends it all."""

import asyncio
import time
from collections.abc import Callable

from jobboard.infra.embedded.crew import Crew
from jobboard.infra.embedded.errors import BoardError
from jobboard.infra.embedded.process import Program

DEATHS = 5  # this many within
WINDOW = 60.0  # seconds: it cannot stay up
FIRST_PAUSE = 0.1  # seconds before it is started again, doubled each time


async def supervise(crew: Crew, say: Callable[[str], None]) -> None:
    """Watch what runs, for ever. Raises BoardError when a program cannot stay up."""
    try:
        async with asyncio.TaskGroup() as group:
            for program in [child.program for child in crew.children.values()]:
                group.create_task(_keep(crew, program, say))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def _keep(crew: Crew, program: Program, say: Callable[[str], None]) -> None:
    deaths: list[float] = []
    while True:
        child = crew.children[program.key]
        status = await child.process.wait()
        child.forget()
        now = time.monotonic()
        deaths = [death for death in deaths if death > now - WINDOW] + [now]
        if len(deaths) >= DEATHS:
            raise BoardError(f"{program.name} does not stay up; {child.where_to_look()}")
        say(f"{program.name} ended ({_cause(status)}); starting it again")
        await asyncio.sleep(FIRST_PAUSE * 2 ** len(deaths))
        if await _again(crew, program):
            say(f"{program.name} is back")


async def _again(crew: Crew, program: Program) -> bool:
    """Start it; if it does not answer, leave it dead for the next turn."""
    try:
        await crew.launch(program)
    except BoardError:
        await crew.children[program.key].stop()
        return False
    return True


def _cause(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"exit code {status}"
