"""The main job, end to end, as a script would do it: post, approve, find, apply, answer."""

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from jobboard.accounts.models import Role
from jobboard.settings import Settings
from tests.factories.files import pdf
from tests.factories.people import make_user

pytestmark = pytest.mark.anyio


async def sign_up(client: httpx2.AsyncClient, role: str) -> dict[str, str]:
    person = {
        "email": f"{role}@example.com",
        "password": "seven sleepy sheep",
        "full_name": f"The {role}",
        "role": role,
    }
    await client.post("/api/v1/auth/register", json=person)
    form = {
        "grant_type": "password",
        "username": person["email"],
        "password": person["password"],
    }
    token = (await client.post("/api/v1/auth/token", data=form)).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


async def test_from_a_new_company_to_a_person_hired(
    client: httpx2.AsyncClient, session: AsyncSession, settings: Settings
) -> None:
    employer = await sign_up(client, "employer")
    company = await client.post(
        "/api/v1/companies", json={"name": "Harbour Bakery"}, headers=employer
    )
    assert company.status_code == 201

    draft = await client.post(
        "/api/v1/jobs",
        json={
            "company_id": company.json()["id"],
            "title": "Baker, early shift",
            "description": "You bake **bread** and rolls.\n\n- from three\n- to eleven",
            "location": "Hamburg, Germany",
            "employment_type": "full_time",
            "salary": {"min": 280000, "max": 320000, "currency": "EUR", "period": "month"},
            "tags": ["Baking", "baking", "shift work"],
        },
        headers=employer,
    )
    assert draft.status_code == 201
    job = draft.json()
    assert job["status"] == "draft"
    assert job["tags"] == ["baking", "shift work"]
    assert job["salary"]["yearly_max"] == 320000 * 12
    assert job["country"] == "DE"
    assert "<strong>bread</strong>" in job["description_html"]
    path = f"/api/v1/jobs/{job['id']}"
    assert (await client.get(path)).status_code == 404  # nobody else sees a draft

    assert (await client.post(f"{path}/submit", headers=employer)).json()["status"] == "pending"
    assert (await client.get("/api/v1/jobs")).json()["items"] == []

    admin = (await make_user(session, settings, Role.ADMIN)).headers
    waiting = (await client.get("/api/v1/admin/jobs?status=pending", headers=admin)).json()
    assert [item["job"]["id"] for item in waiting["items"]] == [job["id"]]
    assert "first_job" in [reason["code"] for reason in waiting["items"][0]["reasons"]]
    approved = await client.post(f"/api/v1/admin/jobs/{job['id']}/approve", headers=admin)
    assert approved.json()["status"] == "published"

    query = {"q": "bakery bread", "location": "hamburg", "employment_type": "full_time"}
    found = (await client.get("/api/v1/jobs", params=query)).json()
    assert found["total"] == {"value": 1, "relation": "eq"}
    assert found["items"][0]["company"]["name"] == "Harbour Bakery"

    candidate = await sign_up(client, "candidate")
    resume = await client.post(
        "/api/v1/resumes",
        files={"file": ("cv.pdf", pdf(), "application/pdf")},
        headers=candidate,
    )
    assert resume.status_code == 201
    sent = await client.post(
        f"{path}/applications",
        json={"cover_letter": "I rise early.", "resume_id": resume.json()["id"]},
        headers=candidate,
    )
    assert sent.status_code == 201
    assert sent.json()["stage"] == "submitted"
    assert sent.json()["notes"] is None

    listed = (await client.get(f"{path}/applications", headers=employer)).json()
    assert [item["candidate"]["full_name"] for item in listed["items"]] == ["The candidate"]
    application = f"/api/v1/applications/{sent.json()['id']}"
    opened = (await client.get(application, headers=employer)).json()
    assert opened["stage"] == "viewed"
    file = await client.get(f"/api/v1/resumes/{resume.json()['id']}/file", headers=employer)
    assert file.content == pdf()

    for stage in ("interview", "offer", "hired"):
        moved = await client.patch(
            application, json={"stage": stage, "note": f"to {stage}"}, headers=employer
        )
        assert moved.json()["stage"] == stage
    assert [note["body"] for note in moved.json()["notes"]] == [
        "to interview",
        "to offer",
        "to hired",
    ]

    mine = (await client.get(application, headers=candidate)).json()
    assert [(step["stage"], step["by"]) for step in mine["history"]] == [
        ("submitted", "candidate"),
        ("viewed", "company"),
        ("interview", "company"),
        ("offer", "company"),
        ("hired", "company"),
    ]
    assert mine["notes"] is None
    assert (await client.get("/api/v1/me/applications", headers=candidate)).json()["items"][0][
        "stage"
    ] == "hired"
