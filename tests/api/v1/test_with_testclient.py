"""To-dos from sign-up to deletion, with FastAPI's own TestClient: a first test to read.

It needs no `async`: the client runs the app in a loop of its own and waits for each answer. Most
other tests await the `client` of `tests/conftest.py` instead, which shares one loop, and so the
database, with the test.
"""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from jobboard.asgi import create_app
from jobboard.settings import Settings

TASKS = "/api/v1/tasks"
LOG_IN = {"username": "kim@example.com", "password": "seven sleepy sheep"}


@pytest.fixture
def api(settings: Settings, clean: None) -> Iterator[TestClient]:
    """The API. Entering the client starts the app, with its engines; leaving it stops both."""
    with TestClient(create_app(settings), base_url=settings.base_url) as client:
        yield client


@pytest.fixture
def kim(api: TestClient) -> TestClient:
    """The API with Kim's token in every request."""
    person = {"email": LOG_IN["username"], "password": LOG_IN["password"]}
    signed_up = api.post(
        "/api/v1/auth/register", json=person | {"full_name": "Kim Example", "role": "candidate"}
    )
    assert signed_up.status_code == 201
    token = api.post("/api/v1/auth/token", data={"grant_type": "password", **LOG_IN})
    assert token.status_code == 200
    api.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
    return api


def test_without_a_token_there_are_no_tasks(api: TestClient) -> None:
    answer = api.get(TASKS)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_task_from_made_to_gone(kim: TestClient) -> None:
    made = kim.post(TASKS, json={"title": "Call back", "priority": "high"})
    assert made.status_code == 201
    path = f"{TASKS}/{made.json()['id']}"
    assert kim.get(path).json()["title"] == "Call back"

    changed = kim.patch(path, json={"done": True})  # what is not named stays
    assert (changed.json()["done"], changed.json()["priority"]) == (True, "high")

    replaced = kim.put(path, json={"title": "Write to them"})  # what is not named is as new
    assert (replaced.json()["done"], replaced.json()["priority"]) == (False, "normal")

    assert [task["title"] for task in kim.get(TASKS).json()["items"]] == ["Write to them"]
    assert kim.delete(path).status_code == 204
    assert kim.get(path).status_code == 404


def test_a_title_is_needed(kim: TestClient) -> None:
    answer = kim.post(TASKS, json={"title": " "})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/title"]
