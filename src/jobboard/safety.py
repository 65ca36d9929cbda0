"""What a board that serves real people must not run with; each line says what to set."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from jobboard.settings import Settings

MIN_SECRET_LENGTH = 32
# Of 32 random hexadecimal digits so few are different in three keys of a million.
MIN_SECRET_VARIETY = 9
SCHEMES = {
    "database_url": ("postgresql", "postgres"),
    "database_replica_url": ("postgresql", "postgres"),
    "redis_url": ("redis", "rediss", "unix"),
    "broker_url": ("amqp", "amqps", "redis", "rediss"),
    "mongo_url": ("mongodb", "mongodb+srv"),
    "storage_url": ("file", "s3"),
}
NEEDED = {
    "database_url": "your own server",
    "redis_url": "your own server",
    "storage_url": "where uploads are kept",
}
# What manuals and examples have, and whoever finds an open port tries first.
WELL_KNOWN = {
    "admin", "changeme", "example", "guest", "jobboard", "mongo", "mongodb", "pass", "password",
    "postgres", "redis", "root", "secret", "test",
}  # fmt: skip
NOWHERE = {"", "*", "0.0.0.0", "::"}
WIDEST = {4: 8, 6: 7}  # networks of one's own: 10.0.0.0/8, fc00::/7


def refusals(settings: "Settings") -> Iterator[str]:
    """Everything that is wrong, for whoever has to set it right at once."""
    yield from _key(settings.secret_key.get_secret_value())
    yield from _address(settings.base_url)
    if any(map(_too_wide, settings.trusted_proxies.split(","))):
        yield "set JOBBOARD_TRUSTED_PROXIES to the networks of your own proxies"
    for name in SCHEMES:
        yield from _engine(name, _plain(settings, name))
    mailed = settings.smtp_url.get_secret_value()
    if mailed and settings.mail_from == type(settings).model_fields["mail_from"].default:
        yield "set JOBBOARD_MAIL_FROM to an address of your own"
    if settings.rate_limits == "off":
        yield "set JOBBOARD_RATE_LIMITS to on: without limits passwords are guessed"
    if settings.require_admin_second_factor == "off":
        yield "set JOBBOARD_REQUIRE_ADMIN_SECOND_FACTOR to auto: an admin sees everybody's data"


def _key(key: str) -> Iterator[str]:
    if len(key) < MIN_SECRET_LENGTH or len(set(key)) < MIN_SECRET_VARIETY:
        yield (
            f"set JOBBOARD_SECRET_KEY to at least {MIN_SECRET_LENGTH} random characters, such as "
            "`openssl rand -base64 32` makes"
        )


def _address(url: str) -> Iterator[str]:
    parts = _split(url)
    if parts is None or parts.scheme != "https" or (parts.hostname or "") in NOWHERE:
        yield "set JOBBOARD_BASE_URL to the https:// address that people use"
    elif parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        yield "set JOBBOARD_BASE_URL to a host alone, as https://jobs.example.com"


def _too_wide(network: str) -> bool:
    """Whether strangers are in it. What is no network at all is refused by who reads them."""
    try:
        parsed = ip_network(network.strip(), strict=False)
    except ValueError:
        return "*" in network
    return parsed.prefixlen < WIDEST[parsed.version]


def _engine(name: str, url: str) -> Iterator[str]:
    variable = f"JOBBOARD_{name.upper()}"
    if not url:
        if name in NEEDED:
            yield f"set {variable} to {NEEDED[name]}"
        return
    parts = _split(url)
    if parts is None or parts.scheme not in SCHEMES[name]:
        yield f"{variable} must begin with {' or '.join(f'{it}://' for it in SCHEMES[name])}"
    elif (parts.password or "").lower() in WELL_KNOWN:
        yield f"{variable} has a password that everybody tries first: give that server another"


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:  # an IPv6 address without its end, and the like
        return None


def _plain(settings: "Settings", name: str) -> str:
    value = getattr(settings, name)
    return value if isinstance(value, str) else value.get_secret_value()
