"""A to-do list in the open todo.txt format, kept safely in a plain file.

The format: https://github.com/todotxt/todo.txt. A line without any of its marks is a task too, and
whatever this program is not asked to change stays as it was, letter for letter.
"""

import argparse
import fcntl
import io
import os
import re
import stat
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import NoReturn

NAME, VERSION = "todo", "1.0.0"

PRIORITY = re.compile(r"\(([A-Z])\) ")
PRIORITY_TAG = re.compile(r"(?:^| )pri:([A-Z])(?!\S)")
DUE_TAG = re.compile(r"(?:^| )due:(\S+)")
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NEWLINE = re.compile(r"(\r?\n)")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
BYTE_ORDER_MARK = "\ufeff"


class TodoError(Exception):
    """A refused request; the message is one line for the person who asked."""


# --- one task ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Task:
    """One line, taken apart. `str(Task.parse(line)) == line` for every line."""

    body: str
    done: bool = False
    priority: str | None = None
    completed: date | None = None
    created: date | None = None

    @classmethod
    def parse(cls, line: str) -> "Task":
        """`x (A) COMPLETED CREATED BODY`: all but the body optional, in this order only."""
        done = line.startswith("x ")
        rest = line[2:] if done else line
        match = PRIORITY.match(rest)
        first, rest = take_day(rest[match.end() :] if match else rest)
        # Only a finished task has two dates; in an open one the second belongs to the text.
        second, rest = take_day(rest) if done and first else (None, rest)
        completed, created = (first, second) if done else (None, first)
        return cls(rest, done, match[1] if match else None, completed, created)

    def __str__(self) -> str:
        priority = f"({self.priority})" if self.priority else None
        marks = ("x" if self.done else None, priority, self.completed, self.created)
        return " ".join([*(str(mark) for mark in marks if mark), self.body])

    def names(self, sign: str) -> set[str]:
        """The words behind a sign: `+` for projects, `@` for contexts."""
        return {word[1:] for word in self.body.split() if word[0] == sign}

    @property
    def due(self) -> date | None:
        """The day in `due:2026-05-31`, if it is a real one."""
        match = DUE_TAG.search(self.body)
        return to_day(match[1]) if match else None

    def due_on(self, day: date | None) -> "Task":
        """Due on another day, or on none."""
        body = DUE_TAG.sub("", self.body)
        return replace(self, body=with_tag(body, f"due:{day}") if day else body)

    def finish(self, today: date) -> "Task":
        """Done today. The priority moves to a `pri:` tag, where the format wants it."""
        if self.done:
            raise TodoError(f"done already: {self.body}")
        body = with_tag(self.body, f"pri:{self.priority}") if self.priority else self.body
        return replace(self, body=body, done=True, priority=None, completed=today)

    def reopen(self) -> "Task":
        """Open again, with the priority that `finish` put away."""
        if not self.done:
            raise TodoError(f"not done yet: {self.body}")
        opened = replace(self, done=False, completed=None)
        if self.priority or not (tags := list(PRIORITY_TAG.finditer(self.body))):
            return opened
        body = self.body[: tags[-1].start()] + self.body[tags[-1].end() :]
        return replace(opened, body=body, priority=tags[-1][1])

    def reword(self, text: str) -> "Task":
        """Another text, which may bring a priority and a date of its own; other marks stay."""
        new = Task.parse(text)
        if new.done:
            raise TodoError('a text cannot begin with "x ", the mark of a done task: use do')
        priority, created = new.priority or self.priority, new.created or self.created
        return replace(self, body=new.body, priority=priority, created=created)


def with_tag(body: str, tag: str) -> str:
    """A tag at the end of a text."""
    return f"{body} {tag}" if body else tag


def to_day(text: str) -> date | None:
    """A date written 2026-05-31; None for anything else, the 31st of February included."""
    with suppress(ValueError):
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    return None


def take_day(text: str) -> tuple[date | None, str]:
    """The date that leads a text, and what follows it."""
    head, space, rest = text.partition(" ")
    day = to_day(head) if space else None
    return (day, rest) if day else (None, text)


def one_line(text: str) -> str:
    """The text, if it can be a task."""
    if not text.strip():
        raise TodoError("a task needs a text")
    if "\n" in text or "\r" in text:
        raise TodoError("a task is one line")
    return text


# --- the list ---------------------------------------------------------------------------------


