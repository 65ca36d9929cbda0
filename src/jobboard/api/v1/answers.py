"""What the documentation says of each operation of v1 beside its docstring: who may use it, and
the codes of the errors that are its own.

What many answer is added by what an operation takes (`api/telling.py`): a token, a body, a cursor.
A test fails where an operation is missing here, and every other test of the API where one answers
a code that its documentation does not name.
"""

from jobboard.api.versions import Told, told

ANYONE = "Anyone; no log-in is needed."
PERSON = "Whoever is logged in."
CANDIDATE = "Candidates, for themselves."
EMPLOYER = "Employers and admins."
MEMBER = "The people of the company, and admins."
MEMBER_ALONE = "The people of the company."
OWNER = "Owners of the company, and admins."
OWNER_ALONE = "Owners of the company."
HOOKS = "Owners of the company, its API keys with the scope `webhooks`, and admins."
BOTH_SIDES = "Its candidate, the people of the company, and admins."
SELF = "The one whose it is; for anybody else it does not exist."
ADMIN = "Admins."

COMPANY = "company_not_found not_a_member not_an_owner"
HOOK = "webhook_not_found"
JOB = "job_not_found not_a_member"
STEP = f"{JOB} job_step_impossible"
PICTURE = """unsupported_media_type picture_damaged too_large too_many_pixels picture_too_complex
quota_exceeded too_many_pictures"""
MODERATION = "not_an_admin"
DECISION = f"{MODERATION} job_not_found job_step_impossible"
SPENDER = "Who may spend of the wallet; for anybody else it does not exist. Admins look into all."
MOVES = "wallet_not_found wallet_frozen insufficient_funds currency_mismatch"

