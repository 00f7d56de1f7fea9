"""Errors of the domain as outsiders see them.

DomainError         carries `error_id`, words for people, and details
├── NotSignedOn     401: no token, a wrong one, or one that has run out
├── NotAllowed      403: known, but not entitled
├── NotFound        404: no such thing
├── Conflict        409: it exists, but its state forbids this
├── Invalid         422: the request itself is wrong
├── TooMany         429: slow down; says for how long
└── Unavailable     503: a part of the system is away; try again later

Whoever carries out a command raises them; only `cti.api` turns them into HTTP.
"""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """Base of the errors that reach users.

    `error_id` is a slug that never changes (`agent-not-talking`), `message` is a sentence for
    people that says what to do, `details` are facts for machines.
    """

    status: ClassVar[int] = 500

    def __init__(self, error_id: str, message: str, **details: str) -> None:
        super().__init__(message)
        self.error_id = error_id
        self.message = message
        self.details = details


class NotSignedOn(DomainError):  # noqa: N818 - the names are the words of the API
    """The request carries no valid token, or the sign-on failed."""

    status = 401


class NotAllowed(DomainError):  # noqa: N818 - as above
    """The user is known and may not do this."""

    status = 403


class NotFound(DomainError):  # noqa: N818 - as above
    """There is no such agent, interaction, customer, route."""

    status = 404


class Conflict(DomainError):  # noqa: N818 - as above
    """The thing exists, but its state forbids the command."""

    status = 409


class Invalid(DomainError):  # noqa: N818 - as above
    """The body, a parameter or a value in it is wrong."""

    status = 422


class TooMany(DomainError):  # noqa: N818 - as above
    """Too many tries. `retry_after_s` is when the next one is welcome."""

    status = 429

    def __init__(self, error_id: str, message: str, retry_after_s: float, **details: str) -> None:
        super().__init__(error_id, message, **details)
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):  # noqa: N818 - as above
    """A part of the system (store, gateway) is away."""

    status = 503
