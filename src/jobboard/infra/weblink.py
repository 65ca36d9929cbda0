"""Addresses that people give us and we show as links."""

from urllib.parse import urlsplit


def web_link(value: str) -> str:
    """Only http and https with a host: `javascript:` and the like never become a link."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and "." in (parts.hostname or "")
        _ = parts.port
    except ValueError:
        usable = False
    if not usable or parts.username or any(char.isspace() or char < " " for char in value):
        raise ValueError("This is not a web address. It starts with https:// and names a site.")
    return value
