"""Reasons to look twice at a job before it is published. Hints for a person, never a verdict.

The signs are those that consumer authorities name for job scams: money asked in advance, talk
moved to a messenger, pay far above the work, no word about the work itself
(FTC, "Job Scams", consumer.ftc.gov).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from jobboard.companies.models import Company
from jobboard.infra.currencies import exponent
from jobboard.jobs.models import Job, PayPeriod

SHORT_TEXT = 200  # characters
HIGH_YEARLY_PAY = 1_000_000  # whole units of a currency with cents


@dataclass(frozen=True, slots=True)
class Reason:
    """`label` for the moderator; `match` is the text that made it, if there is one."""

    code: str
    label: str
    weight: int
    match: str | None = None


PHRASES: tuple[tuple[str, str, int, re.Pattern[str]], ...] = tuple(
    (code, label, weight, re.compile(pattern, re.IGNORECASE))
    for code, label, weight, pattern in (
        (
            "asks_money",
            "Asks the candidate for money",
            5,
            r"\b(?:registration|training|application|processing|security) (?:fee|deposit)\b"
            r"|\bpay (?:upfront|in advance)\b|\bstarter kit\b",
        ),
        (
            "money_handling",
            "Money passes through the candidate",
            5,
            r"\bwire transfers?\b|\bwestern union\b|\bgift cards?\b"
            r"|\b(?:cash|deposit) (?:the )?che(?:ck|que)s?\b|\bcrypto(?:currency)? wallet\b",
        ),
        (
            "messenger",
            "Moves the talk to a messenger",
            3,
            r"\b(?:whats ?app|telegram|signal app|wechat)\b",
        ),
        (
            "no_effort",
            "Promises much for little",
            2,
            r"\bno (?:experience|skills?|interview) (?:needed|required|necessary)\b"
            r"|\bearn (?:up to )?[$€£]?\d[\d,]*|\bquick cash\b|\bbe your own boss\b",
        ),
        (
            "private_data",
            "Asks for private data",
            4,
            r"\b(?:bank account|credit card|social security) (?:number|details)\b"
            r"|\b(?:copy|scan|photo) of your (?:passport|id card|driving licen[cs]e)\b",
        ),
    )
)


def reasons(job: Job, company: Company, *, first_of_company: bool) -> list[Reason]:
    """Why a moderator should look closely, weightiest first."""
    found = [
        Reason(code, label, weight, match.group(0))
        for code, label, weight, pattern in PHRASES
        if (match := pattern.search(f"{job.title}\n{job.description_text}"))
    ]
    found += _about_facts(job, company, first_of_company=first_of_company)
    return sorted(found, key=lambda reason: -reason.weight)


def _about_facts(job: Job, company: Company, *, first_of_company: bool) -> Iterable[Reason]:
    if first_of_company:
        yield Reason("first_job", "First job of this company", 1)
    if len(job.description_text) < SHORT_TEXT:
        yield Reason("short", "Says very little about the work", 1)
    if job.title.isupper() and len(job.title) > 10:
        yield Reason("shouting", "Title in capitals", 1, job.title)
    if _elsewhere(job, company):
        yield Reason("other_site", "Applications go to another site", 2, job.apply_url)
    if _very_high_pay(job):
        yield Reason("high_pay", "Pay far above the usual", 3)
    if job.salary_max and job.salary_min and job.salary_max > 5 * job.salary_min:
        yield Reason("wide_pay", "Pay range is very wide", 1)


def _elsewhere(job: Job, company: Company) -> bool:
    """Whether the apply link leads to a host that is not the company's own."""
    if not job.apply_url:
        return False
    own = (urlsplit(company.website or "").hostname or "").removeprefix("www.")
    host = urlsplit(job.apply_url).hostname or ""
    return not own or not (host == own or host.endswith("." + own))


def _very_high_pay(job: Job) -> bool:
    if job.salary_period is PayPeriod.HOUR and job.currency in {"USD", "EUR", "GBP"}:
        return (job.salary_max or 0) > 500 * 10 ** exponent(job.currency)
    return (
        job.currency in {"USD", "EUR", "GBP", "CAD", "AUD", "CHF"}
        and (job.yearly_max or 0) > HIGH_YEARLY_PAY * 100
    )
