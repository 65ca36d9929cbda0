"""Two-step log-in of the signed-in person: set it up, renew the recovery codes, turn it off."""

from uuid import UUID

from fastapi import Response
from pydantic import SecretStr

from jobboard.accounts import limits, second_factor, service
from jobboard.accounts.schemas import (
    CodeInput,
    Enrolment,
    PasswordAndCode,
    PasswordInput,
    RecoveryCodes,
    SecondFactorRead,
)
from jobboard.api.deps import EnginesDep, NewcomerAloneDep, NewcomerDep, SessionDep
from jobboard.api.route import Router
from jobboard.infra.engines import Engines
from jobboard.infra.rates import LOGIN, limited

router = Router(prefix="/me/second-factor", tags=["me"])


@router.get("")
async def get_second_factor(session: SessionDep, actor: NewcomerDep) -> SecondFactorRead:
    """Whether my log-in takes a second step."""
    return await second_factor.read(session, actor.id)


@router.post("", status_code=201)
@limited(LOGIN)
async def begin_second_factor(
    data: PasswordInput, engines: EnginesDep, actor: NewcomerAloneDep, response: Response
) -> Enrolment:
    """Begin to set up two-step log-in: put the secret into an authenticator app, then confirm.

    To begin again makes a new secret, until one is confirmed.
    """
    await _require_password(engines, actor.id, data.current_password)
    response.headers["Cache-Control"] = "no-store"
    async with engines.database.transaction() as session:
        return await second_factor.begin(session, actor, engines.settings)


@router.post("/confirm")
@limited(LOGIN)
async def confirm_second_factor(
    data: CodeInput, engines: EnginesDep, actor: NewcomerAloneDep, response: Response
) -> RecoveryCodes:
    """Turn two-step log-in on with a first code of the app. Every other log-in ends.

    The answer holds the recovery codes, this one time.
    """
    await limits.hit_code(engines.limiter, actor.id)
    response.headers["Cache-Control"] = "no-store"
    async with engines.database.transaction() as session:
        codes = await second_factor.confirm(session, actor, data.code, engines.settings)
    return RecoveryCodes(recovery_codes=codes)


@router.post("/recovery-codes")
@limited(LOGIN)
async def renew_recovery_codes(
    data: PasswordAndCode, engines: EnginesDep, actor: NewcomerAloneDep, response: Response
) -> RecoveryCodes:
    """Make new recovery codes; the old ones stop to work. They are shown this one time."""
    await _require_password(engines, actor.id, data.current_password)
    await limits.hit_code(engines.limiter, actor.id)
    response.headers["Cache-Control"] = "no-store"
    async with engines.database.transaction() as session:
        codes = await second_factor.renew(session, actor, data.code, engines.settings)
    return RecoveryCodes(recovery_codes=codes)


@router.post("/disable", status_code=204)
@limited(LOGIN)
async def disable_second_factor(
    data: PasswordAndCode, engines: EnginesDep, actor: NewcomerAloneDep
) -> None:
    """Log in with the password alone again. Admins cannot where the board needs it of them."""
    await _require_password(engines, actor.id, data.current_password)
    await limits.hit_code(engines.limiter, actor.id)
    async with engines.database.transaction() as session:
        await second_factor.turn_off(session, actor, data.code, engines.settings)


async def _require_password(engines: Engines, person_id: UUID, password: SecretStr) -> None:
    await limits.hit_password(engines.limiter, person_id)
    async with engines.database.transaction() as session:
        person = await service.get_account(session, person_id)
    await service.require_password(person, password)
