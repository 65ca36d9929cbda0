"""The log of API hits. Times are UTC, addresses are truncated."""

from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from jobboard.analytics import rollups
from jobboard.analytics.recorder import Shelf

# One person's own, for export and erasure. Most hits are nobody's and need no place in it.
OF_PERSON = IndexModel(
    [("person_id", ASCENDING), ("at", DESCENDING)],
    name="of_person",
    partialFilterExpression={"person_id": {"$gt": ""}},
)


class Hit(NamedTuple):
    """One request to the API, as it is stored."""

    at: datetime
    route: str
    method: str
    status: int
    ms: float
    bytes: int
    person_id: str | None
    key_id: str | None
    address: str
    request_id: str


def shelf(database: AsyncDatabase, *, ttl_days: int) -> Shelf:
    """Where hits are stored: each batch first marks its minutes, to be rolled up."""
    marks = database[rollups.MARKS]
    return Shelf(
        database[rollups.HITS],
        ttl_days,
        indexes=[OF_PERSON],
        before=lambda batch: rollups.mark(marks, (entry["at"] for entry in batch)),
    )


@lru_cache(maxsize=4096)
def truncated(address: str) -> str:
    """The network of an address, /24 for IPv4 and /48 for IPv6; `` for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(ip_network((mapped, 24 if mapped.version == 4 else 48), strict=False))
