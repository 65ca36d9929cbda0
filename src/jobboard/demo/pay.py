"""What a job pays: by occupation, experience and country, rounded as ads round it."""

from decimal import Decimal
from random import Random

from jobboard.demo.vocabulary import Country, Occupation, Variant
from jobboard.jobs.models import EmploymentType, Experience, PayPeriod
from jobboard.jobs.money import minor_units
from jobboard.jobs.salary import PER_YEAR
from jobboard.jobs.schemas import SalaryInput

SILENT = 0.15  # share of ads that name no pay
# Against someone with some experience in the same work.
BY_EXPERIENCE = {
    Experience.ENTRY: 0.88,
    Experience.JUNIOR: 0.94,
    Experience.MID: 1.0,
    Experience.SENIOR: 1.18,
    Experience.LEAD: 1.22,
    Experience.EXECUTIVE: 1.6,
}
BY_CONTRACT = {EmploymentType.INTERNSHIP: 0.5, EmploymentType.CONTRACT: 1.5}
SHAPES = ("range", "range", "range", "range", "from", "exact")


def salary(
    rng: Random, occupation: Occupation, variant: Variant, country: Country
) -> SalaryInput | None:
    """Pay in the country's money and custom; None for volunteers and where the ad is silent."""
    if variant.employment_type is EmploymentType.VOLUNTEER or rng.random() < SILENT:
        return None
    period = _period(occupation, variant, country)
    factor = (
        1000
        * country.pay
        * BY_EXPERIENCE[variant.experience]
        * BY_CONTRACT.get(variant.employment_type, 1.0)
        * rng.uniform(0.96, 1.05)
        / PER_YEAR[period.value]
    )
    low, high = (
        minor_units(_rounded(thousands * factor), country.currency) for thousands in occupation.pay
    )
    shape = rng.choice(SHAPES)
    return SalaryInput(
        min=low,
        max={"range": high, "from": None, "exact": low}[shape],
        currency=country.currency,
        period=period,
    )


def _period(occupation: Occupation, variant: Variant, country: Country) -> PayPeriod:
    if variant.employment_type is EmploymentType.CONTRACT:
        return PayPeriod.DAY
    return country.quoted[occupation.quoted]


def _rounded(amount: float) -> Decimal:
    """Two digits and a half: 16.37 is 16.50, 3,237 is 3,250, 47,311 is 47,500."""
    exact = Decimal(round(amount, 2))
    step = Decimal(5).scaleb(exact.adjusted() - 2)
    return (exact / step).to_integral_value() * step
