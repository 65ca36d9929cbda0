"""Nobody acts for a company who did not say yes, and an invitation tells nothing of its address."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import limits
from jobboard.accounts.models import Person, Role
from jobboard.clock import now
from jobboard.companies import invitations
from jobboard.companies.models import CompanyInvitation, CompanyMember, MemberRole
from jobboard.infra.postgres import Database
from jobboard.infra.queue import Message
from jobboard.infra.storage import Storage
from jobboard.settings import Settings
from jobboard.worker import companies, outbox
from jobboard.worker.context import Context
from tests.api.v1.conftest import Cast
from tests.factories.companies import make_invitation, make_member
from tests.factories.people import PASSWORD, User, make_user
from tests.letters import Mailbox, words

pytestmark = pytest.mark.anyio

NEWCOMER = "newcomer@example.com"
ACCEPT = "/api/v1/invitations/accept"


@pytest.fixture
def members(cast: Cast) -> str:
    return f"/api/v1/companies/{cast.company.id}/members"


async def invite(
    client: httpx2.AsyncClient, cast: Cast, email: str, **more: Any
) -> httpx2.Response:
    path = f"/api/v1/companies/{cast.company.id}/members"
    return await client.post(path, json={"email": email, **more}, headers=cast.employer.headers)


async def accept(client: httpx2.AsyncClient, user: User, token: str) -> httpx2.Response:
    return await client.post(ACCEPT, json={"token": token}, headers=user.headers)


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_the_answer_and_the_letter_are_the_same_for_every_address(
    client: httpx2.AsyncClient, cast: Cast, mailbox: Mailbox, members: str
) -> None:
    addresses = [NEWCOMER, cast.rival.actor.email, cast.candidate.actor.email]
    answers = [await invite(client, cast, address) for address in addresses]
    told = [
        {name: value for name, value in answer.json().items() if name not in CHANGING}
        for answer in answers
    ]
    assert {answer.status_code for answer in answers} == {201}
    assert told[0] == told[1] == told[2]
    assert (told[0]["status"], told[0]["person_id"]) == ("invited", None)
    letters = await mailbox.read()
    assert len({words(mail).partition("token=")[0] for mail in letters}) == 1
    assert sorted(str(mail["To"]) for mail in letters) == sorted(addresses)
    listed = (await client.get(members, headers=cast.employer.headers)).json()["items"]
    assert [one["status"] for one in listed] == ["member", "invited", "invited", "invited"]
    refused = await client.get(members, headers=cast.rival.headers)
    assert refused.status_code == 403  # nobody is in yet


CHANGING = {"email", "invitation_id", "created_at", "expires_at"}


async def test_who_accepts_is_in_and_the_link_works_once(
    client: httpx2.AsyncClient,
    cast: Cast,
    mailbox: Mailbox,
    members: str,
    session: AsyncSession,
) -> None:
    email = cast.rival.actor.email.capitalize()
    await invite(client, cast, email, role="owner")
    token = await mailbox.link(email, "/invitation")
    assert token.encode() not in (await session.execute(select(CompanyInvitation))).one()
    for other in (cast.candidate, cast.employer):
        assert code(await accept(client, other, token)) in {
            (403, "not_an_employer"),
            (403, "invitation_of_another"),
        }
    answers = await asyncio.gather(*(accept(client, cast.rival, token) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422]
    assert code(await accept(client, cast.rival, token)) == (422, "link_invalid")
    listed = (await client.get(members, headers=cast.rival.headers)).json()["items"]
    assert [(one["status"], one["role"]) for one in listed] == [("member", "owner")] * 2
    assert await mailbox.subjects(cast.employer.actor.email) == [
        f"Rory Rival acts for {cast.company.name} now"
    ]
    person = await session.get_one(Person, cast.rival.id, populate_existing=True)
    assert person.email_verified_at is not None  # the letter was read there


async def test_a_candidate_is_told_why_not(
    client: httpx2.AsyncClient, cast: Cast, mailbox: Mailbox
) -> None:
    await invite(client, cast, cast.candidate.actor.email)
    token = await mailbox.link(cast.candidate.actor.email, "/invitation")
    answer = await accept(client, cast.candidate, token)
    assert code(answer) == (403, "not_an_employer")
    assert "another address" in answer.json()["detail"]


async def test_without_an_account_one_signs_up_first(
    client: httpx2.AsyncClient, cast: Cast, mailbox: Mailbox, members: str
) -> None:
    await invite(client, cast, NEWCOMER, spending_limit=700)
    token = await mailbox.link(NEWCOMER, "/invitation")
    person = {"email": NEWCOMER, "password": PASSWORD, "full_name": "Nia", "role": "employer"}
    await client.post("/api/v1/auth/register", json=person)
    form = {"grant_type": "password", "username": NEWCOMER, "password": PASSWORD}
    pair = (await client.post("/api/v1/auth/token", data=form)).json()
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    accepted = await client.post(ACCEPT, json={"token": token}, headers=bearer)
    assert accepted.json()["id"] == str(cast.company.id)
    listed = (await client.get(members, headers=bearer)).json()["items"]
    assert (listed[1]["full_name"], listed[1]["spending_limit"]) == ("Nia", 700)


async def test_a_withdrawn_invitation_opens_nothing(
    client: httpx2.AsyncClient, cast: Cast, mailbox: Mailbox, members: str
) -> None:
    invitation = (await invite(client, cast, cast.rival.actor.email)).json()["invitation_id"]
    token = await mailbox.link(cast.rival.actor.email, "/invitation")
    path = f"/api/v1/invitations/{invitation}"
    assert code(await client.delete(path, headers=cast.rival.headers)) == (
        404,
        "invitation_not_found",
    )
    assert (await client.delete(path, headers=cast.employer.headers)).status_code == 204
    assert code(await accept(client, cast.rival, token)) == (422, "link_invalid")
    assert len((await client.get(members, headers=cast.employer.headers)).json()["items"]) == 1
    assert (await client.delete(path, headers=cast.employer.headers)).status_code == 404


async def test_who_is_invited_anew_has_the_words_of_now_and_both_letters_work(
    client: httpx2.AsyncClient, cast: Cast, mailbox: Mailbox, members: str, session: AsyncSession
) -> None:
    await invite(client, cast, cast.rival.actor.email, role="owner")
    first = await mailbox.link(cast.rival.actor.email, "/invitation")
    await invite(client, cast, cast.rival.actor.email, role="recruiter")
    assert await mailbox.link(cast.rival.actor.email, "/invitation") == first
    assert await session.scalar(select(func.count(CompanyInvitation.id))) == 1
    await accept(client, cast.rival, first)
    listed = (await client.get(members, headers=cast.rival.headers)).json()["items"]
    assert listed[1]["role"] == "recruiter"


@pytest.mark.parametrize("end", ["leaves", "steps back", "is suspended"])
async def test_it_goes_with_the_owner_who_sent_it(
    client: httpx2.AsyncClient,
    cast: Cast,
    mailbox: Mailbox,
    members: str,
    session: AsyncSession,
    settings: Settings,
    end: str,
) -> None:
    other = await make_user(session, settings, Role.EMPLOYER)
    await make_member(session, cast.company, other, MemberRole.OWNER)
    await invite(client, cast, cast.rival.actor.email, role="owner")
    token = await mailbox.link(cast.rival.actor.email, "/invitation")
    if end == "leaves":
        path = f"{members}/{cast.employer.id}"
        assert (await client.delete(path, headers=other.headers)).status_code == 204
    elif end == "steps back":
        less = {"email": cast.employer.actor.email, "role": "recruiter"}
        assert (await client.post(members, json=less, headers=other.headers)).status_code == 201
    else:
        out = update(Person).where(Person.id == cast.employer.id).values(suspended_at=now())
        await session.execute(out)
        await session.commit()
    listed = (await client.get(members, headers=other.headers)).json()["items"]
    assert not [one for one in listed if one["status"] == "invited"]
    assert code(await accept(client, cast.rival, token)) == (422, "link_invalid")


async def test_a_letter_that_waits_is_not_sent_for_what_is_withdrawn(
    client: httpx2.AsyncClient, cast: Cast, mailbox: Mailbox
) -> None:
    invitation = (await invite(client, cast, NEWCOMER)).json()["invitation_id"]
    path = f"/api/v1/invitations/{invitation}"
    await client.delete(path, headers=cast.employer.headers)
    assert await mailbox.read() == []


async def test_names_in_the_letter_are_no_links_to_press(
    client: httpx2.AsyncClient, cast: Cast, mailbox: Mailbox
) -> None:
    path = f"/api/v1/companies/{cast.company.id}"
    named = {"name": "You won! https://evil.example.net/win " + "x" * 150}
    await client.patch(path, json=named, headers=cast.employer.headers)
    await invite(client, cast, NEWCOMER)
    (mail,) = await mailbox.read()
    text = f"{mail['Subject']}\n{words(mail)}"
    assert "evil.example" not in text
    assert text.count("://") == 1
    assert "x" * 100 not in text


async def test_limits_of_open_ones_and_of_letters(
    client: httpx2.AsyncClient,
    cast: Cast,
    mailbox: Mailbox,
    session: AsyncSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [await invite(client, cast, NEWCOMER) for _ in range(7)]
    assert {answer.status_code for answer in answers} == {201}
    assert len(await mailbox.read()) == 5  # and no word of it
    monkeypatch.setattr(invitations, "MOST", 2)
    assert (await invite(client, cast, "second@example.com")).status_code == 201
    full = await invite(client, cast, "third@example.com")
    assert code(full) == (409, "too_many_invitations")
    assert (await invite(client, cast, NEWCOMER)).status_code == 201  # it is open already
    monkeypatch.setattr(limits, "INVITATIONS", "1/day")
    assert (await invite(client, cast, NEWCOMER)).status_code == 201
    assert (await invite(client, cast, NEWCOMER)).status_code == 429
    refused = await client.post(
        f"/api/v1/companies/{cast.company.id}/members",
        json={"email": "fourth@example.com"},
        headers=cast.rival.headers,
    )
    assert refused.status_code == 403


async def test_expired_ones_open_nothing_and_are_forgotten(
    client: httpx2.AsyncClient,
    cast: Cast,
    mailbox: Mailbox,
    session: AsyncSession,
    settings: Settings,
    db: Database,
) -> None:
    await invite(client, cast, cast.rival.actor.email)
    await invite(client, cast, NEWCOMER)
    token = await mailbox.link(cast.rival.actor.email, "/invitation")
    old = update(CompanyInvitation).where(CompanyInvitation.email != NEWCOMER)
    await session.execute(old.values(expires_at=now() - timedelta(seconds=1)))
    await session.commit()
    assert code(await accept(client, cast.rival, token)) == (422, "link_invalid")
    context = Context(settings, db, mailbox, Storage(settings.storage_url))
    await companies.forget_invitations(context)
    assert (await session.scalars(select(CompanyInvitation.email))).all() == [NEWCOMER]


async def test_a_link_of_our_own_making(client: httpx2.AsyncClient, cast: Cast) -> None:
    for token in ("", "x", "é" * 40, "A" * 64):
        assert code(await accept(client, cast.rival, token)) == (422, "link_invalid")


async def test_who_is_a_member_by_another_way_stays_as_they_are(
    client: httpx2.AsyncClient, cast: Cast, mailbox: Mailbox, session: AsyncSession
) -> None:
    await invite(client, cast, cast.rival.actor.email)
    token = await mailbox.link(cast.rival.actor.email, "/invitation")
    await make_member(session, cast.company, cast.rival, MemberRole.OWNER)
    assert (await accept(client, cast.rival, token)).status_code == 200
    roles = await session.scalars(select(CompanyMember.role))
    assert set(roles) == {MemberRole.OWNER}


async def test_an_erased_address_is_in_no_invitation(
    client: httpx2.AsyncClient, cast: Cast, session: AsyncSession
) -> None:
    await make_invitation(session, cast.company, cast.employer, cast.rival.actor.email.upper())
    known = {"current_password": PASSWORD}
    gone = await client.request("DELETE", "/api/v1/me", json=known, headers=cast.rival.headers)
    assert gone.status_code == 204
    assert (await session.scalars(select(CompanyInvitation))).all() == []


async def test_a_letter_says_nothing_more_once_it_is_sent(
    client: httpx2.AsyncClient, cast: Cast, mailbox: Mailbox, session: AsyncSession
) -> None:
    await invite(client, cast, NEWCOMER)
    waiting = (await session.scalars(select(Message.payload["kind"].astext))).all()
    payload = (await session.scalars(select(Message.payload))).one()
    assert (waiting, list(payload)) == ([None], ["invitation_id"])
    assert invitations.LETTER in outbox.HANDLERS
