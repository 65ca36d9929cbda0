"""What every kind of source is read into."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from jobboard.errors import Invalid
from jobboard.infra.htmltomarkdown import html_to_markdown
from jobboard.infra.richtext import clean_line
from jobboard.infra.textrepair import tidy
from jobboard.infra.weblink import web_link
from jobboard.jobs.importing.dates import read_date
from jobboard.jobs.kinds import (
    EmploymentType,
    Experience,
    parse_employment_type,
    parse_experience,
    parse_remote,
)
from jobboard.jobs.places import Location, Remote, parse_location
from jobboard.jobs.salary import Salary, parse_salary

MAX_TITLE = 200
MAX_LINE = 500
MAX_DESCRIPTION = 50_000
MAX_TAGS, MAX_TAG = 20, 50
_CUT_NOTE = "\n\n…"


@dataclass(frozen=True, slots=True)
class ImportedJob:
    """One ad, read and cleaned. `description` is Markdown, `posted_at` aware UTC."""

    source: str
    external_id: str
    title: str
    company: str
    location_text: str | None
    location: Location
    remote: Remote | None
    salary_text: str | None
    salary: Salary | None
    employment_type: EmploymentType | None
    experience: Experience | None
    tags: tuple[str, ...]
    description: str
    posted_at: datetime | None
    apply_url: str | None
    row: int

    @property
    def content_hash(self) -> bytes:
        """Changes when anything that would be shown changes."""
        shown = [repr(getattr(self, name)) for name in self.__slots__ if name != "row"]
        return sha256("\x1f".join(shown).encode()).digest()


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that was not taken, numbered from 1, and why, in words for a person."""

    row: int
    reason: str
    raw: Any


@dataclass(frozen=True, slots=True)
class RawJob:
    """One ad as its source says it, values of any type; `read` makes the most of them."""

    source: str
    row: int
    raw: Any
    id: Any = None
    title: Any = None
    company: Any = None
    location: Any = None
    description: Any = None
    salary: Any = None
    employment_type: Any = None
    level: Any = None
    remote: Any = None
    posted: Any = None
    url: Any = None
    tags: list[Any] = field(default_factory=list)


Reading = ImportedJob | Rejected
Reader = Callable[[bytes, str | None], Iterator[Reading]]


def read(job: RawJob, company: str | None) -> Reading:
    """Clean one ad. `company` is what to call the employer where the source does not say."""
    title, employer = line(job.title, MAX_TITLE), line(job.company, MAX_TITLE)
    employer = employer or line(company, MAX_TITLE)
    if not title:
        return Rejected(job.row, "it has no title", job.raw)
    if not employer:
        return Rejected(job.row, "it names no company: say --company NAME", job.raw)
    description = _description(job.description)
    apply_url = _link(job.url)
    if not description and not apply_url:
        return Rejected(job.row, "it has neither a description nor an address", job.raw)
    location_text = line(job.location, MAX_LINE) or None
    location = parse_location(location_text)
    salary_text = line(job.salary, MAX_LINE) or None
    kind = line(job.employment_type, MAX_LINE)
    flag = job.remote if isinstance(job.remote, bool) else line(job.remote, MAX_LINE) or None
    return ImportedJob(
        source=job.source,
        external_id=_identity(job.id) or _made_up_id(title, employer, location_text),
        title=title,
        company=employer,
        location_text=location_text,
        location=location,
        remote=parse_remote(flag, location_text, title),
        salary_text=salary_text,
        salary=parse_salary(salary_text, location.country),
        employment_type=parse_employment_type(kind),
        experience=parse_experience(title, f"{line(job.level, MAX_LINE)} {kind}"),
        tags=_tags(job.tags),
        description=description,
        posted_at=read_date(job.posted),
        apply_url=apply_url,
        row=job.row,
    )


def line(value: Any, limit: int) -> str:
    """One clean line of whatever type came: numbers are written out, lists joined, null empty."""
    return clean_line(text(value), limit)


def text(value: Any, depth: int = 3) -> str:
    """The text in a value of any type. Objects give their `name` (or `text`, `value`, `label`)."""
    if isinstance(value, str):
        return value
    if depth == 0 or isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        return _digits(value)
    if isinstance(value, list):
        return ", ".join(part for item in value[:20] if (part := text(item, depth - 1)))
    if isinstance(value, dict):
        keys = ("name", "text", "value", "label")
        return next((found for key in keys if (found := text(value.get(key), depth - 1))), "")
    return ""


def _digits(number: float) -> str:
    if not abs(number) < 10**30:  # NaN too; and Python refuses to print huge integers
        return ""
    return str(number) if isinstance(number, int) else f"{number:f}".rstrip("0").rstrip(".")


def _description(value: Any) -> str:
    markdown = html_to_markdown(text(value))
    if len(markdown) <= MAX_DESCRIPTION:
        return markdown
    end = markdown.rfind("\n\n", 0, MAX_DESCRIPTION - len(_CUT_NOTE))
    return markdown[: end if end > 0 else MAX_DESCRIPTION - len(_CUT_NOTE)] + _CUT_NOTE


def _link(value: Any) -> str | None:
    try:
        return web_link(text(value).strip()[:2000])
    except ValueError:
        return None


def _tags(values: list[Any]) -> tuple[str, ...]:
    tags = (line(value, MAX_TAG).lower() for value in values)
    return tuple(dict.fromkeys(tag for tag in tags if tag))[:MAX_TAGS]


def _identity(value: Any) -> str:
    """The source's own id; a very long one by its hash."""
    written = tidy(text(value)).strip()
    return written if len(written) <= MAX_LINE else sha256(written.encode()).hexdigest()


def _made_up_id(title: str, company: str, location: str | None) -> str:
    """For ads without an id: the same ad gets the same one again."""
    words = "\x1f".join((title, company, location or "")).casefold()
    return "made-" + sha256(words.encode()).hexdigest()[:24]


def not_this_kind(kind: str, expected: str) -> Invalid:
    """The source as a whole is something else."""
    return Invalid(
        f"This is not what {kind} answers: {expected} was expected.", code="wrong_source"
    )
