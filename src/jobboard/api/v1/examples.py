"""Examples for the documentation of v1, by the name of the schema that they show.

One small board runs through them: Ada applies at the Harbour Bakery, which Erin owns. A test holds
each against its schema. A list's example is made of its items'.
"""

from typing import Any

ADA, ERIN = "01994e5a-0c1e-7d3a-8f52-6b9a3c1d0e01", "01994e5a-0c1e-7d3a-8f52-6b9a3c1d0e02"
BAKERY, JOB = "01994e5b-1111-7abc-9def-0a1b2c3d4e5f", "01994e5c-2222-7abc-9def-0a1b2c3d4e5f"
RESUME, IMAGE = "01994e5d-3333-7abc-9def-0a1b2c3d4e5f", "01994e5d-4444-7abc-9def-0a1b2c3d4e5f"
APPLICATION, TASK = "01994e5e-5555-7abc-9def-0a1b2c3d4e5f", "01994e5e-6666-7abc-9def-0a1b2c3d4e5f"
KEY, LOGIN = "01994e5f-7777-7abc-9def-0a1b2c3d4e5f", "01994e5f-8888-7abc-9def-0a1b2c3d4e5f"
WALLET, THEIRS = "01994e61-bbbb-7abc-9def-0a1b2c3d4e5f", "01994e61-cccc-7abc-9def-0a1b2c3d4e5f"
TRANSFER = "01994e62-dddd-7abc-9def-0a1b2c3d4e5f"
REPORT, ENTRY = "01994e60-9999-7abc-9def-0a1b2c3d4e5f", "01994e60-aaaa-7abc-9def-0a1b2c3d4e5f"
INVITATION = "01994e63-eeee-7abc-9def-0a1b2c3d4e5f"
WEBHOOK, DELIVERY = "01994e64-ffff-7abc-9def-0a1b2c3d4e5f", "01994e65-1234-7abc-9def-0a1b2c3d4e5f"
SAVED, FEATURE = "01994e66-2345-7abc-9def-0a1b2c3d4e5f", "01994e66-3456-7abc-9def-0a1b2c3d4e5f"
MESSAGE, BLOCK = "01994e67-4567-7abc-9def-0a1b2c3d4e5f", "01994e67-5678-7abc-9def-0a1b2c3d4e5f"
UNKNOWN = "01994e68-6789-7abc-9def-0a1b2c3d4e5f"
HOOK_URL = "https://hooks.bakery.example.com/jobboard"
MORNING, NOON = "2026-11-02T08:00:00Z", "2026-11-03T12:15:00Z"
LATER, NEW_YEAR = "2026-11-04T09:30:00Z", "2027-01-03T12:15:00Z"
SENTENCE = "a long and quiet sentence"
LINK_TOKEN = "Zk3vQm8sXb1LwYd-fJa9U5WtR2cNe7HpGq4iKo6TuE0"
REFRESH = "rt_b0Yp3mVq7Xc1LwZd9fJaU5WtR2NeHpGs"
ACCESS = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTk5NGU1YSJ9.c2lnbmF0dXJl"
FILE = "/images/3f2b8c9e01d24c5f8a7b6c5d4e3f2a1b"

