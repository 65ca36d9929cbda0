"""What stands in the database, as a page says it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from jobboard.jobs.models import Workplace
from jobboard.web import formatting
from jobboard.web.assets import static_url
from jobboard.web.places import place

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(seconds=5), "in 1 minute"),
        (timedelta(minutes=59), "in 59 minutes"),
        (timedelta(hours=11), "in 11 hours"),
        (timedelta(hours=13), "tomorrow"),
        (timedelta(days=2), "in 2 days"),
        (timedelta(days=31), "24 Dec 2026"),
        (-timedelta(hours=13), "yesterday"),
    ],
)
def test_when_something_is_due(
    ahead: timedelta, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formatting, "now", lambda: NOON)
    assert f">{said}</time>" in formatting.due(NOON + ahead)


@pytest.mark.parametrize(
    ("size", "said"),
    [(1, "1 byte"), (1023, "1,023 bytes"), (1536, "1.5 kB"), (2_500_000, "2.4 MB")],
)
def test_the_size_of_a_file(size: int, said: str) -> None:
    assert formatting.size(size) == said


@dataclass
class Ad:
    """As far as it says where."""

    location: str | None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    remote: Workplace | None = None


@pytest.mark.parametrize(
    ("ad", "said"),
    [
        (Ad("Remote", remote=Workplace.REMOTE), None),  # is said as the workplace
        (Ad("Remote, near Ulm", remote=Workplace.REMOTE), "Remote, near Ulm"),
        (Ad("Ulm; Bonn; Ulm"), "Ulm and 1 more"),
        (Ad("Ulm (D)", "Ulm", "Bayern", "DE"), "Ulm, Germany"),
        (Ad(None, country="DE"), "Germany"),
        (Ad(None), None),
    ],
)
def test_where_a_job_is(ad: Ad, said: str | None) -> None:
    assert place(ad) == said


def test_a_file_that_is_not_there_has_no_address() -> None:
    with pytest.raises(KeyError, match=r"gone\.css"):
        static_url("gone.css")
