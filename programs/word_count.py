"""Counts how often each word occurs in texts of any size, in memory bounded by the vocabulary.

A text is read in chunks, each cut only behind a character that is in no word. What stands between
white space is counted as it stands; what costs time in Unicode (case, composition, punctuation) is
then done once for each different run of characters, not once for each word.
"""

import argparse
import codecs
import csv
import io
import json
import os
import re
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol

NAME, VERSION = "word_count", "1.0.0"

CHUNK = 1 << 15  # bytes read at a time: their words fit the processor's cache
MAX_CARRY = 1 << 19  # characters that may wait for the end of a word: see `whole_words`
BATCH = 512  # chunks whose runs are counted as they stand: see `count`
MAX_RUNS = 100_000  # different runs that may be counted so


class WordCountError(Exception):
    """A refused request; the message is one line for the person who asked."""


# --- what is a word -----------------------------------------------------------------------------


def marks() -> str:
    """All combining marks, as a part of a character class; `\\w` in `re` does not have them.

    They write the vowels of Hindi and Thai and the accents of decomposed text. All stand in the
    first two planes but the variation selectors, the last range.
    """
    codes = range(0x300, 0x20000)
    kinds = "".join(unicodedata.category(chr(code))[0] for code in codes)
    runs = [(codes[run.start()], codes[run.end() - 1]) for run in re.finditer("M+", kinds)]
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in [*runs, (0xE0100, 0xE01EF)])


MARKS = marks()
# Zero-width joiners stand between the letters of Persian and of Indian scripts.
JOINERS = r"'\-\u200c\u200d"
# The look ahead spares most characters the search through three hundred ranges of marks.
LETTERS = rf"\w+(?:(?=[^\0-\u02ff])[{MARKS}]+\w*)*"
WORD = re.compile(rf"{LETTERS}(?:[{JOINERS}]{LETTERS})*")
# Typographic apostrophes and hyphens count as the plain ones, a soft hyphen as nothing. An
# underscore, which `\w` takes for a letter, ends a word.
PLAIN = {"\u2019": "'", "\u02bc": "'", "\u2010": "-", "\u2011": "-", "\u00ad": "", "_": " "}
GAP = rf"[^\w{MARKS}{JOINERS}\u2019\u2010\u2011\u00ad]"
TO_THE_LAST_GAP = re.compile(f".*{GAP}", re.DOTALL)


def words(text: str) -> list[str]:
    """The words of a text: letters, digits and marks, with single apostrophes and hyphens inside.

    Casefolded and in NFC, so that all ways to write a word are one (Unicode 3.13, D145).
    """
    if not text.isascii():
        text = unicodedata.normalize("NFD", text)
        text = unicodedata.normalize("NFC", text.casefold())
    for sign, plain in PLAIN.items():
        text = text.replace(sign, plain)
    return WORD.findall(text.casefold())


# --- counting -------------------------------------------------------------------------------------


def count(texts: Iterable[str]) -> Counter[str]:
    """How often each word occurs in a text that comes in pieces, cut anywhere."""
    counts: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    for number, text in enumerate(whole_words(texts), start=1):
        runs.update(text.split())
        if len(runs) > MAX_RUNS or number % BATCH == 0:
            take_apart(runs, counts)
    take_apart(runs, counts)
    return counts


def take_apart(runs: Counter[str], counts: Counter[str]) -> None:
    """Empty the counts of runs into the counts of the words that they consist of."""
    alike = defaultdict(list)
    for run, times in runs.items():
        alike[times].append(run)
    runs.clear()
    # Runs that occur equally often are taken apart together: few long texts, not many short.
    for times, some in alike.items():
        for word in words(" ".join(some)):
            counts[word] += times


def whole_words(texts: Iterable[str]) -> Iterator[str]:
    """The same text, cut only where no word is open.

    What follows the last gap waits for the next piece. So that a file that is one endless word
    cannot fill the memory, more than MAX_CARRY characters without a gap are cut all the same.
    """
    carry = ""
    for piece in texts:
        text = carry + piece
        match = TO_THE_LAST_GAP.match(text)
        end = match.end() if match else 0
        if len(text) - end > MAX_CARRY:
            end = len(text)
        yield text[:end]
        carry = text[end:]
    yield carry


# --- reading --------------------------------------------------------------------------------------

# The longer mark of UTF-32 begins like that of UTF-16: it is looked for first.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class Readable(Protocol):
    """Whatever bytes can be read from."""

    def read(self, size: int, /) -> bytes: ...