PERSON: dict[str, Any] = {
    "id": ADA,
    "email": "ada@example.com",
    "email_verified": True,
    "full_name": "Ada Lovelace",
    "role": "candidate",
    "suspended": False,
    "time_zone": "Europe/Berlin",
    "created_at": MORNING,
}
SYNONYM: dict[str, Any] = {
    "id": BLOCK,
    "terms": ["nurse", "rn", "registered nurse"],
    "both_ways": True,
    "created_at": LATER,
}
WEBHOOK_READ: dict[str, Any] = {
    "id": WEBHOOK,
    "company_id": BAKERY,
    "company_name": "Harbour Bakery",
    "name": "Our applicant system",
    "url": HOOK_URL,
    "events": ["application.created", "application.withdrawn"],
    "state": "active",
    "failing_since": None,
    "previous_secret_until": None,
    "created_at": MORNING,
    "version": 1,
}
DELIVERY_READ: dict[str, Any] = {
    "id": DELIVERY,
    "webhook_id": WEBHOOK,
    "message_id": f"msg_{DELIVERY.replace('-', '')}",
    "event": "application.created",
    "state": "delivered",
    "attempts": 1,
    "created_at": NOON,
    "next_attempt_at": None,
    "last_attempt_at": NOON,
    "last_status": 204,
    "last_error": None,
}
COMPANY: dict[str, Any] = {
    "id": BAKERY,
    "name": "Harbour Bakery",
    "slug": "harbour-bakery",
    "logo_url": None,
}
JOB_BRIEF: dict[str, Any] = {
    "id": JOB,
    "slug": "baker-early-shift-harbour-bakery-4e5f",
    "title": "Baker, early shift",
    "company": COMPANY,
}
PLACE = {
    "location": "Hamburg, Germany",
    "city": "Hamburg",
    "region": "Hamburg",
    "country": "DE",
    "remote": "onsite",
}
SALARY = {"min": 3200000, "max": 3800000, "currency": "EUR", "period": "year"}
FACTS: dict[str, Any] = {
    **PLACE,
    "employment_type": "full_time",
    "experience": "mid",
    "salary": SALARY
    | {
        "yearly_min": 3200000,
        "yearly_max": 3800000,
        "in_euros": {"min": 3200000, "max": 3800000, "rate_date": None, "rate_source": None},
    },
    "salary_text": None,
    "tags": ["baking", "shift work"],
}
DATES = {"published_at": NOON, "expires_at": NEW_YEAR}
ANSWERS: dict[str, Any] = {
    "answers": {"applications": 25, "answered_share": 0.92, "median_hours": 70.5}
}
JOB_READ: dict[str, Any] = {
    **JOB_BRIEF,
    "company": COMPANY | ANSWERS,
    **FACTS,
    "description": "You bake **bread** and rolls.",
    "description_html": "<p>You bake <strong>bread</strong> and rolls.</p>\n",
    "status": "published",
    "status_reason": None,
    "version": 3,
    "created_at": MORNING,
    "updated_at": NOON,
    **DATES,
    "apply_url": None,
    "featured_until": None,
    "path": "/jobs/baker-early-shift-harbour-bakery-4e5f",
}
JOB_CARD: dict[str, Any] = {
    **JOB_BRIEF,
    **FACTS,
    "excerpt": "You bake bread and rolls.",
    "excerpt_matches": [{"start": 4, "end": 8}],
    "status": "published",
    **DATES,
    "apply_url": None,
    "featured": False,
}
APPLICATION_BRIEF: dict[str, Any] = {
    "id": APPLICATION,
    "job": JOB_BRIEF,
    "candidate": {"id": ADA, "full_name": "Ada Lovelace", "email": "ada@example.com"},
    "stage": "viewed",
    "resume_id": RESUME,
    "version": 2,
    "created_at": NOON,
    "updated_at": LATER,
    "answered_at": None,
    "overdue": False,
}
KEY_READ: dict[str, Any] = {
    "id": KEY,
    "company_id": BAKERY,
    "company_name": "Harbour Bakery",
    "name": "Our careers page",
    "scopes": ["jobs:read"],
    "hint": "jb_7hTq0ZkE",
    "created_by": "Erin Employer",
    "created_at": MORNING,
    "expires_at": "2027-11-02T08:00:00Z",
    "expired": False,
    "last_used_at": None,
}

