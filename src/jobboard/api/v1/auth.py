"""Sign up, log in, refresh, log out; the links that we mail."""

from typing import Annotated, Literal

from fastapi import Form, Request, Response
from pydantic import Field, SecretStr

from jobboard.accounts import addresses, limits, logins, recovery, refreshing, service
from jobboard.accounts.schemas import (
    Accepted,
    EmailAsked,
    PasswordReset,
    PersonRead,
    Registration,
    TokenOfLink,
    TokenPair,
)
from jobboard.api.deps import AddressDep, EnginesDep, SessionDep, SettingsDep
from jobboard.api.idempotency import LateKeyDep
from jobboard.api.route import Router
from jobboard.errors import Forbidden, Invalid, Unauthenticated
from jobboard.infra.engines import Engines
from jobboard.infra.rates import LOGIN, WRITES, limited
from jobboard.privacy import regaining
from jobboard.schema import Input

router = Router(prefix="/auth", tags=["auth"])


class TokenForm(Input):
    """The form of RFC 6749, sections 4.3.2 and 6. The client is taken and not used."""

    grant_type: Literal["password", "refresh_token"]
    username: str | None = Field(None, max_length=254, description="The e-mail address.")
    password: SecretStr | None = Field(None, max_length=1024)
    otp: str | None = Field(
        None, max_length=50, description="A code of two-step log-in, or a recovery code."
    )
    refresh_token: str | None = Field(None, max_length=200)
    scope: str = Field(
        "",
        max_length=500,
        description="What the token shall be good for, separated by spaces; all you may, if empty.",
        examples=["jobs:read applications:read"],
    )
    client_id: str | None = None
    client_secret: str | None = None


class RevokeForm(Input):
    """The form of RFC 7009, section 2.1."""

    token: str = Field(min_length=1, max_length=4000)
    token_type_hint: str | None = None


@router.post("/register", status_code=201)
@limited(LOGIN)
async def register(
    data: Registration,
    session: SessionDep,
    engines: EnginesDep,
    address: AddressDep,
    key: LateKeyDep,
) -> PersonRead:
    """Sign up as a candidate or an employer.

    The answer is the same when the address has an account already: its owner gets a mail.
    """
    await engines.limiter.hit_sign_up(address)
    hashed = await service.password_hash(data, engines.settings)
    await key.claim(None)
    remind = await engines.limiter.may_remind(data.email)
    return await service.register(session, data, hashed, remind=remind)


@router.post("/token")
@limited(LOGIN)
async def get_token(
    form: Annotated[TokenForm, Form()],
    request: Request,
    response: Response,
    engines: EnginesDep,
    address: AddressDep,
) -> TokenPair:
    """Log in with address and password, or trade a refresh token for a new pair.

    For our own clients only: OAuth2's password grant is not for third parties. `scope` narrows
    what the token is good for; the answer says what was granted. A refresh can narrow further,
    never widen.

    Where the account has two-step log-in, `otp` is needed too: without it the answer is a 401 with
    the code `mfa_required`, with a wrong one `mfa_invalid`. Ask the person, and send all three.
    """
    response.headers["Cache-Control"] = "no-store"  # RFC 6749, section 5.1
    if form.grant_type == "refresh_token":
        return await _refresh(form, engines)
    user_agent = request.headers.get("user-agent", "")
    return await _log_in(form, engines, address, user_agent)


async def _log_in(form: TokenForm, engines: Engines, address: str, user_agent: str) -> TokenPair:
    if not form.username or form.password is None:
        raise Invalid("Send username (the e-mail address) and password.", code="invalid_request")
    await engines.limiter.hit_login(form.username, address)
    async with engines.database.transaction() as session:
        claimed = await logins.claim(session, form.username)
    try:
        proven = await logins.authenticate(claimed, form.password.get_secret_value())
    except (Unauthenticated, Forbidden):
        if await limits.may_tell_failure(engines.limiter, form.username):
            async with engines.database.transaction() as session:
                logins.note_refused(session, claimed.id if claimed else None)
        raise
    if form.otp is not None:
        await limits.hit_code(engines.limiter, proven.person.id)
    try:
        async with engines.database.transaction() as session:
            return await logins.log_in(
                session,
                proven,
                engines.settings,
                user_agent=user_agent,
                scope=form.scope,
                code=form.otp,
            )
    except Unauthenticated as error:
        if error.code == "mfa_invalid":
            async with engines.database.transaction() as session:
                logins.note_refused(session, proven.person.id, step="code")
        raise


async def _refresh(form: TokenForm, engines: Engines) -> TokenPair:
    if not form.refresh_token:
        raise Invalid.field("refresh_token", "Send the refresh_token.", code="invalid_request")
    async with engines.database.transaction() as session:
        pair = await refreshing.refresh(
            session, form.refresh_token, engines.settings, scope=form.scope
        )
    if pair is None:  # refused only now, so that the end of the log-in is committed
        raise Unauthenticated(
            "This refresh token was used before. For safety this log-in has ended: log in again.",
            code="refresh_token_reused",
        )
    return pair


@router.post("/revoke", status_code=204)
@limited(WRITES)
async def revoke(
    form: Annotated[RevokeForm, Form()], session: SessionDep, settings: SettingsDep
) -> None:
    """Log out: send the refresh or the access token. An unknown token is no error (RFC 7009)."""
    await logins.revoke(session, form.token, settings)


@router.post("/verify-email", status_code=204)
@limited(LOGIN)
async def verify_email(data: TokenOfLink, session: SessionDep) -> None:
    """Confirm an e-mail address, with the token of the link that we mailed. It works once."""
    await addresses.verify(session, data.token)


@router.post("/password-reset", status_code=202)
@limited(LOGIN)
async def ask_for_password_reset(
    data: EmailAsked, engines: EnginesDep, session: SessionDep, address: AddressDep
) -> Accepted:
    """Have a link mailed that sets a new password: it works once, within an hour.

    The answer is the same whether or not there is such an account. At most five mails a day.
    """
    await limits.hit_reset(engines.limiter, address)
    if await limits.may_mail(engines.limiter, "reset", data.email):
        recovery.ask_to_reset(session, data.email)
    return Accepted(detail="If there is an account with this address, a mail is on its way.")


@router.post("/password-reset/confirm", status_code=204)
@limited(LOGIN)
async def reset_password(data: PasswordReset, engines: EnginesDep) -> None:
    """Set a new password, with the token of the link that we mailed. Every log-in ends."""
    async with engines.database.transaction() as session:
        person = await recovery.person_of_link(session, data.token)
    password = data.password.get_secret_value()
    hashed = await recovery.new_hash(person, password, engines.settings)
    async with engines.database.transaction() as session:
        await recovery.reset(session, data.token, hashed)


@router.post("/email-change", status_code=204)
@limited(LOGIN)
async def change_email(data: TokenOfLink, session: SessionDep) -> None:
    """Take a new address, with the token that was mailed to it. The old address is told."""
    await addresses.change(session, data.token)


@router.post("/email-change/undo", status_code=204)
@limited(LOGIN)
async def undo_email_change(data: TokenOfLink, session: SessionDep) -> None:
    """Go back to the old address, with the token that was mailed to it, within a week.

    For owners whose account someone else uses: the password stops to work, every log-in ends, API
    keys and invitations that were made since are off, and so is two-step log-in, unless it was on
    for more than a week before the move. A link for a new password is mailed, with what was found.
    """
    await regaining.undo_change(session, data.token)
