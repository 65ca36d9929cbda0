"""Settings come from the environment or from files, and production refuses what is unsafe."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from jobboard.asgi import create_app
from jobboard.infra.queue import make_celery
from jobboard.settings import Settings, SettingsError

KEY = "r4nd0m-0nly-f0r-tests-0123456789"
SAFE = {
    "JOBBOARD_ENVIRONMENT": "production",
    "JOBBOARD_BASE_URL": "https://jobs.example.com",
    "JOBBOARD_SECRET_KEY": KEY,
    "JOBBOARD_DATABASE_URL": "postgresql://jobboard:pw@db/jobboard",
    "JOBBOARD_REDIS_URL": "redis://redis:6379/0",
    "JOBBOARD_STORAGE_URL": "s3://bucket/uploads",
    "JOBBOARD_TRUSTED_PROXIES": "10.0.0.0/8",
}


def test_nothing_set_is_a_development_board() -> None:
    settings = Settings.from_environment({})
    assert not settings.production
    assert settings.rate_limits == "on"


def test_production_starts_when_all_is_safe() -> None:
    assert Settings.from_environment(SAFE).production


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SECRET_KEY", "", "set JOBBOARD_SECRET_KEY to at least 32 random characters"),
        ("SECRET_KEY", KEY[:31], "set JOBBOARD_SECRET_KEY to at least 32 random characters"),
        ("SECRET_KEY", "changeme" * 8, "such as `openssl rand -base64 32` makes"),
        ("BASE_URL", "http://jobs.example.com", "set JOBBOARD_BASE_URL to the https:// address"),
        ("BASE_URL", "https://jobs.example.com/", "BASE_URL must not end with a slash"),
        ("BASE_URL", "https://*", "set JOBBOARD_BASE_URL to the https:// address"),
        ("BASE_URL", "https://0.0.0.0:8000", "set JOBBOARD_BASE_URL to the https:// address"),
        ("BASE_URL", "https://[::1", "set JOBBOARD_BASE_URL to the https:// address"),
        ("BASE_URL", "https://example.com/jobs", "set JOBBOARD_BASE_URL to a host alone"),
        ("BASE_URL", "https://me@example.com", "set JOBBOARD_BASE_URL to a host alone"),
        ("TRUSTED_PROXIES", "*", "set JOBBOARD_TRUSTED_PROXIES to the networks"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, 0.0.0.0/0", "set JOBBOARD_TRUSTED_PROXIES"),
        ("TRUSTED_PROXIES", "::/0", "set JOBBOARD_TRUSTED_PROXIES"),
        ("TRUSTED_PROXIES", "0.0.0.0/1, 128.0.0.0/1", "set JOBBOARD_TRUSTED_PROXIES"),
        ("DATABASE_URL", "mysql://db/jobboard", "must begin with postgresql:// or postgres://"),
        ("DATABASE_URL", "postgresql://me:Postgres@db/x", "JOBBOARD_DATABASE_URL has a password"),
        ("REDIS_URL", "http://redis:6379", "JOBBOARD_REDIS_URL must begin with redis://"),
        ("REDIS_URL", "redis://:changeme@redis/0", "JOBBOARD_REDIS_URL has a password"),
        ("DATABASE_REPLICA_URL", "mysql://db/x", "JOBBOARD_DATABASE_REPLICA_URL must begin with"),
        ("BROKER_URL", "http://rabbit", "JOBBOARD_BROKER_URL must begin with amqp:// or amqps://"),
        ("BROKER_URL", "amqp://guest:guest@rabbit//", "JOBBOARD_BROKER_URL has a password"),
        ("MONGO_URL", "mongo:27017/jobboard", "JOBBOARD_MONGO_URL must begin with mongodb://"),
        ("MONGO_URL", "mongodb://root:example@mongo/x", "JOBBOARD_MONGO_URL has a password"),
        ("STORAGE_URL", "memory:///", "JOBBOARD_STORAGE_URL must begin with file:// or s3://"),
        ("RATE_LIMITS", "off", "set JOBBOARD_RATE_LIMITS to on"),
        ("REQUIRE_ADMIN_SECOND_FACTOR", "off", "set JOBBOARD_REQUIRE_ADMIN_SECOND_FACTOR to auto"),
        ("DATABASE_URL", "", "set JOBBOARD_DATABASE_URL to your own server"),
        ("REDIS_URL", "", "set JOBBOARD_REDIS_URL to your own server"),
        ("STORAGE_URL", "", "set JOBBOARD_STORAGE_URL"),
        ("SMTP_URL", "smtp://mail.example.com", "set JOBBOARD_MAIL_FROM to an address of your own"),
    ],
)
def test_production_refuses_what_is_unsafe(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(says)):
        Settings.from_environment({**SAFE, f"JOBBOARD_{name}": value})


def test_workers_hear_of_work_by_redis_or_by_a_broker_of_their_own() -> None:
    redis = Settings.from_environment({"JOBBOARD_REDIS_URL": "redis://redis/0"})
    assert make_celery(redis.broker).conf.broker_transport_options["visibility_timeout"] == 600
    rabbit = redis.model_copy(update={"broker_url": SecretStr("amqp://board:secret@rabbit//")})
    celery = make_celery(rabbit.broker)
    assert celery.connection().transport_cls == "amqp"
    # Those of Redis would be refused.
    assert celery.conf.broker_transport_options == {"read_timeout": 5, "write_timeout": 5}


def test_what_is_refused_shows_no_secret() -> None:
    unsafe = {"JOBBOARD_SECRET_KEY": "changeme" * 8, "JOBBOARD_REDIS_URL": "redis://:root@redis/0"}
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({**SAFE, **unsafe})
    assert "changeme" not in str(caught.value)
    assert "root" not in str(caught.value)


def test_development_runs_with_all_of_it() -> None:
    settings = {"JOBBOARD_RATE_LIMITS": "off", "JOBBOARD_SECRET_KEY": "x"}
    settings["JOBBOARD_REQUIRE_ADMIN_SECOND_FACTOR"] = "off"
    assert not Settings.from_environment(settings).production


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({"JOBBOARD_ENVIRONMENT": "production"})
    for name in ("SECRET_KEY", "BASE_URL", "DATABASE_URL", "REDIS_URL", "STORAGE_URL"):
        assert f"JOBBOARD_{name}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "staging"),
        ("RATE_LIMITS", "maybe"),
        ("PASSWORD_MIN_LENGTH", "seven"),
        ("PASSWORD_MIN_LENGTH", "7"),
        ("HITS_TTL_DAYS", "0"),
    ],
)
def test_a_value_that_makes_no_sense_names_its_setting(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"JOBBOARD_{name}: "):
        Settings.from_environment({f"JOBBOARD_{name}": value})


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file, thirty-two characters long\n", encoding="utf-8")
    environment = {**SAFE, "JOBBOARD_SECRET_KEY_FILE": str(secret)}
    settings = Settings.from_environment(environment)
    assert settings.secret_key.get_secret_value() == "from a file, thirty-two characters long"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_may(name: str, tmp_path: Path) -> None:
    file = tmp_path / "value"
    default = Settings().model_dump()[name]
    text = default.get_secret_value() if hasattr(default, "get_secret_value") else str(default)
    file.write_text(text, encoding="utf-8")
    settings = Settings.from_environment({f"JOBBOARD_{name.upper()}_FILE": str(file)})
    assert settings == Settings()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(SettingsError, match=f"JOBBOARD_SECRET_KEY_FILE: cannot read {gone}"):
        Settings.from_environment({"JOBBOARD_SECRET_KEY_FILE": str(gone)})


def test_overrides_win() -> None:
    assert Settings.from_environment(SAFE, board_name="Ours").board_name == "Ours"


def test_settings_are_frozen_and_show_no_secrets() -> None:
    settings = Settings.from_environment(SAFE)
    with pytest.raises(ValidationError):
        settings.board_name = "Other"  # ty: ignore[invalid-assignment] - that is the test
    for secret in (KEY, "pw@db"):
        assert secret not in repr(settings)
        assert secret not in settings.model_dump_json()


def test_the_web_app_says_what_it_needs() -> None:
    with pytest.raises(SettingsError, match="set JOBBOARD_SECRET_KEY, JOBBOARD_DATABASE_URL"):
        create_app(Settings())


def test_a_network_that_is_none_is_named() -> None:
    settings = Settings.from_environment(SAFE, trusted_proxies="10.0.0.0/8, nginx")
    with pytest.raises(SettingsError, match="JOBBOARD_TRUSTED_PROXIES: 'nginx'"):
        create_app(settings)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SMTP_URL", "mail.example.com", "set JOBBOARD_SMTP_URL to smtp://host:port"),
        ("SMTP_URL", "smtp://", "set JOBBOARD_SMTP_URL to smtp://host:port"),
        ("SMTP_URL", "smtp://mail.example.com:mail", "a port that is none"),
        ("SMTP_URL", "smtp://mail.example.com:0", "set JOBBOARD_SMTP_URL to smtp://host:port"),
        ("SMTP_TLS", "maybe", "JOBBOARD_SMTP_TLS"),
        ("SMTP_TLS", "off", "would send the password of JOBBOARD_SMTP_URL in the clear"),
        ("SMTP_TIMEOUT", "0", "JOBBOARD_SMTP_TIMEOUT"),
        ("MAIL_FROM", "The board", "set JOBBOARD_MAIL_FROM to an address"),
        ("MAIL_FROM", "board@", "set JOBBOARD_MAIL_FROM to an address"),
    ],
)
def test_mail_that_could_never_go_out_is_refused_at_the_start(
    name: str, value: str, says: str
) -> None:
    good = {"JOBBOARD_SMTP_URL": "smtp://user:password@mail.example.com:587"}
    Settings.from_environment(good)
    with pytest.raises(SettingsError, match=re.escape(says)):
        Settings.from_environment({**good, f"JOBBOARD_{name}": value})
