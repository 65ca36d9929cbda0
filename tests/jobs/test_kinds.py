"""Contract, experience and remote work, from labels and titles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobboard.jobs.kinds import parse_employment_type, parse_experience, parse_remote


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Full-time", "full_time"),
        ("FullTime", "full_time"),
        ("FULL_TIME", "full_time"),
        ("Full or part-time", "full_time"),
        ("Vollzeit, unbefristet", "full_time"),
        ("Teilzeit", "part_time"),
        ("Contract", "contract"),
        ("Freelance (1099)", "contract"),
        ("Experienced, fixed term, full time", "temporary"),
        ("Intern", "internship"),
        ("Internship, full-time", "internship"),
        ("Volunteer", "volunteer"),
        ("Other", "other"),
        ("Regular", None),
        ("permanent", None),
        ("", None),
        (None, None),
    ],
)
def test_employment_type(text: str | None, expected: str | None) -> None:
    assert parse_employment_type(text) == expected


@pytest.mark.parametrize(
    ("title", "label", "expected"),
    [
        ("Senior Baker", None, "senior"),
        ("Sr. Baker", None, "senior"),
        ("Junior Gardener", None, "junior"),
        ("Staff Software Engineer", None, "lead"),
        ("Tech Lead", None, "lead"),
        ("Head of Bread", None, "executive"),
        ("Chief Flour Officer", None, "executive"),
        ("Bakery Intern", None, "entry"),
        ("Werkstudent Backstube (m/w/d)", None, "entry"),
        ("Baker", "Mid-Senior level", "mid"),
        ("Baker", "Entry level", "entry"),
        ("Baker", "Director", "executive"),
        ("Baker", "Not Applicable", None),
        ("Account Executive", None, None),
        ("Executive Assistant to the CEO", None, None),
        ("Product Manager", None, None),
        ("Cruise Staff", None, None),
        ("Lead Generation Specialist", None, None),
        ("Senior Living Cook", None, None),
    ],
)
def test_experience(title: str, label: str | None, expected: str | None) -> None:
    assert parse_experience(title, label) == expected


@pytest.mark.parametrize(
    ("flag", "location", "title", "expected"),
    [
        (True, "Berlin", "Baker", "remote"),
        (True, "Hybrid", "Baker", "hybrid"),
        (False, "Berlin, Germany", "Baker", "onsite"),
        (False, None, "Baker", None),
        (False, "Germany", "Baker - Remote", "remote"),
        ("hybrid", "Remote", "Baker", "hybrid"),
        ("on-site", "Leeds", "Baker", "onsite"),
        ("unspecified", "Leeds", "Baker", None),
        (None, "Anywhere in the World", "Baker", "remote"),
        (None, None, "Baker (Remote)", "remote"),
        (None, None, "Remote Baker", "remote"),
        (None, None, "Remote Sensing Engineer", None),
        (None, None, "Hybrid Cloud Engineer", None),
        (None, None, "Distributed Systems Engineer", None),
        (None, None, "Baker - Hybrid in Leeds", "hybrid"),
    ],
)
def test_remote(
    flag: bool | str | None, location: str | None, title: str, expected: str | None
) -> None:
    assert parse_remote(flag, location, title) == expected


@given(st.text(max_size=300), st.text(max_size=300))
def test_never_raises(one: str, other: str) -> None:
    parse_employment_type(one)
    parse_experience(one, other)
    parse_remote(one, other, one)
