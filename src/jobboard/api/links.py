"""Where an answer leads: OpenAPI links, so that clients and tests can go on from what they made.

Paths are those below a version's prefix. What is not there in a version is left out.
"""

from typing import Any

ID = "$response.body#/id"
COMPANY = (
    "GET /companies/{id}",
    "PATCH /companies/{id}",
    "PUT /companies/{id}/logo",
    "GET /companies/{id}/members",
    "POST /companies/{id}/members",
)
JOB = (
    "GET /jobs/{id}",
    "PATCH /jobs/{id}",
    "DELETE /jobs/{id}",
    "POST /jobs/{id}/submit",
    "POST /jobs/{id}/close",
    "POST /jobs/{id}/reopen",
    "POST /jobs/{id}/reports",
    "GET /jobs/{id}/applications",
    "POST /jobs/{id}/applications",
)
DECISIONS = (
    "POST /admin/jobs/{id}/approve",
    "POST /admin/jobs/{id}/reject",
    "POST /admin/jobs/{id}/remove",
    "POST /admin/jobs/{id}/restore",
)
APPLICATION = (
    "GET /applications/{id}",
    "PATCH /applications/{id}",
    "POST /applications/{id}/withdraw",
)
WEBHOOK = (
    "GET /webhooks/{id}",
    "PATCH /webhooks/{id}",
    "DELETE /webhooks/{id}",
    "POST /webhooks/{id}/rotate",
    "POST /webhooks/{id}/test",
    "GET /webhooks/{id}/deliveries",
)
WALLET = ("GET /wallets/{id}", "GET /wallets/{id}/entries")
OWN_WALLET = (*WALLET, "POST /admin/wallets/{id}/grants", "POST /admin/wallets/{id}/freeze")
TRANSFER = ("GET /transfers/{id}", "POST /admin/transfers/{id}/reverse")
PERSON = ("GET /admin/people/{id}", "PATCH /admin/people/{id}")
TASK = ("GET /tasks/{id}", "PUT /tasks/{id}", "PATCH /tasks/{id}", "DELETE /tasks/{id}")
# The `id` of the answer is the `{id}` of these.
LEADS_TO = {
    "POST /auth/register": PERSON,
    "PATCH /admin/people/{id}": PERSON,
    "POST /companies": COMPANY,
    "PATCH /companies/{id}": COMPANY,
    "POST /api-keys": ("DELETE /api-keys/{id}",),
    "POST /webhooks": WEBHOOK,
    "PATCH /webhooks/{id}": WEBHOOK,
    "POST /jobs": JOB,
    "PATCH /jobs/{id}": JOB,
    "POST /jobs/{id}/submit": (*JOB, *DECISIONS),
    "POST /jobs/{id}/close": JOB,
    "POST /jobs/{id}/reopen": JOB,
    "POST /admin/jobs/{id}/approve": (*JOB, *DECISIONS),
    "POST /admin/jobs/{id}/reject": (*JOB, *DECISIONS),
    "POST /admin/jobs/{id}/remove": (*JOB, *DECISIONS),
    "POST /jobs/{id}/applications": APPLICATION,
    "PATCH /applications/{id}": APPLICATION,
    "POST /applications/{id}/withdraw": APPLICATION,
    "POST /resumes": ("GET /resumes/{id}/file", "DELETE /resumes/{id}"),
    "POST /images": ("GET /images/{id}", "DELETE /images/{id}"),
    "GET /companies/{id}/wallet": OWN_WALLET,
    "POST /admin/wallets/{id}/freeze": ("POST /admin/wallets/{id}/unfreeze", *WALLET),
    "POST /admin/wallets/{id}/unfreeze": OWN_WALLET,
    "POST /transfers": TRANSFER,
    "POST /admin/wallets/{id}/grants": TRANSFER,
    "POST /admin/transfers/{id}/reverse": ("GET /transfers/{id}",),
    "POST /tasks": TASK,
    "PUT /tasks/{id}": TASK,
    "PATCH /tasks/{id}": TASK,
}
# The same of what else an answer names: where it stands there, and the operations.
NAMES = {
    "GET /me/sessions": ("/items/0/id", ("DELETE /me/sessions/{id}",)),
    "GET /wallets": ("/items/0/id", WALLET),
    "GET /wallets/{id}/entries": ("/items/0/transfer_id", TRANSFER),
    "GET /admin/people": ("/items/0/id", PERSON),
    "GET /admin/reports": ("/items/0/job_id", ("GET /jobs/{id}", "POST /admin/jobs/{id}/remove")),
    "POST /jobs/{id}/reports": ("/job_id", ("GET /jobs/{id}", "POST /admin/jobs/{id}/remove")),
}
# The `id` of the answer goes into the body of these, under this name.
GOES_INTO = {
    "POST /companies": {
        "POST /jobs": "company_id",
        "POST /api-keys": "company_id",
        "POST /webhooks": "company_id",
    },
    "POST /jobs": {"POST /tasks": "job_id"},
    "POST /jobs/{id}/applications": {"POST /tasks": "application_id"},
    "POST /resumes": {"POST /jobs/{id}/applications": "resume_id"},
}


def add_links(schema: dict[str, Any]) -> None:
    """Write the links into an OpenAPI document, each under the id of the operation it leads to."""
    operations = {
        (_prefix(path), f"{method.upper()} {path.removeprefix(_prefix(path))}"): operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }
    for (prefix, name), operation in operations.items():
        links = [(to, {"parameters": {"id": ID}}) for to in LEADS_TO.get(name, ())]
        where, named = NAMES.get(name, ("", ()))
        links += [(to, {"parameters": {"id": f"$response.body#{where}"}}) for to in named]
        links += [(to, {"requestBody": {f: ID}}) for to, f in GOES_INTO.get(name, {}).items()]
        for to, how in links:
            if target := operations.get((prefix, to)):
                answer = next(a for s, a in operation["responses"].items() if s.startswith("2"))
                link = {"operationId": target["operationId"], **how}
                answer.setdefault("links", {})[target["operationId"]] = link


def _prefix(path: str) -> str:
    """`/api/v1` of `/api/v1/jobs`; `` of what has no version."""
    parts = path.split("/", 3)
    return "/".join(parts[:3]) if parts[1] == "api" else ""
