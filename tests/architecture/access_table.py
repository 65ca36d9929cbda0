"""Who gets through to each route, page and file: one line for each. `test_access.py` walks it.

Everybody of CAST asks for the same things: a company of `owner` and `recruiter` and all that hangs
on it, and `candidate`'s own. To `rival` (another company's owner) and `stranger` (another
candidate) they are someone else's. Each asks again for a thing that is not there.

    only(*who, on=..., hidden=..., ...)   these get through, the others are refused
    everyone(on=..., ...)                  all do, without an account too

    on        the things whose ids fill the path, in its order; names of `World.things`
    hidden    those from whom the very existence of the thing is hidden: they get 404, not 403
    nobody    what those get who are not signed in: 401 (on a page: the way to the log-in), or 404
              where the thing is not public
    missing   what those who may get where the thing is not there
    scope     what a token needs for it (API only): `account` for what has no scope of its own;
              several where the route asks for the first and its work for the others
    keys      whether an API key of the company gets through though not all of TEAM do
    json, data, files, params, headers   what is sent: good enough to get through

A route with several lines is asked several times. A company's API key is let in where all of TEAM
are, with the `scope` of the line if that is one that keys have; to the key of another company the
thing is as hidden as to `rival`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.factories.files import pdf, picture

CAST = (
    "nobody",
    "suspended",  # an employer of the company who is shut out
    "candidate",
    "stranger",
    "owner",
    "recruiter",
    "rival",
    "admin",
)
OUT = {"nobody", "suspended"}
SIGNED_IN = frozenset(CAST) - OUT
CANDIDATES = frozenset({"candidate", "stranger"})
EMPLOYERS = frozenset({"owner", "recruiter", "rival", "admin"})
TEAM = frozenset({"owner", "recruiter"})
KEYLESS = frozenset({"recruiter", "rival", "admin"})  # employers, but no owners of the company
OTHERS = frozenset({"stranger", "rival"})  # those who do not even know of the candidate's things


@dataclass(frozen=True)
class Access:
    """Who gets through, and what the others get."""

    through: frozenset[str]
    on: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    refused: int = 403
    nobody: int = 401
    missing: int = 404
    scope: str = "account"
    keys: bool = False
    send: dict[str, Any] = field(default_factory=dict)


ANSWERS = ("refused", "nobody", "missing", "scope", "keys")


def only(*who: str | frozenset[str], on: str = "", hidden: Any = (), **more: Any) -> Access:
    """These get through: names of CAST, or sets of them."""
    answers = {name: more.pop(name) for name in ANSWERS if name in more}
    return Access(_names(who), tuple(on.split()), _names(hidden), **answers, send=more)


def _names(who: Iterable[str | frozenset[str]]) -> frozenset[str]:
    names = frozenset().union(*({each} if isinstance(each, str) else each for each in who))
    assert names <= set(CAST), names
    return names


def everyone(on: str = "", **more: Any) -> Access:
    """Nobody is asked who they are."""
    return only(frozenset(CAST), on=on, **more)


def hooks(on: str = "webhook", hidden: Any = CAST, **more: Any) -> Access:
    """What is done with a company's webhooks."""
    return only("owner", "admin", on=on, hidden=hidden, scope="webhooks", keys=True, **more)


def hook_page(on: str = "webhook", **more: Any) -> Access:
    """The same on pages."""
    return only("owner", "admin", on=on, hidden={"recruiter", "rival"}, **more)


PNG = {"file": ("logo.png", picture(), "image/png")}
CV = {"file": ("cv.pdf", pdf(), "application/pdf")}
WHY = {"reason": "It is a scam."}
NEW_WEBHOOK = {
    "company_id": "{company}",
    "name": "Site",
    "url": "https://93.184.215.14/hook",
    "events": ["job.published"],
}
NEW_KEY = {"company_id": "{company}", "name": "Site", "scopes": ["jobs:read"]}
MOVE = {"stage": "interview"}
JOB = {"title": "Cook", "description": "You cook."}
NEW_COMPANY = {"name": "A new one"}
SIGN_UP = {"email": "new@example.com", "password": "a long and quiet sentence", "full_name": "N"}
LOG_IN = {"username": "nobody@example.com", "password": "a long and quiet sentence"}
NEW_PASSWORD = {"token": "{reset_link}", "password": "another quiet sentence"}
NEW_ADDRESS = {"email": "moved@example.com", "current_password": "{password}"}
WRONG_CODE = {"current_password": "{password}", "code": "000000"}
PAYMENT = {
    "from_wallet_id": "{wallet}",
    "to_wallet_id": "{other_wallet}",
    "amount": 5,
    "currency": "EUR",
}
ONCE = {"Idempotency-Key": "5f1b1a0e-2d0c-4c4c-9d3e-0d8f3c1a7b52"}
PAY_BY_FORM = {"to": "{other_wallet}", "amount": "0.05", "key": "a"}
ANY = only(SIGNED_IN)
DESK = only(EMPLOYERS)