class TodoList:
    """The lines of a file, and the line ending after each.

    A final newline that is missing stays missing, whichever task comes to stand last.
    """

    def __init__(self, text: str = "") -> None:
        self.mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
        pieces = NEWLINE.split(text.removeprefix(self.mark))
        self.lines, self.endings = pieces[::2], [*pieces[1::2], ""]
        if not self.lines[-1]:
            del self.lines[-1], self.endings[-1]

    def __str__(self) -> str:
        return self.mark + "".join(map(str.__add__, self.lines, self.endings))

    def __iter__(self) -> Iterator[tuple[int, Task]]:
        """The tasks with their numbers, which are line numbers: an empty line has one too."""
        for number, line in enumerate(self.lines, start=1):
            if line.strip():
                yield number, Task.parse(line)

    def __getitem__(self, number: int) -> Task:
        if not 1 <= number <= len(self.lines) or not self.lines[number - 1].strip():
            raise TodoError(f"there is no task {number}")
        return Task.parse(self.lines[number - 1])

    def __setitem__(self, number: int, task: Task) -> None:
        self.lines[number - 1] = str(task)

    def add(self, task: Task) -> int:
        """Append a task and return its number."""
        newline = next(filter(None, self.endings), "\n")
        if self.endings and not self.endings[-1]:
            self.endings[-1] = newline
            self.endings.append("")
        else:
            self.endings.append(newline)
        self.lines.append(str(task))
        return len(self.lines)

    def remove(self, number: int) -> Task:
        """Empty the line, so that no other task changes its number under another process."""
        task = self[number]
        self.lines[number - 1] = ""
        return task

    def sort(self) -> None:
        """Open before done, then by priority, then by due date; equals keep their order."""
        places, tasks = [number for number, _ in self], [task for _, task in self]
        for number, task in zip(places, sorted(tasks, key=sort_key), strict=True):
            self[number] = task

    def take_done(self) -> list[Task]:
        """Take out the finished tasks, and the lines that `remove` left empty."""
        done = [task for _, task in self if task.done]
        complete = all(self.endings)
        pairs = zip(self.lines, self.endings, strict=True)
        stay = [pair for pair in pairs if pair[0] and not Task.parse(pair[0]).done]
        self.lines = [line for line, _ in stay]
        self.endings = [ending for _, ending in stay]
        if stay and not complete:
            self.endings[-1] = ""
        return done


def sort_key(task: Task) -> tuple[bool, str, date]:
    """A missing priority sorts behind Z, a missing date behind every date."""
    return task.done, task.priority or "~", task.due or date.max


# --- the file ---------------------------------------------------------------------------------


@contextmanager
def editing(path: Path) -> Generator[TodoList]:
    """The list, once no one else holds it; saved if the block ends without an error."""
    target = Path(os.path.realpath(path))  # a link stays a link: what it points to is replaced
    check_file(target)
    with locked(target):
        before = read(target)
        todo = TodoList(before)
        yield todo
        if str(todo) != before:
            write(target, str(todo))


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock beside a file, which stays there: removing it could let two people in."""
    with refusing(path):
        lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def refusing(path: Path) -> Generator[None]:
    """Turn what the system says about a file into one line."""
    try:
        yield
    except OSError as error:
        raise TodoError(f"{path}: {error.strerror}") from error


def check_file(path: Path) -> None:
    """Refuse folders, and devices and pipes: reading them may never end, a rename ends them."""
    with refusing(path), suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise TodoError(f"{path}: not a regular file")


def read(path: Path) -> str:
    """The whole file, line endings as they are; an absent file is an empty list."""
    check_file(path)
    with refusing(path), suppress(FileNotFoundError):
        return decode(path.read_bytes(), f"{path}")
    return ""


def decode(data: bytes, name: str) -> str:
    """UTF-8 to text; a guess at anything else could destroy it on the way back."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise TodoError(f"{name}: byte {error.start} is not UTF-8; left as it is") from error


