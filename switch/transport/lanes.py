"""Which messages come first when more come than can be served. Pure."""

from __future__ import annotations

from enum import IntEnum

from switch.guard.guard import Guard
from switch.sip.glimpse import Kind, kind_of


class Lane(IntEnum):
    """Where a message waits; a lower one is served first."""

    GOING_ON = 0
    """Responses, ACK, CANCEL, BYE, whatever is within a dialog; never refused."""
    KNOWN = 1
    """New requests of addresses that have proved a password: phones of ours."""
    TRUSTED = 2
    """New calls of configured addresses; REGISTER and other short requests of anybody."""
    STRANGERS = 3
    """New calls of all others."""


def lane_of(data: bytes, host: str, guard: Guard | None, now: float) -> Lane:
    """The lane of one message from `host`; without a guard everybody is trusted."""
    kind = kind_of(data)
    if kind is Kind.GOING_ON:
        return Lane.GOING_ON
    if guard is None:
        return Lane.TRUSTED
    if guard.is_known(host, now):
        return Lane.KNOWN
    if kind is Kind.OTHER or not guard.is_stranger(host, now):
        return Lane.TRUSTED
    return Lane.STRANGERS
