"""A live job as schema.org JobPosting, for search engines.

Required and recommended properties: Google, "Job posting (JobPosting) structured data". Only
the employer's own figures go in, TELECOMMUTE only for jobs that are wholly remote.
"""

import json
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from jobboard.infra.currencies import exponent
from jobboard.jobs.models import Workplace
from jobboard.jobs.public import Employer
from jobboard.jobs.schemas import JobRead, Salary
from jobboard.settings import Settings

EMPLOYMENT = {
    "full_time": "FULL_TIME",
    "part_time": "PART_TIME",
    "contract": "CONTRACTOR",
    "temporary": "TEMPORARY",
    "internship": "INTERN",
    "volunteer": "VOLUNTEER",
    "other": "OTHER",
}


def job_posting(job: JobRead, company: Employer, settings: Settings) -> dict[str, Any]:
    """The object, without what is not known."""
    posting = {
        "@context": "https://schema.org/",
        "@type": "JobPosting",
        "title": job.title,
        "description": job.description_html,
        "identifier": {
            "@type": "PropertyValue",
            "name": settings.board_name,
            "value": str(job.id),
        },
        "datePosted": job.published_at and job.published_at.isoformat(),
        "validThrough": job.expires_at and job.expires_at.isoformat(),
        "employmentType": job.employment_type and EMPLOYMENT[job.employment_type],
        "hiringOrganization": _organization(job, company, settings),
        "jobLocation": _location(job),
        "directApply": job.apply_url is None,
        "baseSalary": job.salary and _salary(job.salary),
        "url": f"{settings.base_url}{job.path}",
    }
    if job.remote is Workplace.REMOTE:
        posting["jobLocationType"] = "TELECOMMUTE"
        if job.country:
            posting["applicantLocationRequirements"] = {"@type": "Country", "name": job.country}
    return {name: value for name, value in posting.items() if value is not None}


def _organization(job: JobRead, company: Employer, settings: Settings) -> dict[str, str]:
    organization = {"@type": "Organization", "name": company.name}
    if company.website:
        organization["sameAs"] = company.website
    if job.company.logo_url:
        organization["logo"] = f"{settings.base_url}{job.company.logo_url}"
    return organization


def _location(job: JobRead) -> dict[str, Any] | None:
    parts = {
        "addressLocality": job.city,
        "addressRegion": job.region,
        "addressCountry": job.country,
    }
    address = {name: value for name, value in parts.items() if value}
    if not address:
        return None
    return {"@type": "Place", "address": {"@type": "PostalAddress", **address}}


def _salary(salary: Salary) -> dict[str, Any] | None:
    if salary.currency is None or salary.period is None:
        return None
    low, high = (_units(end, salary.currency) for end in (salary.min, salary.max))
    value: dict[str, Any] = {"@type": "QuantitativeValue", "unitText": salary.period.upper()}
    if low is None or high is None or low == high:
        value["value"] = high if low is None else low
    else:
        value |= {"minValue": low, "maxValue": high}
    return {"@type": "MonetaryAmount", "currency": salary.currency, "value": value}


def _units(minor: int | None, currency: str) -> int | float | None:
    if minor is None:
        return None
    amount = Decimal(minor).scaleb(-exponent(currency))
    return int(amount) if amount % 1 == 0 else float(amount)


def script_text(data: dict[str, Any]) -> Markup:
    """JSON that is safe inside <script>: no text of ours can end the element."""
    written = json.dumps(data, ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        written = written.replace(char, f"\\u{ord(char):04x}")
    return Markup(written)
