"""Who asks: the digest of requests outside of calls, as for calls and registrations."""

from __future__ import annotations

import math

from switch.registrar.ports import Credentials
from switch.sip.digest import Accepted, Challenge, Challenger, Paused, Refused
from switch.sip.flow import Flow
from switch.sip.message import Request, Response
from switch.sip.writing import make_response


class RefusedError(Exception):
    """The request fails with `status`."""

    def __init__(self, status: int, reason: str | None = None, *headers: tuple[str, str]) -> None:
        super().__init__(reason or str(status))
        self.status = status
        self.reason = reason
        self.headers = headers

    def response(self, request: Request) -> Response:
        """The answer."""
        return make_response(request, self.status, self.reason, headers=self.headers)


class Door:
    """Lets phones of ours in, and nobody else."""

    __slots__ = ("_challenger", "_credentials")

    def __init__(self, challenger: Challenger, credentials: Credentials) -> None:
        self._challenger = challenger
        self._credentials = credentials

    def knows(self, number: str) -> bool:
        """True when the number is a phone of ours."""
        return self._credentials.knows(number)

    def user(self, request: Request, flow: Flow, now: float) -> str:
        """The phone that proves to have sent this; its From must say so too.

        Raises:
            RefusedError: it proves nothing.
        """
        host = flow.remote[0]
        verdict = self._challenger.verify(
            request, self._credentials.ha1, now, host=host, is_connected=flow.is_connected
        )
        match verdict:
            case Challenge(stale=stale):
                raise RefusedError(
                    401, None, *self._challenger.challenges(now, stale=stale, host=host)
                )
            case Refused(reason=reason, status=status):
                raise RefusedError(status, None if status == 403 else reason.capitalize())
            case Paused(seconds=seconds):
                retry = ("Retry-After", str(math.ceil(seconds)))
                raise RefusedError(500, "Too Many Wrong Passwords", retry)
            case Accepted(user=user):
                if request.from_.uri.username != user:
                    raise RefusedError(403)
                return user
