"""The benchmarks' output: a reader who goes away early sees no traceback."""

import os
import sys

from benchmarks.output import until_no_one_reads


def test_a_reader_who_goes_away_ends_a_benchmark(monkeypatch, capsys):
    reading, writing = os.pipe()
    os.close(reading)
    printed = []
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        until_no_one_reads(lambda: printed.extend(map(sys.stdout.write, ["a line\n"] * 1000)))
    assert printed == []  # it ended with the first line, not when a buffer was full
    assert capsys.readouterr().err == ""


def test_what_a_benchmark_prints_is_shown(capsys):
    until_no_one_reads(lambda: sys.stdout.write("1.0x\n"))
    assert capsys.readouterr().out == "1.0x\n"