def decode(stream: Readable, errors: str = "strict", size: int = CHUNK) -> Iterator[str]:
    """Bytes to text, whichever byte a chunk ends in; UTF-8 unless a mark says otherwise.

    Raises WordCountError with the offset of the first byte that cannot be decoded.
    """
    head = stream.read(4)
    mark = next((mark for mark in BYTE_ORDER_MARKS if head.startswith(mark)), b"")
    encoding = BYTE_ORDER_MARKS.get(mark, "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    offset, data = len(mark), head[len(mark) :] + stream.read(size)
    while True:
        waiting = len(decoder.getstate()[0])  # the first bytes of an unfinished character
        try:
            yield decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            place = offset - waiting + error.start
            raise WordCountError(f"byte {place} is not {encoding.upper()}") from error
        if not data:
            return
        offset, data = offset + len(data), stream.read(size)


class Progress:
    """A stream that says on a terminal how far it was read, once that takes long."""

    PATIENCE, PAUSE = 2.0, 0.5  # seconds

    def __init__(self, stream: Readable, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream, self.clock = stream, clock
        self.done, self.due, self.shown = 0, clock() + self.PATIENCE, False

    def read(self, size: int) -> bytes:
        """The next bytes; the message is overwritten by the next, and wiped out at the end."""
        data = self.stream.read(size)
        self.done += len(data)
        seen = sys.stderr and sys.stderr.isatty()
        if seen and (self.clock() >= self.due if data else self.shown):
            message = f"{self.done / 1e6:,.0f} MB read" if data else ""
            print(f"\r{message:20}\r", end="", file=sys.stderr, flush=True)
            self.due, self.shown = self.clock() + self.PAUSE, bool(data)
        return data


def read_file(path: Path, errors: str) -> Iterator[str]:
    """The text of a file, or of standard input for `-`, in pieces."""
    name = "standard input" if path == STDIN else f"{path}"
    try:
        with open_bytes(path) as stream:
            yield from decode(Progress(stream), errors)
    except OSError as error:
        raise WordCountError(f"{name}: {error.strerror}") from error
    except WordCountError as error:
        raise WordCountError(f"{name}: {error}") from error


def open_bytes(path: Path) -> AbstractContextManager[BinaryIO]:
    """A file opened, or standard input, which is left open."""
    if path != STDIN:
        return path.open("rb")
    if sys.stdin is None:
        raise WordCountError("closed")
    return nullcontext(sys.stdin.buffer)


# --- writing --------------------------------------------------------------------------------------


def frequent(counts: Counter[str], top: int | None) -> list[tuple[str, int]]:
    """The most frequent words first, those that are equally frequent by the alphabet."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:top]


def write_text(pairs: list[tuple[str, int]], _: Counter[str]) -> None:
    width = len(str(pairs[0][1])) if pairs else 0
    for word, times in pairs:
        print(f"{times:{width}} {word}")


def write_csv(pairs: list[tuple[str, int]], _: Counter[str]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("word", "count"))
    writer.writerows(pairs)


def write_json(pairs: list[tuple[str, int]], counts: Counter[str]) -> None:
    found = [{"word": word, "count": times} for word, times in pairs]
    answer = {"total": counts.total(), "distinct": len(counts), "words": found}
    print(json.dumps(answer, ensure_ascii=False, indent=2))


WRITERS = {"text": write_text, "json": write_json, "csv": write_csv}


# --- the command line -----------------------------------------------------------------------------

STDIN = Path("-")
EXAMPLES = """
examples:
  python -m programs.word_count --top 10 book.txt
  python -m programs.word_count --format csv --min-length 4 part1.txt part2.txt > words.csv
  python -m programs.word_count --stop-words common.txt --format json book.txt
  zcat book.txt.gz | python -m programs.word_count --top 10

A file is UTF-8, or UTF-16 or UTF-32 with a byte order mark.
Exit codes: 0 done, 1 refused, 2 wrong usage, 130 interrupted.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{NAME}: {' '.join(message.split())} (try --help)\n")


def positive(argument: str) -> int:
    """A number of the command line that is at least one."""
    if argument.isdecimal() and len(argument) < 10 and (number := int(argument)):
        return number
    raise argparse.ArgumentTypeError(f"{argument!r} is not a number from 1")


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(
        prog=f"python -m programs.{NAME}",
        description="Count the words of text files or of standard input.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_argument = parser.add_argument
    add_argument("--version", action="version", version=f"{NAME} {VERSION}")
    add_argument("--top", type=positive, metavar="N", help="only the N most frequent words")
    add_argument("--min-length", type=positive, default=1, metavar="N", help="of a word")
    add_argument("--stop-words", type=Path, metavar="FILE", help="leave out the words in FILE")
    add_argument("--format", choices=WRITERS, default="text", help="default: text")
    add_argument("--errors", choices=("strict", "replace"), default="strict", help="in the bytes")
    add_argument("files", nargs="*", type=Path, default=[STDIN], help="without: standard input")
    return parser


def run(args: argparse.Namespace) -> int:
    """Count, then print."""
    counts: Counter[str] = Counter()
    for path in args.files:
        counts.update(count(read_file(path, args.errors)))
    stop = count(read_file(args.stop_words, args.errors)) if args.stop_words else {}
    kept = {w: n for w, n in counts.items() if len(w) >= args.min_length and w not in stop}
    WRITERS[args.format](frequent(Counter(kept), args.top), Counter(kept))
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
    except WordCountError as error:
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
            # The name of a file is UTF-8 too, whatever the locale took its bytes for.
            text = str(error).encode(errors="surrogateescape").decode(errors="backslashreplace")
            print(f"{NAME}: {' '.join(text.split())}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
