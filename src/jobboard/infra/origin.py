"""Whose page a browser says that it shows."""

from urllib.parse import urlsplit


def is_ours(origin: str, host: str | None, base_url: str) -> bool:
    """Whether an `Origin` is this board's, by its settings or by the `Host` that was asked."""
    try:
        asking = urlsplit(origin).netloc
    except ValueError:  # as of `http://[`
        return False
    return bool(asking) and asking in {urlsplit(base_url).netloc, host}
