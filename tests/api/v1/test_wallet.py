"""Wallets and transfers: the promises of the API about money."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.infra.postgres import Database
from tests.api.v1.conftest import Cast
from tests.factories.companies import make_company
from tests.factories.people import User
from tests.factories.wallets import make_wallet
from tests.statements import statements

pytestmark = pytest.mark.anyio

Client = httpx2.AsyncClient
URL = "/api/v1/transfers"


@dataclass(frozen=True)
class Purse:
    """Two wallets of the cast: the employer's company has 10.00 EUR, the candidate nothing."""

    rich: str
    poor: str


@pytest.fixture
async def purse(session: AsyncSession, cast: Cast) -> Purse:
    rich = await make_wallet(session, company=cast.company.id, holds=1000)
    poor = await make_wallet(session, person=cast.candidate.id, holds=0)
    return Purse(str(rich.id), str(poor.id))


def once(user: User, key: str = "") -> dict[str, str]:
    return user.headers | {"Idempotency-Key": key or str(uuid4())}


async def pay(client: Client, user: User, purse: Purse, **changes: Any) -> httpx2.Response:
    key = changes.pop("key", "")
    body = {
        "from_wallet_id": purse.rich,
        "to_wallet_id": purse.poor,
        "amount": 300,
        "currency": "EUR",
        "memo": "Thank you",
    }
    return await client.post(URL, json=body | changes, headers=once(user, key))


async def balance(client: Client, user: User, wallet: str) -> int:
    return (await client.get(f"/api/v1/wallets/{wallet}", headers=user.headers)).json()["balance"]


async def test_a_transfer_is_four_statements(
    client: Client, cast: Cast, purse: Purse, db: Database
) -> None:
    with statements(db) as seen:
        assert (await pay(client, cast.employer, purse)).status_code == 201
    tables = ("login_sessions", "kept_answers", "transfers", "kept_answers")
    assert [table in each for table, each in zip(tables, seen, strict=True)] == [True] * 4


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_everyone_has_a_wallet_from_the_beginning(client: Client, cast: Cast) -> None:
    own = (await client.get("/api/v1/wallets", headers=cast.candidate.headers)).json()["items"]
    assert [{**wallet, "id": None} for wallet in own] == [
        {
            "id": None,
            "owner": {"kind": "person", "id": str(cast.candidate.id), "name": "Cam Candidate"},
            "currency": "EUR",
            "balance": 0,
            "frozen": False,
        }
    ]
    theirs = (await client.get("/api/v1/wallets", headers=cast.employer.headers)).json()["items"]
    assert [wallet["owner"]["kind"] for wallet in theirs] == ["person", "company"]


async def test_ones_wallets_come_in_pages(client: Client, cast: Cast) -> None:
    async def page(**query: Any) -> Any:
        asked = await client.get("/api/v1/wallets", params=query, headers=cast.employer.headers)
        return asked.json()

    first = await page(limit=1)
    second = await page(limit=1, cursor=first["next_cursor"])
    assert second["next_cursor"] is None
    assert [*first["items"], *second["items"]] == (await page())["items"]
    assert len(second["items"]) == 1
    assert (await page(cursor="x"))["code"] == "invalid_cursor"
    assert (await page(limit=101))["code"] == "invalid"


async def test_a_transfer_moves_credits(client: Client, cast: Cast, purse: Purse) -> None:
    answer = await pay(client, cast.employer, purse)
    assert answer.status_code == 201
    made = answer.json()
    assert made["kind"] == "transfer"
    assert (made["amount"], made["currency"], made["memo"]) == (300, "EUR", "Thank you")
    assert await balance(client, cast.employer, purse.rich) == 700
    assert await balance(client, cast.candidate, purse.poor) == 300
    for user in (cast.employer, cast.candidate, cast.admin):
        read = await client.get(f"{URL}/{made['id']}", headers=user.headers)
        assert read.json() == made
    hidden = await client.get(f"{URL}/{made['id']}", headers=cast.rival.headers)
    assert code(hidden) == (404, "transfer_not_found")


