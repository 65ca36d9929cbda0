"""What one can ask of the search: the query string of GET /jobs and of the front page."""

from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from jobboard.jobs import near
from jobboard.jobs.atoms import parse
from jobboard.jobs.models import EmploymentType, Experience, Workplace
from jobboard.jobs.near import FARTHEST
from jobboard.jobs.points import Point
from jobboard.jobs.schemas import MAX_TAGS, Currency, Pay, Tag
from jobboard.pagination import DEFAULT_LIMIT, Limit, fingerprint
from jobboard.schema import Input, filled

NEEDS_CURRENCY = "Say in which currency `salary_min` is, such as currency=EUR."
NICKNAMES = {"UK": "GB"}  # not ISO 3166, but what people write
IN_COMMAS = {"country", "remote", "employment_type", "experience"}
STORED = "stored"  # the context of what was let in before: bounds that came later do not hold
MAX_WORDS = 40
MAX_BEGINNINGS = 5  # each stands for all words that begin so
HOW = {"sort", "cursor", "limit", "facets"}  # not what is asked, but how it is shown
Item = TypeVar("Item", bound=str)


class Sort(StrEnum):
    """Which jobs come first. Without `q`, relevance means newest."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    SALARY = "salary"


class UndisclosedPay(StrEnum):
    """Whether jobs stay whose pay is not said, or could not be read."""

    INCLUDE = "include"
    EXCLUDE = "exclude"


def _split(values: str | list[str]) -> list[str]:
    """`DE,FR` is as good as the parameter twice."""
    if isinstance(values, str):
        values = [values]
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _distinct(values: list[Item]) -> list[Item]:
    """Neither order nor repetition means anything."""
    return sorted(set(values))


def _words(text: str | None) -> str | None:
    """Blanks ask for nothing."""
    return (text or "").strip() or None


def _not_too_many(text: str | None, info: ValidationInfo) -> str | None:
    if info.context == STORED:
        return text
    atoms = {atom for group in parse(text or "") for atom in group}
    if len(atoms) > MAX_WORDS:
        raise ValueError(f"These are too many words. Search by {MAX_WORDS} at most.")
    if sum(atom.begins for atom in atoms) > MAX_BEGINNINGS:
        raise ValueError(f"Use * after {MAX_BEGINNINGS} words at most.")
    return text


def _country_code(code: str) -> str:
    if len(code) != 2 or not code.isascii() or not code.isalpha():
        raise ValueError("This is not a country code. Use two letters, such as DE.")
    return NICKNAMES.get(code, code)


CountryCode = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True), AfterValidator(_country_code)
]
Words = Annotated[str | None, AfterValidator(_words)]
AnyOf = Annotated[list[Item], AfterValidator(_distinct)]


def _wrong(model: type[Input], field: str, sentence: str) -> ValidationError:
    """That one field does not go with another."""
    problem = PydanticCustomError("does_not_fit", "{sentence}", {"sentence": sentence})
    details = InitErrorDetails(type=problem, loc=(field,), input=None)
    return ValidationError.from_exception_data(model.__name__, [details])


class JobCriteria(Input):
    """What a job must be to be found. Empty parameters, as forms send them, count as absent."""

    q: Annotated[Words, AfterValidator(_not_too_many)] = Field(
        None,
        max_length=500,
        description='Words, "phrases", -exclusions, `or` between alternatives, and `develop*` for '
        "all that begins so; at most 40 different ones, five of them with `*`.",
        examples=["baker"],
    )
    location: Words = Field(
        None,
        max_length=200,
        description="Words of a city, region or country; with `radius_km`, a town.",
    )
    radius_km: int | None = Field(
        None,
        ge=1,
        le=FARTHEST,
        description="Jobs in this circle around the town that `location` names, each of their "
        "places counting. Remote jobs count by the place that they name.",
        examples=[50],
    )
    include_remote: bool = Field(
        False,
        description="With `location`: also remote jobs, of its country or open to all.",
    )
    country: AnyOf[CountryCode] = Field(
        default_factory=list, max_length=50, description="ISO 3166-1 alpha-2."
    )
    remote: AnyOf[Workplace] = Field(default_factory=list, description="Any of these.")
    employment_type: AnyOf[EmploymentType] = Field(
        default_factory=list, description="Any of these."
    )
    experience: AnyOf[Experience] = Field(default_factory=list, description="Any of these.")
    salary_min: Pay | None = Field(
        None,
        description="For a year, in minor units of `currency`: 5000000 is 50,000.00. Compared with "
        "the top of a job's range: in the same currency to the cent, in others by exchange rates. "
        "A job's own rate is that of the day when it was posted, the searcher's the newest. Where "
        "one of the two currencies has no rate, the job is left out.",
    )
    currency: Currency | None = Field(None, description="Of `salary_min`. Alone it means nothing.")
    undisclosed_pay: UndisclosedPay = Field(
        UndisclosedPay.INCLUDE, description="What to do with jobs that do not tell their pay."
    )
    posted_within: int | None = Field(None, ge=1, le=365, description="Days.")
    company: Words = Field(None, max_length=200, description="Its slug or id.")
    tag: Annotated[list[Tag], AfterValidator(_distinct)] = Field(
        default_factory=list, max_length=MAX_TAGS, description="A job must have all of them."
    )

    _words: str | None = PrivateAttr(None)
    _euros: tuple[int | None] | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _as_forms_send_it(cls, data: dict[str, Any]) -> dict[str, Any]:
        given = filled(data)
        return given | {name: _split(given[name]) for name in IN_COMMAS & given.keys()}

    @model_validator(mode="after")
    def _a_radius_has_a_centre(self) -> Self:
        if self.radius_km is not None:
            try:
                self.centre()
            except ValueError as error:
                raise _wrong(type(self), "location", str(error)) from None
        return self

    @model_validator(mode="after")
    def _amounts_have_a_currency(self) -> Self:
        if self.salary_min is not None and self.currency is None:
            raise _wrong(type(self), "currency", NEEDS_CURRENCY)
        return self

    def centre(self) -> Point:
        """Of the circle that is searched in. Raises ValueError where that is no known town."""
        if not self.location:
            raise ValueError("Name the town that the radius is around, or leave radius_km out.")
        return near.centre(self.location, tuple(self.country))

    def meaning(self, words: str) -> Self:
        """The same, told what `q` means: a tsquery of `jobs/words.py`."""
        told = self.model_copy()
        told._words = words
        return told

    def compared(self, euros: int | None) -> Self:
        """The same, told what `salary_min` is in euro cents, by the newest exchange rate; None
        where there is none."""
        told = self.model_copy()
        told._euros = (euros,)
        return told

    def asking(self, **changes: Any) -> Self:
        """The same with other values; None is a field's default. What `q` means is forgotten where
        it is another, and so is what the pay is in euros."""
        fields = type(self).model_fields
        values = {
            name: fields[name].get_default(call_default_factory=True) if value is None else value
            for name, value in changes.items()
        }
        other = self.model_copy(update=values)
        if "q" in values:
            other._words = None
        if not values.keys().isdisjoint({"salary_min", "currency"}):
            other._euros = None
        return other

    @property
    def understood(self) -> bool:
        """Whether somebody has said what `q` means, if there is one."""
        return not self.q or self._words is not None

    @property
    def words(self) -> str | None:
        """What `q` means, as a tsquery. An empty one finds nothing."""
        assert self.understood, "Nobody has said what the words of this search mean."
        return self._words

    @property
    def euros(self) -> int | None:
        """What `salary_min` is in euro cents; None where there is no exchange rate."""
        assert self._euros is not None, "Nobody has said what the pay is in euros."
        return self._euros[0]


class JobSearch(JobCriteria):
    """A search. Lists: repeat the parameter, or use commas (not for `tag`, which may hold one).
    Unknown parameters are the doors' business.
    """

    model_config = ConfigDict(extra="ignore")

    sort: Sort | None = Field(
        None,
        description="Default: relevance with `q`, else newest. With salary come the best paid for "
        "a year first, whatever their currency; then those in currencies without an exchange rate, "
        "each by itself; then those that do not tell their pay, the newest first.",
    )
    cursor: str | None = Field(None, description="`next_cursor` of the page before.")
    limit: Limit = DEFAULT_LIMIT
    facets: bool = Field(False, description="Count the choices of four filters, too.")
    exact: bool = Field(
        False, description="Search for `q` as it is written: typing errors and all, and all words."
    )

    @property
    def order(self) -> Sort:
        """The sort that holds."""
        if self.sort in (None, Sort.RELEVANCE):
            return Sort.RELEVANCE if self.q else Sort.NEWEST
        return self.sort

    def fingerprint(self) -> str:
        """Twelve characters that a cursor carries: it leads on in this search only."""
        asked = self.model_dump_json(exclude=HOW, exclude_defaults=True)
        return fingerprint(f"{self.order} {asked}")