OWNER = {"kind": "company", "id": BAKERY, "name": "Harbour Bakery"}
CLIENT = {"kind": "company", "id": "01994e5b-2222-7abc-9def-0a1b2c3d4e5f", "name": "Mill & Son"}
NEWS: dict[str, Any] = {
    "id": "019a5e61-7777-7abc-9def-0a1b2c3d4e5f",
    "kind": "application_moved",
    "text": "Harbour Bakery answered: Baker, early shift",
    "path": f"/me/applications/{APPLICATION}",
    "created_at": NOON,
    "read_at": None,
}
SAVED_SEARCH: dict[str, Any] = {
    "id": SAVED,
    "name": "Baking in Hamburg",
    "search": {
        "q": "baker",
        "location": "Hamburg",
        "radius_km": 25,
        "include_remote": False,
        "country": [],
        "remote": [],
        "employment_type": ["full_time"],
        "experience": [],
        "salary_min": None,
        "currency": None,
        "undisclosed_pay": "include",
        "posted_within": None,
        "company": None,
        "tag": [],
    },
    "path": "/?q=baker&location=Hamburg&radius_km=25&employment_type=full_time&sort=newest",
    "frequency": "daily",
    "paused": False,
    "new_jobs": 2,
    "told_at": NOON,
    "next_at": LATER,
    "version": 1,
    "created_at": MORNING,
}
PAID: dict[str, Any] = {
    "from_wallet_id": WALLET,
    "to_wallet_id": THEIRS,
    "amount": 1500,
    "currency": "EUR",
    "memo": "For the autumn campaign",
}


