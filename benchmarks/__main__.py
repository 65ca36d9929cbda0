"""Runs every benchmark: `python -m benchmarks`."""

from benchmarks.programs.__main__ import main

if __name__ == "__main__":
    main()