def write(path: Path, text: str) -> None:
    """Replace the file whole: after a kill or a power cut it is the old one or the new one."""
    # One fixed name, safe under the lock: what a kill leaves behind, the next write takes over.
    new = path.with_name(f".{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with refusing(path):
        with os.fdopen(os.open(new, flags, 0o666), "wb") as file:
            keep_mode(path, file.fileno())
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        sync_folder(path.parent)


def keep_mode(path: Path, descriptor: int) -> None:
    """Give the new file the permissions of the old; that the old is read-only is respected."""
    with suppress(FileNotFoundError):
        os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
        if not os.access(path, os.W_OK):
            raise TodoError(f"{path}: read-only; left as it is")


def sync_folder(folder: Path) -> None:
    """Make a rename last: the name is in the folder, not in the file."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- the commands: each changes the file and returns the lines to print ---------------------------


def add(args: argparse.Namespace) -> list[str]:
    """Append a task, dated today unless it brings a date or is done."""
    texts = input_lines() if args.text == ["-"] else [" ".join(args.text)]
    tasks = [Task.parse(one_line(text)) for text in texts]
    dated = [t if t.done or t.created else replace(t, created=args.today) for t in tasks]
    with editing(args.file) as todo:
        return [show(todo.add(task), task) for task in dated]


def input_lines() -> list[str]:
    """The lines of standard input that say something."""
    if sys.stdin is None:
        raise TodoError("standard input is closed")
    text = decode(sys.stdin.buffer.read(), "standard input")
    return [line for line in NEWLINE.split(text) if line.strip()]


def do(args: argparse.Namespace) -> list[str]:
    """Mark tasks done."""
    return change(args.file, args.numbers, lambda task: task.finish(args.today))


def undo(args: argparse.Namespace) -> list[str]:
    """Open done tasks again."""
    return change(args.file, args.numbers, Task.reopen)


def edit(args: argparse.Namespace) -> list[str]:
    """Change the text, the priority or the due date of a task."""
    if not args.text and args.priority is None and args.due is None:
        raise TodoError("nothing to change: give a text, --priority or --due")

    def edited(task: Task) -> Task:
        if args.text:
            task = task.reword(one_line(" ".join(args.text)))
        if args.priority is not None:
            task = replace(task, priority=args.priority or None)
        return task if args.due is None else task.due_on(args.due or None)

    return change(args.file, [args.number], edited)


def change(path: Path, numbers: list[int], edited: Callable[[Task], Task]) -> list[str]:
    """Change each of the tasks, or none when one of them refuses."""
    with editing(path) as todo:
        changed = {number: lasting(edited(todo[number])) for number in numbers}
        for number, task in changed.items():
            todo[number] = task
    return [show(number, task) for number, task in changed.items()]


def lasting(task: Task) -> Task:
    """The task, if the next to read its line will find the same one there."""
    if not str(task).strip():
        raise TodoError("nothing would be left of the task: use remove")
    if Task.parse(str(task)) != task:
        raise TodoError(f"this line would read as another task: {task}")
    return task


def remove(args: argparse.Namespace) -> list[str]:
    """Remove tasks; the others keep their numbers until the next archive."""
    with editing(args.file) as todo:
        return [show(number, todo.remove(number)) for number in dict.fromkeys(args.numbers)]


def sort(args: argparse.Namespace) -> list[str]:
    """Put the tasks of the file in order: open, priority, due date."""
    with editing(args.file) as todo:
        todo.sort()
        return [show(number, task) for number, task in todo]


def archive(args: argparse.Namespace) -> list[str]:
    """Move done tasks to done.txt beside the list."""
    check_file(args.file)
    path = args.file.with_name("done.txt")
    if os.path.realpath(path) == os.path.realpath(args.file):
        raise TodoError(f"{path}: a list cannot be archived into itself")
    # done.txt is saved first: a kill in between leaves tasks in both files, never in none.
    with editing(args.file) as todo, editing(path) as archived:
        return [show(archived.add(task), task) for task in todo.take_done()]


def show_list(args: argparse.Namespace) -> list[str]:
    """Show the open tasks, or those that pass the filters."""
    found = [(number, task) for number, task in TodoList(read(args.file)) if matches(task, args)]
    width = len(str(max((number for number, _ in found), default=0)))
    return [show(number, task, width) for number, task in found]


def matches(task: Task, args: argparse.Namespace) -> bool:
    """Whether a task passes every filter of the command line."""
    text = str(task).casefold()
    return (
        (args.all or task.done == args.done)
        and all(word.casefold() in text for word in args.words)
        and task.names("+").issuperset(name.lstrip("+") for name in args.project)
        and task.names("@").issuperset(name.lstrip("@") for name in args.context)
        and (not args.priority or (task.priority or "-") in args.priority)
        and (not args.due or (task.due or date.max) <= args.due)
    )


def show(number: int, task: Task, width: int = 0) -> str:
    """A task as a line for people: its control characters cannot play with their terminal."""
    text = CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", str(task))
    return f"{number:{width}} {text}"


# --- the command line ---------------------------------------------------------------------------

EXAMPLES = """
examples:
  python -m programs.todo add "(A) Call the bank @phone +house due:2026-03-01"
  python -m programs.todo list --project house --due tomorrow
  python -m programs.todo do 1 3
  python -m programs.todo edit 2 --priority B --due none
  grep -h TODO notes/*.md | python -m programs.todo add -

The list is --file FILE, else $TODO_FILE, else todo.txt in your home folder.
Exit codes: 0 done, 1 refused, 2 wrong usage, 130 interrupted.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{NAME}: {' '.join(message.split())} (try --help)\n")


def utf8(argument: str) -> str:
    """An argument as UTF-8, whatever the locale took its bytes for."""
    return os.fsencode(argument).decode()


def day(text: str) -> date:
    """A day of the command line."""
    days = {"today": date.today(), "tomorrow": date.today() + timedelta(days=1)}
    if found := days.get(text) or to_day(text):
        return found
    raise argparse.ArgumentTypeError(f"{text!r} is not today, tomorrow or a date like 2026-03-01")


def letter(text: str) -> str:
    """A priority of the command line."""
    if re.fullmatch("[A-Za-z]", text):
        return text.upper()
    raise argparse.ArgumentTypeError(f"{text!r} is not a priority: A to Z")


def or_none(parse: Callable[[str], date | str]) -> Callable[[str], date | str]:
    """The same argument, or the word `none`, which becomes an empty text."""
    return lambda text: "" if text == "none" else parse(text)


def build_parser() -> Parser:
    """The command line: one subcommand for each of the commands above."""
    parser = Parser(
        prog=f"python -m programs.{NAME}",
        description="A to-do list in the todo.txt format.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    chosen = os.environ.get("TODO_FILE") or None
    parser.add_argument("--version", action="version", version=f"{NAME} {VERSION}")
    parser.add_argument("--file", type=Path, default=chosen, help="the list to use")
    parser.set_defaults(today=date.today())
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for run in (add, show_list, do, undo, edit, remove, sort, archive):
        name = run.__name__.removeprefix("show_")
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run)
        add_arguments(command, name)
    return parser


def add_arguments(command: argparse.ArgumentParser, name: str) -> None:
    """The arguments of one command."""
    add_argument = command.add_argument
    if name == "add":
        add_argument("text", nargs="+", type=utf8, help="the task; - adds each line of stdin")
    elif name in {"do", "undo", "remove"}:
        add_argument("numbers", nargs="+", type=int, metavar="NUMBER")
    elif name == "edit":
        add_argument("number", type=int, metavar="NUMBER")
        add_argument("text", nargs="*", type=utf8, help="the new text")
        add_argument("--priority", type=or_none(letter), help="A to Z, or none")
        add_argument("--due", type=or_none(day), help="a day, or none")
    elif name == "list":
        add_argument("words", nargs="*", type=utf8, metavar="WORD", help="show tasks that hold it")
        add_argument("--project", action="append", default=[], type=utf8)
        add_argument("--context", action="append", default=[], type=utf8)
        add_argument("--priority", action="append", type=letter)
        add_argument("--due", type=day, help="due on this day or before")
        add_argument("--done", action="store_true", help="the done tasks")
        add_argument("--all", action="store_true", help="open and done tasks")


def file_in_home() -> Path:
    """Where the list is unless another place is named; some accounts have no home at all."""
    try:
        return Path.home() / "todo.txt"
    except RuntimeError:
        raise TodoError("there is no home folder: give --file, or set TODO_FILE") from None


def run(args: argparse.Namespace) -> int:
    """Do one command; what it prints, it prints when the file is safe."""
    args.file = args.file or file_in_home()
    lines = args.run(args)
    print(*lines, sep="\n", end="\n" if lines else "")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    if sys.stderr is None:  # closed by the shell: argparse of Python 3.11.2 would fail on it
        sys.stderr = io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        try:
            return run(build_parser().parse_args(argv))
        finally:
            print(end="", flush=True)  # what is wrong with standard output shows here
    except TodoError as error:
        return refuse(error)
    except OSError as error:
        silence()
        return 0 if isinstance(error, BrokenPipeError) else refuse(error)
    except KeyboardInterrupt:
        return 130


def silence() -> None:
    """Nothing more can be printed, not even by the interpreter as it ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def refuse(error: Exception) -> int:
    """One line on standard error, if anyone reads that."""
    with suppress(OSError):
        # The name of a file is UTF-8 too, whatever the locale took its bytes for.
        text = str(error).encode(errors="surrogateescape").decode(errors="backslashreplace")
        print(f"{NAME}: {' '.join(text.split())}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
