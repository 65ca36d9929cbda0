"""`jobboard create-admin`: an admin who can log in, or one line that says why not."""

import asyncio
from collections.abc import Callable
from io import BytesIO, TextIOWrapper

import httpx2
import pytest
from anyio import to_thread
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import SecondFactor
from jobboard.cli.main import make_app, run
from jobboard.clock import now
from jobboard.settings import Settings
from tests.cli.terminals import dialogue
from tests.factories.people import make_user

PASSWORD = "a quiet sentence for tests"

CreateAdmin = Callable[..., int]


@pytest.fixture
def create_admin(settings: Settings, clean: None, monkeypatch: pytest.MonkeyPatch) -> CreateAdmin:
    """Runs the command on the test board with bytes on standard input; its exit code."""
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", settings.database_url.get_secret_value())
    app = make_app(["accounts", "migrate"])

    def command(stdin: bytes, *arguments: str) -> int:
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(stdin)))
        return run(app, ["create-admin", *arguments])

    return command


@pytest.mark.anyio
async def test_the_admin_can_log_in(create_admin: CreateAdmin, client: httpx2.AsyncClient) -> None:
    stdin = f"{PASSWORD}\r\nand a line that nobody reads\n".encode()
    arguments = ("--email", "Ada@example.com", "--name", "Ada Admin")
    assert await to_thread.run_sync(create_admin, stdin, *arguments) == 0
    answer = await client.post(
        "/api/v1/auth/token",
        data={"grant_type": "password", "username": "ada@example.com", "password": PASSWORD},
    )
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    me = (await client.get("/api/v1/me", headers=headers)).json()
    assert (me["role"], me["full_name"]) == ("admin", "Ada Admin")


@pytest.mark.parametrize(
    ("stdin", "email", "message"),
    [
        (b"too short\n", "ada@example.com", "at least 12 characters"),
        (b"password1234\n", "ada@example.com", "easy to guess"),
        (b"qwertyuiop123\n", "ada@example.com", "easy to guess"),
        (b"ada.lovelace@example.com\n", "Ada.Lovelace@example.com", "no password"),
        (b"", "ada@example.com", "standard input"),
        (b"\n", "ada@example.com", "standard input"),
        (b"\xff\xfe and so on and so on\n", "ada@example.com", "not UTF-8"),
        (PASSWORD.encode(), "nobody", "not an e-mail address"),
        (PASSWORD.encode(), "ada\udcff@example.com", "cannot be stored"),
    ],
)
def test_refuses_in_one_line(
    create_admin: CreateAdmin,
    stdin: bytes,
    email: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert create_admin(stdin, "--email", email) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert message in said.err


def test_refuses_an_address_that_is_taken(
    create_admin: CreateAdmin, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin = PASSWORD.encode()
    assert create_admin(stdin, "--email", "ada@example.com") == 0
    assert create_admin(stdin, "--email", "ADA@example.com") == 1
    assert "an account with this e-mail address already" in capsys.readouterr().err


def test_needs_an_address(create_admin: CreateAdmin, capsys: pytest.CaptureFixture[str]) -> None:
    assert create_admin(PASSWORD.encode()) == 2
    assert "--email" in capsys.readouterr().err


@pytest.mark.anyio
async def test_who_lost_phone_and_codes_is_let_back_in(
    app: FastAPI,
    session: AsyncSession,
    settings: Settings,
    client: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("database_url", "redis_url"):
        value = getattr(settings, name).get_secret_value()
        monkeypatch.setenv(f"JOBBOARD_{name.upper()}", value)
    user = await make_user(session, settings)
    session.add(SecondFactor(person_id=user.id, salt=b"salt", confirmed_at=now()))
    await session.commit()
    form = {"grant_type": "password", "username": user.actor.email, "password": PASSWORD}
    refused = await client.post("/api/v1/auth/token", data=form)
    assert refused.json()["code"] == "mfa_required"
    typer = make_app(["accounts"])
    command = ["turn-off-two-step", "--email"]
    assert await to_thread.run_sync(run, typer, [*command, "nobody@example.com"]) != 0
    heard = app.state.engines.rings.listen()
    assert await anext(heard) is None  # it listens
    assert await to_thread.run_sync(run, typer, [*command, user.actor.email]) == 0
    async with asyncio.timeout(20):
        assert await anext(heard) == [str(user.id)]  # their open pages show the news
    await heard.aclose()
    assert (await client.post("/api/v1/auth/token", data=form)).status_code == 200


def test_a_person_at_a_terminal_types_it_twice_unseen(
    settings: Settings, clean: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", settings.database_url.get_secret_value())
    with dialogue("create-admin", "--email", "ada@example.com") as person:
        for confirmed in ("something else", PASSWORD):
            person.reads("Password: ")
            person.types(PASSWORD)
            person.reads("confirmation: ")
            person.types(confirmed)
    assert person.exit_code == 0
    assert "do not match" in person.seen
    assert "sentence" not in person.seen
