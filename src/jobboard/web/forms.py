"""Forms: what was typed becomes the core's input, and what the core refuses finds its field.

A field's name in the page is its path in the input with dots: `salary.min` is `/salary/min`.

    form = Form()                            an empty one, to show
    form = Form.of({"title": job.title})     one that is filled in
    async with form.attempt(session):        in a POST: what is refused is undone and shown
        job = await service.create(session, actor, form.parse(JobCreate, company_id=...))
    if form.refused:
        return render(request, "...", status=form.status, form=form)
"""

import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager, nullcontext
from types import MappingProxyType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError
from starlette.datastructures import FormData, UploadFile

from jobboard.errors import (
    Conflict,
    DomainError,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    TooLarge,
    Unavailable,
)
from jobboard.infra.quota import refusal_headers
from jobboard.jobs.schemas import SalaryInput
from jobboard.schema import field_errors
from jobboard.web.money import parse_money

Model = TypeVar("Model", bound=BaseModel)

MEGABYTE = 1024 * 1024
# What a form with a file may send: far more than any file may have, so that one that is too large
# is said beside its field, with all that was typed still there. Only beyond this is it a 413 page.
UPLOAD_BODY = 64 * MEGABYTE

STATUS: dict[type[DomainError], int] = {Conflict: 409, TooLarge: 413, RateLimited: 429}
PAGES_OF_THEIR_OWN = (NotFound, Forbidden, Unavailable)  # no other input would help
MONEY = {SalaryInput: ("min", "max")}  # typed in whole units, kept in minor ones
WHOLE = re.compile(r"^\s*[+-]?\d{1,18}\s*$")
TOO_MANY = re.compile(r"^There must be at most (\d+) of these\.$")  # of a list, as "tags"


class Form:
    """What was typed, kept as it was, and what is wrong with it."""

    def __init__(self, data: FormData | None = None) -> None:
        self._values: dict[str, list[str]] = {}
        self._files: dict[str, UploadFile] = {}
        self.errors: dict[str, list[str]] = {}  # by field; "" is the form as a whole
        self.status = 200
        self.headers: dict[str, str] = {}  # that the page with the refused form shall carry
        for name, value in data.multi_items() if data else ():
            if isinstance(value, str):
                self._values.setdefault(name, []).append(value)
            elif value.filename:
                self._files[name] = value

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Form":
        """A form filled in with what is known; None is an empty field, a list several values."""
        form = cls()
        for name, value in values.items():
            if value is not None:
                several = value if isinstance(value, list | tuple) else [value]
                form._values[name] = [str(each) for each in several]
        return form

    @property
    def refused(self) -> bool:
        """Whether something was wrong."""
        return bool(self.errors)

    def fill(self, name: str, value: object) -> None:
        """Put something into a field."""
        self._values[name] = [str(value)]

    def value(self, name: str, default: str = "") -> str:
        """What stands in a field."""
        values = self._values.get(name)
        return values[-1] if values else default

    def values(self, name: str) -> list[str]:
        """All that was chosen or typed under one name."""
        return self._values.get(name, [])

    def chosen(self, name: str, option: str) -> bool:
        """Whether an option of a list, or a box, is ticked."""
        return option in self.values(name)

    def has_file(self, name: str) -> bool:
        """Whether a file was chosen."""
        return name in self._files

    async def read_file(self, name: str, *, limit: int) -> tuple[str | None, bytes]:
        """A file's name and at most `limit + 1` bytes: one more is enough to see it is too much."""
        file = self._files[name]
        return file.filename, await file.read(limit + 1)

    def parse(self, model: type[Model], **known: Any) -> Model:
        """The input that was typed, and what the page knows itself. Raises Invalid."""
        unread: list[FieldError] = []
        gathered = _gather(self, model, unread)
        try:
            parsed = model.model_validate(gathered | known)
        except ValidationError as error:
            raise Invalid(errors=(*unread, *field_errors(error.errors()))) from None
        if unread:
            raise Invalid(errors=tuple(unread))
        return parsed

    def require(self, *fields: str) -> None:
        """Raise Invalid for those left empty, where the input itself could do without."""
        empty = [name for name in fields if not self.value(name).strip()]
        if empty:
            problems = tuple(FieldError(f"/{name}", "This must not be empty.") for name in empty)
            raise Invalid(errors=problems)

    @asynccontextmanager
    async def attempt(
        self, session: AsyncSession | None = None, renamed: Mapping[str, str] = MappingProxyType({})
    ) -> AsyncGenerator[None]:
        """Do what the form asks. If the core refuses, nothing is kept, and the form says why.

        Without a session, the block opens transactions of its own.

        `renamed` maps the core's names of fields to the page's; "" is what has no field.
        """
        try:
            async with session.begin_nested() if session else nullcontext():
                yield
        except PAGES_OF_THEIR_OWN:
            raise
        except DomainError as error:
            self.refuse(error, renamed)
        except StaleDataError:
            self.refuse(Conflict("Someone else changed this at the same moment. Look once more."))

    def refuse(self, error: DomainError, renamed: Mapping[str, str] = MappingProxyType({})) -> None:
        """Put an error of the core beside its fields, or at the top where it has none."""
        self.status = STATUS.get(type(error), 422)
        if isinstance(error, RateLimited):
            self.headers = refusal_headers(error)
        for problem in error.errors or (FieldError("", error.message),):
            field = problem.pointer.strip("/").replace("/", ".")
            field = renamed.get(field, re.sub(r"\.\d+$", "", field))  # an item of a list
            message = TOO_MANY.sub(rf"Use at most \1 {field}.", problem.message)
            messages = self.errors.setdefault(field, [])
            if message not in messages:
                messages.append(message)

    def error(self, field: str, message: str) -> None:
        """Something that only the page checks is wrong."""
        self.refuse(Invalid.field(field.replace(".", "/"), message))


