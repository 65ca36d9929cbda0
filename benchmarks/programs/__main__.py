"""Runs every benchmark of the programs, one after the other.

python -m benchmarks.programs [PATH TO isemail_tests.xml]
"""

import os
import platform

from benchmarks.output import until_no_one_reads
from benchmarks.programs import call_logger, fibonacci, validators, word_count


def main() -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    for title, run in (
        ("fibonacci", fibonacci.main),
        ("call_logger", call_logger.main),
        ("validators", validators.main),
        ("word_count", lambda: word_count.main([])),
    ):
        print(f"\n== {title}")
        run()


if __name__ == "__main__":
    until_no_one_reads(main)