def _variant(name: str, kind: str, width: int, size: int) -> dict[str, Any]:
    url = f"{FILE}-{name}.{kind.lower()}"
    shape = {"width": width, "height": width * 3 // 4, "bytes": size}
    return {"name": name, "format": kind, **shape, "url": url}


SENT: dict[str, Any] = {
    "Registration": {
        "email": "ada@example.com",
        "password": SENTENCE,
        "full_name": "Ada Lovelace",
        "role": "candidate",
    },
    "TokenForm": {"grant_type": "password", "username": "ada@example.com", "password": SENTENCE},
    "RevokeForm": {"token": REFRESH},
    "TokenOfLink": {"token": LINK_TOKEN},
    "EmailAsked": {"email": "ada@example.com"},
    "PasswordReset": {"token": LINK_TOKEN, "password": SENTENCE},
    "PersonUpdate": {"full_name": "Ada King"},
    "EmailChange": {"email": "ada.king@example.com", "current_password": SENTENCE},
    "PasswordInput": {"current_password": SENTENCE},
    "CodeInput": {"code": "123456"},
    "PasswordAndCode": {"current_password": SENTENCE, "code": "123456"},
    "WebhookCreate": {
        "company_id": BAKERY,
        "name": "Our applicant system",
        "url": HOOK_URL,
        "events": ["application.created", "application.withdrawn"],
    },
    "WebhookUpdate": {"active": False, "version": 1},
    "ApiKeyCreate": {
        "company_id": BAKERY,
        "name": "Our careers page",
        "scopes": ["jobs:read"],
        "expires_in_days": 365,
    },
    "CompanyCreate": {
        "name": "Harbour Bakery",
        "website": "https://bakery.example.com",
        "description": "Bread since **1897**.",
    },
    "CompanyUpdate": {"website": None},
    "MemberAdd": {"email": "rolf@example.com", "role": "recruiter", "spending_limit": 5000},
    "JobCreate": {
        "company_id": BAKERY,
        "title": "Baker, early shift",
        "description": "You bake **bread** and rolls.",
        "location": "Hamburg, Germany",
        "remote": "onsite",
        "employment_type": "full_time",
        "experience": "mid",
        "salary": SALARY,
        "tags": ["baking", "shift work"],
    },
    "JobUpdate": {"title": "Baker, late shift", "salary": None, "version": 3},
    "ReportCreate": {"reason": "scam", "note": "They ask for money first."},
    "ApplicationCreate": {"cover_letter": "I rise early.", "resume_id": RESUME},
    "ApplicationUpdate": {
        "stage": "interview",
        "message": "Hello {name}, could you come by on Monday?",
        "note": "Good hands.",
        "version": 2,
    },
    "AnswersCreate": {
        "applications": [{"id": APPLICATION, "version": 2}],
        "stage": "rejected",
        "message": "Hello {name}, we chose somebody else as {job}. {company}",
    },
    "TaskCreate": {
        "title": "Call the bakery back",
        "notes": "Ask about the early shift.",
        "due_at": "2026-12-01T09:00:00+01:00",
        "priority": "high",
        "job_id": JOB,
    },
    "TaskReplace": {"title": "Call the bakery back", "done": True, "version": 1},
    "TaskUpdate": {"done": True, "due_at": None},
    "SavedSearchCreate": {
        "search": {"q": "baker", "location": "Hamburg", "employment_type": ["full_time"]},
        "name": SAVED_SEARCH["name"],
        "frequency": "daily",
    },
    "SavedSearchUpdate": {"frequency": "weekly"},
    "NotificationsRead": {"until": NEWS["id"]},
    "Erasure": {"current_password": SENTENCE},
    "Decision": {"reason": "This is an advertisement, not a job."},
    "PersonModeration": {"suspended": True, "reason": "Posts scams.", "remove_jobs": True},
    "MailBlockCreate": {"email": "ada@example.com", "detail": "550 5.1.1 no such user"},
    "SynonymCreate": {"terms": ["nurse", "rn", "registered nurse"], "both_ways": True},
    "MailChoicesUpdate": {"digest": False},
    "MessageChoice": {"kind": "notifications.mail", "failure": "gave_up", "before": LATER},
    "NameSeen": {"name": "Harbour Bakery"},
    "FeatureCreate": {"days": 7},
    "TransferCreate": PAID,
    "GrantCreate": {"amount": 10000, "memo": "Welcome"},
    "ReversalCreate": {"memo": "Sent to the wrong company"},
    "EventCreate": {
        "name": "view",
        "properties": {
            "job_id": JOB,
            "referrer": "https://news.example/jobs",
        },
    },
}
ANSWERED: dict[str, Any] = {
    "PersonRead": PERSON,
    "SavedSearchRead": SAVED_SEARCH,
    "NotificationPage": {"items": [NEWS], "next_cursor": None, "unread": 1},
    "Unread": {"unread": 0},
    "TicketRead": {
        "ticket": "8yB1c0cYtqJ3mWgC5r9uQxVn2eLkZ7aD",
        "expires_in": 30,
        "path": "/ws",
    },
    "TokenPair": {
        "access_token": ACCESS,
        "token_type": "bearer",
        "expires_in": 600,
        "refresh_token": REFRESH,
        "scope": "account companies:read companies:write jobs:read jobs:write applications:read "
        "applications:write tasks:read tasks:write wallet:read wallet:write keys webhooks",
    },
    "Accepted": {"detail": "If there is an account with this address, a mail is on its way."},
    "LoginRead": {
        "id": LOGIN,
        "kind": "web",
        "device": "Firefox on Linux",
        "current": True,
        "created_at": MORNING,
        "last_seen_at": NOON,
        "expires_at": "2026-12-03T12:15:00Z",
    },
    "SecondFactorRead": {"enabled": True, "enabled_at": MORNING, "recovery_codes_left": 9},
    "Enrolment": {
        "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "uri": "otpauth://totp/Jobboard:ada%40example.com"
        "?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Jobboard",
    },
    "RecoveryCodes": {"recovery_codes": ["k7mq-2xwp-9vbn", "r4tz-8hcd-3fgy"]},
    "WebhookRead": WEBHOOK_READ,
    "WebhookMade": WEBHOOK_READ | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwk3Zt0gkq9xY="},
    "DeliveryRead": DELIVERY_READ,
    "DeliveryDetail": DELIVERY_READ
    | {
        "url": HOOK_URL,
        "request": {
            "type": "application.created",
            "version": 1,
            "timestamp": "2026-11-03T12:15:00.000Z",
            "data": {
                "application": {
                    "id": APPLICATION,
                    "stage": "submitted",
                    "url": f"https://jobs.example.com/api/v1/applications/{APPLICATION}",
                },
                "job": {
                    "id": JOB,
                    "slug": JOB_BRIEF["slug"],
                    "title": JOB_BRIEF["title"],
                    "url": f"https://jobs.example.com/api/v1/jobs/{JOB}",
                    "page": f"https://jobs.example.com/jobs/{JOB_BRIEF['slug']}",
                },
            },
        },
        "history": [
            {"at": NOON, "took_ms": 84, "status": 204, "error": None, "answer": ""},
        ],
    },
    "ApiKeyRead": KEY_READ,
    "ApiKeyMade": KEY_READ | {"key": "jb_7hTq0ZkE4uQm2sXv9RbNc1LwYdGf8JaP3kU5Wz"},
    "CompanyRead": {
        **COMPANY,
        **ANSWERS,
        "website": "https://bakery.example.com",
        "description": "Bread since **1897**.",
        "description_html": "<p>Bread since <strong>1897</strong>.</p>\n",
        "version": 1,
        "created_at": MORNING,
    },
    "MemberRead": {
        "status": "invited",
        "person_id": None,
        "invitation_id": INVITATION,
        "full_name": None,
        "email": "rolf@example.com",
        "role": "recruiter",
        "spending_limit": 5000,
        "created_at": MORNING,
        "expires_at": "2026-11-09T08:00:00Z",
    },
    "Suggestions": {
        "items": [
            {"kind": "title", "text": "Baker", "jobs": 12},
            {"kind": "place", "text": "Bamberg", "jobs": 3},
        ]
    },
    "JobRead": JOB_READ,
    "JobCard": JOB_CARD,
    "JobSearchResult": {
        "items": [JOB_CARD],
        "correction": None,
        "total": {"value": 1, "relation": "eq"},
        "facets": None,
        "facets_relation": None,
        "no_words": False,
        "exchange_rate": {
            "currency": "USD",
            "per_euro": "1.1172",
            "rate_date": "2026-10-30",
            "rate_source": "European Central Bank",
        },
        "relaxations": [
            {"changes": {"radius_km": 100}, "total": {"value": 12, "relation": "eq"}},
            {"changes": {"employment_type": None}, "total": {"value": 100, "relation": "gte"}},
        ],
        "next_cursor": None,
    },
    "ReportRead": {
        "id": REPORT,
        "job_id": JOB,
        "reason": "scam",
        "note": "They ask for money first.",
        "created_at": LATER,
    },
    "ApplicationBrief": APPLICATION_BRIEF,
    "AnswersMade": {
        "items": [
            {"id": APPLICATION, "answered": True, "code": None, "detail": None},
            {
                "id": UNKNOWN,
                "answered": False,
                "code": "application_not_found",
                "detail": "There is no such application.",
            },
        ],
        "answered": 1,
    },
    "ApplicationRead": {
        **APPLICATION_BRIEF,
        "cover_letter": "I rise early.",
        "history": [
            {"stage": "submitted", "at": NOON, "by": "candidate", "message": None},
            {"stage": "viewed", "at": LATER, "by": "company", "message": None},
        ],
        "notes": None,
        "next_stages": ["withdrawn"],
    },
    "ResumeRead": {
        "id": RESUME,
        "filename": "Ada Lovelace.pdf",
        "media_type": "application/pdf",
        "size": 48213,
        "created_at": NOON,
        "url": f"/api/v1/resumes/{RESUME}/file",
    },
    "OwnResume": {
        "id": RESUME,
        "filename": "Ada Lovelace.pdf",
        "media_type": "application/pdf",
        "size": 48213,
        "created_at": NOON,
        "url": f"/api/v1/resumes/{RESUME}/file",
        "applications": 1,
    },
    "ImageRead": {
        "id": IMAGE,
        "url": f"{FILE}-full.webp",
        "format": "JPEG",
        "mode": "RGB",
        "width": 1200,
        "height": 900,
        "bytes": 231806,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "frames": 1,
        "has_alpha": False,
        "dominant_color": "#0c5078",
        "exif_removed": True,
        "removed": ["exif", "gps"],
        "variants": [
            _variant("full", "WEBP", 1200, 64210),
            _variant("card", "WEBP", 640, 21904),
            _variant("logo", "WEBP", 256, 5316),
        ],
        "created_at": NOON,
    },
    "TaskRead": {
        "id": TASK,
        "title": "Call the bakery back",
        "notes": "Ask about the early shift.",
        "done": False,
        "done_at": None,
        "due_at": "2026-12-01T08:00:00Z",
        "priority": "high",
        "application_id": None,
        "job_id": JOB,
        "about": {
            "kind": "job",
            "id": JOB,
            "title": "Baker, early shift",
            "company": "Harbour Bakery",
            "candidate": None,
            "path": JOB_READ["path"],
        },
        "version": 1,
        "created_at": NOON,
        "updated_at": NOON,
    },
    "FeatureRead": {
        "id": FEATURE,
        "job_id": JOB,
        "transfer_id": TRANSFER,
        "days": 7,
        "amount": 3500,
        "currency": "EUR",
        "starts_at": NOON,
        "ends_at": "2026-11-10T12:15:00Z",
    },
    "WalletRead": {
        "id": WALLET,
        "owner": OWNER,
        "currency": "EUR",
        "balance": 8500,
        "frozen": False,
    },
    "WalletAddress": {"id": THEIRS, "owner": CLIENT, "currency": "EUR"},
    "TransferRead": {
        "id": TRANSFER,
        "kind": "transfer",
        **PAID,
        "original_id": None,
        "created_at": NOON,
    },
    "EntryRead": {
        "number": 2,
        "at": NOON,
        "kind": "transfer",
        "amount": -1500,
        "balance": 8500,
        "currency": "EUR",
        "transfer_id": TRANSFER,
        "other": CLIENT,
        "by": "Erin Employer",
        "given_back": False,
        "memo": "For the autumn campaign",
    },
    "QueueItem": {
        "job": JOB_READ | {"status": "pending", "published_at": None, "expires_at": None},
        "reasons": [{"code": "first_job", "label": "First job of this company", "match": None}],
        "submitted_at": NOON,
        "company_published": 0,
        "open_reports": 0,
    },
    "ReportItem": {
        "id": REPORT,
        "job_id": JOB,
        "job_title": JOB_READ["title"],
        "job_slug": JOB_READ["slug"],
        "company_name": "Harbour Bakery",
        "reason": "scam",
        "note": "They ask for money first.",
        "created_at": LATER,
    },
    "PersonOverview": {
        **PERSON,
        "id": ERIN,
        "email": "erin@example.com",
        "full_name": "Erin Employer",
        "role": "employer",
        "suspended_at": None,
        "suspension_reason": None,
        "last_seen_at": LATER,
        "companies": [
            {
                "id": BAKERY,
                "name": "Harbour Bakery",
                "slug": "harbour-bakery",
                "role": "owner",
                "live_jobs": 1,
                "alone": True,
            }
        ],
        "jobs": {"published": 1},
        "applications": 0,
        "reports": 0,
    },
    "RenamedCompany": {
        "id": BAKERY,
        "name": "Harbour Bakery",
        "slug": "harbour-bakery",
        "former_name": "Dock Bakery",
        "renamed_at": LATER,
        "live_jobs": 1,
    },
    "JobNumbers": {
        "items": [
            {"impressions": 412, "views": 96, "opens": 14, "applies": 5, "day": "2026-11-22"},
            {"impressions": 388, "views": 81, "opens": 9, "applies": 4, "day": "2026-11-23"},
        ],
        "total": {"impressions": 800, "views": 177, "opens": 23, "applies": 9},
        "referrers": [
            {"host": None, "views": 131, "opens": 17, "applies": 6},
            {"host": "news.example", "views": 46, "opens": 6, "applies": 3},
        ],
        "from": "2026-11-22",
        "to": "2026-11-23",
    },
    "SearchReport": {
        "since": "2026-10-25T00:00:00Z",
        "as_of": "2026-11-23T12:00:00Z",
        "searches": 3,
        "found_nothing": 1,
        "top": [
            {"term": "baker", "searches": 2, "found_nothing": 0, "results": 31.5},
            {"term": "lamplighter", "searches": 1, "found_nothing": 1, "results": 0.0},
        ],
        "in_vain": [
            {"term": "lamplighter", "searches": 1, "found_nothing": 1, "results": 0.0},
        ],
    },
    "HitReport": {
        "items": [
            {
                "route": "/api/v1/jobs/{id}",
                "method": "GET",
                "status": 200,
                "bucket": None,
                "count": 41873,
                "error_share": 0.0,
                "server_error_share": 0.0,
                "mean_ms": 9.41,
                "p50_ms": 7.833,
                "p95_ms": 20.317,
                "p99_ms": 43.551,
            }
        ],
        "total": {
            "count": 41873,
            "error_share": 0.0,
            "server_error_share": 0.0,
            "mean_ms": 9.41,
            "p50_ms": 7.833,
            "p95_ms": 20.317,
            "p99_ms": 43.551,
        },
        "from": "2026-11-22T09:00:00Z",
        "to": "2026-11-23T10:00:00Z",
        "step": "hour",
        "as_of": "2026-11-23T09:12:40.512000Z",
        "truncated": False,
    },
    "FailedMessage": {
        "id": MESSAGE,
        "kind": "notifications.mail",
        "about": "application_received",
        "person_id": ERIN,
        "person_name": "Erin Employer",
        "email": None,
        "failure": "gave_up",
        "last_error": "SMTPConnectError: the mail server does not answer",
        "attempts": 10,
        "created_at": NOON,
        "failed_at": LATER,
    },
    "MailBlockRead": {
        "id": BLOCK,
        "email": "ada@example.com",
        "reason": "bounced",
        "detail": "550 5.1.1 no such user",
        "created_at": LATER,
        "person_id": ADA,
        "person_name": "Ada Lovelace",
    },
    "SynonymRead": SYNONYM,
    "SynonymsRead": {"items": [SYNONYM]},
    "MailChoices": {"applications": True, "digest": False, "alerts": True},
    "MessagesTouched": {"count": 3},
    "QueueRead": {
        "waiting": 2,
        "postponed": 1,
        "under_way": 1,
        "failed": 1,
        "oldest_waiting_at": LATER,
        "oldest_waiting_seconds": 0.8,
        "schedules": [
            {
                "name": "expire_jobs",
                "due_at": "2026-11-04T09:31:00Z",
                "started_at": LATER,
                "done_at": LATER,
                "failures": 0,
                "last_error": None,
            }
        ],
        "webhooks": {
            "waiting": 1,
            "postponed": 3,
            "oldest_waiting_seconds": 0.4,
            "failing": 0,
        },
    },
    "AuditRead": {
        "id": ENTRY,
        "at": LATER,
        "action": "login.opened",
        "actor": {"kind": "person", "id": ADA, "name": "Ada Lovelace"},
        "subject": None,
        "details": {"kind": "web"},
        "address": "203.0.113.0/24",
        "request_id": "3f6c1e9ab2d84f0701c5a8e2",
    },
}
EXAMPLES = SENT | ANSWERED
