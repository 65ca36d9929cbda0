"""How a benchmark prints: line by line, and a reader who goes away early ends it."""

import os
import sys
from collections.abc import Callable
from io import TextIOWrapper


def until_no_one_reads(main: Callable[[], object]) -> None:
    """Run a benchmark; each line is shown as it is measured, and a closed pipe is no error."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    try:
        main()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