async def test_without_a_key_nothing_moves(client: Client, cast: Cast, purse: Purse) -> None:
    body = {"from_wallet_id": purse.rich, "to_wallet_id": purse.poor, "amount": 1}
    answer = await client.post(URL, json=body | {"currency": "EUR"}, headers=cast.employer.headers)
    assert code(answer) == (422, "invalid")
    assert answer.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"
    assert await balance(client, cast.employer, purse.rich) == 1000


async def test_the_same_key_pays_once(client: Client, cast: Cast, purse: Purse) -> None:
    answers = await asyncio.gather(
        *(pay(client, cast.employer, purse, key="rent-may") for _ in range(8))
    )
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.content for answer in answers}) == 1
    assert await balance(client, cast.employer, purse.rich) == 700
    other = await pay(client, cast.employer, purse, key="rent-may", amount=301)
    assert code(other) == (422, "idempotency_key_reused")


async def test_too_little_is_a_409_with_what_is_missing(
    client: Client, cast: Cast, purse: Purse
) -> None:
    answer = await pay(client, cast.employer, purse, amount=1250, key="retry")
    assert code(answer) == (409, "insufficient_funds")
    assert answer.json()["shortfall"] == 250
    assert "2.50 EUR" in answer.json()["detail"]
    assert await balance(client, cast.employer, purse.rich) == 1000
    exact = await pay(client, cast.employer, purse, amount=1000, key="retry")
    assert exact.status_code == 201  # an error does not use a key up
    assert await balance(client, cast.employer, purse.rich) == 0


@pytest.mark.parametrize(
    ("changes", "status", "name"),
    [
        ({"amount": 0}, 422, "invalid"),
        ({"amount": -5}, 422, "invalid"),
        ({"amount": 1.5}, 422, "invalid"),
        ({"amount": True}, 422, "invalid"),
        ({"amount": 10**13 + 1}, 422, "invalid"),
        ({"currency": "USD"}, 422, "currency_mismatch"),
        ({"currency": "ZZZ"}, 422, "invalid"),
        ({"memo": "x" * 201}, 422, "invalid"),
        ({"memo": "a\x00b"}, 422, "invalid"),
        ({"from_wallet_id": str(uuid4())}, 404, "wallet_not_found"),
        ({"to_wallet_id": str(uuid4())}, 404, "wallet_not_found"),
    ],
)
async def test_what_cannot_be(
    client: Client, cast: Cast, purse: Purse, changes: dict[str, Any], status: int, name: str
) -> None:
    answer = await pay(client, cast.employer, purse, **changes)
    assert code(answer) == (status, name)
    assert await balance(client, cast.employer, purse.rich) == 1000


async def test_a_wallet_does_not_pay_itself(client: Client, cast: Cast, purse: Purse) -> None:
    answer = await pay(client, cast.employer, purse, to_wallet_id=purse.rich)
    assert code(answer) == (422, "same_wallet")


async def test_nobody_spends_of_anothers_wallet(client: Client, cast: Cast, purse: Purse) -> None:
    for user in (cast.rival, cast.candidate, cast.admin):
        assert code(await pay(client, user, purse)) == (404, "wallet_not_found")


async def test_the_boards_wallets_are_nobodys_to_use(
    client: Client, cast: Cast, purse: Purse
) -> None:
    every = await client.get("/api/v1/admin/wallets", headers=cast.admin.headers)
    board = {
        wallet["owner"]["name"]: wallet["id"]
        for wallet in every.json()["items"]
        if wallet["owner"]["kind"] == "board"
    }
    assert set(board) == {"issued", "revenue"}
    paid = await pay(client, cast.employer, purse, to_wallet_id=board["revenue"])
    assert code(paid) == (404, "wallet_not_found")
    issued = await pay(client, cast.admin, purse, from_wallet_id=board["issued"])
    assert code(issued) == (404, "wallet_not_found")
    for verb, body in (("grants", {"amount": 5}), ("freeze", None)):
        url = f"/api/v1/admin/wallets/{board['revenue']}/{verb}"
        headers = cast.admin.headers | {"Idempotency-Key": verb}
        answer = await client.post(url, json=body, headers=headers)
        assert (answer.status_code, "board" in answer.json()["detail"]) == (422, True), verb


