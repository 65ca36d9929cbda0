"""Every list goes on where its last page ended."""

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.companies.models import Company
from jobboard.jobs import service as jobs
from jobboard.jobs.models import ReportReason
from jobboard.jobs.schemas import ReportCreate
from jobboard.notifications import blocks
from jobboard.notifications.models import BlockReason
from jobboard.settings import Settings
from tests.api.v1.conftest import Cast
from tests.factories.alerts import make_saved_search
from tests.factories.companies import make_company
from tests.factories.jobs import make_job
from tests.factories.people import User
from tests.factories.wallets import make_wallet
from tests.factories.webhooks import make_webhook

pytestmark = pytest.mark.anyio
AT_LEAST = 2  # of each, so that there is a second page


async def leaf_through(client: httpx2.AsyncClient, path: str, user: User) -> list[str]:
    """The ids of a list that is read one by one."""
    found, cursor = [], ""
    while cursor is not None:
        asked = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(path, params=asked, headers=user.headers)).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    return found


async def test_one_by_one_they_are_all_there_once_and_in_the_same_order(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings, cast: Cast
) -> None:
    employer = cast.employer
    second = await make_company(session, employer)
    for company in (cast.company, second):
        await _fill(session, settings, cast, company)
    for number in (1, 2):
        await make_saved_search(session, cast.candidate, q=f"baker {number}")
        await blocks.block(session, f"gone{number}@example.com", BlockReason.REPORTED, "full")
        await session.commit()
        key = {"company_id": str(second.id), "name": f"Site {number}", "scopes": ["jobs:read"]}
        made = await client.post("/api/v1/api-keys", json=key, headers=employer.headers)
        assert made.status_code == 201, made.text
    for path, user in {
        "/api/v1/saved-searches": cast.candidate,
        "/api/v1/api-keys": employer,
        "/api/v1/webhooks": employer,
        "/api/v1/me/companies": employer,
        "/api/v1/admin/people": cast.admin,
        "/api/v1/admin/reports": cast.admin,
        "/api/v1/admin/companies": cast.admin,
        "/api/v1/admin/mail-blocks": cast.admin,
        "/api/v1/admin/wallets": cast.admin,
    }.items():
        whole = (await client.get(path, headers=user.headers)).json()["items"]
        assert len(whole) >= AT_LEAST, path
        assert await leaf_through(client, path, user) == [item["id"] for item in whole], path


async def _fill(session: AsyncSession, settings: Settings, cast: Cast, company: Company) -> None:
    """A live ad that somebody reports, a new name, a webhook and a wallet."""
    job = await make_job(session, cast.employer, company)
    await jobs.report(session, None, job.id, ReportCreate(reason=ReportReason.SCAM, note="odd"))
    company.renamed_at, company.former_name = now(), "Old name"
    await make_webhook(session, settings, cast.employer, company)
    await make_wallet(session, company=company.id)
