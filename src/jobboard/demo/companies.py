"""The companies of the demo board, with a team for the demo log-in and a few logos."""

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.clock import now
from jobboard.companies.invitations import LIVES
from jobboard.companies.models import Company, CompanyInvitation, CompanyMember, MemberRole
from jobboard.companies.service import logo_key_of
from jobboard.demo.logos import draw
from jobboard.demo.vocabulary import Employer, vocabulary
from jobboard.infra.pictures import Pictures
from jobboard.infra.richtext import markdown_to_html
from jobboard.infra.slugs import slugify, unique_slug
from jobboard.infra.storage import Storage
from jobboard.settings import Settings
from jobboard.uploads.models import UploadKind
from jobboard.uploads.service import add_picture

AGE = timedelta(days=200)
INVITED = "colleague@example.org"


async def companies(
    session: AsyncSession, storage: Storage, settings: Settings, owner_id: UUID
) -> dict[str, tuple[UUID, str]]:
    """Each company's id and name by its key; those that are missing are made."""
    known = await _known(session)
    new = [one for key, one in vocabulary().employers.items() if key not in known]
    if not new:
        return known
    await session.execute(insert(Company), await _rows(session, new))
    known = await _known(session)
    owned = [known[one.key][0] for one in new if one.of_demo_login]
    if owned:
        await session.execute(
            insert(CompanyMember),
            [{"company_id": i, "person_id": owner_id, "role": MemberRole.OWNER} for i in owned],
        )
        await session.execute(insert(CompanyInvitation).values(_invitation(owned[0], owner_id)))
    await _show_logos(session, storage, settings, owner_id, known, [one for one in new if one.logo])
    return known


async def _known(session: AsyncSession) -> dict[str, tuple[UUID, str]]:
    """The demo's companies are known by their websites, which nobody else can have."""
    keys = {one.website: key for key, one in vocabulary().employers.items()}
    rows = await session.execute(
        select(Company.website, Company.id, Company.name).where(Company.website.in_(keys))
    )
    return {keys[site]: (company_id, name) for site, company_id, name in rows if site}


async def _rows(session: AsyncSession, new: list[Employer]) -> list[dict[str, object]]:
    slugs = {one.key: slugify(one.name) for one in new}
    taken = set(await session.scalars(select(Company.slug).where(Company.slug.in_(slugs.values()))))
    return [
        {
            "name": one.name,
            "slug": unique_slug(one.name) if slugs[one.key] in taken else slugs[one.key],
            "website": one.website,
            "description": one.description,
            "description_html": markdown_to_html(one.description),
            "created_at": now() - AGE,
        }
        for one in new
    ]


def _invitation(company_id: UUID, owner_id: UUID) -> dict[str, object]:
    """One that waits for its answer. Nobody is written to."""
    return {
        "company_id": company_id,
        "email": INVITED,
        "role": MemberRole.RECRUITER,
        "invited_by": owner_id,
        "expires_at": now() + LIVES,
    }


async def _show_logos(
    session: AsyncSession,
    storage: Storage,
    settings: Settings,
    owner_id: UUID,
    known: dict[str, tuple[UUID, str]],
    employers: list[Employer],
) -> None:
    pictures = Pictures(waiting=len(employers))
    read = await asyncio.gather(*(pictures.read(draw(*one.logo)) for one in employers))
    for one, picture in zip(employers, read, strict=True):
        upload = await add_picture(
            session,
            storage,
            settings,
            owner_id,
            picture,
            filename=f"{one.key}.png",
            kind=UploadKind.LOGO,
        )
        await session.execute(
            update(Company)
            .where(Company.id == known[one.key][0])
            .values(logo_key=logo_key_of(upload))
        )
