"""Runs every benchmark: `python -m benchmarks`."""

from benchmarks.output import until_no_one_reads
from benchmarks.programs.__main__ import main

if __name__ == "__main__":
    until_no_one_reads(main)
