"""The base of everything that comes in: unknown fields and unstorable text are refused."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

MAX_DEPTH = 30
UNSTORABLE = PydanticCustomError(
    "unstorable_text",
    "This text holds a character that cannot be stored: a NUL byte or half of a surrogate pair.",
)
TOO_DEEP = PydanticCustomError("too_deep", "This is nested too deeply.")


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
