"""Whom we count: people, once a day, unless their browser says that they do not want it."""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

# Programs that say so; and libraries, which fetch pages but read none.
CRAWLERS = re.compile(
    r"bot\b|bot[/;)]|crawl|spider|slurp|archiver|preview|monitor|uptime|lighthouse|pingdom"
    r"|facebookexternalhit|whatsapp|embedly|feed",
    re.IGNORECASE,
)
LIBRARIES = re.compile(
    r"^(curl|wget|python|httpx?|aiohttp|go-http|java|okhttp|ruby|php|perl|libwww|node|axios|undici)",
    re.IGNORECASE,
)


class Visitor(NamedTuple):
    """What tells one reader of today from another. Never stored: `events.py` hashes it away."""

    address: str
    agent: str


def visitor_of(headers: Mapping[str, str], address: str) -> Visitor | None:
    """Who sent this, by its headers; None for those who are not to be counted: crawlers, pages
    fetched ahead, and whoever sends Do-Not-Track or Global Privacy Control."""
    agent = headers.get("user-agent", "")
    if headers.get("dnt") == "1" or headers.get("sec-gpc") == "1":
        return None
    if "prefetch" in headers.get("sec-purpose", headers.get("purpose", "")):
        return None
    if not agent or CRAWLERS.search(agent):
        return None
    return Visitor(address, agent)


def reader_of(headers: Mapping[str, str], address: str) -> Visitor | None:
    """The same for a page: a program that fetched it is no reader."""
    if LIBRARIES.match(headers.get("user-agent", "")):
        return None
    return visitor_of(headers, address)


def referrer_host(address: str | None, own: str) -> str | None:
    """The site that an address is of, without `www.`; None for our own (`own` is our address)."""
    try:
        host = urlsplit(address or "").hostname
    except ValueError:
        return None
    if not host or host == urlsplit(own).hostname or len(host) > 253:
        return None
    return host.removeprefix("www.")
