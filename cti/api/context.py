"""What all routes of one application share, and who is asking."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from cti.api.desks import Desks
from cti.api.origin import Origins
from cti.api.ports import Account, ApiPorts, ApiSettings
from cti.api.streams import Streams
from cti.api.throttle import SignOnThrottle
from cti.api.tokens import Token, Tokens
from cti.errors import NotAllowed, NotSignedOn
from cti.schema import Role

_bearer = HTTPBearer(auto_error=False, description="The token of the sign-on.")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""A proxy on this machine makes the whole world look local."""
_RANK = {Role.AGENT: 0, Role.SUPERVISOR: 1, Role.ADMINISTRATOR: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The parts of one application."""

    ports: ApiPorts
    settings: ApiSettings
    tokens: Tokens
    throttle: SignOnThrottle
    origins: Origins
    desks: Desks
    streams: Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is asking: the account as it is now, and the token."""

    account: Account
    token: Token

    @property
    def is_supervisor(self) -> bool:
        """True for supervisors and above."""
        return _RANK[self.account.role] >= _RANK[Role.SUPERVISOR]

    @property
    def agent_id(self) -> str:
        """The agent of the token. Raises `NotAllowed` for people who take no calls."""
        if self.account.agent_id is None:
            raise NotAllowed("no-agent", "This account is not an agent; it takes no calls.")
        return self.account.agent_id


def context_of(connection: HTTPConnection) -> Context:
    """The context of the application that serves this connection."""
    context = connection.app.state.context
    assert isinstance(context, Context)
    return context


def caller_of(context: Context, text: str) -> Caller:
    """Read a token and find its account. Raises `NotSignedOn`."""
    token = context.tokens.verify(text)
    account = context.ports.accounts.get(token.login)
    if account is None:
        raise NotSignedOn("account-gone", "This account does not exist any more.")
    return Caller(account=account, token=token)


def _context(request: Request) -> Context:
    return context_of(request)


def _caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    if credentials is None:
        raise NotSignedOn("no-token", "Sign on first: Authorization: Bearer <token>.")
    return caller_of(context_of(request), credentials.credentials)


def is_local(request: Request) -> bool:
    """True for a request from this very machine that no proxy passed on for somebody else."""
    if any(name in request.headers for name in _FORWARDED) or request.client is None:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def supervisor_of(request: Request, refusal: str) -> Caller:
    """Who asks, if a supervisor or above. Raises `NotSignedOn`, or `NotAllowed` in these words."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise NotSignedOn("no-token", "Sign on first: Authorization: Bearer <token>.")
    caller = caller_of(context_of(request), text.strip())
    if not caller.is_supervisor:
        raise NotAllowed("supervisors-only", refusal)
    return caller


TheContext = Annotated[Context, Depends(_context)]
TheCaller = Annotated[Caller, Depends(_caller)]
