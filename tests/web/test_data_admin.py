"""/admin/data: admins read the tables and mend a little; secrets stay where they are."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Person, Role
from jobboard.audit import service as audit
from jobboard.audit.models import MAX_DETAILS, AuditEntry
from jobboard.companies.models import Company
from jobboard.infra.postgres import Database
from jobboard.jobs.models import Job, JobStatus
from tests.factories.people import PASSWORD
from tests.statements import statements
from tests.web.browser import Browser
from tests.web.conftest import Town

pytestmark = pytest.mark.anyio
PATH = "/admin/data"
TABLES = (
    "person",
    "company",
    "company-member",
    "job",
    "job-event",
    "job-report",
    "application",
    "upload",
    "audit-entry",
)


async def admin(town: Town) -> Browser:
    return (await town.person(Role.ADMIN, full_name="Ali Admin"))[1]


async def fresh(town: Town, kind: type, row_id: object):
    async with AsyncSession(town.session.bind, expire_on_commit=False) as session:
        return await session.get(kind, row_id)


async def test_only_admins_come_in(town: Town) -> None:
    for path in (PATH, f"{PATH}/", f"{PATH}/person/list", f"{PATH}/static/js/sa-dom.js"):
        for nobody in (town.stranger, Browser(town.client, "a log-in that has ended")):
            assert (await nobody.get(path)).location.startswith("/log-in?next=%2Fadmin%2Fdata")
        for role in (Role.CANDIDATE, Role.EMPLOYER):
            _, browser = await town.person(role)
            page = await browser.get(path)
            assert (page.status, "Only moderators" in page.text) == (403, True), path


@pytest.mark.parametrize("table", TABLES)
async def test_each_table_is_shown_without_secrets(town: Town, table: str) -> None:
    desk = await admin(town)
    await town.job()
    page = await desk.get(f"{PATH}/{table}/list")
    assert page.status == 200
    person = await fresh(town, Person, town.owner.id)
    assert person.password_hash not in page.html
    assert "argon2" not in page.html
    assert "rsms.me" not in page.html
    for step in ("create", "edit"):
        answer = await desk.get(f"{PATH}/{table}/{step}?pk={town.owner.id}")
        editable = step == "edit" and table == "person"
        assert answer.status == (200 if editable else 404 if answer.status == 404 else 403)


async def test_the_first_page_offers_what_can_be_done(town: Town) -> None:
    page = await (await admin(town)).get(f"{PATH}/")
    for table in TABLES:
        assert f"{PATH}/{table}/list" in page.html
        assert f"{PATH}/{table}/create" not in page.html
    assert 'href="/admin"' in page.html


async def test_the_pages_have_a_policy_of_their_own(town: Town, client: httpx2.AsyncClient) -> None:
    desk = await admin(town)
    answer = await desk._send("GET", f"{PATH}/person/list")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "http" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    elsewhere = await desk._send("GET", "/admin/people")
    assert "unsafe-inline" not in elsewhere.headers["content-security-policy"]


async def edit(desk: Browser, table: str, row_id: object, **changes: str) -> tuple[int, str]:
    path = f"{PATH}/{table}/edit?pk={row_id}"
    page = await desk.get(path)
    form = next(form for form in page.forms if "csrftoken" in form.fields)
    assert "_add_another" not in page.html  # that would lead to a refusal
    answer = await desk.post(path, {**form.fields, **changes})
    return answer.status, answer.text


async def test_a_change_is_told_to_the_audit_log(town: Town) -> None:
    desk = await admin(town)
    assert (await edit(desk, "person", town.owner.id, full_name="Erin <i>E</i>"))[0] == 303
    assert (await fresh(town, Person, town.owner.id)).full_name == "Erin <i>E</i>"
    entry = (await town.session.scalars(select(AuditEntry))).one()
    assert (entry.action, entry.subject_id) == ("data.edited", town.owner.id)
    assert entry.details == {"columns": ["full_name"]}
    page = await desk.get(f"{PATH}/person/list")
    assert "<i>E</i>" not in page.html
    assert (await edit(desk, "person", town.owner.id))[0] == 303  # nothing to tell of
    assert len((await town.session.scalars(select(AuditEntry))).all()) == 1


async def test_the_rules_of_the_core_hold(town: Town) -> None:
    desk = await admin(town)
    job = await town.job(description="Old words. " * 30)
    status, _ = await edit(desk, "job", job.id, description="You **bake**.", status="draft")
    assert status == 303
    stored = await fresh(town, Job, job.id)
    assert "<strong>bake</strong>" in stored.description_html
    assert stored.status is JobStatus.PENDING  # substance changed: read once more
    refused, said = await edit(desk, "company", town.company.id, website="javascript:alert(1)")
    assert refused == 422
    assert (await fresh(town, Company, town.company.id)).website is None
    assert "address" in said


async def test_who_is_erased_gets_no_new_name(town: Town) -> None:
    user, browser = await town.person()
    desk = await admin(town)
    page = await browser.get("/me/privacy")
    gone = await browser.submit(page, "/me/erase", current_password=PASSWORD, sure="yes")
    assert gone.status == 303
    refused, said = await edit(desk, "person", user.id, full_name="Cam Again")
    assert (refused, "erased" in said) == (422, True)
    assert (await fresh(town, Person, user.id)).full_name == "Erased person"


async def test_an_edit_that_cannot_be_told_is_not_made(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await admin(town)
    record = audit.record

    def too_much(*args: Any, **fields: Any) -> None:
        fields["details"] = {"columns": "x" * MAX_DETAILS}
        record(*args, **fields)

    monkeypatch.setattr(audit, "record", too_much)
    assert (await edit(desk, "person", town.owner.id, full_name="Else"))[0] == 500
    assert (await fresh(town, Person, town.owner.id)).full_name == "Erin Employer"
    assert (await town.session.scalars(select(AuditEntry))).all() == []


@pytest.mark.parametrize(
    "query", ["sort=password_hash__asc", "filter=password_hash__startswith%3D%24argon2"]
)
async def test_what_is_not_shown_can_not_be_guessed_by_sorting_or_filtering(
    town: Town, db: Database, query: str
) -> None:
    desk = await admin(town)
    with statements(db) as asked:
        await desk.get(f"{PATH}/person/list?{query}")
    after = [each.partition("WHERE")[2] or each.partition("ORDER BY")[2] for each in asked]
    assert any("people" in each for each in asked)
    assert not any("password_hash" in each for each in after)


async def test_forged_edits_are_refused(town: Town) -> None:
    desk = await admin(town)
    path = f"{PATH}/person/edit?pk={town.owner.id}"
    assert (await desk.post(path, {"full_name": "X"})).status == 403
    page = await desk.get(path)
    form = next(form for form in page.forms if "csrftoken" in form.fields)
    cross = {"Sec-Fetch-Site": "cross-site"}
    answer = await desk.post(path, {**form.fields, "full_name": "X"}, headers=cross)
    assert answer.status == 403
    assert (await fresh(town, Person, town.owner.id)).full_name == "Erin Employer"