STAFF = only("admin")

# What a ticket opens; tests/api/v1/test_sockets.py asks there.
SOCKETS = {"WS /ws", "WS /api/v1/ws"}

ROUTES: dict[str, Access | list[Access]] = {
    # For machines
    "GET /healthz": everyone(),
    "GET /readyz": everyone(),
    "GET /metrics": everyone(),
    "GET /robots.txt": everyone(),
    "GET /static/{version}/{name}": everyone("old base.css", missing=200),
    "GET /images/{name}": everyone("image-file"),
    "GET /logos/{name}": everyone("old-logo"),
    "GET /api/openapi.json": everyone(),
    "GET /api/v1/openapi.json": everyone(),
    "GET /api/docs": everyone(),
    "GET /api/docs/start.js": everyone(),
    "GET /api/docs/{name}": everyone("swagger-ui.css"),
    # The API: people
    "POST /api/v1/auth/register": everyone(json=SIGN_UP),
    "POST /api/v1/auth/token": only(data={"grant_type": "password", **LOG_IN}, refused=401),
    "POST /api/v1/auth/revoke": everyone(data={"token": "unknown"}),
    "POST /api/v1/auth/verify-email": everyone(json={"token": "{verify_link}"}),
    "POST /api/v1/auth/password-reset": everyone(json={"email": "nobody@example.com"}),
    "POST /api/v1/auth/password-reset/confirm": everyone(json=NEW_PASSWORD),
    "POST /api/v1/auth/email-change": everyone(json={"token": "{change_link}"}),
    "POST /api/v1/auth/email-change/undo": everyone(json={"token": "{undo_link}"}),
    "GET /api/v1/me": ANY,
    # The only owner of a company with colleagues, and the last moderator, must stay.
    "DELETE /api/v1/me": only(
        CANDIDATES, "recruiter", "rival", json={"current_password": "{password}"}, refused=409
    ),
    "GET /api/v1/me/export": ANY,
    "PATCH /api/v1/me": only(SIGNED_IN, json={"full_name": "Another"}),
    "GET /api/v1/me/applications": only(SIGNED_IN, scope="applications:read"),
    "POST /api/v1/me/verify-email": ANY,
    "POST /api/v1/me/email": only(SIGNED_IN, json=NEW_ADDRESS),
    "GET /api/v1/me/sessions": ANY,
    "DELETE /api/v1/me/sessions": ANY,
    "DELETE /api/v1/me/sessions/{id}": only("candidate", on="login", hidden=CAST),
    # The second step: without a right code, nobody gets further than to be told so
    "GET /api/v1/me/second-factor": ANY,
    "POST /api/v1/me/second-factor": only(SIGNED_IN, json={"current_password": "{password}"}),
    "POST /api/v1/me/second-factor/confirm": only(refused=409, json={"code": "000000"}),
    "POST /api/v1/me/second-factor/recovery-codes": only(refused=422, json=WRONG_CODE),
    "POST /api/v1/me/second-factor/disable": only(refused=422, json=WRONG_CODE),
    # The API: keys
    "GET /api/v1/api-keys": only(SIGNED_IN, scope="keys"),
    "POST /api/v1/api-keys": only("owner", json=NEW_KEY, scope="keys jobs:read"),
    "DELETE /api/v1/api-keys/{id}": only("owner", on="key", hidden=CAST, scope="keys"),
    # The API: webhooks
    "GET /api/v1/webhooks": only(SIGNED_IN, scope="webhooks", keys=True),
    "POST /api/v1/webhooks": hooks(json=NEW_WEBHOOK, on="", hidden=()),
    "GET /api/v1/webhooks/{id}": hooks(),
    "PATCH /api/v1/webhooks/{id}": hooks(json={"active": True}),
    "DELETE /api/v1/webhooks/{id}": hooks(),
    "POST /api/v1/webhooks/{id}/rotate": hooks(),
    "POST /api/v1/webhooks/{id}/test": hooks(),
    "GET /api/v1/webhooks/{id}/deliveries": hooks(),
    "GET /api/v1/webhooks/{id}/deliveries/{delivery_id}": hooks(on="webhook delivery"),
    "POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend": hooks(on="webhook delivery"),
    # The API: companies
    "GET /api/v1/suggestions": everyone(params={"q": "b"}),
    "GET /api/v1/companies": everyone(),
    "GET /api/v1/me/companies": only(SIGNED_IN, scope="companies:read"),
    "POST /api/v1/companies": only(EMPLOYERS, json=NEW_COMPANY, scope="companies:write"),
    "GET /api/v1/companies/{id}": everyone("company"),
    "PATCH /api/v1/companies/{id}": only(
        "owner", "admin", on="company", json={"website": None}, scope="companies:write"
    ),
    "PUT /api/v1/companies/{id}/logo": only(
        "owner", "admin", on="company", files=PNG, scope="companies:write"
    ),
    "GET /api/v1/companies/{id}/members": only(TEAM, "admin", on="company", scope="companies:read"),
    "POST /api/v1/companies/{id}/members": only(
        "owner", "admin", on="company", json={"email": "rival@example.com"}, scope="companies:write"
    ),
    "DELETE /api/v1/companies/{id}/members/{person_id}": only(
        TEAM, "admin", on="company recruiter", scope="companies:write"
    ),
    "POST /api/v1/invitations/accept": only(
        "rival", json={"token": "{invitation_link}"}, scope="companies:write"
    ),
    "DELETE /api/v1/invitations/{id}": only(
        "owner", "admin", on="invitation", hidden=CAST, scope="companies:write"
    ),
    # The API: jobs
    "GET /api/v1/jobs": everyone(),
    "POST /api/v1/jobs": only(
        TEAM, "admin", json=JOB | {"company_id": "{company}"}, scope="jobs:write"
    ),
    "GET /api/v1/jobs/{id}": [
        everyone("job"),
        only(TEAM, "admin", on="draft", hidden=CAST, nobody=404, scope="jobs:read"),
    ],
    "GET /api/v1/jobs/{id}/similar": [
        everyone("job"),
        only(TEAM, "admin", on="draft", hidden=CAST, nobody=404, scope="jobs:read"),
    ],
    "PATCH /api/v1/jobs/{id}": [
        only(TEAM, "admin", on="job", json={"tags": ["a"]}, scope="jobs:write"),
        only(TEAM, "admin", on="draft", json={"tags": ["a"]}, hidden=CAST, scope="jobs:write"),
    ],
    "DELETE /api/v1/jobs/{id}": only(TEAM, "admin", on="draft", hidden=CAST, scope="jobs:write"),
    "POST /api/v1/jobs/{id}/submit": only(
        TEAM, "admin", on="draft", hidden=CAST, scope="jobs:write"
    ),
    "POST /api/v1/jobs/{id}/close": only(TEAM, "admin", on="job", scope="jobs:write"),
    "POST /api/v1/jobs/{id}/reopen": only(TEAM, "admin", on="closed", scope="jobs:write"),
    "POST /api/v1/jobs/{id}/features": only(
        "owner",
        on="job",
        hidden={"recruiter", "admin"},  # their company's, but the wallet is not theirs
        json={"days": 1},
        headers=ONCE,
        scope="wallet:write jobs:write",
    ),
    "POST /api/v1/jobs/{id}/reports": [
        everyone("job", json={"reason": "scam"}),
        only(TEAM, "admin", on="draft", hidden=CAST, nobody=404, json={"reason": "scam"}),
    ],
    # The API: applications
    "POST /api/v1/jobs/{id}/applications": only(
        CANDIDATES, on="open", json={"cover_letter": "!"}, scope="applications:write"
    ),
    "GET /api/v1/jobs/{id}/applications": only(TEAM, "admin", on="job", scope="applications:read"),
    "GET /api/v1/companies/{id}/overdue-applications": only(
        TEAM, "admin", on="company", scope="applications:read"
    ),
    "POST /api/v1/companies/{id}/answers": only(
        TEAM,
        on="company",
        json={"applications": [{"id": "{application}"}], "stage": "interview"},
        scope="applications:write",
    ),
    "GET /api/v1/applications/{id}": only(
        TEAM, "candidate", "admin", on="application", hidden=CAST, scope="applications:read"
    ),
    "PATCH /api/v1/applications/{id}": only(
        TEAM, on="application", hidden=OTHERS, json={"note": "Good."}, scope="applications:write"
    ),
    "POST /api/v1/applications/{id}/withdraw": only(
        "candidate", on="application", hidden=OTHERS, scope="applications:write"
    ),
    "GET /api/v1/resumes": ANY,
    "POST /api/v1/resumes": only(SIGNED_IN, files=CV),
    "DELETE /api/v1/resumes/{id}": only("candidate", on="spare", hidden=CAST),
    "GET /api/v1/resumes/{id}/file": only(
        TEAM, "candidate", "admin", on="resume", hidden=CAST, scope="applications:read"
    ),
    "GET /api/v1/images": ANY,
    "POST /api/v1/images": only(SIGNED_IN, files=PNG),
    "GET /api/v1/images/{id}": only("candidate", on="image", hidden=CAST),
    "DELETE /api/v1/images/{id}": only("candidate", on="image", hidden=CAST),
    # The API: saved searches
    "GET /api/v1/notifications": ANY,
    "POST /api/v1/notifications/read": only(SIGNED_IN, json={}),
    "POST /api/v1/ws-tickets": ANY,
    "GET /me/notifications": ANY,
    "GET /me/notifications/{id}": only("candidate", on="news", hidden=CAST),
    "POST /me/notifications/read": only(SIGNED_IN, data={"until": "{news}"}),
    "POST /me/notifications/ticket": ANY,
    "GET /api/v1/saved-searches": only(SIGNED_IN),
    "POST /api/v1/saved-searches": only(SIGNED_IN, json={"search": {"q": "baker"}}),
    "GET /api/v1/saved-searches/{id}": only("candidate", on="search", hidden=CAST),
    "PATCH /api/v1/saved-searches/{id}": only(
        "candidate", on="search", hidden=CAST, json={"paused": True}
    ),
    "DELETE /api/v1/saved-searches/{id}": only("candidate", on="search", hidden=CAST),
    # The API: tasks
    "GET /api/v1/tasks": only(SIGNED_IN, scope="tasks:read"),
    "POST /api/v1/tasks": only(SIGNED_IN, json={"title": "Call"}, scope="tasks:write"),
    "GET /api/v1/tasks/{id}": only("candidate", on="task", hidden=CAST, scope="tasks:read"),
    "PUT /api/v1/tasks/{id}": only(
        "candidate", on="task", hidden=CAST, json={"title": "Call"}, scope="tasks:write"
    ),
    "PATCH /api/v1/tasks/{id}": only(
        "candidate", on="task", hidden=CAST, json={"done": True}, scope="tasks:write"
    ),
    "DELETE /api/v1/tasks/{id}": only("candidate", on="task", hidden=CAST, scope="tasks:write"),
    # The API: wallets
    "GET /api/v1/wallets": only(SIGNED_IN, scope="wallet:read"),
    "GET /api/v1/wallets/{id}": only(
        "owner", "admin", on="wallet", hidden=CAST, scope="wallet:read"
    ),
    "GET /api/v1/wallets/{id}/entries": only(
        "owner", "admin", on="wallet", hidden=CAST, scope="wallet:read"
    ),
    "GET /api/v1/companies/{id}/wallet": only(SIGNED_IN, on="company", scope="wallet:read"),
    "POST /api/v1/transfers": only(
        "owner", json=PAYMENT, headers=ONCE, refused=404, scope="wallet:write"
    ),
    "GET /api/v1/transfers/{id}": only(
        "owner", "admin", on="grant", hidden=CAST, scope="wallet:read"
    ),
    "GET /api/v1/admin/wallets": only("admin", scope="moderation"),
    "POST /api/v1/admin/wallets/{id}/grants": only(
        "admin", on="wallet", json={"amount": 5}, headers=ONCE, scope="moderation"
    ),
    "POST /api/v1/admin/wallets/{id}/freeze": only("admin", on="wallet", scope="moderation"),
    "POST /api/v1/admin/wallets/{id}/unfreeze": only("admin", on="wallet", scope="moderation"),
    "POST /api/v1/admin/transfers/{id}/reverse": only(
        "admin", on="grant", json={}, headers=ONCE, scope="moderation"
    ),
    # The API: moderation
    "GET /api/v1/admin/jobs": only("admin", scope="moderation"),
    "POST /api/v1/admin/jobs/{id}/approve": only("admin", on="pending", scope="moderation"),
    "POST /api/v1/admin/jobs/{id}/reject": only(
        "admin", on="pending", json=WHY, scope="moderation"
    ),
    "POST /api/v1/admin/jobs/{id}/remove": only("admin", on="job", json=WHY, scope="moderation"),
    "POST /api/v1/admin/jobs/{id}/restore": only("admin", on="removed", scope="moderation"),
    "GET /api/v1/admin/reports": only("admin", scope="moderation"),
    "GET /api/v1/admin/people": only("admin", scope="moderation"),
    "GET /api/v1/admin/people/{id}": only("admin", on="recruiter", scope="moderation"),
    "GET /api/v1/admin/companies": only("admin", scope="moderation"),
    "POST /api/v1/admin/companies/{id}/name-seen": only(
        "admin", on="company", json={"name": "Bakery"}, scope="moderation"
    ),
    "PATCH /api/v1/admin/people/{id}": only(
        "admin", on="recruiter", json={"suspended": True}, scope="moderation"
    ),
    "GET /api/v1/admin/audit-log": only("admin", scope="moderation"),
    "GET /api/v1/admin/mail-blocks": only("admin", scope="moderation"),
    "POST /api/v1/admin/mail-blocks": only(
        "admin", json={"email": "gone@example.com"}, scope="moderation"
    ),
    "DELETE /api/v1/admin/mail-blocks/{id}": only("admin", on="mail-block", scope="moderation"),
    "GET /api/v1/me/mail": ANY,
    "PATCH /api/v1/me/mail": only(SIGNED_IN, json={"digest": False}),
    "GET /api/v1/admin/synonyms": only("admin", scope="moderation"),
    "POST /api/v1/admin/synonyms": only(
        "admin", json={"terms": ["welder", "torch artist"]}, scope="moderation"
    ),
    "DELETE /api/v1/admin/synonyms/{id}": only("admin", on="synonym", scope="moderation"),
    "GET /api/v1/admin/queue": only("admin", scope="moderation"),
    "GET /api/v1/admin/messages": only("admin", scope="moderation"),
    "POST /api/v1/admin/messages/retry": only("admin", json={}, scope="moderation"),
    "POST /api/v1/admin/messages/drop": only("admin", json={}, scope="moderation"),
    "POST /api/v1/admin/messages/{id}/retry": only("admin", on="message", scope="moderation"),
    "POST /api/v1/admin/messages/{id}/drop": only("admin", on="message", scope="moderation"),
    "POST /api/v1/analytics/events": everyone(
        json={"name": "view", "properties": {"job_id": "01933f5e-8c1b-7cc1-a3c5-2f1f0b3d9a10"}}
    ),
    "GET /api/v1/jobs/{id}/analytics": only(TEAM, on="job", scope="jobs:read"),
    "GET /api/v1/admin/analytics/hits": only("admin", scope="moderation"),
    "GET /api/v1/admin/analytics/searches": only("admin", scope="moderation"),
    # Pages for everyone
    "GET /": everyone(),
    "GET /companies/{slug}": everyone("company-slug"),
    "GET /jobs/{slug}": [
        everyone("job-slug"),
        only(TEAM, "admin", on="draft-slug", hidden=CAST, nobody=404),
    ],
    "POST /jobs/{slug}/report": everyone("job-slug", data={"reason": "scam"}),
    "GET /sign-up": everyone(),
    "POST /sign-up": everyone(data=SIGN_UP),
    "GET /log-in": everyone(),
    "POST /log-in": everyone(data={"email": "rival@example.com", "password": "{password}"}),
    "GET /log-in/code": everyone(),
    "POST /log-in/code": everyone(data={"code": "000000"}),
    "POST /log-out": everyone(),
    "GET /verify-email": everyone(params={"token": "{verify_link}"}),
    "POST /verify-email": everyone(data={"token": "{verify_link}"}),
    "GET /forgot-password": everyone(),
    "POST /forgot-password": everyone(data={"email": "nobody@example.com"}),
    "GET /reset-password": everyone(params={"token": "{reset_link}"}),
    "POST /reset-password": everyone(data=NEW_PASSWORD),
    "GET /change-email": everyone(params={"token": "{change_link}"}),
    "POST /change-email": everyone(data={"token": "{change_link}"}),
    "GET /undo-change-email": everyone(params={"token": "{undo_link}"}),
    "POST /undo-change-email": everyone(data={"token": "{undo_link}"}),
    "GET /invitation": everyone(params={"token": "{invitation_link}"}),
    "POST /invitation": only("rival", data={"token": "{invitation_link}"}),
    # Pages of one's own
    "GET /jobs/{slug}/apply": only(CANDIDATES, on="open-slug"),
    "POST /jobs/{slug}/apply": only(
        CANDIDATES, on="open-slug", data={"cover_letter": "!", "consent": "yes"}
    ),
    "GET /me": ANY,
    "GET /me/privacy": ANY,
    "GET /me/export": ANY,
    "POST /me/erase": only(
        CANDIDATES,
        "recruiter",
        "rival",
        data={"current_password": "{password}", "sure": "yes"},
        refused=409,
    ),
    "POST /me": only(SIGNED_IN, data={"full_name": "Another"}),
    "POST /me/password": only(
        SIGNED_IN, data={"current_password": "{password}", "new_password": "another sentence"}
    ),
    "POST /me/verify-email": ANY,
    "POST /me/email": only(SIGNED_IN, data=NEW_ADDRESS),
    "GET /me/security": ANY,
    "POST /me/security/log-ins/end-others": ANY,
    "POST /me/security/log-ins/{login_id}/end": only("candidate", on="login", hidden=CAST),
    "GET /me/security/two-step": ANY,
    "POST /me/security/two-step": only(SIGNED_IN, data={"current_password": "{password}"}),
    "POST /me/security/two-step/confirm": only(refused=409, data={"code": "000000"}),
    "GET /me/security/recovery-codes": ANY,
    "POST /me/security/recovery-codes": only(refused=422, data=WRONG_CODE),
    "GET /me/security/two-step/off": ANY,
    "POST /me/security/two-step/off": only(refused=422, data=WRONG_CODE),
    "GET /me/applications": ANY,
    "GET /me/applications/{application_id}": only("candidate", on="application", hidden=CAST),
    "GET /me/applications/{application_id}/withdraw": only(
        "candidate", on="application", hidden=CAST
    ),
    "POST /me/applications/{application_id}/withdraw": only(
        "candidate", on="application", hidden=OTHERS
    ),
    "GET /me/alerts": ANY,
    "POST /me/alerts": only(SIGNED_IN, data={"search": "q=baker", "frequency": "daily"}),
    "POST /me/alerts/time-zone": only(SIGNED_IN, data={"time_zone": "Europe/Berlin"}),
    "GET /me/alerts/new": ANY,
    "GET /me/alerts/{search_id}": only("candidate", on="search", hidden=CAST),
    "POST /me/alerts/{search_id}": only(
        "candidate", on="search", hidden=CAST, data={"name": "Mine", "frequency": "weekly"}
    ),
    "POST /me/alerts/{search_id}/pause": only(
        "candidate", on="search", hidden=CAST, data={"paused": "yes"}
    ),
    "POST /me/alerts/{search_id}/delete": only("candidate", on="search", hidden=CAST),
    "GET /me/tasks": ANY,
    "POST /me/tasks": only(SIGNED_IN, data={"title": "Call"}),
    "POST /me/tasks/delete-done": ANY,
    "GET /me/tasks/{task_id}": only("candidate", on="task", hidden=CAST),
    "POST /me/tasks/{task_id}": only("candidate", on="task", hidden=CAST, data={"title": "Call"}),
    "POST /me/tasks/{task_id}/done": only(
        "candidate", on="task", hidden=CAST, data={"done": "yes"}
    ),
    "POST /me/tasks/{task_id}/delete": only("candidate", on="task", hidden=CAST),
    "GET /me/resumes": ANY,
    "POST /me/resumes": only(SIGNED_IN, files=CV),
    "POST /me/resumes/{resume_id}/delete": only("candidate", on="spare", hidden=CAST),
    "GET /resumes/{resume_id}": only(TEAM, "candidate", "admin", on="resume", hidden=CAST),
    "GET /me/wallet": ANY,
    "GET /me/wallet/statement.csv": ANY,
    "POST /me/wallet/transfers": only(refused=422, data={"to": "", "amount": "1"}),
    # The employer's pages
    "GET /employer": DESK,
    "GET /employer/jobs/new": DESK,
    "POST /employer/jobs/new": only(TEAM, "admin", data=JOB | {"company_id": "{company}"}),
    "GET /employer/jobs/{job_id}": only(TEAM, "admin", on="job"),
    "GET /employer/jobs/{job_id}/preview": only(TEAM, "admin", on="job"),
    "POST /employer/jobs/{job_id}": only(TEAM, "admin", on="job", data=JOB),
    "POST /employer/jobs/{job_id}/submit": only(TEAM, "admin", on="job"),
    "POST /employer/jobs/{job_id}/close": only(TEAM, "admin", on="job"),
    "POST /employer/jobs/{job_id}/reopen": only(TEAM, "admin", on="closed"),
    "POST /employer/jobs/{job_id}/delete": only(TEAM, "admin", on="job"),
    "GET /employer/jobs/{job_id}/analytics": only(TEAM, on="job"),
    "GET /employer/jobs/{job_id}/analytics.json": only(TEAM, on="job"),
    "GET /employer/jobs/{job_id}/analytics.csv": only(TEAM, on="job"),
    "GET /employer/jobs/{job_id}/applicants": only(TEAM, "admin", on="job"),
    "POST /employer/jobs/{job_id}/applicants": only(
        TEAM, on="job", data={"application": "{application}:1"} | MOVE
    ),
    "GET /employer/companies/{company_id}/overdue": only(TEAM, "admin", on="company"),
    "POST /employer/companies/{company_id}/overdue": only(
        TEAM,
        on="company",
        data={"application": "{application}:1", "message": "Hello.", "send": "yes"} | MOVE,
    ),
    "POST /employer/companies/{company_id}/overdue/again": only(TEAM, "admin", on="company"),
    "GET /employer/applications/{application_id}": only(
        TEAM, "admin", on="application", hidden={"rival"}
    ),
    "POST /employer/applications/{application_id}/stage": only(
        TEAM, on="application", hidden={"rival"}, data={"version": "1"} | MOVE
    ),
    "POST /employer/applications/{application_id}/notes": only(
        TEAM, on="application", hidden={"rival"}, data={"note": "Good."}
    ),
    "GET /employer/companies/new": DESK,
    "POST /employer/companies/new": only(EMPLOYERS, data=NEW_COMPANY),
    "GET /employer/companies/{company_id}": only(TEAM, "admin", on="company"),
    "POST /employer/companies/{company_id}": only(
        "owner", "admin", on="company", data={"website": ""}
    ),
    "POST /employer/companies/{company_id}/logo": only("owner", "admin", on="company", files=PNG),
    "POST /employer/companies/{company_id}/members": only(
        "owner", "admin", on="company", data={"email": "rival@example.com"}
    ),
    "POST /employer/companies/{company_id}/members/{person_id}/remove": only(
        TEAM, "admin", on="company recruiter"
    ),
    "POST /employer/invitations/{invitation_id}/withdraw": only(
        "owner", "admin", on="invitation", hidden=KEYLESS
    ),
    "POST /employer/jobs/{job_id}/features": only(
        "owner", on="job", hidden={"recruiter", "admin"}, data={"days": "1", "key": "a"}
    ),
    "GET /employer/companies/{company_id}/wallet": only(
        "owner", "admin", on="company", hidden=KEYLESS
    ),
    "GET /employer/companies/{company_id}/wallet/statement.csv": only(
        "owner", "admin", on="company", hidden=KEYLESS
    ),
    "POST /employer/companies/{company_id}/wallet/transfers": only(
        "owner", on="company", hidden={"recruiter", "rival", "admin"}, data=PAY_BY_FORM
    ),
    "GET /employer/api-keys": DESK,
    "POST /employer/api-keys": only("owner", data=NEW_KEY | {"expires_in_days": ""}),
    "POST /employer/api-keys/{key_id}/revoke": only("owner", on="key", hidden=KEYLESS),
    "GET /employer/webhooks": DESK,
    "POST /employer/webhooks": only("owner", "admin", data=NEW_WEBHOOK),
    "GET /employer/webhooks/{webhook_id}": hook_page(),
    "POST /employer/webhooks/{webhook_id}": hook_page(data=NEW_WEBHOOK),
    "POST /employer/webhooks/{webhook_id}/turn": hook_page(data={"to": "off"}),
    "POST /employer/webhooks/{webhook_id}/rotate": hook_page(),
    "POST /employer/webhooks/{webhook_id}/delete": hook_page(),
    "POST /employer/webhooks/{webhook_id}/test": hook_page(),
    "GET /employer/webhooks/{webhook_id}/deliveries/{delivery_id}": hook_page("webhook delivery"),
    "POST /employer/webhooks/{webhook_id}/deliveries/{delivery_id}/resend": hook_page(
        "webhook delivery"
    ),
    "GET /me/mail": ANY,
    "POST /me/mail": ANY,
    "GET /unsubscribe": everyone(params={"token": "{mail_token}"}),
    "POST /unsubscribe": everyone(params={"token": "{mail_token}"}),
    # The moderators' pages
    "GET /admin": STAFF,
    "GET /admin/jobs": STAFF,
    "GET /admin/jobs/{job_id}": only("admin", on="pending"),
    "POST /admin/jobs/{job_id}/dismiss": only("admin", on="job"),
    "POST /admin/jobs/{job_id}/{verdict}": only("admin", on="pending reject", data=WHY),
    "GET /admin/reports": STAFF,
    "GET /admin/people": STAFF,
    "GET /admin/audit-log": STAFF,
    "GET /admin/background": STAFF,
    "POST /admin/background/mail-blocks/{block_id}": only("admin", on="mail-block", missing=303),
    "POST /admin/background/{step}": only("admin", on="retry", missing=404),
    "POST /admin/background/{message_id}/{step}": only("admin", on="message retry", missing=303),
    "GET /admin/analytics": STAFF,
    "GET /admin/analytics/hits.json": STAFF,
    "GET /admin/analytics/hits.csv": STAFF,
    "GET /admin/analytics/searches.json": STAFF,
    "GET /admin/analytics/searches.csv": STAFF,
    "GET /admin/wallets": STAFF,
    "GET /admin/wallets/{wallet_id}": only("admin", on="wallet"),
    "GET /admin/wallets/{wallet_id}/statement.csv": only("admin", on="wallet"),
    "POST /admin/wallets/{wallet_id}/grants": only(
        "admin", on="wallet", data={"amount": "5", "key": "a"}
    ),
    "POST /admin/wallets/{wallet_id}/frozen": only("admin", on="wallet", data={"frozen": "yes"}),
    "POST /admin/transfers/{transfer_id}/reverse": only("admin", on="grant"),
    "GET /admin/data": STAFF,
    "MOUNT /admin/data": only("admin", missing=200),
    "GET /admin/people/{person_id}": only("admin", on="recruiter"),
    "POST /admin/people/{person_id}": only(
        "admin", on="recruiter", data={"suspended": "true", "reason": "A scam."}
    ),
    "GET /admin/synonyms": STAFF,
    "POST /admin/synonyms": only("admin", data={"terms": "oven poet, bread poet"}),
    "POST /admin/synonyms/{synonym_id}/remove": only("admin", on="synonym"),
    "GET /admin/companies": STAFF,
    "POST /admin/companies/{company_id}/name-seen": only(
        "admin", on="company", data={"name": "Bakery"}
    ),
}
