"""What is reported of calling back customers whom our side cut off."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from acd.model import ContactId, QueueName


class CallBackState(StrEnum):
    """Where a call-back stands."""

    PLANNED = "planned"
    """It will be dialled as soon as there is a media gateway, and room."""
    DIALLED = "dialled"
    FAILED = "failed"
    """This attempt; there will be another one."""
    ANSWERED = "answered"
    """The customer is in the queue again, as another contact."""
    NOT_POSSIBLE = "not-possible"
    """Nobody is called: no number, or none that may be called."""
    GIVEN_UP = "given-up"


class CallBackMoved(Struct, frozen=True, kw_only=True):
    """A step on the way of calling somebody back."""

    contact: ContactId
    """The contact that was cut off."""
    queue: QueueName
    at: float
    state: CallBackState
    number: str
    """Empty: withheld."""
    attempt: int = 0
    """From 1; 0: nothing was dialled yet."""
    reason: str = ""
    """Why it failed, is not possible or was given up: one slug."""
    again_at: float | None = None
    """When it is dialled again, at the earliest."""
    joined: ContactId | None = None
    """The contact that goes on for the one that was cut off."""