async def test_a_frozen_wallet_stops_in_and_out(client: Client, cast: Cast, purse: Purse) -> None:
    frozen = f"/api/v1/admin/wallets/{purse.poor}/freeze"
    answer = await client.post(frozen, headers=cast.admin.headers)
    assert answer.json()["frozen"] is True
    assert code(await pay(client, cast.employer, purse)) == (409, "wallet_frozen")
    back = {"from_wallet_id": purse.poor, "to_wallet_id": purse.rich, "amount": 1}
    assert code(await pay(client, cast.candidate, purse, **back)) == (409, "wallet_frozen")
    thaw = f"/api/v1/admin/wallets/{purse.poor}/unfreeze"
    assert (await client.post(thaw, headers=cast.admin.headers)).json()["frozen"] is False
    assert (await pay(client, cast.employer, purse)).status_code == 201


async def test_the_statement_runs(client: Client, cast: Cast, purse: Purse) -> None:
    for amount in (100, 200, 300):
        await pay(client, cast.employer, purse, amount=amount)
    url = f"/api/v1/wallets/{purse.rich}/entries"
    found: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = (await client.get(url, params=params, headers=cast.employer.headers)).json()
        found += page["items"]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert [(each["number"], each["amount"], each["balance"]) for each in found] == [
        (4, -300, 400),
        (3, -200, 700),
        (2, -100, 900),
        (1, 1000, 1000),
    ]
    assert [each["kind"] for each in found] == [*["transfer"] * 3, "grant"]
    assert found[0]["by"] == "Erin Employer"
    assert found[0]["other"]["name"] == "Cam Candidate"
    assert found[-1]["other"] == {"kind": "board", "id": None, "name": "issued"}


async def test_a_statement_is_filtered(client: Client, cast: Cast, purse: Purse) -> None:
    await pay(client, cast.employer, purse)
    url = f"/api/v1/wallets/{purse.rich}/entries"

    async def numbers(**params: str) -> list[int]:
        answer = await client.get(url, params=params, headers=cast.employer.headers)
        return [entry["number"] for entry in answer.json()["items"]]

    assert await numbers(direction="in") == [1]
    assert await numbers(direction="out") == [2]
    assert await numbers(kind="grant") == [1]
    assert await numbers(to="2020-01-01T00:00:00Z") == []
    assert await numbers(**{"from": "2020-01-01T00:00:00Z"}) == [2, 1]
    other = await client.get(
        url, params={"limit": 1, "direction": "out"}, headers=cast.employer.headers
    )
    assert other.json()["next_cursor"] is None
    first = await client.get(url, params={"limit": 1}, headers=cast.employer.headers)
    wrong = {"cursor": first.json()["next_cursor"], "kind": "grant"}
    answer = await client.get(url, params=wrong, headers=cast.employer.headers)
    assert code(answer) == (422, "invalid_cursor")


