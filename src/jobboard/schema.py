"""The base of everything that comes in, and what we say of input that does not fit."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Strict,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from jobboard.errors import FieldError

MAX_DEPTH = 30
UNSTORABLE = PydanticCustomError(
    "unstorable_text",
    "This text holds a character that cannot be stored: a NUL byte or half of a surrogate pair.",
)
NULL = PydanticCustomError("null_given", "This cannot be null. Leave it out to keep it as it is.")
TOO_DEEP = PydanticCustomError("too_deep", "This is nested too deeply.")
# Sentences for Pydantic's kinds of error; the names in braces are of its context.
SENTENCES = {
    "missing": "This is needed.",
    "extra_forbidden": "There is no such field here.",
    "json_invalid": "This is not valid JSON: {error}.",
    "string_type": "This must be text.",
    "string_unicode": str(UNSTORABLE.message_template),
    "string_too_short": "This must have at least {min_length} characters.",
    "string_too_long": "This must have at most {max_length} characters.",
    "string_pattern_mismatch": "This is not written in the form that we need.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "int_parsing_size": "This number is too large.",
    "int_from_float": "This must be a whole number.",
    "float_type": "This must be a number.",
    "float_parsing": "This must be a number.",
    "finite_number": "This must be a finite number.",
    "decimal_type": "This must be a number.",
    "decimal_parsing": "This must be a number.",
    "greater_than": "This must be more than {gt}.",
    "greater_than_equal": "This must be {ge} or more.",
    "less_than": "This must be less than {lt}.",
    "less_than_equal": "This must be {le} or less.",
    "literal_error": "This must be {expected}.",
    "enum": "This must be {expected}.",
    "none_required": "This must be left out or null.",
    "uuid_type": "This is not an id of ours.",
    "uuid_parsing": "This is not an id of ours.",
    "uuid_version": "This is not an id of ours.",
    "list_type": "This must be a list.",
    "dict_type": "This must be an object with fields.",
    "model_type": "This must be an object with fields.",
    "model_attributes_type": "This must be an object with fields.",
    "too_short": "There must be at least {min_length} of these.",
    "too_long": "There must be at most {max_length} of these.",
}
# The first words of kinds that have many variants.
FAMILIES = {
    "datetime": "This must be a date and time such as 2026-05-01T12:00:00Z.",
    "timezone": "This time needs its zone, as in 2026-05-01T12:00:00Z.",
    "date": "This must be a date such as 2026-05-01.",
    "url": "This must be a web address such as https://example.com/jobs.",
    "bytes": "This must be text.",
}


class Input(BaseModel):
    """What a person or a script sends. Every schema for input inherits from this one.

    PostgreSQL takes neither NUL bytes nor lone surrogates, so they are refused here, at any
    depth, with the path to the text that holds them.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, data: Any) -> Any:
        # Pydantic keeps the paths of a nested ValidationError; a ValueError would lose them.
        if problems := list(_problems(data, ())):
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return data


def _not_null(value: Any) -> Any:
    if value is None:
        raise NULL
    return value


def absent() -> Any:
    """Stands in for a field that cannot be null and was not sent; see `model_fields_set`."""
    return None


# For a field of a change that may be absent but not null, with `default_factory=absent`.
NotNull = BeforeValidator(_not_null)


def _whole(value: Any) -> Any:
    """JSON knows one kind of number, so that 2.0 is as whole as 2."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# A whole number in a body: no text, and not true. Where it has bounds they stand before WHOLE:
# `Annotated[int, Field(strict=True, ge=1), WHOLE]`; after it the schema would not tell of them.
WHOLE = BeforeValidator(_whole)
WholeNumber = Annotated[int, Strict(), WHOLE]


def filled(query: dict[str, Any]) -> dict[str, Any]:
    """A query string's parameters without the empty ones that forms send, the others stripped."""
    given = {name: _filled(value) for name, value in query.items()}
    return {name: value for name, value in given.items() if value is not None}


def _filled(value: Any) -> Any:
    """The value stripped, or None where nothing is in it."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return [item for item in value if not isinstance(item, str) or item.strip()] or None
    return value


def storable(text: str) -> bool:
    """Whether PostgreSQL can hold `text`: no NUL byte, no half of a surrogate pair."""
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def made_storable(text: str) -> str:
    """Without what PostgreSQL refuses: the answer of a foreign server may hold any byte."""
    return text.encode(errors="replace").decode().replace("\0", "?")


def _problems(data: Any, path: tuple[str | int, ...]) -> Iterator[InitErrorDetails]:
    if isinstance(data, str):
        if not storable(data):
            yield InitErrorDetails(type=UNSTORABLE, loc=path, input=None)
    elif len(path) > MAX_DEPTH:
        yield InitErrorDetails(type=TOO_DEEP, loc=path[:1], input=None)
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _problems(key, path)
            yield from _problems(value, (*path, key))
    elif isinstance(data, list | tuple):
        for index, value in enumerate(data):
            yield from _problems(value, (*path, index))


def field_errors(problems: Iterable[Mapping[str, Any]]) -> tuple[FieldError, ...]:
    """`ValidationError.errors()` as we tell it: where (RFC 6901) and, in a sentence, what."""
    return tuple(FieldError(pointer(problem["loc"]), sentence(problem)) for problem in problems)


def pointer(path: Iterable[str | int]) -> str:
    """A path as an RFC 6901 pointer; `` is the whole."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def sentence(problem: Mapping[str, Any]) -> str:
    """What is wrong with one input, for the person who sent it."""
    kind, context = problem["type"], problem.get("ctx", {})
    if context.get("min_length") == 1:
        return "This must not be empty."
    if kind in SENTENCES:
        return SENTENCES[kind].format_map(context)
    if (family := kind.split("_")[0]) in FAMILIES:
        return FAMILIES[family]
    text = problem["msg"].removeprefix("Value error, ").strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
