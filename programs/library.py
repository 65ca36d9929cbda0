"""A lending library: items of several kinds, members, loans, holds, renewals and fines.

`Library` knows the rules and nothing of files or clocks: every day is handed in. `Repository`
keeps one in a JSON file, which changes as a whole or not at all.
"""

import argparse
import fcntl
import io
import json
import os
import re
import stat
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeVar

NAME, VERSION = "library", "1.0.0"

FORMAT = 1  # of the file
MAX_LOANS = 5  # of a member at a time
MAX_FINES = 1000  # cents that a member may owe and still borrow
MAX_COPIES = 10_000  # of an item
MAX_NUMBER = 10**12  # in a file
HOLD_DAYS = 60
LAST_YEAR = 9000  # the calendar ends with 9999: a loan from here on could end behind it

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

T = TypeVar("T")
Record = TypeVar("Record", bound="Item | Member | Loan | Hold")


class LibraryError(Exception):
    """A refused request; the message is one line for the person who asked."""


class NotFound(LibraryError):
    """There is no such item, member, loan or hold."""


class Refused(LibraryError):
    """The rules of the library are against it."""


class NotAvailable(Refused):
    """Every copy is lent, or kept for those who asked before."""


class StillInUse(Refused):
    """What is to be removed has loans, holds or fines."""


class InvalidIsbn(LibraryError):
    """Not an ISBN, or mistyped: the check digit is wrong."""


class StorageError(LibraryError):
    """The file cannot be read or written, or is not a library."""


# --- ISBN: formulas of ISO 2108 and the ISBN Users' Manual ----------------------------------------


def isbn13(text: str) -> str:
    """The 13 digits of an ISBN of 10 or 13, with or without hyphens and spaces."""
    compact = re.sub("[- ]", "", text).upper()
    if re.fullmatch(r"[0-9]{9}[0-9X]", compact):
        if compact[-1] != check_digit_10(compact[:-1]):
            raise InvalidIsbn(f"{text!r} has a wrong check digit")
        return f"978{compact[:-1]}{check_digit_13('978' + compact[:-1])}"
    if not re.fullmatch(r"97[89][0-9]{10}", compact):
        raise InvalidIsbn(f"{text!r} is not an ISBN")
    if compact[-1] != check_digit_13(compact[:-1]):
        raise InvalidIsbn(f"{text!r} has a wrong check digit")
    return compact


def isbn10(isbn: str) -> str | None:
    """The old form of an ISBN-13; those that begin with 979 have none."""
    return isbn[3:-1] + check_digit_10(isbn[3:-1]) if isbn.startswith("978") else None


def check_digit_10(nine: str) -> str:
    """The digits weighted 10 to 2 and the check digit add up to a multiple of 11; X is ten."""
    total = sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), nine, strict=True))
    return "0123456789X"[-total % 11]


def check_digit_13(twelve: str) -> str:
    """The digits weighted 1 and 3 in turn and the check digit add up to a multiple of 10."""
    return str(-sum(map(int, twelve[::2] + twelve[1::2] * 3)) % 10)


# --- items: each kind has its own rules -----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Item(ABC):
    """Something to lend, in a number of copies."""

    id: str
    title: str
    creators: tuple[str, ...] = ()
    copies: int = 1

    kind: ClassVar[str]
    loan_days: ClassVar[int]
    renewals: ClassVar[int] = 0
    ends_by_itself: ClassVar[bool] = False

    @staticmethod
    def identify(text: str) -> str:
        """The identifier that is meant, in the one form in which it is kept."""
        return " ".join(text.split())

    @abstractmethod
    def fine(self, days_late: int, /) -> int:
        """What a copy costs that comes back late, in cents."""

    def mentions(self, word: str) -> bool:
        """Whether a word is in the identifier, the title or a name."""
        return any(word.casefold() in text.casefold() for text in self.texts())

    def texts(self) -> Iterator[str]:
        """What a search looks at."""
        yield from (self.id, self.title, *self.creators)


@dataclass(frozen=True, kw_only=True)
class Book(Item):
    """Four weeks, twice renewed; twenty cents a day, never more than ten."""

    kind, loan_days, renewals = "book", 28, 2
    identify = staticmethod(isbn13)

    def fine(self, days_late: int, /) -> int:
        return min(20 * days_late, 1000)

    def texts(self) -> Iterator[str]:
        """A book is found by its old number too."""
        yield from super().texts()
        yield isbn10(self.id) or ""


