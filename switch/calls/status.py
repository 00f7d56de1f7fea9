"""SIP statuses to causes and back: how a leg ended, and how to say so to the other side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from switch.calls.causes import EndCause, Result
from switch.sip.events import EndedBy, Failed
from switch.sip.reason import Reason
from switch.trunks.failover import Failure, retry_after_of

_OF_STATUS: Final = {
    403: (Result.REJECTED, "declined"),
    404: (Result.UNREACHABLE, "unknown-number"),
    408: (Result.NO_ANSWER, "no-response"),
    410: (Result.UNREACHABLE, "unknown-number"),
    480: (Result.NO_ANSWER, "unavailable"),
    484: (Result.UNREACHABLE, "unknown-number"),
    486: (Result.BUSY, "busy"),
    487: (Result.CANCELLED, "cancelled"),
    503: (Result.UNREACHABLE, "no-route"),
    600: (Result.BUSY, "busy"),
    603: (Result.REJECTED, "declined"),
    604: (Result.UNREACHABLE, "unknown-number"),
}

_FINAL_STATUS: Final = {
    Result.COMPLETED: 480,
    Result.CANCELLED: 480,
    Result.NO_ANSWER: 480,
    Result.BUSY: 486,
    Result.REJECTED: 603,
    Result.UNREACHABLE: 480,
    Result.FAILED: 500,
}

_OWN_REASONS: Final = {
    "gateway-lost": 503,
    "no-media": 503,
    "trunk-full": 503,
    "shutdown": 503,
    "transferred": 487,
}
"""503 where the fault is ours and passes: worth a Retry-After. 487 as if the caller had cancelled."""

ELSEWHERE: Final = 'SIP;cause=200;text="Call completed elsewhere"'
"""To a phone that rang: it has missed nothing."""

_TOLD: Final = {
    "picked-up": ELSEWHERE,
    "fetched-elsewhere": ELSEWHERE,
    "gateway-lost": 'SIP;cause=503;text="The media gateway was lost"',
    "media-failed": 'SIP;cause=503;text="The media gateway failed"',
    "shutdown": 'SIP;cause=503;text="The server is stopping"',
    "internal-error": 'SIP;cause=500;text="Internal error"',
    "rtp-timeout": 'SIP;cause=408;text="No sound came any more"',
}
"""What a BYE or CANCEL says of its reason (RFC 3326) where nobody hung up."""

_PASSED_ON: Final = frozenset({403, 404, 410, 480, 483, 484, 486, 488, 600, 603, 604})
"""Statuses of the callee that mean the same to the caller. A challenge (401, 407) or a redirection
is between us and the callee. So is its 503, and that of a transport that failed: passed on it would read
as if we took no calls at all (RFC 3261 sections 16.7 and 21.5.4), and carriers would stop sending us
others. The 500 that a proxy makes of it would say that the fault is ours, and phones show it so; we are the
callee to whoever calls us, and 480 says what is known: nobody can be reached there now."""


def cause_of_status(status: int, *, heard_back: bool) -> EndCause:
    """Say how an outbound leg ended by the final status of its INVITE.

    `heard_back` is False when the status is our own reading of silence (408) or of a transport
    that failed (503): then the peer cannot be reached, whatever the status stands for.
    """
    if not heard_back:
        reason = "no-response" if status == 408 else "transport"
        return EndCause(Result.UNREACHABLE, reason, status)
    known = _OF_STATUS.get(status)
    if known is not None:
        return EndCause(known[0], known[1], status)
    if 300 <= status < 400:
        return EndCause(Result.UNREACHABLE, "redirected", status)
    result = Result.FAILED if 500 <= status < 600 else Result.REJECTED
    return EndCause(result, "refused-by-peer", status)


def failure_of(event: Failed) -> Failure:
    """Say how an attempt through a trunk ended, by which the trunk is judged."""
    response = event.response
    pause = None if response is None else retry_after_of(response.headers.get("Retry-After"))
    return Failure(event.status, response is not None, pause)


def cause_of_end(by: EndedBy, *, outbound: bool, answered: bool) -> EndCause:
    """Say how a session ended that nobody here had ended."""
    match by:
        case EndedBy.REMOTE_BYE:
            who = "callee" if outbound else "caller"
            result = Result.COMPLETED if answered else Result.CANCELLED
            return EndCause(result, f"{who}-hung-up")
        case EndedBy.CANCELLED:
            return EndCause(Result.CANCELLED, "caller-cancelled", 487)
        case EndedBy.NO_ACK:
            return EndCause(Result.FAILED, "no-ack")
        case EndedBy.TIMEOUT:
            return EndCause(Result.FAILED, "peer-vanished", 408)
        case EndedBy.TRANSPORT:
            return EndCause(Result.FAILED, "transport", 503)
        case EndedBy.LOCAL:
            return EndCause(Result.FAILED, "ended-by-protocol")


def with_reasons(cause: EndCause, reasons: Iterable[Reason]) -> EndCause:
    """Add what the telephone network said."""
    for reason in reasons:
        if reason.protocol == "Q.850" and 0 < reason.cause < 128:
            return EndCause(cause.result, cause.reason, cause.status, reason.cause)
    return cause


def final_status(cause: EndCause) -> int:
    """Choose the final status that tells an unanswered caller about `cause`."""
    own = _OWN_REASONS.get(cause.reason)
    if own is not None:
        return own
    return cause.status if cause.status in _PASSED_ON else _FINAL_STATUS[cause.result]


def reason_header(cause: EndCause) -> str | None:
    """Say in a BYE or CANCEL why a call ends that nobody hung up (RFC 3326); None: it says enough."""
    return _TOLD.get(cause.reason)


def refusal(status: int, reason: str) -> EndCause:
    """Describe a refusal of ours with a status of 300-699."""
    result = _OF_STATUS.get(status, (Result.REJECTED, ""))[0]
    return EndCause(result, reason, status)
