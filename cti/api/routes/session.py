"""Sign on, sign off, and what one sees then."""

from __future__ import annotations

import math

from fastapi import APIRouter, Request, Response

from cti.api.answers import JsonAnswer
from cti.api.context import Context, TheCaller, TheContext
from cti.api.counters import SIGNED_ON
from cti.errors import DomainError, Invalid, NotSignedOn, TooMany
from cti.schema import SignOnReply, SignOnRequest, Snapshot

router = APIRouter(prefix="/api/v1", tags=["session"])


@router.post("/sign-on", response_model=SignOnReply)
async def sign_on(body: SignOnRequest, request: Request, context: TheContext) -> Response:
    """Exchange login and password for a token.

    Too many wrong passwords for a login from one address are answered with 429 and `Retry-After`; still
    more shut the address out, also for SIP.
    """
    if not 0 < len(body.login) <= 200 or not 0 < len(body.password) <= 1000:
        raise Invalid("bad-request", "Login (1 to 200 characters) and password are needed.")
    try:
        reply = await _sign_on(body, context.origins.of(request), context)
    except DomainError as error:
        context.ports.counters.sign_ons[error.error_id] += 1
        raise
    context.ports.counters.sign_ons[SIGNED_ON] += 1
    return JsonAnswer(reply)


async def _sign_on(body: SignOnRequest, address: str, context: Context) -> SignOnReply:
    shut_out = context.ports.bans.shut_out_for(address)
    if shut_out > 0:
        raise TooMany(
            "banned",
            f"This address is shut out; try again in {math.ceil(shut_out)} s, or ask an administrator.",
            shut_out,
        )
    is_slowed = context.throttle.is_slowed(body.login, address)
    context.throttle.begin(body.login, address, is_shared=context.ports.bans.is_shared(address))
    try:
        account = await context.ports.accounts.verify(body.login, body.password)
    finally:
        context.throttle.ended()
    if account is None:
        context.ports.bans.wrong_password(address, is_slowed=is_slowed)
        raise NotSignedOn("wrong-password", "Login or password is wrong.")
    context.throttle.succeeded(body.login, address)
    context.ports.bans.right_password(address, body.login)
    token, expires = context.tokens.issue(account)
    phone = None
    if account.agent_id is not None:
        phone = context.ports.floor.phone_credentials(account.agent_id)
    return SignOnReply(
        token=token,
        expires=expires,
        login=account.login,
        name=account.name,
        role=account.role,
        agent_id=account.agent_id,
        phone=phone,
        language=account.language,
    )


@router.post("/sign-off", status_code=204)
async def sign_off(caller: TheCaller, context: TheContext) -> Response:
    """Make the token void, end its streams, and sign the agent off if this was its last desk."""
    context.tokens.revoke(caller.token)
    context.streams.end_session(caller.token.session)
    if caller.account.agent_id is not None:
        context.desks.signed_off(caller.account.agent_id, caller.token.session)
    return Response(status_code=204)


@router.get("/snapshot", response_model=Snapshot)
async def snapshot(caller: TheCaller, context: TheContext) -> Response:
    """What this user sees now; the stream begins with the same."""
    return JsonAnswer(context.streams.snapshot(caller.account))
