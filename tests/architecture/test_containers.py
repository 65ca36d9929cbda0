"""What compose.yaml and the Dockerfile name is there: commands, settings, ports, files, checks."""

import os
import re
import runpy
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from typer.main import get_command

from jobboard.asgi import NEEDED
from jobboard.cli.main import COMMANDS, make_app
from jobboard.infra import checkup
from jobboard.settings import PREFIX, Settings
from jobboard.worker.outbox import ATTEMPT_SECONDS

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
BOARD = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = BOARD["services"]
IMAGE = SERVICES["web"]["image"]
OURS = {name for name, service in SERVICES.items() if service["image"] == IMAGE}
ONCE = {"migrate", "secrets"}
GUNICORN = (ROOT / "deploy" / "gunicorn.conf.py").read_text("utf-8")
NGINX = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
FOLDER = "/run/secrets/"
VARIABLE = re.compile(r"\$\{(\w+):-(.*?)\}")


def value(text: object, **given: str) -> str:
    """With what .env gives, or with what stands in for a variable that it does not set."""
    return VARIABLE.sub(lambda found: given.get(found[1]) or found[2], str(text)).replace("$$", "$")


def copied() -> dict[str, Path]:
    """Files of the runtime image that come from this folder, by their path in it."""
    runtime = DOCKERFILE.rpartition("\nFROM ")[2]
    lines = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+) (\S+)/$", runtime, re.MULTILINE)
    return {
        f"{folder}/{Path(source).name}": ROOT / source
        for sources, folder in lines
        for source in sources.split()
    }


def dockerfile(instruction: str) -> str:
    """What the last one of these says."""
    return re.findall(rf"^{instruction} (.+)$", DOCKERFILE, re.MULTILINE)[-1]


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_image_knows_the_command(name: str) -> None:
    program, *arguments = SERVICES[name]["command"]
    if program == "jobboard":
        app = get_command(make_app([COMMANDS[arguments[0]]]))
        with app.make_context("jobboard", list(arguments)) as context:  # a wrong option raises
            assert context is not None
        assert arguments[0] in COMMANDS
    elif program == "gunicorn":
        assert arguments == ["--config", "/opt/jobboard/etc/gunicorn.conf.py"]
        assert copied()[arguments[1]].is_file()
        assert dockerfile("CMD") == str([program, *arguments]).replace("'", '"')
    else:
        assert os.access(copied()[program], os.X_OK)


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_settings_know_the_variables(name: str) -> None:
    for variable in SERVICES[name]["environment"]:
        if variable.startswith(PREFIX):
            field = variable.removeprefix(PREFIX).removesuffix("_FILE").lower()
            assert field in Settings.model_fields
        else:
            assert f'os.environ.get("{variable}"' in GUNICORN


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """What the service `secrets` makes on the first start."""
    for folder in volumes("secrets"):
        (tmp_path / folder).mkdir()
    make_secrets(tmp_path)
    return tmp_path


def make_secrets(folder: Path) -> None:
    subprocess.run([ROOT / "deploy" / "secrets", folder], check=True, timeout=10)


def volumes(name: str) -> dict[str, str]:
    """The volumes of a service by the name of the folder where they are."""
    return {Path(each.split(":")[1]).name: each.split(":")[0] for each in SERVICES[name]["volumes"]}


def settings_of(name: str, made: Path, **given: str) -> Settings:
    """What a service runs with where .env gives this."""
    given = {"BASE_URL": "https://jobs.example.com", **given}
    environment = {
        variable: value(text, **given).replace(FOLDER, f"{made}/app/")
        for variable, text in SERVICES[name]["environment"].items()
    }
    return Settings.from_environment(environment)


def test_with_the_secrets_of_the_first_start_production_starts(made: Path) -> None:
    for name in OURS - {"secrets"}:
        settings = settings_of(name, made)
        assert settings.production
        assert all(getattr(settings, needed) for needed in NEEDED)
        hosts = {
            field: getattr(settings, field).get_secret_value().partition("@")[2].partition(":")[0]
            for field in ("database_url", "redis_url", "mongo_url")
        }
        assert set(hosts.values()) <= SERVICES.keys()
        assert SERVICES[name]["networks"][0] == "inside"


