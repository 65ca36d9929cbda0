"""What stands above the operations at /api/docs: what one needs before the first call."""

GUIDE = """
**Log in** with `POST /api/v1/auth/token` (a form: `grant_type=password`, `username`, `password`)
and send the `access_token` as `Authorization: Bearer ...`. It lives for minutes; trade the
`refresh_token` at the same address for a new pair. On this page, use *Authorize*.

More to read: [from nothing to a job with an applicant, in curl](/api/docs/quickstart) ·
[every error and what to do](/api/docs/errors) · [who may do what](/api/docs/access) ·
[webhooks](/api/docs/webhooks) ·
[sending again, reading again](/api/docs/repeating-requests) ·
[versions, and how long they last](/api/docs/versions).

- **Scopes:** ask for less than all with `scope` (`jobs:read applications:read`); each operation
  names the one that it needs, and a token without it gets a 403 with `insufficient_scope`.
- **API keys** let a company's own programs in: `POST /api/v1/api-keys`, or the page API keys under
  your company. Send `jb_...` in place of the access token. A key has scopes, belongs to the
  company, and cannot do what is a person's.
- **Ids** are UUIDs. **Times** are UTC, as in RFC 3339. **Money** is in minor units (cents) with
  an ISO 4217 currency.
- **Lists** answer `{"items": [...], "next_cursor": ...}`. Send `next_cursor` as `cursor` for the
  next page; null means the last. Items of a list are shorter than the thing itself.
- **Typing errors:** a search whose `q` finds nothing answers for what was likely meant, and says so
  in `correction`; `exact=true` forbids it. `GET /api/v1/suggestions` helps those who still type.
- **Nothing is guessed:** lists refuse parameters that they do not know, bodies fields that they do
  not, and a number in JSON is a number: `"5"` and `true` are none.
- **Errors** are problem details (RFC 9457): `code` is for programs and holds, `detail` is for
  people, `errors` says which field is wrong. Each operation shows the codes that it answers.
- **Limits:** `RateLimit` and `RateLimit-Policy` say what is left of yours. After a 429, wait as
  many seconds as `Retry-After` says.
- **Changes:** absent keeps, null clears. Send the `version` that you read, and a change that
  someone else made meanwhile is a 409, not lost. Or send the `ETag` that you read as `If-Match`:
  the same is a 412 then.
- **Reading again:** send the `ETag` of an answer as `If-None-Match`, and what has not changed is
  a 304 without a body, for lists too.
- **Sending again:** a POST that creates takes an `Idempotency-Key`, a name that you make up for it
  (a UUID). When the connection breaks, send the same with the same key: for 24 hours it creates
  nothing more and answers the same, with `Idempotent-Replayed: true`. With another body it is a
  422; while the first is still at work, a 409. Errors are not kept: mend and send again.
"""
TAGS = [
    {"name": name, "description": description}
    for name, description in (
        ("auth", "Sign up, log in, log out; the links that we mail."),
        ("me", "The signed-in person: account, log-ins, two-step log-in, applications, export."),
        ("jobs", "Find jobs; write them and move them through their life."),
        ("applications", "Apply; read and answer applications."),
        ("companies", "Companies, their logos and their people."),
        ("api keys", "Keys for a company's own programs."),
        ("webhooks", "Calls to a company's own programs when something happens, and their log."),
        ("uploads", "Résumés and pictures."),
        ("alerts", "Saved searches: new jobs by mail, at once, daily or weekly."),
        ("notifications", "News, as a list and over a WebSocket."),
        ("tasks", "To-dos of one's own, alone or about an application or a job."),
        ("wallet", "Credits: wallets, statements, transfers. What moves them needs a key."),
        ("moderation", "What waits for a moderator, people, and the audit log. For admins."),
        ("queue", "Messages for workers: how many wait, and those that failed. For admins."),
        ("analytics", "Jobs in numbers; hits of the API and searches, for admins."),
        ("health", "For process managers and monitoring."),
    )
]
