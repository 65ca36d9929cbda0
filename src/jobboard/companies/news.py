"""News for everyone who acts for a company."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.companies import queries
from jobboard.infra.queue import enqueue
from jobboard.notifications.service import notify

COMPANY_NEWS = "companies.news"  # the message's kind; its payload: {company_id, kind, data}


def tell(session: AsyncSession, company_id: UUID, kind: str, data: dict[str, Any]) -> None:
    """Tell everyone later: what causes news of many companies at once need not look them up."""
    enqueue(session, COMPANY_NEWS, {"company_id": str(company_id), "kind": kind, "data": data})


async def tell_members(session: AsyncSession, payload: dict[str, Any]) -> None:
    """The second half: a mail for each who acts for the company now."""
    for person_id in await queries.member_ids(session, UUID(payload["company_id"])):
        notify(session, person_id, payload["kind"], payload["data"])
