"""Where a job is, in words."""

import re
from typing import Protocol

from jobboard.jobs.models import Workplace
from jobboard.web.formatting import LOCALE, count, label

SEVERAL_PLACES = re.compile(r" \| |;")


class Placed(Protocol):
    """Anything with a place: as written, and as far as it was understood."""

    location: str | None
    city: str | None
    region: str | None
    country: str | None
    remote: Workplace | None


def place(job: Placed) -> str | None:
    """City and country where they were understood, else the place as it was written.

    Of several places the main one, and how many more.
    """
    written = (part.strip() for part in SEVERAL_PLACES.split(job.location or ""))
    places = list(dict.fromkeys(part for part in written if part))
    main = _main_place(job) if len(places) < 2 else _main_place(job) or places[0]
    more = f" and {count(len(places) - 1)} more" if len(places) > 1 else ""
    if main:
        return main + more
    if job.remote and job.location and job.location.lower() == job.remote:
        return None  # "Remote" is said once, as the workplace
    return job.location or (country(job.country) if job.country else None)


def place_and_workplace(job: Placed) -> str:
    """The place as it was written and the workplace, said once: "Remote, Germany" says both."""
    written = job.location or ""
    workplace = label(job.remote) if job.remote else ""
    if not written or workplace.lower() in written.lower():
        return written or workplace
    return f"{written}, {workplace.lower()}"


def _main_place(job: Placed) -> str | None:
    """City and country, as far as they were understood."""
    if not (job.city and job.country):
        return None
    parts = [job.city, job.region if job.country == "US" else None, country(job.country)]
    return ", ".join(part for part in parts if part)


def country(code: str) -> str:
    """DE: Germany"""
    return LOCALE.territories.get(code, code)
