"""Logs are one line each on standard error, structured, and hold no secrets."""

import json
import logging
from typing import Any

import kombu
import pytest
import structlog

from jobboard.infra import logs

pytestmark = pytest.mark.usefixtures("restored_logs")


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The only line that was written, read as JSON."""
    (text,) = capsys.readouterr().err.splitlines()
    return json.loads(text)


def test_one_line_of_json_with_what_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        structlog.get_logger().info("request", path="/x\ny", status=200)
    written = line(capsys)
    assert written["timestamp"].endswith("Z")
    del written["timestamp"]
    assert written == {
        "event": "request",
        "level": "info",
        "path": "/x\ny",
        "status": 200,
        "request_id": "abc",
    }


def test_the_libraries_take_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    logging.getLogger("uvicorn.error").warning("Something %s", "happened")
    written = line(capsys)
    assert (written["event"], written["logger"]) == ("Something happened", "uvicorn.error")


def test_whom_moderators_look_for_in_the_tables_is_not_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("json")
    logging.getLogger("starlette_admin.base").info("list rendered: q=%r", "kim@example.com")
    assert capsys.readouterr().err == ""


def test_a_line_for_people_cannot_be_forged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text")
    structlog.get_logger().info("request", path="/x\n2026-01-01 [info] forged", status=200)
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "said",
    [
        {"password": "hunter2"},
        {"new_password": "hunter2"},
        {"access_token": "hunter2"},
        {"Authorization": "hunter2"},
        {"cookie": "session=hunter2"},
        {"url": "postgresql://jobboard:hunter2@db:5432/jobboard"},
        {"url": "redis://:hunter2@redis:6379/0"},
        {"url": "postgresql://jobboard:a@hunter2@db/jobboard"},
        {"headers": "Authorization: Bearer hunter2.abc"},
        {"headers": {"authorization": "Bearer hunter2"}},
        {"body": '{"password": "hunter2"}'},
        {"body": "grant_type=password&password=hunter2&x=1"},
        {"said": "Bearer hunter2"},
        {"jwt": "eyJhunter2.eyJhunter2.hunter2"},
        {"key": "jb_hunter2"},
    ],
    ids=str,
)
def test_secrets_are_blanked(
    capsys: pytest.CaptureFixture[str], form: Any, said: dict[str, Any]
) -> None:
    logs.configure(form)
    structlog.get_logger().info("something", **said)
    shown = capsys.readouterr().err
    assert "hunter2" not in shown
    assert "***" in shown


@pytest.mark.parametrize("form", ["text", "json"])
def test_so_are_those_in_a_traceback(capsys: pytest.CaptureFixture[str], form: Any) -> None:
    logs.configure(form)
    try:
        raise ConnectionError("cannot reach postgresql://jobboard:hunter2@db/jobboard")
    except ConnectionError:
        structlog.get_logger().exception("crashed")
        logging.getLogger("asyncio").exception("Task exception was never retrieved")
    shown = capsys.readouterr().err
    assert shown.count("ConnectionError") >= 2
    assert "hunter2" not in shown


def test_a_ring_that_comes_while_the_worker_leaves_stays_in_the_queue_without_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("text", level=logging.WARNING)
    with kombu.Connection("memory://") as connection:
        queue = connection.SimpleQueue("rings")
        queue.put("ring")
        channel = queue.channel
        connection.transport._deliver(channel._get("rings"), "rings")  # whose consumer is gone
        assert queue.get(block=False).payload == "ring"
    assert capsys.readouterr().err == ""
