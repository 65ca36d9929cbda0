"""Fibonacci numbers: a generator that never ends, and what can be built on it.

F(0) = 0, F(1) = 1, F(n) = F(n-1) + F(n-2). Read backwards, the same rule gives the numbers of
negative index: F(-n) = F(n) for odd n and -F(n) for even n.
"""

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import MAX_EMAX, MAX_PREC, Context, Decimal, localcontext
from itertools import islice, takewhile
from math import isqrt
from typing import NoReturn

NAME, VERSION = "fibonacci", "1.0.0"

MAX_INDEX = 10_000_000  # of the command line: two million digits, in a few seconds


def fibonacci(a: int = 0, b: int = 1) -> Iterator[int]:
    """All of them, for ever; from two neighbours on if given. It remembers no more than two."""
    while True:
        yield a
        a, b = b, a + b


def first(count: int) -> Iterator[int]:
    """The first so many."""
    return islice(fibonacci(), count)


def up_to(limit: int) -> Iterator[int]:
    """Those that are not beyond a limit."""
    return takewhile(lambda number: number <= limit, fibonacci())


def from_index(index: int) -> Iterator[int]:
    """All from an index on, which may be negative, without passing those before it."""
    return fibonacci(nth(index), nth(index + 1))


def nth(index: int) -> int:
    """F(index), in as many steps as the index has bits."""
    number = pair(abs(index))[0]
    return -number if index < 0 and index % 2 == 0 else number


def pair(index: int) -> tuple[int, int]:
    """F(n) and F(n+1) by fast doubling, from the highest bit of n to the lowest.

    F(2k) = F(k) * (2 * F(k+1) - F(k)) and F(2k+1) = F(k)**2 + F(k+1)**2: Dijkstra, EWD 654.
    """
    a, b = 0, 1
    for bit in f"{index:b}":
        a, b = a * (2 * b - a), a * a + b * b
        if bit == "1":
            a, b = b, a + b
    return a, b


def is_fibonacci(number: int) -> bool:
    """Whether a number occurs at an index from 0: if 5n²+4 or 5n²-4 is a square (Gessel, 1972).

    Those that occur only at a negative index, such as -1, are not counted among them.
    """
    square = 5 * number * number
    return number >= 0 and any(isqrt(n) ** 2 == n for n in (square + 4, abs(square - 4)))


def total(count: int) -> int:
    """The sum of the first so many: F(count + 1) - 1."""
    return nth(count + 1) - 1


# --- numbers of any size, to and from text --------------------------------------------------------


def to_text(number: int) -> str:
    """The digits of a number. `str` refuses more than 4300, and takes a time that is quadratic.

    The number is halved until the parts are small, and put together again in decimal arithmetic,
    where multiplying is nearly linear.
    """
    with localcontext(Context(prec=MAX_PREC, Emax=MAX_EMAX)):
        return "-" * (number < 0) + str(to_decimal(abs(number), number.bit_length()))


def to_decimal(number: int, bits: int) -> Decimal:
    """A number of so many bits, exactly, in the context of `to_text`."""
    if bits <= 2048:
        return Decimal(number)
    half = bits // 2
    high = number >> half
    low = number - (high << half)
    return to_decimal(high, bits - half) * Decimal(2) ** half + to_decimal(low, half)


def to_number(text: str) -> int:
    """The number of a text of digits, by halves as well; `int` refuses more than 4300 of them."""
    if len(text) <= 2048:
        return int(text)
    half = len(text) // 2
    return to_number(text[:-half]) * 10**half + to_number(text[-half:])


# --- the command line -----------------------------------------------------------------------------

EXAMPLES = """
examples:
  python -m programs.fibonacci first 10
  python -m programs.fibonacci up-to 1000
  python -m programs.fibonacci nth 1000000
  python -m programs.fibonacci nth -8                  -21
  python -m programs.fibonacci from 90 --count 3
  python -m programs.fibonacci from 0 | head -20       without --count it never ends
  python -m programs.fibonacci test 144                exit code 1 if it is none
  python -m programs.fibonacci sum 10                  of the first ten

Exit codes: 0 done, 1 refused or not a Fibonacci number, 2 wrong usage, 130 interrupted.
"""


class FibonacciError(Exception):
    """A refused request; the message is one line for the person who asked."""


class Parser(argparse.ArgumentParser):
    """An argument parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{NAME}: {' '.join(message.split())[:200]} (try --help)\n")


def whole(argument: str) -> int:
    """A whole number of the command line, of any size."""
    if re.fullmatch("-?[0-9]+", argument):
        return -to_number(argument[1:]) if argument[0] == "-" else to_number(argument)
    raise argparse.ArgumentTypeError(f"{argument[:20]!r} is not a whole number")


def index(argument: str) -> int:
    """An index of the command line, small enough to be worked out."""
    number = whole(argument)
    if abs(number) > MAX_INDEX:
        raise FibonacciError(f"an index is not beyond {MAX_INDEX}")
    return number


def count(argument: str) -> int:
    """A count of the command line."""
    number = index(argument)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is less than 0")
    return number


# What each command takes, and what it makes of it.
COMMANDS: dict[str, tuple[str, Callable[[str], int], Callable[[int], Iterator[int]]]] = {
    "first": ("the first N", count, first),
    "up-to": ("those up to N", whole, up_to),
    "from": ("all from index N on, or --count of them", index, from_index),
    "nth": ("the one of index N", index, lambda n: iter([nth(n)])),
    "sum": ("the sum of the first N", count, lambda n: iter([total(n)])),
}


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(
        prog=f"python -m programs.{NAME}",
        description="Fibonacci numbers.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"{NAME} {VERSION}")
    parser.set_defaults(count=None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (text, kind, _) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("n", type=kind, metavar="N")
        if name == "from":
            command.add_argument("--count", type=count, help="how many; without: for ever")
    test = commands.add_parser("test", help="whether N is one", description="whether N is one")
    test.add_argument("n", type=whole, metavar="N")
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the answer."""
    if args.command == "test":
        found = is_fibonacci(args.n)
        print("yes" if found else "no")
        return 0 if found else 1
    for number in islice(COMMANDS[args.command][2](args.n), args.count):
        print(to_text(number))
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        try:
            return run(build_parser().parse_args(argv))
        finally:
            print(end="", flush=True)  # what is wrong with standard output shows here
    except FibonacciError as error:
        return refuse(error)
    except OSError as error:
        if sys.stdout:  # nothing more can be printed there, not even by the interpreter as it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0 if isinstance(error, BrokenPipeError) else refuse(error)
    except KeyboardInterrupt:
        return 130


def refuse(error: Exception) -> int:
    """One line on standard error; were that closed, `print` would take standard output."""
    if sys.stderr:
        with suppress(OSError):
            print(f"{NAME}: {' '.join(str(error).split())}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
