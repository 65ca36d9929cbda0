"""Sign up, log in, refresh, log out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from pydantic import Field, SecretStr

from jobboard.accounts import logins, service
from jobboard.accounts.schemas import PersonRead, Registration, TokenPair
from jobboard.api.deps import AddressDep, EnginesDep, SessionDep, SettingsDep
from jobboard.errors import DomainError, Invalid, Unauthenticated
from jobboard.infra.engines import Engines
from jobboard.infra.rates import LOGIN, WRITES, limited
from jobboard.schema import Input

router = APIRouter(prefix="/auth", tags=["auth"])


class TokenForm(Input):
    """The form of RFC 6749, sections 4.3.2 and 6. The client is taken and not used."""

    grant_type: Literal["password", "refresh_token"]
    username: str | None = Field(None, max_length=254, description="The e-mail address.")
    password: SecretStr | None = Field(None, max_length=1024)
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

    token: str = Field(max_length=4000)
    token_type_hint: str | None = None


@router.post("/register", status_code=201)
@limited(LOGIN)
async def register(
    data: Registration, session: SessionDep, engines: EnginesDep, address: AddressDep
) -> PersonRead:
    """Sign up as a candidate or an employer.

    The answer is the same when the address has an account already: its owner gets a mail.
    """
    await engines.limiter.hit_sign_up(address)
    remind = await engines.limiter.may_remind(data.email)
    return await service.register(session, data, engines.settings, remind=remind)


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
        person = await logins.authenticate(claimed, form.password.get_secret_value())
    except DomainError:
        async with engines.database.transaction() as session:
            await logins.note_refused(session, claimed)
        raise
    async with engines.database.transaction() as session:
        return await logins.log_in(
            session, person, engines.settings, user_agent=user_agent, scope=form.scope
        )


async def _refresh(form: TokenForm, engines: Engines) -> TokenPair:
    if not form.refresh_token:
        raise Invalid.field("refresh_token", "Send the refresh_token.", code="invalid_request")
    async with engines.database.transaction() as session:
        pair = await logins.refresh(session, form.refresh_token, engines.settings, scope=form.scope)
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
