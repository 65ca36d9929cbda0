"""Settings, frozen, from the environment.

Every setting is read from `JOBBOARD_<NAME>`, or from the file that `JOBBOARD_<NAME>_FILE`
names (how containers hand over secrets). docs/settings.md lists them all; a test keeps it whole.
"""

import os
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from jobboard.safety import refusals

PREFIX = "JOBBOARD_"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class SettingsError(Exception):
    """The environment does not make a working configuration; the text says what to set."""


class Settings(BaseModel):
    """What one process runs with. Made once, at the composition root, and handed down."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Literal["development", "production"] = Field(
        "development", description="`production` refuses to start with unsafe settings."
    )
    base_url: str = Field(
        "http://127.0.0.1:8000", description="The address that people see, without a final slash."
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="At least 32 random characters; signs access tokens."
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL 18 or later, as `postgresql://user:password@host/db`.",
    )
    database_replica_url: SecretStr = Field(
        SecretStr(""),
        description="A streaming replica of it, which is asked for searches. Empty: none.",
    )
    database_replica_lag: int = Field(
        5,
        ge=1,
        le=600,
        description="Seconds that the replica may lag before the primary is asked for searches, "
        "too.",
    )
    redis_url: SecretStr = Field(
        SecretStr(""), description="Redis 6.2 or later, as `redis://:password@host:6379/0`."
    )
    broker_url: SecretStr = Field(
        SecretStr(""),
        description="Celery's broker, if it is not that Redis, as `amqp://user:password@host//` of "
        "RabbitMQ.",
    )
    mongo_url: SecretStr = Field(
        SecretStr(""),
        description="MongoDB for hit logs, with the database, as `mongodb://host/jobboard`. "
        "Empty: hits are counted as dropped.",
    )
    storage_url: str = Field(
        "", description="Where uploads lie: `file:///path` or `s3://bucket/prefix`."
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="`smtp://user:password@host:587`, `smtps://...:465`, or `file:///folder`. "
        "Empty: mail is printed to the log.",
    )
    smtp_tls: Literal["auto", "required", "off"] = Field(
        "auto",
        description="STARTTLS of `smtp://`. `auto`: where offered, and always with a password.",
    )
    smtp_timeout: int = Field(
        15, ge=1, le=50, description="Seconds that the mail server may take for each answer."
    )
    mail_from: str = Field("Jobboard <jobboard@example.com>", description="Sender of all mail.")
    board_name: str = Field("Jobboard", description="The name in the page header and in mail.")
    trusted_proxies: str = Field(
        "", description="Comma-separated networks whose X-Forwarded-For is believed."
    )
    rate_limits: Literal["on", "off"] = Field(
        "on", description="`off` lifts every limit, log-in included. For load tests only."
    )
    cache: Literal["on", "off"] = Field(
        "on",
        description="Whether searches and pages of jobs are kept in Redis for a moment. `off` asks "
        "the database every time.",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Request logs on standard error, for people or for machines."
    )
    otlp_url: str = Field(
        "",
        description="An OpenTelemetry collector that takes traces by HTTP, as "
        "`http://collector:4318`. Empty: nothing is traced.",
    )
    slow_statement_ms: int = Field(
        500,
        ge=0,
        description="Milliseconds after which a statement of PostgreSQL is named in the log. 0: "
        "never.",
    )
    alive_path: str = Field(
        "",
        description="A file that a worker touches every few seconds, for health checks; the "
        "schedule touches one with `.schedule` behind its name. Empty: none.",
    )
    password_min_length: int = Field(
        12, ge=8, le=64, description="Fewest characters that a new password may have."
    )
    require_verified_email: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether people must verify their address before they apply or hand in a job. "
        "`auto`: in production, where a mail server is set.",
    )
    require_admin_second_factor: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether admins must set up two-step log-in before anything else. "
        "`auto`: in production.",
    )
    access_token_minutes: int = Field(10, ge=1, le=60, description="Life of an access token.")
    login_days: int = Field(
        30, ge=1, le=365, description="Life of a log-in (cookie or refresh token) without use."
    )
    job_days: int = Field(60, ge=1, le=365, description="Days until a published job expires.")
    feature_price: int = Field(
        500,
        ge=1,
        le=10**10,
        description="What a company pays to feature a job for a day, in minor units of its wallet.",
    )
    resume_max_mb: int = Field(5, ge=1, le=50, description="Largest résumé, in megabytes.")
    image_max_mb: int = Field(5, ge=1, le=50, description="Largest picture, in megabytes.")
    upload_quota_mb: int = Field(
        100, ge=1, le=10_000, description="All files of one person together, in megabytes."
    )
    webhook_private: Literal["on", "off"] = Field(
        "off",
        description="`on` lets webhooks call addresses of your own network, also by http. Whoever "
        "owns a company on the board can then reach what stands there.",
    )
    rejected_days: int = Field(
        180, ge=1, le=3650, description="Days until a rejected application is deleted."
    )
    hits_ttl_days: int = Field(30, ge=1, le=3650, description="Days that hit logs are kept.")
    events_ttl_days: int = Field(
        90, ge=1, le=3650, description="Days that views, searches and the like are kept."
    )

    @property
    def production(self) -> bool:
        """Whether this process serves real people."""
        return self.environment == "production"

    @property
    def broker(self) -> str:
        """Where workers hear that there is something to do."""
        return self.broker_url.get_secret_value() or self.redis_url.get_secret_value()

    @property
    def must_verify_email(self) -> bool:
        """Whether who has not verified their address may only look around and write drafts."""
        if self.require_verified_email == "auto":
            return self.production and bool(self.smtp_url.get_secret_value())
        return self.require_verified_email == "on"

    @property
    def admins_need_second_factor(self) -> bool:
        """Whether an admin without a second step may only set it up."""
        if self.require_admin_second_factor == "auto":
            return self.production
        return self.require_admin_second_factor == "on"

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if self.base_url.endswith("/"):
            raise ValueError("BASE_URL must not end with a slash")
        _check_mail(self)
        if self.production and (problems := list(refusals(self))):
            raise ValueError("; ".join(problems))
        return self

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, **overrides: Any
    ) -> "Settings":
        """Read `JOBBOARD_*` and `JOBBOARD_*_FILE`; `overrides` win. Raises SettingsError."""
        values = _read(os.environ if environ is None else environ)
        try:
            return cls.model_validate({**values, **overrides})
        except ValidationError as error:
            raise SettingsError(_explain(error)) from None


def _read(environ: Mapping[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name in Settings.model_fields:
        variable = PREFIX + name.upper()
        if path := environ.get(variable + "_FILE"):
            try:
                values[name] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"{variable}_FILE: cannot read {path}: {error}") from None
        elif variable in environ:
            values[name] = environ[variable].strip()
    return values


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        where = PREFIX + str(problem["loc"][0]).upper() + ": " if problem["loc"] else ""
        lines.append(where + problem["msg"].removeprefix("Value error, "))
    return "; ".join(lines)


def _check_mail(settings: Settings) -> None:
    """Raise ValueError for what would fail with the first mail only."""
    address = parseaddr(settings.mail_from)[1]
    user, _, domain = address.rpartition("@")
    if not user or not domain or not settings.mail_from.isprintable():
        raise ValueError("set JOBBOARD_MAIL_FROM to an address such as Board <board@example.com>")
    url = settings.smtp_url.get_secret_value()
    if url:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("JOBBOARD_SMTP_URL has a port that is none") from None
        named = bool(parts.hostname) if parts.scheme != "file" else bool(parts.path)
        if parts.scheme not in ("smtp", "smtps", "file") or not named or port == 0:
            raise ValueError(
                "set JOBBOARD_SMTP_URL to smtp://host:port, smtps://host:port or file:///folder"
            )
        if parts.username and settings.smtp_tls == "off" and parts.hostname not in LOOPBACK:
            raise ValueError(
                "JOBBOARD_SMTP_TLS=off would send the password of JOBBOARD_SMTP_URL in the clear"
            )
