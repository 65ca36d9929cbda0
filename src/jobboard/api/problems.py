"""Every error that the API answers, by its `code`: what it means, and what to do about it.

The documents show these as examples, `docs/api-errors.md` as a table. Tests hold that no code of
the core is missing here, that `detail` is what the core says, and that no operation answers one
that its documentation does not name.
"""

from dataclasses import dataclass
from typing import Any

from jobboard.api.errors import TITLES

EXAMPLE_ID = "3f6c1e9ab2d84f07"  # of a request


@dataclass(frozen=True, slots=True)
class Told:
    """How we tell of one code: with which status, in words like these, and what helps.

    `pointer` is the input to blame, as an example; None where no single one is.
    """

    status: int
    detail: str
    advice: str
    pointer: str | None = None


PROBLEMS: dict[str, Told] = {
    # How it was asked
    "malformed_json": Told(
        400,
        "This is not valid JSON: Expecting ',' delimiter.",
        "Mend the JSON of the body.",
        pointer="",
    ),
    "bad_request": Told(
        400, "We cannot read this request.", "Send UTF-8, and a form whose parts fit together."
    ),
    "not_found": Told(
        404, "There is nothing at this address.", "Compare the path with this documentation."
    ),
    "method_not_allowed": Told(
        405, "This address does not take this method.", "Use a method that `Allow` names."
    ),
    "too_large": Told(413, "We take at most 1,048,576 bytes here.", "Send less at once."),
    "unsupported_media_type": Told(
        415,
        "Send JSON, with Content-Type: application/json.",
        "Send the kind of content that `detail` asks for.",
    ),
    "invalid": Told(
        422,
        "Some of what you sent cannot be accepted.",
        "Look into `errors`: each names an input and says what it must be.",
        pointer="/title",
    ),
    "invalid_cursor": Told(
        422,
        "This cursor is not from this list. Start again without one.",
        "Send a cursor with the filters that it came from, or none.",
        pointer="/query/cursor",
    ),
    # Who asks
    "unauthenticated": Told(
        401, "Send an access token: Authorization: Bearer ...", "Log in and send the token."
    ),
    "token_expired": Told(
        401, "This access token has expired.", "Trade the refresh token for a new pair."
    ),
    "token_invalid": Told(
        401, "This access token is not valid.", "Send it whole, and to the board that made it."
    ),
    "login_ended": Told(
        401,
        "This log-in has ended. Log in again.",
        "Log in: it was ended by its owner, a new password or a suspension.",
    ),
    "key_malformed": Told(
        401,
        "This is not a whole API key: copy it again, every letter.",
        "Copy the key again.",
    ),
    "key_unknown": Told(401, "There is no such API key.", "Is it a key of this board?"),
    "key_revoked": Told(401, "This API key was revoked.", "Ask the company's owner for another."),
    "key_expired": Told(
        401, "This API key has expired. Make a new one.", "Ask the company's owner for another."
    ),
    "key_rests": Told(
        401,
        "This API key rests: who made it, or every owner of its company, is suspended.",
        "Write to the people who run the board.",
    ),
    "insufficient_scope": Told(
        403,
        "This token does not have the scope that this needs: jobs:write.",
        "Get a token or key with the scope that `WWW-Authenticate` names.",
    ),
    "second_factor_required": Told(
        403,
        "Admins of this board need two-step log-in. Set it up first.",
        "Begin with POST /me/second-factor. (A 409 when an admin wants to turn it off.)",
    ),
    # Who may
    "not_a_candidate": Told(
        403,
        "Only candidates apply, and your account is another kind.",
        "Use an account that was made with the role candidate.",
    ),
    "not_an_employer": Told(
        403,
        "Your account is a candidate's. Sign up as an employer to post jobs.",
        "Use an account that was made with the role employer.",
    ),
    "not_an_admin": Told(
        403, "Only moderators can see this or do it.", "Ask a moderator of the board."
    ),
    "not_a_member": Told(
        403,
        "Only the people of this company can do this.",
        "Ask an owner of the company to add you.",
    ),
    "not_an_owner": Told(
        403,
        "Only an owner of this company can do this.",
        "Ask an owner to do it, or to make you one.",
    ),
    "not_yours": Told(
        403, "Only the person whose this is can do this.", "Nothing: it is someone else's."
    ),
    "not_a_person": Told(
        403, "An API key cannot do this: log in as a person.", "Send a person's token."
    ),
    # Logging in
    "invalid_request": Told(
        422,
        "Send username (the e-mail address) and password.",
        "Send the fields that this `grant_type` needs.",
    ),
    "invalid_scope": Told(
        422,
        "There is no scope “jobs”. There are: account companies:read companies:write jobs:read ...",
        "Ask for scopes that `detail` lists, or for none: then you get all.",
        pointer="/scope",
    ),
    "wrong_credentials": Told(
        401,
        "This e-mail address and password do not belong together.",
        "Try again, or reset the password.",
    ),
    "account_suspended": Told(
        403,
        "This account is suspended. Write to the people who run this board.",
        "Write to the people who run the board.",
    ),
    "mfa_required": Told(
        401,
        "This account has two-step log-in: send a code of the app, or a recovery code, as otp.",
        "Ask the person for a code, and send it as `otp` with address and password.",
    ),
    "mfa_invalid": Told(
        401,
        "This code is not right, or was used before. Wait for the next one in your app.",
        "Send the next code, or a recovery code.",
    ),
    "refresh_token_invalid": Told(
        401, "This refresh token is no longer valid. Log in again.", "Log in."
    ),
    "refresh_token_reused": Told(
        401,
        "This refresh token was used before. For safety this log-in has ended: log in again.",
        "Log in, and keep only the newest refresh token: someone may have copied one.",
    ),
    # One's account
    "email_unverified": Told(
        409,
        "Confirm your e-mail address first, by the link that we mailed you. On the page of "
        "your account you can ask for a new one.",
        "Open the link; POST /me/verify-email mails another.",
    ),
    "email_taken": Told(
        409, "There is an account with this e-mail address already.", "Use another address."
    ),
    "link_invalid": Told(
        422,
        "This link was used before, is too old, or is incomplete. Ask for a new one.",
        "Ask for a new link.",
        pointer="/token",
    ),
    "login_not_found": Told(
        404, "There is no such log-in of yours.", "It has ended already, or was never yours."
    ),
    "code_invalid": Told(
        422,
        "This code is not right, or was used before. Wait for the next one in your app.",
        "Send the next code.",
        pointer="/code",
    ),
    "second_factor_on": Told(
        409,
        "Two-step log-in is on already. Turn it off first to use another app.",
        "Turn it off first, or keep it.",
    ),
    "second_factor_not_begun": Told(
        409,
        "Begin to set up two-step log-in first.",
        "POST /me/second-factor, then confirm with a code.",
    ),
    # Companies and their keys
    "company_not_found": Told(404, "There is no such company.", "Look in GET /companies."),
    "member_not_found": Told(
        404,
        "This person does not act for this company.",
        "Look in GET /companies/{id}/members.",
    ),
    "invitation_not_found": Told(
        404,
        "There is no such open invitation.",
        "It was answered, withdrawn or is too old: look in GET /companies/{id}/members.",
    ),
    "invitation_of_another": Told(
        403,
        "This invitation was sent to rolf@example.com. Log in with the account of that address "
        "to accept it.",
        "Log in as the address that got the letter, or ask for an invitation to yours.",
    ),
    "too_many_invitations": Told(
        409,
        "A company has at most 50 open invitations. Withdraw one, or wait for answers.",
        "Withdraw one with DELETE /invitations/{id}, or wait for answers.",
    ),
    "last_owner": Told(
        409,
        "This is the company's only owner. Make someone else an owner first.",
        "Make someone else an owner first.",
    ),
    "key_not_found": Told(404, "There is no such API key.", "Look in GET /api-keys."),
    "too_many_keys": Told(
        409,
        "A company has at most 20 API keys. Revoke one that is not used.",
        "Revoke a key that is not used.",
    ),
    # Webhooks
    "webhook_not_found": Told(404, "There is no such webhook.", "Look in GET /webhooks."),
    "delivery_not_found": Told(
        404,
        "There is no such delivery. They are kept for 30 days.",
        "Look in GET /webhooks/{id}/deliveries.",
    ),
    "address_not_public": Told(
        422,
        "hooks.bakery.internal does not lead to a public address. Only public ones are called: "
        "check the spelling, or use an address that the internet can reach.",
        "Give an address that the internet can reach, by a name that resolves.",
    ),
    "too_many_webhooks": Told(
        409,
        "A company has at most 10 webhooks. Delete one that is not used.",
        "Delete a webhook that is not used.",
    ),
    "webhook_off": Told(
        409,
        "This webhook is paused, and is not called. Turn it on first.",
        'PATCH /webhooks/{id} with {"active": true}.',
    ),
    "delivery_under_way": Told(
        409,
        "This is being sent right now. Look again in a moment.",
        "Look at the delivery again in a moment.",
    ),
    # Jobs
    "job_not_found": Told(
        404, "There is no such job.", "It is gone, or not public: are you logged in?"
    ),
    "job_step_impossible": Told(
        409,
        "This job is draft: you cannot close it. Possible now: submit, delete.",
        "Take a step that `detail` says is possible.",
    ),
    "edited_meanwhile": Told(
        409,
        "This job was changed in the meantime. Load it again and look first.",
        "Load it again, and repeat the change on what is there now. (A 412 after If-Match.)",
    ),
    "job_not_live": Told(
        409,
        "Only a live job can be featured. Send it to the moderators first, or reopen it.",
        "Get the job published first.",
    ),
    "featured_too_long": Told(
        422,
        "This job ends on 30 November 2026, and days until 23 November 2026 are paid for: at most "
        "7 more can be.",
        "Send fewer days, or reopen the job so that it ends later.",
        pointer="/days",
    ),
    # Applications
    "job_closed": Told(409, "This job takes no more applications.", "Nothing: it is closed."),
    "applies_elsewhere": Told(
        409,
        "This company takes applications on its own site: https://bakery.example.com/jobs/7",
        "Send the person to the job's `apply_url`.",
    ),
    "already_applied": Told(
        409,
        "You have applied to this job already. Look under your applications.",
        "Look in GET /me/applications.",
    ),
    "application_not_found": Told(
        404, "There is no such application.", "Look in GET /me/applications."
    ),
    "application_step_impossible": Told(
        409,
        "This application is hired: it cannot become interview. Possible now: nothing, this is "
        "final.",
        "Take one of the application's `next_stages`.",
    ),
    # Files
    "file_not_found": Told(
        404, "There is no such file.", "It is gone, or was not sent to your company."
    ),
    "resume_not_found": Told(404, "You have no such résumé.", "Look in GET /resumes."),
    "resume_in_use": Told(
        409,
        "You sent this résumé with 2 applications: who got it can read it until you withdraw.",
        "Withdraw those applications, or keep it.",
    ),
    "image_not_found": Told(404, "You have no such picture.", "Look in GET /images."),
    "quota_exceeded": Told(
        413,
        "All your files together may have 100 MB, and with this one they have more. Delete some "
        "that you no longer need.",
        "Look in GET /resumes and GET /images, and delete what is no longer needed.",
    ),
    "too_many_pixels": Told(
        413,
        "This picture has more than 25 million pixels. Send a smaller copy.",
        "Send a smaller copy.",
    ),
    "picture_too_complex": Told(
        413,
        "This picture takes too much work to read. Save it again as a plain PNG or JPEG.",
        "Save it again as a plain PNG or JPEG.",
    ),
    "picture_damaged": Told(
        422,
        "This picture is damaged or cut short. Open it, save it again and send that.",
        "Save the picture again.",
        pointer="/file",
    ),
    "too_many_pictures": Told(
        503,
        "Many people are sending pictures just now. Try again in a few seconds.",
        "Wait as long as `Retry-After` says.",
    ),
    # Alerts
    "saved_search_not_found": Told(
        404, "There is no such saved search.", "Look in GET /saved-searches."
    ),
    "search_saved_already": Told(
        409,
        "You have saved this search already. Change it under your alerts.",
        "Look in GET /saved-searches, and change that one.",
    ),
    "too_many_saved_searches": Told(
        409,
        "You have 50 saved searches, and more do not fit. Delete one first.",
        "Delete one that you no longer need.",
    ),
    # Tasks
    "task_not_found": Told(404, "There is no such task of yours.", "Look in GET /tasks."),
    "too_many_tasks": Told(
        409,
        "You have 2,000 tasks, and more do not fit. Delete some that are done.",
        "Delete some that are done.",
    ),
    "two_subjects": Told(
        422,
        "A task is about an application or about a job, not both: leave one out.",
        "Send one of the two; null clears the other.",
    ),
    # Wallets
    "wallet_not_found": Told(
        404, "There is no such wallet for you.", "Look in GET /wallets for those you may spend of."
    ),
    "message_not_found": Told(
        404,
        "There is no such failed message. Somebody may have looked after it already.",
        "Look in GET /admin/messages.",
    ),
    "synonym_not_found": Told(404, "There are no such synonyms.", "Look in GET /admin/synonyms."),
    "synonym_known_already": Told(
        409, "These terms mean the same already.", "Nothing is left to do."
    ),
    "mail_block_not_found": Told(
        404, "This address is not shut out from mail.", "Look in GET /admin/mail-blocks."
    ),
    "transfer_not_found": Told(
        404, "There is no such transfer for you.", "Look in GET /wallets/{id}/entries."
    ),
    "insufficient_funds": Told(
        409,
        "The wallet holds 10.00 EUR: 2.50 EUR are missing.",
        "Send at most the wallet's balance. `shortfall` is what is missing, in minor units.",
    ),
    "wallet_frozen": Told(
        409, "The wallet that pays out is frozen.", "Write to the people who run the board."
    ),
    "spending_limit_exceeded": Told(
        409,
        "Your company lets you spend 50.00 EUR a month; 12.00 EUR are left. Ask an owner to "
        "raise it.",
        "Wait for the next month (UTC), or ask an owner of the company.",
    ),
    "given_back_before": Told(
        409, "This was given back before.", "Nothing: the credits are back already."
    ),
    "transfer_final": Told(
        409,
        "This gives something back itself: it is final.",
        "Make another transfer, the other way.",
    ),
    "same_wallet": Told(
        422,
        "A wallet cannot pay itself.",
        "Name two wallets.",
        pointer="/to_wallet_id",
    ),
    "currency_mismatch": Told(
        422,
        "The wallet that pays out holds EUR. Currencies are never mixed.",
        "Send the currency that both wallets hold.",
        pointer="/currency",
    ),
    # Moderation
    "person_not_found": Told(404, "There is no such person.", "Look in GET /admin/people."),
    "person_erased": Told(
        409,
        "This account is erased, and its person is gone.",
        "Nothing: the line stays for what others keep.",
    ),
    "own_account": Told(409, "You cannot suspend yourself.", "Ask another moderator."),
    "last_admin": Told(
        409,
        "This is the board's last moderator. Make another one first.",
        "Make another admin first, with `jobboard create-admin`.",
    ),
    # Sending again
    "idempotency_key_reused": Told(
        422,
        "This Idempotency-Key was sent before with another body or query. "
        "Send a new key for a new request.",
        "Make up a new key for each thing that you want.",
        pointer="/header/Idempotency-Key",
    ),
    "idempotency_key_in_use": Told(
        409,
        "A request with this Idempotency-Key is still at work. Try again in a moment.",
        "Wait as long as `Retry-After` says, and send the same again.",
    ),
    # How much, and how we are
    "rate_limited": Told(
        429,
        "These are more requests than we take: 120 per 1 minute. Try again in 12 seconds.",
        "Wait as long as `Retry-After` says. `RateLimit` tells how much is left.",
    ),
    "unavailable": Told(
        503,
        "This part of the board is resting. Please try again in a moment.",
        "Wait as long as `Retry-After` says.",
    ),
    "internal_error": Told(
        500,
        "Something broke on our side. We logged it.",
        "Tell the people who run the board, with the `request_id`.",
    ),
}


def example(code: str, status: int) -> dict[str, Any]:
    """The body of an answer with this code."""
    told = PROBLEMS[code]
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "detail": told.detail,
        "code": code,
        "request_id": EXAMPLE_ID,
    }
    if told.pointer is not None:
        message = "This is needed." if code == "invalid" else told.detail
        body["errors"] = [{"pointer": told.pointer, "message": message}]
    return body