def test_an_operator_names_a_replica_a_broker_and_a_mail_server_by_files(made: Path) -> None:
    named = {
        "database_replica_url": "postgresql://jobboard:long-and-random@10.1.1.2/jobboard",
        "broker_url": "amqp://jobboard:long-and-random@10.1.1.3//",
        "smtp_url": "smtp://jobboard:long-and-random@10.1.1.4:587",
    }
    given = {"DATABASE_REPLICA_LAG": "20", "MAIL_FROM": "Jobs <jobs@example.com>"}
    for field, url in named.items():
        (made / "app" / field).write_text(f"{url}\n")
        given[f"{field.upper()}_FILE"] = FOLDER + field
    for name in OURS - {"secrets"}:
        before, after = settings_of(name, made), settings_of(name, made, **given)
        assert before.broker == before.redis_url.get_secret_value()
        for field, url in named.items():
            assert not getattr(before, field).get_secret_value()
            assert getattr(after, field).get_secret_value() == url
        assert after.database_replica_lag == 20
        assert before.database_replica_lag == Settings().database_replica_lag
        if name != "migrate":  # which needs nothing but the database
            assert "outbound" in SERVICES[name]["networks"]


def test_each_engine_has_its_own_password_and_keeps_it(made: Path) -> None:
    passwords = {name: (made / name / "password").read_text() for name in ("postgres", "mongo")}
    passwords["redis"] = (made / "redis" / "redis.conf").read_text().split()[1]
    superusers = {(made / name / "superuser").read_text() for name in ("postgres", "mongo")}
    key = (made / "app" / "secret_key").read_text()
    assert len({*passwords.values(), *superusers, key}) == 6
    for name, field in (("postgres", "database"), ("mongo", "mongo"), ("redis", "redis")):
        assert f":{passwords[name]}@{name}:" in (made / "app" / f"{field}_url").read_text()
        assert volumes(name)["secrets"] == volumes("secrets")[name] == f"secrets-{name}"
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    (made / "app" / "redis_url").unlink()
    make_secrets(made)
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


def test_the_board_is_no_superuser_of_its_engines(made: Path) -> None:
    for name, environment in (
        ("postgres", "POSTGRES_PASSWORD_FILE"),
        ("mongo", "MONGO_INITDB_ROOT_PASSWORD_FILE"),
    ):
        service = SERVICES[name]
        assert service["environment"][environment] == f"{FOLDER}superuser"
        [first] = [each.split(":") for each in service["volumes"] if each.startswith("./")]
        assert first[1].startswith("/docker-entrypoint-initdb.d/")
        statements = (ROOT / first[0]).read_text("utf-8")
        assert f"{FOLDER}password" in statements
        field = {"postgres": "database", "mongo": "mongo"}[name]
        url = urlsplit((made / "app" / f"{field}_url").read_text().strip())
        database = url.path.removeprefix("/")
        if name == "postgres":
            assert f"CREATE ROLE {url.username} LOGIN PASSWORD :'password';" in statements
            assert f"CREATE DATABASE {database} OWNER {url.username};" in statements
        else:
            assert f'user: "{url.username}"' in statements
            assert f'roles: [{{ role: "readWrite", db: "{database}" }}]' in statements


def test_every_file_that_a_service_reads_is_made(made: Path) -> None:
    for name, service in SERVICES.items():
        folder = made / ("app" if name in OURS else name)
        for named in re.findall(rf"{FOLDER}([\w.]+)", str(service)):
            file = folder / named
            assert file.is_file(), (name, named)
            # None of those who read it is root, or who made it.
            assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_ports_fit_together() -> None:
    port = SERVICES["web"]["environment"]["BIND"].rpartition(":")[2]
    assert dockerfile("EXPOSE") == port
    assert set(re.findall(r"server (web:\d+)", NGINX)) == {f"web:{port}"}
    [listen] = re.findall(r"^ +listen (\d+)", NGINX, re.MULTILINE)
    assert value(SERVICES["nginx"]["ports"][0]).rpartition(":")[2] == listen
    assert f"127.0.0.1:{listen}/healthz" in SERVICES["nginx"]["healthcheck"]["test"][-1]


