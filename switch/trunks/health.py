"""Whether one address of a trunk works: learnt from OPTIONS and from calls.

It takes several failures in a row to take an address for down and several answers to take it for up
again, so that one lost datagram moves no traffic. A 503 with Retry-After is no failure: the address
works, and wants to be left alone for so long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec import Struct

_ALIVE_IN_SPITE: Final = frozenset({404, 405, 481, 403, 401, 407, 501})
"""Answers to OPTIONS that say only that OPTIONS means nothing there: somebody is at home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """How fast a trunk's addresses are judged."""

    probe_s: float = 0.0
    """Pause between two OPTIONS to an address; 0: none are sent, and calls alone tell."""
    down_after: int = 2
    """Failures in a row."""
    up_after: int = 2
    """Answers in a row, for an address that was down."""
    avoid_s: float = 30.0
    """Without OPTIONS an address whose call failed goes to the end of the line for so long."""


class Health(Struct):
    """What is known of one address."""

    is_up: bool = True
    """Until there is a reason to doubt it."""
    is_known: bool = False
    """Something was heard, or not heard, at all."""
    failures: int = 0
    """In a row."""
    answers: int = 0
    """In a row."""
    since: float = 0.0
    """When it changed between up and down last."""
    held_until: float = 0.0
    """It asked to be left alone (Retry-After)."""
    avoided_until: float = 0.0
    last_failure: str = ""
    last_failure_at: float = 0.0

    def answered(self, settings: HealthSettings, now: float) -> None:
        """It answered: OPTIONS, or a call whatever became of it."""
        self.is_known = True
        self.failures = 0
        self.answers += 1
        if not self.is_up and self.answers >= settings.up_after:
            self.is_up, self.since = True, now
        self.avoided_until = 0.0

    def failed(self, settings: HealthSettings, why: str, now: float) -> None:
        """It did not answer, or could not be reached, or said that it is broken."""
        self.is_known = True
        self.answers = 0
        self.failures += 1
        self.last_failure, self.last_failure_at = why, now
        if settings.probe_s <= 0:
            self.avoided_until = now + settings.avoid_s
        elif self.is_up and self.failures >= settings.down_after:
            self.is_up, self.since = False, now

    def hold(self, retry_after_s: float, now: float) -> None:
        """It answered 503 and wants nothing for so long."""
        self.held_until = max(self.held_until, now + retry_after_s)
        self.last_failure, self.last_failure_at = "503", now

    def is_held(self, now: float) -> bool:
        """It wants to be left alone."""
        return now < self.held_until

    def is_good(self, now: float) -> bool:
        """Calls should try it before those that are not."""
        return self.is_up and now >= self.avoided_until


def is_alive(status: int) -> bool:
    """Tell whether an answer to OPTIONS says that calls can be sent there."""
    return 200 <= status < 300 or status in _ALIVE_IN_SPITE
