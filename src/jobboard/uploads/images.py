"""How the files of an upload are named in storage: a résumé is one, a picture several."""

from typing import Any


def file_key(key: str, name: str, kind: str) -> str:
    """The place of one file of the picture `key`: `images/0f3a...-logo.webp`."""
    return f"{key}-{name}.{kind.lower()}"


def file_keys(key: str, facts: dict[str, Any] | None) -> list[str]:
    """Every file of an upload. A résumé, and a logo from before there were sizes, is one file."""
    if facts is None:
        return [key]
    return [file_key(key, entry["name"], entry["format"]) for entry in facts["variants"]]


def upload_key(key: str) -> str:
    """The upload that a file belongs to: the other way round."""
    return key.partition("-")[0]
