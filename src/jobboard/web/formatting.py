"""What stands in the database, said as a person would say it: money, moments, counts, words."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from math import ceil
from urllib.parse import urlsplit

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from markupsafe import Markup

from jobboard.accounts.models import Role
from jobboard.alerts.models import Frequency
from jobboard.applications.models import Stage
from jobboard.clock import now
from jobboard.companies.models import MemberRole
from jobboard.infra.currencies import exponent
from jobboard.jobs.exchange.translation import Translated
from jobboard.jobs.models import (
    EmploymentType,
    Experience,
    JobStatus,
    PayPeriod,
    ReportReason,
    Workplace,
)
from jobboard.jobs.schemas import Match, Salary
from jobboard.tasks.models import Priority
from jobboard.wallet.models import TransferKind
from jobboard.webhooks.models import DeliveryState, WebhookState

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
LOCALE = Locale("en", "GB")
DAYS_AS_AGE = 30  # older than this a date says more than "43 days ago"

# By type first: members of two StrEnums with the same value are equal.
LABELS: dict[type[StrEnum], dict[str, str]] = {
    Workplace: {"onsite": "On site", "hybrid": "Hybrid", "remote": "Remote"},
    EmploymentType: {
        "full_time": "Full time",
        "part_time": "Part time",
        "contract": "Contract",
        "temporary": "Temporary",
        "internship": "Internship",
        "volunteer": "Volunteer",
        "other": "Other",
    },
    Experience: {
        "entry": "Entry level",
        "junior": "Junior",
        "mid": "Experienced",
        "senior": "Senior",
        "lead": "Lead",
        "executive": "Executive",
    },
    PayPeriod: {
        "hour": "an hour",
        "day": "a day",
        "week": "a week",
        "month": "a month",
        "year": "a year",
    },
    JobStatus: {
        "draft": "Draft",
        "pending": "Waiting for approval",
        "published": "Live",
        "rejected": "Sent back",
        "closed": "Closed",
        "expired": "Expired",
        "removed": "Removed",
    },
    Stage: {
        "submitted": "Sent",
        "viewed": "Viewed",
        "interview": "Interview",
        "offer": "Offer",
        "hired": "Hired",
        "rejected": "Not selected",
        "withdrawn": "Withdrawn",
    },
    ReportReason: {
        "scam": "It looks like a scam",
        "expired": "The job is no longer open",
        "wrong": "Something in it is wrong",
        "offensive": "It is offensive or discriminates",
        "duplicate": "It is listed twice",
        "other": "Something else",
    },
    Role: {"candidate": "Candidate", "employer": "Employer", "admin": "Moderator"},
    Priority: {"low": "Can wait", "normal": "Normal", "high": "Important"},
    TransferKind: {
        "transfer": "Transfer",
        "grant": "Grant",
        "feature": "Featured job",
        "refund": "Refund",
        "reversal": "Reversal",
    },
    Frequency: {"at_once": "At once", "daily": "Every morning", "weekly": "On Mondays"},
    WebhookState: {
        "active": "Active",
        "paused": "Paused",
        "gone": "Turned off",
        "failing": "Turned off",
    },
    DeliveryState: {"waiting": "Waiting", "delivered": "Delivered", "failed": "Failed"},
    MemberRole: {"owner": "Owner", "recruiter": "Recruiter"},
}


def days(since: datetime) -> int:
    """Whole days that went by."""
    return (now() - since).days


def within(hours: float) -> str:
    """A time that something took: "within a day", "within 3 days"."""
    days = ceil(hours / 24)
    return "within a day" if days <= 1 else f"within {days} days"


def label(value: StrEnum) -> str:
    """The words for a member of one of our enumerations."""
    return LABELS[type(value)][value.value]


def options(kind: type[StrEnum]) -> list[tuple[str, str]]:
    """(value, words) of every member, for a list to choose from."""
    return list(LABELS[kind].items())


def count(number: int) -> str:
    """1,119"""
    return format_decimal(number, locale=LOCALE)


def plural(number: int, one: str, many: str) -> str:
    """1 job, 1,119 jobs"""
    return f"{count(number)} {one if number == 1 else many}"


def money(minor: int, currency: str | None) -> str:
    """€50,000, or €9.50 where there are cents; a bare number where no currency is known."""
    digits = exponent(currency)
    amount = Decimal(minor).scaleb(-digits)
    tail = "." + "0" * digits if amount % 1 else ""
    if currency is None:
        return format_decimal(amount, f"#,##0{tail}", locale=LOCALE)
    return format_currency(amount, currency, f"¤#,##0{tail}", locale=LOCALE, currency_digits=False)


def balance(minor: int, currency: str) -> str:
    """€1,645.00: to the cent, as in a statement, where figures stand below each other."""
    digits = exponent(currency)
    pattern = "¤#,##0" + ("." + "0" * digits if digits else "")
    amount = Decimal(minor).scaleb(-digits)
    text = format_currency(abs(amount), currency, pattern, locale=LOCALE, currency_digits=False)
    return f"{MINUS}{text}" if minor < 0 else text


def pay(salary: Salary) -> str:
    """€50,000-65,000 a year, with a real dash."""
    period = f" {label(salary.period)}" if salary.period else ""
    return _range(salary) + period


def yearly(salary: Salary) -> str:
    """About €41,600 a year, for pay that is given for less than a year; else nothing."""
    if salary.period in (None, PayPeriod.YEAR) or salary.yearly_min is salary.yearly_max is None:
        return ""
    year = salary.model_copy(
        update={"min": _whole(salary, salary.yearly_min), "max": _whole(salary, salary.yearly_max)}
    )
    words = _range(year).replace("From", "from").replace("Up to", "up to")
    return f"About {words} {label(PayPeriod.YEAR)}"


def elsewhere(pay: Translated) -> str:
    """About €52,300-61,000 a year: in another currency, so that three digits say enough."""
    rough = pay.model_copy(update={"min": _rough(pay, pay.min), "max": _rough(pay, pay.max)})
    words = _range(rough).replace("From", "from").replace("Up to", "up to")
    return f"About {words} {label(PayPeriod.YEAR)}"


def by_rate(pay: Translated) -> str:
    """rate of 30 October 2026, European Central Bank"""
    day = pay.rate_date and format_date(pay.rate_date, "d MMMM y", locale=LOCALE)
    return f"rate of {day}, {pay.rate_source}"


def _rough(pay: Translated, minor: int | None) -> int | None:
    if minor is None:
        return None
    unit = 10 ** exponent(pay.currency)
    whole = round(minor / unit)
    step = 10 ** max(len(str(whole)) - 3, 0)
    return round(whole / step) * step * unit


def _whole(salary: Salary, minor: int | None) -> int | None:
    """Cents say nothing in a figure that is only about right."""
    unit = 10 ** exponent(salary.currency)
    return None if minor is None else round(minor / unit) * unit


def _range(salary: Salary | Translated) -> str:
    low, high, currency = salary.min, salary.max, salary.currency
    if low is None and high is not None:
        return f"Up to {money(high, currency)}"
    if low is not None and high is None:
        return f"From {money(low, currency)}"
    if low is None or high is None or low == high:
        return money(low or 0, currency)
    return f"{money(low, currency)}{DASH}{_bare(high, currency)}"


def _bare(minor: int, currency: str | None) -> str:
    """The amount without its sign, with as many decimals as `money` shows."""
    amount = Decimal(minor).scaleb(-exponent(currency))
    tail = "." + "0" * exponent(currency) if amount % 1 else ""
    return format_decimal(amount, f"#,##0{tail}", locale=LOCALE)


def marked(text: str, matches: Iterable[Match]) -> Markup:
    """A text with <mark> around the words that were searched for; nothing in it is HTML."""
    done, html = 0, Markup()
    for match in matches:
        here = Markup("{}<mark>{}</mark>")
        html += here.format(text[done : match.start], text[match.start : match.end])
        done = match.end
    return html + text[done:]


def day(moment: datetime) -> Markup:
    """<time>22 November 2026</time>"""
    return _time(moment, format_date(moment, "d MMMM y", locale=LOCALE))


def plain_day(moment: datetime) -> str:
    """22 November 2026, where no element can stand."""
    return format_date(moment, "d MMMM y", locale=LOCALE)


def clock(moment: datetime) -> Markup:
    """<time>22 November 2026, 14:03 UTC</time>"""
    return _time(moment, _exactly(moment))


def age(moment: datetime) -> Markup:
    """<time>3 days ago</time>, with the exact moment for those who point at it."""
    return _time(moment, _age(moment), title=_exactly(moment))


def past(moment: datetime) -> bool:
    """Whether it is over."""
    return moment < now()


def due(moment: datetime) -> Markup:
    """<time>in 3 days</time>, or how long ago, with the exact moment for those who point at it."""
    words = _age(moment) if past(moment) else _until(moment)
    return _time(moment, words, title=_exactly(moment))


def _until(moment: datetime) -> str:
    seconds = (moment - now()).total_seconds()
    days = (moment.date() - now().date()).days
    if seconds < 3600:
        return "in " + plural(max(int(seconds // 60), 1), "minute", "minutes")
    if days == 0:
        return "in " + plural(int(seconds // 3600), "hour", "hours")
    if days == 1:
        return "tomorrow"
    if days <= DAYS_AS_AGE:
        return f"in {days} days"
    return format_date(moment, "d MMM y", locale=LOCALE)


def _age(moment: datetime) -> str:
    seconds = (now() - moment).total_seconds()
    days = (now().date() - moment.date()).days
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return plural(int(seconds // 60), "minute", "minutes") + " ago"
    if days == 0:
        return plural(int(seconds // 3600), "hour", "hours") + " ago"
    if days == 1:
        return "yesterday"
    if days <= DAYS_AS_AGE:
        return f"{days} days ago"
    return format_date(moment, "d MMM y", locale=LOCALE)


def _exactly(moment: datetime) -> str:
    return format_datetime(moment, "d MMMM y, HH:mm", locale=LOCALE) + " UTC"


def _time(moment: datetime, words: str, *, title: str = "") -> Markup:
    stamp = moment.isoformat(timespec="seconds")
    if title:
        return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, title, words)
    return Markup('<time datetime="{}">{}</time>').format(stamp, words)


def host(address: str) -> str:
    """example.com for https://www.example.com/about"""
    return (urlsplit(address).hostname or address).removeprefix("www.")


def monogram(name: str) -> str:
    """HB for Harbour Bakery: what stands where a company has no logo."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or name[:1].upper()


def size(byte_count: int) -> str:
    """2.4 MB"""
    for unit, scale in (("MB", 1024 * 1024), ("kB", 1024)):
        if byte_count >= scale:
            return f"{format_decimal(round(byte_count / scale, 1), locale=LOCALE)} {unit}"
    return plural(byte_count, "byte", "bytes")