def test_only_nginx_is_published_and_engines_are_inside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert BOARD["networks"]["inside"]["internal"]
    for name in ("postgres", "mongo", "redis", "migrate"):
        assert SERVICES[name]["networks"] == ["inside"]
    subnet = BOARD["networks"]["inside"]["ipam"]["config"][0]["subnet"]
    assert SERVICES["web"]["environment"]["JOBBOARD_TRUSTED_PROXIES"] == subnet


def test_whoever_comes_from_this_machine_is_trusted_by_nginx_and_nobody_else() -> None:
    [edge] = BOARD["networks"]["edge"]["ipam"]["config"]
    trusted = (ROOT / "deploy" / "trusted.conf").read_text("utf-8")
    assert re.findall(r"^[^#].*", trusted, re.MULTILINE) == [f"set_real_ip_from {edge['gateway']};"]
    assert ip_address(edge["gateway"]) in ip_network(edge["subnet"])
    source, target, _ = value(SERVICES["nginx"]["volumes"][1]).split(":")
    assert (source, target) == ("./deploy/trusted.conf", "/etc/nginx/trusted/edge.conf")
    assert "include trusted/*.conf;" in NGINX


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_little_and_has_an_end(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    # The image of Redis could not give up rights that it has not; that of ours begins as 10001.
    assert (service.get("user", "0:0") == "0:0") == (name == "secrets" or name in OURS)
    assert service["security_opt"] == ["no-new-privileges:true"]
    # Not `cpus`: docker starts no container that may use more processors than there are.
    assert service["deploy"]["resources"]["limits"].keys() == {"memory", "pids"}
    assert service["cpu_quota"] >= 50_000
    assert service["logging"]["options"]["max-size"]
    assert (name in ONCE) == (service["healthcheck"] == {"disable": True})
    assert not re.search(r":latest|^[^:]+$", value(service["image"]))


def test_one_service_builds_for_all() -> None:
    # All of them wait for it, so whatever is started builds it, too.
    assert [name for name, service in SERVICES.items() if "build" in service] == ["secrets"]
    for name in SERVICES.keys() - {"secrets"}:
        assert "secrets" in needed_by(name)


def needed_by(name: str) -> set[str]:
    """Whom this service waits for, and whom those do."""
    direct = SERVICES[name].get("depends_on", {})
    return set(direct).union(*(needed_by(other) for other in direct))


def test_what_is_waited_for_can_tell() -> None:
    for service in SERVICES.values():
        for name, wait in service.get("depends_on", {}).items():
            ends = wait["condition"] == "service_completed_successfully"
            assert ends == (name in ONCE)


def test_nobody_is_stopped_before_their_time() -> None:
    patience = int(re.findall(r"^graceful_timeout = (\d+)", GUNICORN, re.MULTILINE)[0])
    assert seconds(SERVICES["web"]["stop_grace_period"]) > patience
    assert seconds(SERVICES["worker"]["stop_grace_period"]) > ATTEMPT_SECONDS


def test_engines_are_new_enough() -> None:
    version = SERVICES["postgres"]["image"].partition(":")[2]
    assert int(version.partition(".")[0]) >= checkup.POSTGRES
    # Since 18 the image keeps its data one folder deeper, by version.
    assert "postgres:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]


def test_files_lie_in_the_volume_that_the_image_makes_for_its_user() -> None:
    folder = dockerfile("VOLUME")
    assert f"{folder}\n" in DOCKERFILE.partition("install -d -o jobboard -g jobboard ")[2]
    assert f"files:{folder}" in SERVICES["web"]["volumes"]
    assert SERVICES["web"]["environment"]["JOBBOARD_STORAGE_URL"] == f"file://{folder}"
    assert f"JOBBOARD_STORAGE_URL=file://{folder}" in DOCKERFILE


def test_the_image_is_pinned_and_runs_as_nobody_special() -> None:
    assert re.search(r"^ARG BASE=\S+:\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    assert dockerfile("USER") == "10001:10001"
    assert (
        value(SERVICES["web"]["image"])
        == "jobboard:"
        + re.findall(
            r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE
        )[0]
    )


def test_what_is_copied_is_sent_to_the_builder_and_nothing_else_is() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert lines[1] == "*"
    sent = {line[1:].removesuffix("/**").removesuffix("/*.md") for line in lines if line[0] == "!"}
    named = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert sent == {source for sources in named for source in sources.split()}
    assert all((ROOT / path).exists() for path in sent)


def test_development_is_asked_for_by_name() -> None:
    for name in ("compose.override.yaml", "compose.override.yml", "docker-compose.override.yml"):
        assert not (ROOT / name).exists()
    changed = yaml.safe_load((ROOT / "compose.dev.yaml").read_text("utf-8"))["services"]
    assert changed.keys() <= SERVICES.keys()
    for name in OURS - {"secrets"}:
        environment = SERVICES[name]["environment"]
        assert environment["JOBBOARD_ENVIRONMENT"] == "production"
        assert changed[name]["environment"]["JOBBOARD_ENVIRONMENT"] == "development"


def test_a_web_process_says_in_one_line_why_it_does_not_start() -> None:
    command = [sys.executable, "-P", "-m", "gunicorn", "--config", ROOT / "deploy/gunicorn.conf.py"]
    environment = {"JOBBOARD_ENVIRONMENT": "production", "BIND": "127.0.0.1:0"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    [line] = run.stderr.splitlines()
    assert line.startswith("jobboard: set JOBBOARD_SECRET_KEY to at least 32 random characters")
    assert "; set JOBBOARD_DATABASE_URL to your own server" in line


def test_numbers_are_not_counted_in_a_folder_that_somebody_else_chose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, link = tmp_path / "mine", tmp_path / "link"
    mine.mkdir(mode=0o755)
    link.symlink_to(mine)
    (mine / "gauge_1.db").touch()
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(link))
    start = runpy.run_path(str(ROOT / "deploy" / "gunicorn.conf.py"))["on_starting"]
    with pytest.raises(SystemExit, match="a link or somebody else's"):
        start(None)
    assert (mine / "gauge_1.db").exists()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(mine))
    start(None)
    assert not list(mine.iterdir())
    assert stat.S_IMODE(mine.stat().st_mode) == 0o700
    monkeypatch.setattr(os, "getuid", lambda: mine.stat().st_uid + 1)
    with pytest.raises(SystemExit, match="somebody else's"):
        start(None)


class Web(BaseHTTPRequestHandler):
    """Answers each question in the same way."""

    status: int

    def do_GET(self) -> None:
        self.wfile.write(b"HTTP/1.0 %d So\r\n\r\n" % self.status)


@contextmanager
def web(answers: int) -> Generator[int]:
    """A web process that answers so; its port."""

    class So(Web):
        status = answers

    with HTTPServer(("127.0.0.1", 0), So) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def healthy(role: str, **environment: str) -> bool:
    """As the supervisor sees it."""
    assert ["CMD", "/opt/jobboard/libexec/health", role] == SERVICES[role]["healthcheck"]["test"]
    assert copied()["/opt/jobboard/libexec/health"] == ROOT / "deploy" / "health"
    run = subprocess.run(
        [ROOT / "deploy" / "health", role],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        timeout=10,
    )
    return run.returncode == 0


def test_a_web_process_is_healthy_while_it_answers() -> None:
    with web(200) as port:
        assert healthy("web", BIND=f"0.0.0.0:{port}")
    assert not healthy("web", BIND=f"0.0.0.0:{port}")
    with web(503) as port:
        assert not healthy("web", BIND=f"0.0.0.0:{port}")


@pytest.mark.parametrize(("role", "name"), [("worker", "alive"), ("beat", "alive.schedule")])
def test_a_worker_is_healthy_while_it_says_so(role: str, name: str, tmp_path: Path) -> None:
    environment = {"JOBBOARD_ALIVE_PATH": str(tmp_path / "alive")}
    assert not healthy(role, **environment)
    (tmp_path / name).touch()
    assert healthy(role, **environment)
    long_ago = time.time() - 90
    os.utime(tmp_path / name, (long_ago, long_ago))
    assert not healthy(role, **environment)
