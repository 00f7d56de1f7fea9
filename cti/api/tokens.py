"""Signed tokens: who one is, until when. Stateless but for those that were signed off."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import jwt

from cti.api.ports import Account
from cti.errors import NotSignedOn

_ALGORITHM: Final = "HS256"
_CLAIMS: Final = ("sub", "jti", "iat", "exp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token that was verified."""

    login: str
    session: str
    """One sign-on."""
    expires: float


class Tokens:
    """Issues and verifies tokens. `wall` gives seconds since the epoch."""

    def __init__(self, secret: bytes, ttl_s: float, wall: Callable[[], float] = time.time) -> None:
        if len(secret) < 32:
            raise ValueError("the token secret must be at least 32 bytes long")
        self._secret = secret
        self._ttl_s = ttl_s
        self._wall = wall
        self._revoked: dict[str, float] = {}

    def issue(self, account: Account) -> tuple[str, float]:
        """A new token and when it runs out."""
        now = int(self._wall())
        expires = now + int(self._ttl_s)
        claims = {
            "sub": account.login,
            "role": account.role.value,
            "agent": account.agent_id,
            "jti": uuid.uuid4().hex,
            "iat": now,
            "exp": expires,
        }
        return jwt.encode(claims, self._secret, _ALGORITHM), float(expires)

    def verify(self, text: str) -> Token:
        """Read a token. Raises `NotSignedOn`, always in the same words for the same cause."""
        try:
            claims = jwt.decode(
                text,
                self._secret,
                algorithms=[_ALGORITHM],
                # Times are compared below, against our own clock.
                options={"require": list(_CLAIMS), "verify_exp": False, "verify_iat": False},
            )
            token = Token(
                login=str(claims["sub"]),
                session=str(claims["jti"]),
                expires=float(claims["exp"]),
            )
        except (jwt.PyJWTError, TypeError, ValueError) as error:
            raise NotSignedOn("bad-token", "The token is not valid; sign on again.") from error
        if token.expires <= self._wall():
            raise NotSignedOn("token-expired", "The token has run out; sign on again.")
        if token.session in self._revoked:
            raise NotSignedOn("signed-off", "This token was signed off; sign on again.")
        return token

    def revoke(self, token: Token) -> None:
        """Make a token void, also before it runs out."""
        now = self._wall()
        self._revoked = {key: until for key, until in self._revoked.items() if until > now}
        self._revoked[token.session] = token.expires