@dataclass(frozen=True, kw_only=True)
class Magazine(Item):
    """One week, because others wait for it; a started week costs fifty cents."""

    kind, loan_days = "magazine", 7

    def fine(self, days_late: int, /) -> int:
        return 50 * -(-days_late // 7)


@dataclass(frozen=True, kw_only=True)
class Audiobook(Item):
    """A licence for two weeks, renewed once: it ends by itself, and is never late."""

    kind, loan_days, renewals, ends_by_itself = "audiobook", 14, 1, True
    identify = staticmethod(isbn13)

    def fine(self, _: int, /) -> int:
        return 0


KINDS: dict[str, type[Item]] = {kind.kind: kind for kind in (Book, Magazine, Audiobook)}


@dataclass(frozen=True, kw_only=True)
class Member:
    id: str
    name: str
    fines: int = 0


@dataclass(frozen=True, kw_only=True)
class Loan:
    """One copy of an item with one member."""

    item: str
    copy: int
    member: str
    due: date
    renewed: int = 0


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A place in the queue for an item, for a time."""

    item: str
    member: str
    until: date


# --- the rules ------------------------------------------------------------------------------------


@dataclass
class Library:
    """What there is, who belongs to it and who has what. Iterating yields the items by title."""

    items: dict[str, Item] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    loans: list[Loan] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)  # those who asked first come first
    joined: int = 0

    def __iter__(self) -> Iterator[Item]:
        return iter(sorted(self.items.values(), key=lambda item: (item.title.casefold(), item.id)))

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.items

    def add(self, item: Item) -> None:
        """Take in an item; more copies of one that is here already."""
        if not item.id or not item.title.strip():
            raise Refused("an item has a name to find it by, and a title")
        if item.copies < 1:
            raise Refused("an item has at least one copy")
        old = self.items.get(item.id)
        if old and old.kind != item.kind:
            raise Refused(f"{item.id} is a {old.kind}")
        copies = item.copies + (old.copies if old else 0)
        if copies > MAX_COPIES:
            raise Refused(f"an item has at most {MAX_COPIES} copies")
        self.items[item.id] = replace(item, copies=copies)

    def remove(self, item_id: str) -> None:
        """Give an item away, all copies of it."""
        self.item(item_id)
        if any(entry.item == item_id for entry in (*self.loans, *self.holds)):
            raise StillInUse(f"{item_id} is lent or on hold")
        del self.items[item_id]

    def join(self, name: str) -> Member:
        """A new member; a number is never given twice."""
        if not name.strip():
            raise Refused("a member has a name")
        self.joined += 1
        member = Member(id=f"M{self.joined}", name=name.strip())
        self.members[member.id] = member
        return member

    def leave(self, member_id: str) -> None:
        """Whoever owes nothing may leave; their holds go with them."""
        if self.member(member_id).fines or self.lent_to(member_id):
            raise StillInUse(f"{member_id} has loans or owes fines")
        self.holds = [hold for hold in self.holds if hold.member != member_id]
        del self.members[member_id]

    def item(self, item_id: str) -> Item:
        return found(self.items.get(item_id), f"no item {item_id}")

    def member(self, member_id: str) -> Member:
        return found(self.members.get(member_id), f"no member {member_id}")

    def loan(self, item_id: str, member_id: str) -> Loan:
        loans = (loan for loan in self.lent_to(member_id) if loan.item == item_id)
        return found(next(loans, None), f"{member_id} does not have {item_id}")

    def lent_to(self, member_id: str) -> list[Loan]:
        return [loan for loan in self.loans if loan.member == member_id]

    def free_copies(self, item_id: str) -> list[int]:
        """The numbers of the copies that are in the house."""
        lent = {loan.copy for loan in self.loans if loan.item == item_id}
        return [copy for copy in range(1, self.item(item_id).copies + 1) if copy not in lent]

    def queue(self, item_id: str) -> list[str]:
        """The members who wait for an item, the first one first."""
        return [hold.member for hold in self.holds if hold.item == item_id]

    def lend(self, item_id: str, member_id: str, today: date) -> Loan:
        """Lend a copy, unless the free ones are kept for members who asked before."""
        self.expire(today)
        item, member = self.item(item_id), self.member(member_id)
        if member.fines > MAX_FINES:
            raise Refused(f"{member_id} owes {money(member.fines)}")
        if len(self.lent_to(member_id)) >= MAX_LOANS:
            raise Refused(f"{member_id} has {MAX_LOANS} loans already")
        if any(loan.item == item_id for loan in self.lent_to(member_id)):
            raise Refused(f"{member_id} has {item_id} already")
        waiting, free = self.queue(item_id), self.free_copies(item_id)
        before = waiting.index(member_id) if member_id in waiting else len(waiting)
        if before >= len(free):
            raise NotAvailable(f"no copy of {item_id} is free; {before} asked before")
        due = today + timedelta(days=item.loan_days)
        loan = Loan(item=item_id, copy=free[0], member=member_id, due=due)
        self.loans.append(loan)
        self.drop_hold(item_id, member_id)
        return loan

    def give_back(self, item_id: str, member_id: str, today: date) -> int:
        """Take a copy back and return the fine, in cents, which the member now owes."""
        self.expire(today)
        loan, member = self.loan(item_id, member_id), self.member(member_id)
        fine = self.item(item_id).fine(max((today - loan.due).days, 0))
        self.loans.remove(loan)
        self.members[member_id] = replace(member, fines=member.fines + fine)
        return fine

    def renew(self, item_id: str, member_id: str, today: date) -> Loan:
        """A new loan period from today, unless it is late, renewed too often or waited for."""
        self.expire(today)
        item, loan = self.item(item_id), self.loan(item_id, member_id)
        if loan.due < today:
            raise Refused(f"{item_id} was due on {loan.due}")
        if loan.renewed >= item.renewals:
            raise Refused(f"{item.kind} {item_id}: renewed {loan.renewed} times already")
        if len(self.queue(item_id)) > len(self.free_copies(item_id)):
            raise Refused(f"others wait for {item_id}")
        due = max(loan.due, today + timedelta(days=item.loan_days))
        renewed = replace(loan, due=due, renewed=loan.renewed + 1)
        self.loans[self.loans.index(loan)] = renewed
        return renewed

    def hold(self, item_id: str, member_id: str, today: date) -> int:
        """Queue for an item of which no copy can be had; the place in the queue, from 1."""
        self.expire(today)
        self.member(member_id)
        waiting, free = self.queue(item_id), self.free_copies(item_id)
        if any(loan.item == item_id for loan in self.lent_to(member_id)):
            raise Refused(f"{member_id} has {item_id} already")
        if member_id in waiting:
            raise Refused(f"{member_id} waits for {item_id} already")
        if len(free) > len(waiting):
            raise Refused(f"a copy of {item_id} is free: lend it")
        until = today + timedelta(days=HOLD_DAYS)
        self.holds.append(Hold(item=item_id, member=member_id, until=until))
        return len(waiting) + 1

    def cancel(self, item_id: str, member_id: str) -> None:
        """Leave the queue for an item."""
        if member_id not in self.queue(item_id):
            raise NotFound(f"{member_id} does not wait for {item_id}")
        self.drop_hold(item_id, member_id)

    def drop_hold(self, item_id: str, member_id: str) -> None:
        self.holds = [h for h in self.holds if (h.item, h.member) != (item_id, member_id)]

    def pay(self, member_id: str, cents: int) -> Member:
        """Pay fines, in part or in whole."""
        member = self.member(member_id)
        if not 0 < cents <= member.fines:
            raise Refused(f"{member_id} owes {money(member.fines)}, not {money(cents)}")
        self.members[member_id] = replace(member, fines=member.fines - cents)
        return self.members[member_id]

    def expire(self, today: date) -> None:
        """End what ends by itself: holds, and the loans of some kinds."""
        self.holds = [hold for hold in self.holds if hold.until >= today]
        stay = (n for n in self.loans if n.due >= today or not self.item(n.item).ends_by_itself)
        self.loans = list(stay)

    def overdue(self, today: date) -> list[Loan]:
        """The loans that are late, the latest of them first."""
        self.expire(today)
        late = (loan for loan in self.loans if loan.due < today)
        return sorted(late, key=lambda loan: loan.due)

    def search(self, words: Iterable[str]) -> Iterator[Item]:
        """The items that mention every word."""
        wanted = list(words)
        return (item for item in self if all(item.mentions(word) for word in wanted))


def found(thing: T | None, message: str) -> T:
    """The thing, if there is one."""
    if thing is None:
        raise NotFound(message)
    return thing


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


# --- the file -------------------------------------------------------------------------------------


def to_json(library: Library) -> str:
    """Everything, as a document that names its format."""
    document = {
        "format": FORMAT,
        "joined": library.joined,
        "items": [{"kind": item.kind, **asdict(item)} for item in library.items.values()],
        "members": [asdict(member) for member in library.members.values()],
        "loans": [asdict(loan) for loan in library.loans],
        "holds": [asdict(hold) for hold in library.holds],
    }
    return json.dumps(document, ensure_ascii=False, indent=2, default=date.isoformat) + "\n"


def from_json(text: str, name: str = "the document") -> Library:
    """The library in a document; StorageError if it is not one, or breaks the rules of one."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise StorageError(f"{name}: format {document['format']!r} is newer than this program")
        refuse_unknown(document, KEYS)
        items = [build(KINDS[record["kind"]], record, "kind") for record in document["items"]]
        members = [build(Member, record) for record in document["members"]]
        library = Library(
            items={item.id: item for item in items},
            members={member.id: member for member in members},
            loans=[build(Loan, record) for record in document["loans"]],
            holds=[build(Hold, record) for record in document["holds"]],
            joined=read_number(document["joined"]),
        )
        if (len(items), len(members)) != (len(library.items), len(library.members)):
            raise ValueError("an identifier occurs twice")
        check(library)
    except (KeyError, TypeError, ValueError, RecursionError, NotFound, InvalidIsbn) as error:
        raise StorageError(f"{name} is not a library: {error}") from error
    return library


def refuse_unknown(record: dict[str, Any], known: Iterable[str]) -> None:
    """What this program does not know, it would lose when it saves."""
    if unknown := sorted(set(record).difference(known)):
        raise ValueError(f"unknown keys {unknown}, perhaps of a newer format")


def build(kind: type[Record], record: dict[str, Any], *more: str) -> Record:
    """A dataclass from the fields of a record, each of its own type; it may have more keys."""
    refuse_unknown(record, [*(f.name for f in fields(kind)), *more])
    values = {f.name: READERS[f.type](record[f.name]) for f in fields(kind)}
    return kind(**values)


def exactly(kind: type[T]) -> Callable[[Any], T]:
    """Accepts a value of a type and no other: JSON has numbers where one expects a text."""

    def read(value: Any) -> T:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is not of type {kind.__name__}")
        return value

    return read


def read_text(value: Any) -> str:
    """A text that can be saved: JSON can name half a character, which UTF-8 cannot write."""
    exactly(str)(value).encode()
    return value


def read_number(value: Any) -> int:
    """A count: not negative, and no number so long that nothing can be done with it."""
    if not 0 <= exactly(int)(value) <= MAX_NUMBER:
        raise ValueError(f"{value} is out of range")
    return value


READERS: dict[Any, Callable[[Any], Any]] = {
    str: read_text,
    int: read_number,
    date: date.fromisoformat,
    tuple[str, ...]: lambda texts: tuple(map(read_text, exactly(list)(texts))),
}
KEYS = ("format", "joined", "items", "members", "loans", "holds")


def check(library: Library) -> None:
    """Raise ValueError or NotFound where a library breaks its own rules."""
    copies = Counter((loan.item, loan.copy) for loan in library.loans)
    holders = Counter((entry.item, entry.member) for entry in (*library.loans, *library.holds))
    if any(times > 1 for times in (*copies.values(), *holders.values())):
        raise ValueError("a copy is lent twice, or a member has an item twice")
    for item_id, member_id in holders:
        library.member(member_id), library.item(item_id)
    if any(not 1 <= number <= library.items[item_id].copies for item_id, number in copies):
        raise ValueError("a copy is lent that does not exist")
    for item in library:
        if not 1 <= item.copies <= MAX_COPIES or item.identify(item.id) != item.id:
            raise ValueError(f"item {item.id!r}")
    for member in library.members.values():
        number = re.fullmatch("M([1-9][0-9]{,12})", member.id)
        if not number or int(number[1]) > library.joined:
            raise ValueError(f"member {member.id!r}")


class Repository:
    """`with Repository(path) as library:` loads it; a block without error saves what it changed.

    The file is locked meanwhile, so that two librarians cannot undo each other's work.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))  # a link stays a link

    def __enter__(self) -> Library:
        check_file(self.path)
        with refusing(self.path):
            self.lock = self.path.with_name(f".{self.path.name}.lock").open("a")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX)
            text = read(self.path)
            self.library = Library() if text is None else from_json(text, f"{self.path}")
            self.before = to_json(self.library)
        except BaseException:
            self.lock.close()
            raise
        return self.library

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self.lock:
            if kind is None and (text := to_json(self.library)) != self.before:
                write(self.path, text)


@contextmanager
def refusing(path: Path) -> Generator[None]:
    """Turn what the system says about a file into one line."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error


def check_file(path: Path) -> None:
    """Refuse folders, and devices and pipes: reading them may never end, a rename ends them."""
    with refusing(path), suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise StorageError(f"{path}: not a regular file")


def read(path: Path) -> str | None:
    """The whole file, if there is one. An empty one has lost its library."""
    try:
        with refusing(path), suppress(FileNotFoundError):
            return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise StorageError(f"{path}: byte {error.start} is not UTF-8") from error
    return None


def write(path: Path, text: str) -> None:
    """Replace the file whole: after a kill or a power cut it is the old one or the new one."""
    new, data = path.with_name(f".{path.name}.new"), text.encode()
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with refusing(path):
        mode = mode_of(path)
        with os.fdopen(os.open(new, flags, 0o666), "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)  # the new name is in the folder, not in the file
        os.close(folder)


def mode_of(path: Path) -> int | None:
    """The permissions of a file, if there is one; that it is read-only is respected."""
    with suppress(FileNotFoundError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if not os.access(path, os.W_OK):
            raise StorageError(f"{path}: read-only; left as it is")
        return mode
    return None


# --- the commands ---------------------------------------------------------------------------------


def add(library: Library, args: argparse.Namespace) -> list[str]:
    """Take in the item that the command line describes."""
    kind = KINDS[args.kind]
    item_id = kind.identify(args.item)
    library.add(kind(id=item_id, title=args.title, creators=tuple(args.by), copies=args.copies))
    return [show_item(library, library.item(item_id))]


def give_back(library: Library, args: argparse.Namespace) -> list[str]:
    """Take a copy back and say what that costs."""
    fine = library.give_back(args.item, args.member, args.today)
    return [f"{args.item} is back" + (f"; {args.member} owes {money(fine)} for it" if fine else "")]


def hold(library: Library, args: argparse.Namespace) -> list[str]:
    """Queue for an item."""
    place = library.hold(args.item, args.member, args.today)
    return [f"{args.member} is number {place} in the queue for {args.item}"]


def one_line(text: str) -> str:
    """A line for people: the control characters of a title cannot play with their terminal."""
    return CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def show_item(library: Library, item: Item) -> str:
    names = f" by {', '.join(item.creators)}" if item.creators else ""
    free = f"{len(library.free_copies(item.id))} of {item.copies} free"
    return f"{item.id}  {item.kind}: {item.title}{names} ({free})"


def show_member(library: Library, member: Member) -> str:
    lent = len(library.lent_to(member.id))
    return f"{member.id}  {member.name} (loans: {lent}, fines: {money(member.fines)})"


def show_loan(loan: Loan) -> str:
    return f"{loan.item} copy {loan.copy} with {loan.member} until {loan.due}"


# --- the command line -----------------------------------------------------------------------------

EXAMPLES = """
examples:
  python -m programs.library add book 0-306-40615-2 "A Title" --by "An Author" --copies 2
  python -m programs.library add magazine weekly-2026-10 "The Weekly"
  python -m programs.library join "Zoe Member"
  python -m programs.library lend 9780306406157 M1
  python -m programs.library return 0-306-40615-2 M1
  python -m programs.library search title author
  python -m programs.library --today 2026-12-24 overdue

The library is --file FILE, else $LIBRARY_FILE, else library.json in this folder. Books and
audiobooks go by their ISBN, of 10 or 13 digits; other items by any name you give them.
Exit codes: 0 done, 1 refused, 2 wrong usage, 130 interrupted.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{NAME}: {' '.join(message.split())} (try --help)\n")


def utf8(argument: str) -> str:
    """An argument as UTF-8, whatever the locale took its bytes for."""
    return os.fsencode(argument).decode()


def item_id(argument: str) -> str:
    """An identifier of the command line: an ISBN in any form, or a name."""
    text = utf8(argument)
    with suppress(InvalidIsbn):
        return isbn13(text)
    return Item.identify(text)


def day(argument: str) -> date:
    """A day of the command line."""
    found = date.fromisoformat(argument)
    if found.year >= LAST_YEAR:
        raise argparse.ArgumentTypeError(f"{argument!r} is too far away")
    return found


def amount(argument: str) -> int:
    """Money of the command line, in cents."""
    match = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{2}))?", argument)
    if match is None:
        raise argparse.ArgumentTypeError(f"{argument!r} is not an amount such as 2.50")
    return int(match[1]) * 100 + int(match[2] or 0)


# The arguments that commands share, by name.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "kind": {"choices": sorted(KINDS)},
    "item": {"type": item_id, "metavar": "ITEM"},
    "member": {"type": str, "metavar": "MEMBER"},
    "title": {"type": utf8, "metavar": "TITLE"},
    "name": {"type": utf8, "metavar": "NAME"},
    "amount": {"type": amount, "metavar": "AMOUNT"},
    "words": {"type": utf8, "metavar": "WORD", "nargs": "*"},
    "--by": {"type": utf8, "action": "append", "default": [], "help": "may be given again"},
    "--copies": {"type": int, "default": 1},
}


class Command(NamedTuple):
    """What it does, in a word; its arguments; what it makes of the library and prints."""

    help: str
    arguments: str
    run: Callable[[Library, argparse.Namespace], Iterable[str] | None]


COMMANDS = {
    "add": Command("take in an item, or more copies", "kind item title --by --copies", add),
    "remove": Command("give an item away", "item", lambda lib, a: lib.remove(a.item)),
    "join": Command("a new member", "name", lambda lib, a: [show_member(lib, lib.join(a.name))]),
    "leave": Command("let a member go", "member", lambda lib, a: lib.leave(a.member)),
    "lend": Command(
        "lend a copy to a member",
        "item member",
        lambda lib, a: [show_loan(lib.lend(a.item, a.member, a.today))],
    ),
    "return": Command("take a copy back", "item member", give_back),
    "renew": Command(
        "start a new loan period",
        "item member",
        lambda lib, a: [show_loan(lib.renew(a.item, a.member, a.today))],
    ),
    "hold": Command("queue for an item", "item member", hold),
    "cancel": Command(
        "leave the queue", "item member", lambda lib, a: lib.cancel(a.item, a.member)
    ),
    "pay": Command(
        "pay fines",
        "member amount",
        lambda lib, a: [show_member(lib, lib.pay(a.member, a.amount))],
    ),
    "search": Command(
        "list the items that mention all words; without a word, all items",
        "words",
        lambda lib, a: [show_item(lib, item) for item in lib.search(a.words)],
    ),
    "members": Command(
        "list the members",
        "",
        lambda lib, _: [show_member(lib, member) for member in lib.members.values()],
    ),
    "loans": Command("list the loans", "", lambda lib, _: map(show_loan, lib.loans)),
    "overdue": Command(
        "list the loans that are late", "", lambda lib, a: map(show_loan, lib.overdue(a.today))
    ),
}


def build_parser() -> Parser:
    """The command line: a subcommand for each command."""
    parser = Parser(
        prog=f"python -m programs.{NAME}",
        description="A lending library.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    path = Path(os.environ.get("LIBRARY_FILE") or "library.json")
    parser.add_argument("--version", action="version", version=f"{NAME} {VERSION}")
    parser.add_argument("--file", type=Path, default=path, help="the library to use")
    parser.add_argument("--today", type=day, default=date.today(), help="default: today")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (text, arguments, run) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        for argument in arguments.split():
            command.add_argument(argument, **ARGUMENTS[argument])
    return parser


def run(args: argparse.Namespace) -> int:
    """Do one command; what it prints, it prints when the file is safe."""
    with Repository(args.file) as library:
        library.expire(args.today)
        answer = args.run(library, args)
    lines = ["done"] if answer is None else [one_line(line) for line in answer]
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
    except LibraryError as error:
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
