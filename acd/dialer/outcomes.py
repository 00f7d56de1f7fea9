"""What became of an attempt, by where it was and how its leg ended. Pure."""

from __future__ import annotations

from typing import Final

from acd.dialer.attempt_state import AttemptState
from acd.dialer.model import Outcome
from switch.calls.causes import EndCause, Result

AGENT_GONE: Final = "agent-gone"
"""The reason of an end that the agent who was called first brought about."""

_INVALID: Final = frozenset({404, 410, 484, 485, 604})
_REFUSED: Final = frozenset({603, 607, 608})
"""Declined; unwanted (RFC 8197); rejected by an intermediary of the callee (RFC 8688)."""
_BUSY: Final = frozenset({486, 600})
_NOT_THERE: Final = frozenset({408, 480, 487})
_NETWORK: Final = frozenset({34, 38, 41, 42, 44, 47, 58, 63, 102, 127})
"""Q.850: the network has no way now, or broke."""
_NO_SUCH_NUMBER: Final = frozenset({1, 22, 28})
"""Q.850: unallocated, changed, incomplete."""
_USER_BUSY: Final = 17
_OURS: Final = frozenset({"gateway-lost", "no-media", "media-failed", "internal-error", "shutdown"})

_OF_RESULT: Final = {
    Result.BUSY: Outcome.BUSY,
    Result.NO_ANSWER: Outcome.NO_ANSWER,
    Result.REJECTED: Outcome.REJECTED,
    Result.CANCELLED: Outcome.CANCELLED,
    Result.COMPLETED: Outcome.NO_ANSWER,
    Result.UNREACHABLE: Outcome.CONGESTED,
    Result.FAILED: Outcome.CONGESTED,
}


def of_unanswered(cause: EndCause) -> Outcome:
    """Why nobody answered.

    A status that the peer sent decides, then what the telephone network said, then our own reading. A
    fault of ours or of the trunk rang nobody, so it is no attempt.
    """
    if cause.reason == AGENT_GONE:
        return Outcome.AGENT_GONE
    if cause.reason in _OURS:
        return Outcome.CONGESTED
    if cause.reason == "ring-timeout":
        return Outcome.NO_ANSWER
    if cause.reason in ("no-response", "transport") and cause.result is Result.UNREACHABLE:
        return Outcome.CONGESTED  # not even 100: the trunk is away, not the callee
    if cause.q850 in _NO_SUCH_NUMBER:
        return Outcome.INVALID_NUMBER
    if cause.q850 == _USER_BUSY:
        return Outcome.BUSY
    status = cause.status
    if status in _INVALID:
        return Outcome.INVALID_NUMBER
    if status in _REFUSED:
        return Outcome.REJECTED
    if status in _BUSY:
        return Outcome.BUSY
    if status in _NOT_THERE:
        is_ours = cause.result is Result.CANCELLED
        return Outcome.CANCELLED if is_ours else Outcome.NO_ANSWER
    if 500 <= status < 600 or cause.q850 in _NETWORK:
        return Outcome.CONGESTED
    return _OF_RESULT[cause.result]


def of_end(state: AttemptState, cause: EndCause, *, by_peer: bool) -> Outcome:
    """What became of an attempt whose customer's leg ended in a state.

    Somebody who answered and was dropped by our side was abandoned, also where it is not known yet
    whether it was a person.
    """
    match state:
        case AttemptState.READING | AttemptState.CALLING_AGENT:
            return Outcome.AGENT_GONE
        case AttemptState.DIALLING | AttemptState.RINGING:
            return of_unanswered(cause)
        case AttemptState.JUDGING | AttemptState.WAITING:
            return Outcome.HUNG_UP if by_peer else Outcome.ABANDONED
        case AttemptState.REGRETTING:
            return Outcome.ABANDONED
        case AttemptState.LEAVING_MESSAGE:
            return Outcome.MACHINE
        case AttemptState.ANNOUNCING:
            return Outcome.ANNOUNCED
        case AttemptState.TALKING:
            return Outcome.CONNECTED


def is_trunk_failure(outcome: Outcome, cause: EndCause) -> bool:
    """Whether the trunk, and not the number or our side, is to blame."""
    return outcome is Outcome.CONGESTED and cause.reason not in _OURS
