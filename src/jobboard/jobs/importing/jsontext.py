"""JSON as it comes: any bytes, any nesting."""

import json
from typing import Any

from jobboard.errors import Invalid


def decoded(data: bytes) -> str:
    """Bytes as text: UTF-8 with or without a mark, UTF-16 with one; what is invalid is marked."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def load(data: bytes, kind: str) -> Any:
    """The one document that `data` is. Raises Invalid with a message that names the kind."""
    try:
        return json.loads(decoded(data))
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"This is not JSON, which {kind} answers: {error}", code="wrong_source"
        ) from None


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list that may be anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def inner(value: Any, *keys: str) -> Any:
    """What lies at a path of keys, or None where the path ends early."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