async def test_admins_grant_credits(client: Client, cast: Cast, purse: Purse) -> None:
    url = f"/api/v1/admin/wallets/{purse.poor}/grants"
    headers = once(cast.admin)
    for _ in range(2):
        answer = await client.post(url, json={"amount": 500, "memo": "Hi"}, headers=headers)
        assert answer.status_code == 201
    assert await balance(client, cast.candidate, purse.poor) == 500
    log = await client.get("/api/v1/admin/audit-log", headers=cast.admin.headers)
    told = next(each for each in log.json()["items"] if each["action"] == "credits.granted")
    assert (told["details"]["amount"], told["details"]["currency"]) == (500, "EUR")
    assert told["subject"]["id"] == str(cast.candidate.id)
    wrong = await client.post(url, json={"amount": 5, "currency": "USD"}, headers=once(cast.admin))
    assert code(wrong) == (422, "currency_mismatch")
    refused = await client.post(url, json={"amount": 5}, headers=once(cast.employer))
    assert code(refused) == (403, "insufficient_scope")


async def test_a_mistake_is_reversed_once(client: Client, cast: Cast, purse: Purse) -> None:
    made = (await pay(client, cast.employer, purse)).json()
    url = f"/api/v1/admin/transfers/{made['id']}/reverse"
    answers = await asyncio.gather(
        *(client.post(url, json={"memo": "Oops"}, headers=once(cast.admin)) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    back = next(answer.json() for answer in answers if answer.status_code == 201)
    assert (back["kind"], back["original_id"], back["amount"]) == ("reversal", made["id"], 300)
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["code"] == "given_back_before"
    assert await balance(client, cast.employer, purse.rich) == 1000
    url = f"/api/v1/wallets/{purse.poor}/entries"
    latest = (await client.get(url, headers=cast.candidate.headers)).json()["items"][0]
    assert (latest["kind"], latest["by"]) == ("reversal", None)
    again = await client.post(
        f"/api/v1/admin/transfers/{back['id']}/reverse", json={}, headers=once(cast.admin)
    )
    assert code(again) == (409, "transfer_final")


async def test_what_is_spent_cannot_be_reversed(
    client: Client, cast: Cast, purse: Purse, session: AsyncSession
) -> None:
    made = (await pay(client, cast.employer, purse)).json()
    theirs = await make_wallet(session, person=cast.rival.id, holds=0)
    back = {"from_wallet_id": purse.poor, "to_wallet_id": str(theirs.id), "amount": 250}
    await pay(client, cast.candidate, purse, **back)
    answer = await client.post(
        f"/api/v1/admin/transfers/{made['id']}/reverse", json={}, headers=once(cast.admin)
    )
    assert code(answer) == (409, "insufficient_funds")
    assert answer.json()["shortfall"] == 250


async def test_a_companys_wallet_has_an_address(
    client: Client, cast: Cast, purse: Purse, session: AsyncSession
) -> None:
    url = f"/api/v1/companies/{cast.company.id}/wallet"
    address = (await client.get(url, headers=cast.rival.headers)).json()
    assert set(address) == {"id", "owner", "currency"}
    assert address["id"] == purse.rich
    other = await make_company(session, cast.rival)
    await make_wallet(session, company=other.id, holds=50)
    own = (await client.get("/api/v1/wallets", headers=cast.rival.headers)).json()["items"]
    mine = next(wallet for wallet in own if wallet["owner"]["id"] == str(other.id))
    paid = await pay(
        client,
        cast.rival,
        purse,
        from_wallet_id=mine["id"],
        to_wallet_id=address["id"],
        amount=50,
    )
    assert paid.status_code == 201
    assert await balance(client, cast.employer, purse.rich) == 1050


async def test_crossing_transfers_do_not_block_each_other(
    client: Client, cast: Cast, purse: Purse, session: AsyncSession
) -> None:
    await make_wallet(session, person=cast.candidate.id, holds=1000)
    there = [pay(client, cast.employer, purse, amount=7) for _ in range(10)]
    back = {"from_wallet_id": purse.poor, "to_wallet_id": purse.rich, "amount": 5}
    here = [pay(client, cast.candidate, purse, **back) for _ in range(10)]
    answers = await asyncio.gather(*there, *here)
    assert {answer.status_code for answer in answers} == {201}
    assert await balance(client, cast.employer, purse.rich) == 980