def _gather(
    form: Form, model: type[BaseModel], unread: list[FieldError], prefix: str = ""
) -> dict[str, Any]:
    """The posted fields that `model` has, in its shape. What was not posted is left out.

    Amounts that cannot be read go to `unread`.
    """
    gathered: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        field = prefix + name
        nested = _model_in(info.annotation)
        if nested is not None:
            if any(key.startswith(f"{field}.") for key in form._values):
                gathered[name] = _gather_group(form, nested, unread, field)
        elif field in form._values:
            gathered[name] = _scalar_or_list(form, field, info)
    return gathered


def _gather_group(
    form: Form, model: type[BaseModel], unread: list[FieldError], field: str
) -> dict[str, Any] | None:
    """A nested input, or None where nothing optional in it is filled in (pay without figures)."""
    group = _gather(form, model, unread, f"{field}.")
    optional = [name for name, info in model.model_fields.items() if _may_be_none(info)]
    if all(group.get(name) is None for name in optional):
        return None
    for name in MONEY.get(model, ()):
        if group.get(name) is not None:
            try:
                group[name] = parse_money(form.value(f"{field}.{name}"), group.get("currency"))
            except ValueError as error:
                unread.append(FieldError(f"/{field}/{name}", str(error)))
    return None if unread else group


def _scalar_or_list(form: Form, field: str, info: FieldInfo) -> Any:
    if any(get_origin(part) is list for part in _parts(info.annotation)):
        pieces = (piece.strip() for value in form.values(field) for piece in value.split(","))
        return [piece for piece in pieces if piece]
    value = form.value(field).replace("\r\n", "\n")  # how browsers send the lines of a textarea
    if not value.strip() and _may_be_none(info):
        return None
    return _number(value) if int in _parts(info.annotation) else value


def _number(typed: str) -> int | str:
    """A whole number as JSON would have it. What is none stays text, which the input refuses."""
    return int(typed) if WHOLE.match(typed) else typed


def _parts(annotation: Any) -> Iterable[Any]:
    """The members of a union, without their `Annotated`."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _parts(member)
    elif hasattr(annotation, "__metadata__"):
        yield from _parts(annotation.__origin__)
    else:
        yield annotation


def _may_be_none(info: FieldInfo) -> bool:
    return type(None) in _parts(info.annotation)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None
