"""word_count against `tr | sort | uniq -c` and a plain `Counter(text.split())`.

    python -m benchmarks.programs.word_count [--megabytes 100] [--book FILE] [--alone]

The text is a book given by --book, again and again, or else invented words with the frequencies
of a natural language. All three run in turns, each as a process of its own, output thrown away;
the best of three turns counts. --alone measures the program only, for sizes where the plain Counter
would fill the memory.
"""

import argparse
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from benchmarks.output import until_no_one_reads

PIPELINE = r"tr -cs A-Za-z '\n' < {} | tr A-Z a-z | sort | uniq -c"
PLAIN = """
import sys
from collections import Counter
with open(sys.argv[1], encoding="utf-8") as file:
    print(Counter(file.read().split()).most_common(10))
"""
TURNS = 3


class Run(NamedTuple):
    """Seconds by the clock and of the processor, and the peak memory of one process in MB."""

    wall: float
    cpu: float
    memory: float


def invented(megabytes: int) -> bytes:
    """Some text of 50,000 invented words, the n-th of which is 1/n as frequent as the first."""
    rng = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 10))) for _ in range(50_000)]
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    chosen = rng.choices(words, cum_weights=weights, k=megabytes * 160_000)
    signs = rng.choices(
        [" ", ", ", ". ", " \u2013 ", "\n"], weights=[80, 8, 5, 1, 6], k=len(chosen)
    )
    return "".join(word + sign for word, sign in zip(chosen, signs, strict=True)).encode()


def write(path: Path, book: Path | None, megabytes: int) -> None:
    """A sample again and again, up to a size."""
    sample = book.read_bytes() if book else invented(4)
    with path.open("wb") as file:
        left = megabytes * 1_000_000
        while left > 0:
            left -= file.write(sample[:left])


def measure(command: list[str]) -> Run:
    """Run a command to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def commands(path: Path) -> dict[str, list[str]]:
    """What is compared, by name."""
    return {
        "word_count": [sys.executable, "-m", "programs.word_count", "--top", "10", str(path)],
        "tr | sort | uniq -c": ["sh", "-c", PIPELINE.format(path)],
        "Counter(text.split())": [sys.executable, "-c", PLAIN, str(path)],
    }


def best(runs: list[Run]) -> Run:
    """The best of each figure; of the memory, the worst."""
    return Run(min(r.wall for r in runs), min(r.cpu for r in runs), max(r.memory for r in runs))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Benchmark word_count.")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--book", type=Path)
    parser.add_argument("--alone", action="store_true")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        # Elsewhere, since a process begins with the peak memory of the one that started it.
        writer = multiprocessing.get_context("spawn").Process(
            target=write, args=(path, args.book, args.megabytes)
        )
        writer.start()
        writer.join()
        table = commands(path)
        if args.alone:
            table = {"word_count": table["word_count"]}
        runs: dict[str, list[Run]] = {name: [] for name in table}
        for _ in range(1 if args.alone else TURNS):
            for name, command in table.items():
                runs[name].append(measure(command))
    base = best(runs["word_count"])
    print(f"{f'{args.megabytes} MB of text':22}  wall s  ratio    cpu s  ratio  peak MB")
    for name, found in ((name, best(found)) for name, found in runs.items()):
        wall = f"{found.wall:8.2f} {found.wall / base.wall:5.2f}x"
        cpu = f"{found.cpu:8.2f} {found.cpu / base.cpu:5.2f}x"
        print(f"{name:22}{wall} {cpu} {found.memory:8.1f}")


if __name__ == "__main__":
    until_no_one_reads(main)