OPERATIONS: dict[str, Told] = {
    "POST /auth/register": told(ANYONE),
    "POST /auth/token": told(
        ANYONE,
        """invalid_request invalid_scope wrong_credentials account_suspended mfa_required
        mfa_invalid refresh_token_invalid refresh_token_reused""",
    ),
    "POST /auth/revoke": told("Whoever has the token."),
    "POST /auth/verify-email": told("Whoever has the link.", "link_invalid"),
    "POST /auth/password-reset": told(ANYONE),
    "POST /auth/password-reset/confirm": told(
        "Whoever has the link.", "link_invalid account_suspended"
    ),
    "POST /auth/email-change": told(
        "Whoever has the link.", "link_invalid account_suspended email_taken"
    ),
    "POST /auth/email-change/undo": told("Whoever has the link.", "link_invalid email_taken"),
    "GET /me": told(PERSON),
    "PATCH /me": told(PERSON),
    "DELETE /me": told(PERSON, "last_owner last_admin"),
    "GET /me/export": told(PERSON),
    "GET /me/applications": told(PERSON, "not_a_person"),
    "POST /me/verify-email": told(PERSON),
    "POST /me/email": told(PERSON),
    "GET /me/mail": told(PERSON),
    "PATCH /me/mail": told(PERSON),
    "GET /me/sessions": told(PERSON),
    "DELETE /me/sessions": told(PERSON),
    "DELETE /me/sessions/{id}": told(SELF, "login_not_found"),
    "GET /me/second-factor": told(PERSON),
    "POST /me/second-factor": told(PERSON, "second_factor_on"),
    "POST /me/second-factor/confirm": told(
        PERSON, "second_factor_not_begun second_factor_on code_invalid"
    ),
    "POST /me/second-factor/recovery-codes": told(PERSON, "code_invalid"),
    "POST /me/second-factor/disable": told(PERSON, "code_invalid 409:second_factor_required"),
    "GET /api-keys": told("Whoever is logged in; all but owners get an empty list."),
    "POST /api-keys": told(OWNER_ALONE, f"{COMPANY} too_many_keys"),
    "DELETE /api-keys/{id}": told(OWNER_ALONE, "key_not_found"),
    "GET /webhooks": told(f"{HOOKS} Others get an empty list."),
    "POST /webhooks": told(HOOKS, f"{COMPANY} address_not_public too_many_webhooks"),
    "GET /webhooks/{id}": told(HOOKS, HOOK),
    "PATCH /webhooks/{id}": told(HOOKS, f"{HOOK} address_not_public"),
    "DELETE /webhooks/{id}": told(HOOKS, HOOK),
    "POST /webhooks/{id}/rotate": told(HOOKS, HOOK),
    "POST /webhooks/{id}/test": told(HOOKS, f"{HOOK} webhook_off"),
    "GET /webhooks/{id}/deliveries": told(HOOKS, HOOK),
    "GET /webhooks/{id}/deliveries/{delivery_id}": told(HOOKS, f"{HOOK} delivery_not_found"),
    "POST /webhooks/{id}/deliveries/{delivery_id}/resend": told(
        HOOKS, f"{HOOK} delivery_not_found webhook_off delivery_under_way"
    ),
    "GET /companies": told(ANYONE),
    "GET /me/companies": told(PERSON),
    "POST /companies": told(EMPLOYER, "not_an_employer email_unverified"),
    "GET /companies/{id}": told(ANYONE, "company_not_found"),
    "PATCH /companies/{id}": told(OWNER, COMPANY),
    "PUT /companies/{id}/logo": told(OWNER, f"{COMPANY} {PICTURE}"),
    "GET /companies/{id}/members": told(MEMBER, "company_not_found not_a_member"),
    "POST /companies/{id}/members": told(
        OWNER, f"{COMPANY} email_unverified too_many_invitations member_not_found last_owner"
    ),
    "DELETE /companies/{id}/members/{person_id}": told(
        "Owners of the company, and admins; everyone, for themselves.",
        f"{COMPANY} member_not_found last_owner",
    ),
    "POST /invitations/accept": told(
        "Employers, with a link that was mailed to their address.",
        "link_invalid invitation_of_another not_an_employer",
    ),
    "DELETE /invitations/{id}": told(OWNER, "invitation_not_found"),
    "GET /jobs": told(ANYONE),
    "GET /suggestions": told(ANYONE),
    "POST /jobs": told(MEMBER, "company_not_found not_a_member"),
    "GET /jobs/{id}": told(
        "Anyone, once it was published; before that, the people of its company, and admins.",
        "job_not_found",
    ),
    "GET /jobs/{id}/similar": told(
        "Anyone, for a job that is public; before that, the people of its company, and admins.",
        "job_not_found",
    ),
    "PATCH /jobs/{id}": told(MEMBER, STEP),
    "DELETE /jobs/{id}": told(MEMBER, STEP),
    "POST /jobs/{id}/submit": told(MEMBER, f"{STEP} email_unverified"),
    "POST /jobs/{id}/close": told(MEMBER, STEP),
    "POST /jobs/{id}/reopen": told(MEMBER, f"{STEP} email_unverified"),
    "POST /jobs/{id}/features": told(
        "Who may spend of the company's wallet.",
        f"{JOB} {MOVES} spending_limit_exceeded job_not_live featured_too_long",
    ),
    "POST /jobs/{id}/reports": told(ANYONE, "job_not_found"),
    "POST /jobs/{id}/applications": told(
        CANDIDATE,
        """job_not_found file_not_found not_a_candidate email_unverified job_closed
        applies_elsewhere already_applied""",
    ),
    "GET /jobs/{id}/applications": told(MEMBER, f"{JOB} not_yours"),
    "GET /companies/{id}/overdue-applications": told(
        MEMBER, "company_not_found not_a_member not_yours"
    ),
    "POST /companies/{id}/answers": told(MEMBER_ALONE, "company_not_found not_a_member"),
    "GET /applications/{id}": told(BOTH_SIDES, "application_not_found"),
    "PATCH /applications/{id}": told(
        MEMBER_ALONE, "application_not_found not_a_member application_step_impossible"
    ),
    "POST /applications/{id}/withdraw": told(
        "The one who applied.", "application_not_found not_yours application_step_impossible"
    ),
    "GET /resumes": told(PERSON),
    "DELETE /resumes/{id}": told(SELF, "resume_not_found resume_in_use"),
    "POST /resumes": told(PERSON, "unsupported_media_type too_large quota_exceeded"),
    "GET /resumes/{id}/file": told(
        "Its owner, the companies that it was sent to and not withdrawn from, and admins.",
        "file_not_found",
    ),
    "GET /images": told(PERSON),
    "POST /images": told(PERSON, PICTURE),
    "GET /images/{id}": told(SELF, "image_not_found"),
    "DELETE /images/{id}": told(SELF, "image_not_found"),
    "GET /notifications": told("Whoever is logged in, their own."),
    "POST /notifications/read": told("Whoever is logged in, their own."),
    "POST /ws-tickets": told(PERSON),
    "GET /saved-searches": told("Whoever is logged in, their own."),
    "POST /saved-searches": told(PERSON, "search_saved_already too_many_saved_searches"),
    "GET /saved-searches/{id}": told(SELF, "saved_search_not_found"),
    "PATCH /saved-searches/{id}": told(SELF, "saved_search_not_found"),
    "DELETE /saved-searches/{id}": told(SELF, "saved_search_not_found"),
    "GET /tasks": told("Whoever is logged in, their own."),
    "POST /tasks": told(PERSON, "two_subjects too_many_tasks job_not_found application_not_found"),
    "GET /tasks/{id}": told(SELF, "task_not_found"),
    "PUT /tasks/{id}": told(SELF, "task_not_found two_subjects"),
    "PATCH /tasks/{id}": told(SELF, "task_not_found two_subjects"),
    "DELETE /tasks/{id}": told(SELF, "task_not_found"),
    "GET /wallets": told("Whoever is logged in, what they may spend of."),
    "GET /wallets/{id}": told(SPENDER, "wallet_not_found"),
    "GET /wallets/{id}/entries": told(SPENDER, "wallet_not_found"),
    "GET /companies/{id}/wallet": told(PERSON, "wallet_not_found"),
    "POST /transfers": told(
        "Who may spend of the wallet; for anybody else it does not exist.",
        f"{MOVES} same_wallet spending_limit_exceeded",
    ),
    "GET /transfers/{id}": told(
        "Who may spend of one of its wallets, and admins.", "transfer_not_found"
    ),
    "GET /admin/wallets": told(ADMIN, MODERATION),
    "POST /admin/wallets/{id}/grants": told(ADMIN, f"{MODERATION} {MOVES}"),
    "POST /admin/wallets/{id}/freeze": told(ADMIN, f"{MODERATION} wallet_not_found"),
    "POST /admin/wallets/{id}/unfreeze": told(ADMIN, f"{MODERATION} wallet_not_found"),
    "POST /admin/transfers/{id}/reverse": told(
        ADMIN,
        f"{MODERATION} transfer_not_found transfer_final given_back_before insufficient_funds",
    ),
    "GET /admin/jobs": told(ADMIN, MODERATION),
    "POST /admin/jobs/{id}/approve": told(ADMIN, DECISION),
    "POST /admin/jobs/{id}/reject": told(ADMIN, DECISION),
    "POST /admin/jobs/{id}/remove": told(ADMIN, DECISION),
    "POST /admin/jobs/{id}/restore": told(ADMIN, DECISION),
    "GET /admin/reports": told(ADMIN, MODERATION),
    "GET /admin/people": told(ADMIN, MODERATION),
    "GET /admin/people/{id}": told(ADMIN, f"{MODERATION} person_not_found"),
    "PATCH /admin/people/{id}": told(
        ADMIN, f"{MODERATION} person_not_found person_erased own_account last_admin"
    ),
    "GET /admin/companies": told(ADMIN, MODERATION),
    "POST /admin/companies/{id}/name-seen": told(
        ADMIN, f"{MODERATION} company_not_found edited_meanwhile"
    ),
    "GET /admin/audit-log": told(ADMIN, MODERATION),
    "GET /admin/mail-blocks": told(ADMIN, MODERATION),
    "POST /admin/mail-blocks": told(ADMIN, MODERATION),
    "DELETE /admin/mail-blocks/{id}": told(ADMIN, f"{MODERATION} mail_block_not_found"),
    "GET /admin/synonyms": told(ADMIN, MODERATION),
    "POST /admin/synonyms": told(ADMIN, f"{MODERATION} synonym_known_already"),
    "DELETE /admin/synonyms/{id}": told(ADMIN, f"{MODERATION} synonym_not_found"),
    "GET /admin/queue": told(ADMIN, MODERATION),
    "GET /admin/messages": told(ADMIN, MODERATION),
    "POST /admin/messages/retry": told(ADMIN, MODERATION),
    "POST /admin/messages/drop": told(ADMIN, MODERATION),
    "POST /admin/messages/{id}/retry": told(ADMIN, f"{MODERATION} message_not_found"),
    "POST /admin/messages/{id}/drop": told(ADMIN, f"{MODERATION} message_not_found"),
    "POST /analytics/events": told(ANYONE),
    "GET /jobs/{id}/analytics": told(MEMBER_ALONE, JOB),
    "GET /admin/analytics/hits": told(ADMIN, MODERATION),
    "GET /admin/analytics/searches": told(ADMIN, MODERATION),
}
