"""Errors of the distribution.

AcdError
├── UnknownAgentError     no agent of this number is configured
├── UnknownQueueError     no queue of this name is configured
├── UnknownContactError   asked about a contact that is not here (any more)
├── ContactExistsError    a contact that is here already wants to enter again
├── NotSignedOnError      ready or not-ready asked of an agent that is not signed on
├── BadReasonError        a not-ready reason that is empty or too long
├── NotNowError           a command to a contact that makes no sense in its present state
├── CannotReachError      a target that nobody can be called at, or not by this agent
├── BadSettingsError      agents and queues that do not fit together
└── InvariantError        the state contradicts itself: a fault of this program

News about something that is gone (an answer to an offer that was taken back, the end of a
contact that ended) is no error: it is ignored, see `acd.core`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AcdError(Exception):
    """Base of the errors of the distribution. `details` holds the ids it is about."""

    error_id: ClassVar[str] = "acd-error"

    def __init__(self, message: str, **details: str) -> None:
        super().__init__(message)
        self.details: Mapping[str, str] = details


class UnknownAgentError(AcdError):
    """No agent of this number is configured."""

    error_id = "unknown-agent"

    def __init__(self, agent: str) -> None:
        super().__init__(f"no agent {agent!r} is configured", agent=agent)


class UnknownQueueError(AcdError):
    """No queue of this name is configured."""

    error_id = "unknown-queue"

    def __init__(self, queue: str) -> None:
        super().__init__(f"no queue {queue!r} is configured", queue=queue)


class UnknownContactError(AcdError):
    """The contact never was here, or has ended."""

    error_id = "unknown-contact"

    def __init__(self, contact: str) -> None:
        super().__init__(f"contact {contact!r} is not here, or has ended", contact=contact)


class ContactExistsError(AcdError):
    """The contact waits, is offered or talks already; end that first."""

    error_id = "contact-exists"

    def __init__(self, contact: str, state: str) -> None:
        message = (
            f"contact {contact!r} is {state} already; withdraw or end it before it queues anew"
        )
        super().__init__(message, contact=contact, state=state)


class NotSignedOnError(AcdError):
    """Ready or not-ready was asked of an agent that is not signed on."""

    error_id = "agent-not-signed-on"

    def __init__(self, agent: str) -> None:
        super().__init__(f"agent {agent!r} is not signed on; sign on first", agent=agent)


class BadReasonError(AcdError):
    """Not-ready needs a reason of 1 to 64 characters."""

    error_id = "bad-reason"

    def __init__(self, agent: str, reason: str) -> None:
        message = f"not-ready needs a reason of 1 to 64 characters, not {len(reason)}"
        super().__init__(message, agent=agent, reason=reason[:64])


class BadSettingsError(AcdError):
    """Agents and queues do not fit together: a name twice, or a queue that does not exist."""

    error_id = "bad-acd-settings"


class NotNowError(AcdError):
    """The command makes no sense in the present state; the message says why, for people."""

    error_id = "not-now"


class CannotReachError(AcdError):
    """The target cannot be called; the message says why, for people."""

    error_id = "cannot-reach"


class InvariantError(AcdError):
    """The state contradicts itself. Never the fault of an input."""

    error_id = "acd-invariant"
