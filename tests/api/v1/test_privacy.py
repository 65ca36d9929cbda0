"""Taking one's data along, and being erased: in the database, in files and in the log of calls."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import LargeBinary, Text, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts import limits, links
from jobboard.accounts.models import LoginSession, Person, Role
from jobboard.applications.models import Application, Stage
from jobboard.clock import now
from jobboard.companies.models import CompanyMember, MemberRole
from jobboard.infra import mongo
from jobboard.infra.mailer import ConsoleMailer
from jobboard.infra.mongo import Mongo
from jobboard.infra.postgres import Base, Database
from jobboard.infra.queue import Message
from jobboard.infra.storage import Storage
from jobboard.jobs.models import Job
from jobboard.privacy.export import HITS
from jobboard.settings import Settings
from jobboard.tasks.models import Task
from jobboard.uploads.models import Upload
from jobboard.worker import outbox, privacy
from jobboard.worker.context import Context
from tests.api.v1.conftest import Cast
from tests.factories.files import pdf
from tests.factories.jobs import make_job
from tests.factories.people import PASSWORD, User, make_user
from tests.factories.wallets import make_wallet
from tests.timing import stored

pytestmark = pytest.mark.anyio
ME = "/api/v1/me"


@pytest.fixture
async def context(settings: Settings, db: Database, app: FastAPI) -> Context:
    storage = Storage(settings.storage_url)
    return Context(settings, db, ConsoleMailer(), storage, app.state.engines.mongo)


async def apply(client: httpx2.AsyncClient, cast: Cast, job: Job) -> tuple[str, str]:
    """The candidate applies with a file; the ids of both."""
    file = {"file": ("My CV.pdf", pdf(), "application/pdf")}
    headers = cast.candidate.headers
    resume = (await client.post("/api/v1/resumes", files=file, headers=headers)).json()["id"]
    data = {"cover_letter": "Dear all", "resume_id": resume}
    path = f"/api/v1/jobs/{job.id}/applications"
    sent = await client.post(path, json=data, headers=headers)
    assert sent.status_code == 201, sent.text
    return sent.json()["id"], resume


async def erase(client: httpx2.AsyncClient, user: User, password: str = PASSWORD) -> Any:
    body = {"current_password": password}
    return await client.request("DELETE", ME, json=body, headers=user.headers)


async def test_the_archive_holds_everything(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, app: FastAPI
) -> None:
    job = await make_job(session, cast.employer, cast.company)
    _, resume = await apply(client, cast, job)
    note = {"note": "A secret of the company"}
    path = f"/api/v1/jobs/{job.id}/applications"
    sent = (await client.get(path, headers=cast.employer.headers)).json()["items"][0]
    await client.patch(
        f"/api/v1/applications/{sent['id']}", json=note, headers=cast.employer.headers
    )
    await client.post("/api/v1/tasks", json={"title": "Call"}, headers=cast.candidate.headers)
    hits = app.state.engines.mongo.database[HITS]
    await hits.insert_one({"person_id": str(cast.candidate.id), "route": "/x", "at": now()})
    answer = await client.get(f"{ME}/export", headers=cast.candidate.headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    assert packed.testzip() is None
    assert packed.read(f"files/{resume}/My CV.pdf") == pdf()
    found = {n: json.loads(packed.read(n)) for n in packed.namelist() if n.endswith(".json")}
    assert found["account.json"][0]["email"] == cast.candidate.actor.email
    assert found["applications.json"][0]["cover_letter"] == "Dear all"
    assert found["applications.json"][0]["job"] == "Baker"
    assert [task["title"] for task in found["tasks.json"]] == ["Call"]
    assert "/x" in {hit["route"] for hit in found["hits.json"]}
    readme = packed.read("README.txt").decode()
    assert all(name in readme for name in found)
    everything = b"".join(packed.read(name) for name in packed.namelist())
    for secret in (b"argon2", b"A secret of the company", b"token_hash"):
        assert secret not in everything
    log = await client.get("/api/v1/admin/audit-log", headers=cast.admin.headers)
    assert "person.exported" in {entry["action"] for entry in log.json()["items"]}


async def test_many_calls_have_more_time_than_a_request_gives_mongo(
    app: FastAPI, client: httpx2.AsyncClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = app.state.engines
    await real.mongo.database[HITS].insert_one(
        {"person_id": str(cast.candidate.id), "route": "/many", "at": now()}
    )
    monkeypatch.setattr(mongo, "ANSWER_MS", 1)
    app.state.engines = replace(real, mongo=Mongo(real.settings.mongo_url.get_secret_value()))
    try:
        answer = await client.get(f"{ME}/export", headers=cast.candidate.headers)
        hits = json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("hits.json"))
        assert "/many" in {hit.get("route") for hit in hits}
    finally:
        await app.state.engines.mongo.close()
        app.state.engines = real


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mongodb://127.0.0.1:1/none", "The log of calls could not be read."),
        ("", None),
    ],
)
async def test_the_archive_needs_no_mongo(
    app: FastAPI, client: httpx2.AsyncClient, cast: Cast, url: str, said: str | None
) -> None:
    real = app.state.engines
    gone = Mongo(url) if url else None
    app.state.engines = replace(real, mongo=gone)
    try:
        answer = await client.get(f"{ME}/export", headers=cast.candidate.headers)
    finally:
        app.state.engines = real
        if gone is not None:
            await gone.close()
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    hits = json.loads(packed.read("hits.json"))
    assert [hit["missing"][: len(said or "")] for hit in hits] == ([said] if said else [])
    assert "audit-log.json" in packed.namelist()


async def test_the_archive_holds_what_one_did_for_a_company(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(session, cast.employer, cast.company)
    application, _ = await apply(client, cast, job)
    headers = cast.employer.headers
    moved = await client.patch(
        f"/api/v1/applications/{application}", json={"stage": "interview"}, headers=headers
    )
    closed = await client.post(f"/api/v1/jobs/{job.id}/close", headers=headers)
    assert (moved.status_code, closed.status_code) == (200, 200)
    answer = await client.get(f"{ME}/export", headers=headers)
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    (close,) = json.loads(packed.read("job-steps.json"))
    assert (close["job_id"], close["step"]) == (str(job.id), "close")
    steps = json.loads(packed.read("application-steps.json"))
    assert (application, "interview") in {(s["application_id"], s["stage"]) for s in steps}
    assert {step["side"] for step in steps} == {"company"}


async def test_the_archive_does_not_say_where_moderators_sit(
    client: httpx2.AsyncClient, cast: Cast
) -> None:
    for suspended in (True, False):
        path = f"/api/v1/admin/people/{cast.candidate.id}"
        changed = {"suspended": suspended, "reason": "a mistake"}
        answer = await client.patch(path, json=changed, headers=cast.admin.headers)
        assert answer.status_code == 200
    form = {"grant_type": "password", "username": cast.candidate.actor.email}
    assert (
        await client.post("/api/v1/auth/token", data=form | {"password": "guessed"})
    ).status_code == 401
    pair = (await client.post("/api/v1/auth/token", data=form | {"password": PASSWORD})).json()
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    answer = await client.get(f"{ME}/export", headers=bearer)
    log = json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("audit-log.json"))
    assert {entry["action"]: entry["address"] for entry in log} == {
        "person.suspended": "",
        "person.restored": "",
        "login.failed": "127.0.0.0/24",
        "login.opened": "127.0.0.0/24",
    }


async def test_archives_are_limited(
    client: httpx2.AsyncClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EXPORTS", "1/hour")
    first, second = [
        await client.get(f"{ME}/export", headers=cast.candidate.headers) for _ in range(2)
    ]
    assert (first.status_code, second.status_code) == (200, 429)
    assert int(second.headers["retry-after"]) > 0


async def test_an_erased_candidate_is_nowhere(
    client: httpx2.AsyncClient,
    session: AsyncSession,
    cast: Cast,
    app: FastAPI,
    context: Context,
    settings: Settings,
) -> None:
    job = await make_job(session, cast.employer, cast.company)
    application, resume = await apply(client, cast, job)
    await client.post("/api/v1/tasks", json={"title": "Call"}, headers=cast.candidate.headers)
    key = (await session.get_one(Upload, UUID(resume))).key
    hits = app.state.engines.mongo.database[HITS]
    person = str(cast.candidate.id)
    await hits.insert_one({"person_id": person, "route": "/x", "address": "10.0.0.0/24"})
    wrong = await erase(client, cast.candidate, "another sentence")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/current_password")
    assert (await erase(client, cast.candidate)).status_code == 204
    assert (await client.get(ME, headers=cast.candidate.headers)).status_code == 401
    assert (await erase(client, cast.candidate)).status_code == 401
    email = cast.candidate.actor.email
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    assert (await client.post("/api/v1/auth/token", data=form)).status_code == 401
    for kind in (Task, LoginSession, Upload):
        of_them = select(kind).where(kind.person_id == cast.candidate.id)
        assert (await session.scalars(of_them)).all() == []
    session.expire_all()
    assert (await session.get_one(Person, cast.candidate.id)).full_name == "Erased person"
    row = await session.get_one(Application, UUID(application))
    assert (row.stage, row.cover_letter, row.resume_id) == (Stage.WITHDRAWN, "", None)
    seen = await client.get(f"/api/v1/applications/{application}", headers=cast.employer.headers)
    assert seen.json()["candidate"]["full_name"] == "Erased person"
    assert email not in seen.text
    path = f"/api/v1/admin/people/{person}"
    for suspended in (True, False):  # no moderator brings the line to life, or writes on it
        body = {"suspended": suspended, "reason": "Cam wrote us"}
        revived = await client.patch(path, json=body, headers=cast.admin.headers)
        assert (revived.status_code, revived.json()["code"]) == (409, "person_erased")
    await stored(app.state.hits)  # the second time it is forgotten, none waits any more
    await outbox.deliver_all(context)
    with pytest.raises(FileNotFoundError):
        await app.state.engines.storage.open(key)
    assert await hits.count_documents({"person_id": person}) == 0
    assert await hits.count_documents({"route": "/x", "address": ""}) >= 1
    again = await make_user(session, settings, email=email)
    assert again.id != cast.candidate.id


async def tables_with(session: AsyncSession, word: str) -> set[str]:
    """The tables with a row that holds `word` in any column, also as bytes."""
    found = set()
    for table in Base.metadata.sorted_tables:
        columns = [
            func.pg_catalog.position(each, word.encode()) > 0
            if isinstance(each.type, LargeBinary)
            else each.cast(Text).icontains(word)
            for each in table.c
        ]
        if await session.scalar(select(exists().where(or_(*columns)))):
            found.add(table.name)
    return found


async def test_no_table_keeps_name_or_address(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, app: FastAPI, context: Context
) -> None:
    zoe = {"email": "zoe@quill.example.com", "full_name": "Zoe Quill", "password": PASSWORD}
    once = {"Idempotency-Key": str(uuid4())}
    signed_up = await client.post("/api/v1/auth/register", json=zoe, headers=once)
    person = signed_up.json()["id"]
    form = {"grant_type": "password", "username": zoe["email"], "password": PASSWORD}
    pair = (await client.post("/api/v1/auth/token", data=form)).json()
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    job = await make_job(session, cast.employer, cast.company)
    path = f"/api/v1/jobs/{job.id}/applications"
    letter = {"cover_letter": "Zoe Quill here"}
    assert (await client.post(path, json=letter, headers=bearer)).status_code == 201
    await outbox.deliver_all(context)
    await client.post("/api/v1/auth/password-reset", json={"email": zoe["email"]})
    new_email = {"email": "zoe@new.example.com", "current_password": PASSWORD}
    await client.post(f"{ME}/email", json=new_email, headers=bearer)  # both letters still wait
    body = {"current_password": PASSWORD}
    gone = await client.request("DELETE", ME, json=body, headers=bearer)
    assert gone.status_code == 204
    for word in ("Zoe Quill", "zoe@quill.example.com", "zoe@new.example.com"):
        assert await tables_with(session, word) == set()
    # What a request under way writes once the account is gone goes a little later.
    await stored(app.state.hits)
    await outbox.deliver_all(context)
    session.add(Task(person_id=UUID(person), title="Zoe Quill was late"))
    hits = app.state.engines.mongo.database[HITS]
    await hits.insert_one({"person_id": person, "route": "/late", "address": "10.0.0.0/24"})
    await session.execute(update(Message).values(available_at=now()))
    await session.commit()
    await outbox.deliver_all(context)
    assert await tables_with(session, "Zoe Quill") == set()
    assert await hits.count_documents({"person_id": person}) == 0


async def test_a_letter_under_way_makes_no_link_for_who_is_erased(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    about = {"kind": "email_changed", "person_id": str(cast.candidate.id)}
    assert (await erase(client, cast.candidate)).status_code == 204
    letter = Message(kind=links.LETTER, payload=about | {"email": "old@example.com"})
    assert await links.write(session, letter) is None


async def test_an_employer_leaves_the_jobs_behind(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    job = await make_job(session, cast.employer, cast.company)
    member = CompanyMember(company_id=cast.company.id, person_id=cast.rival.id, role="recruiter")
    session.add(member)
    await session.commit()
    refused = await erase(client, cast.employer)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_owner")
    assert cast.company.name in refused.json()["detail"]
    await session.execute(update(CompanyMember).values(role="owner"))
    await session.commit()
    assert (await erase(client, cast.employer)).status_code == 204
    stays = await client.get(f"/api/v1/jobs/{job.id}")
    assert stays.json()["status"] == "published"
    assert (await erase(client, cast.rival)).status_code == 204
    assert (await client.get(f"/api/v1/jobs/{job.id}")).json()["status"] == "closed"


async def test_the_last_moderator_stays(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, cast: Cast
) -> None:
    refused = await erase(client, cast.admin)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
    await make_user(session, settings, Role.ADMIN)
    assert (await erase(client, cast.admin)).status_code == 204


async def test_rejected_applications_expire(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast, context: Context
) -> None:
    jobs = [await make_job(session, cast.employer, cast.company) for _ in range(3)]
    ids = [UUID((await apply(client, cast, job))[0]) for job in jobs]
    old = now() - timedelta(days=181)
    for row_id, stage, moment in zip(
        ids, (Stage.REJECTED, Stage.REJECTED, Stage.HIRED), (old, now(), old), strict=True
    ):
        values = {"stage": stage, "updated_at": moment}
        await session.execute(update(Application).where(Application.id == row_id).values(values))
    await session.commit()
    await privacy.expire_rejected(context)
    assert set(await session.scalars(select(Application.id))) == set(ids[1:])


async def test_credits_are_exported_and_their_ledger_stays_without_a_name(
    client: httpx2.AsyncClient, session: AsyncSession, cast: Cast
) -> None:
    theirs = await make_wallet(session, person=cast.rival.id)
    wallet = await make_wallet(session, person=cast.candidate.id, holds=1000)
    payment = {
        "from_wallet_id": str(wallet.id),
        "to_wallet_id": str(theirs.id),
        "amount": 400,
        "currency": "EUR",
        "memo": "For Cam's bicycle",
    }
    key = {"Idempotency-Key": "bicycle"}
    sent = await client.post(
        "/api/v1/transfers", json=payment, headers=cast.candidate.headers | key
    )
    assert sent.status_code == 201
    other = await make_wallet(session, company=cast.company.id, holds=500)
    await session.execute(
        insert(CompanyMember).values(
            company_id=cast.company.id,
            person_id=cast.candidate.id,
            role=MemberRole.RECRUITER,
            spending_limit=500,
        )
    )
    await session.commit()
    payment |= {"from_wallet_id": str(other.id), "amount": 5, "memo": "From Cam, for the company"}
    await client.post(
        "/api/v1/transfers",
        json=payment,
        headers=cast.candidate.headers | {"Idempotency-Key": "company"},
    )
    answer = await client.get(f"{ME}/export", headers=cast.candidate.headers)
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    assert json.loads(packed.read("wallets.json"))[0]["balance"] == 600
    lines = json.loads(packed.read("wallet-entries.json"))
    assert [(line["amount"], line["memo"]) for line in lines][-1] == (-400, "For Cam's bicycle")
    assert (await erase(client, cast.candidate)).status_code == 204
    read = await client.get(f"/api/v1/wallets/{theirs.id}/entries", headers=cast.rival.headers)
    company, line = read.json()["items"]
    assert (company["amount"], company["memo"]) == (5, "")
    assert (line["amount"], line["balance"], line["memo"]) == (400, 400, "")
    assert line["other"]["name"] == "Erased person"
    left = await client.get(f"/api/v1/wallets/{wallet.id}", headers=cast.admin.headers)
    assert (left.json()["balance"], left.json()["frozen"]) == (600, True)
