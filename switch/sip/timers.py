"""The timers of RFC 3261 table 4 and RFC 6026, and a queue that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil


class Timer(StrEnum):
    """Timers of transactions. C belongs to proxies, and we are none."""

    A = "Timer A"
    """INVITE client: retransmit the request (UDP)."""
    B = "Timer B"
    """INVITE client: give up."""
    D = "Timer D"
    """INVITE client: absorb retransmitted failures."""
    E = "Timer E"
    """Non-INVITE client: retransmit the request (UDP)."""
    F = "Timer F"
    """Non-INVITE client: give up."""
    G = "Timer G"
    """INVITE server: retransmit the failure (UDP)."""
    H = "Timer H"
    """INVITE server: give up waiting for the ACK."""
    I = "Timer I"  # noqa: E741 - the RFC's letter
    """INVITE server: absorb retransmitted ACKs."""
    J = "Timer J"
    """Non-INVITE server: absorb retransmitted requests."""
    K = "Timer K"
    """Non-INVITE client: absorb retransmitted responses."""
    L = "Timer L"
    """INVITE server: absorb retransmitted INVITEs after a 2xx."""
    M = "Timer M"
    """INVITE client: collect the 2xx of a forked INVITE and their retransmissions."""
    CANCEL = "Timer CANCEL"
    """INVITE client: a cancelled INVITE ends without a final response (section 9.1)."""


PATIENT = frozenset({Timer.D, Timer.I, Timer.J, Timer.K, Timer.L, Timer.M})
"""Those that end a wait in which nothing but copies can come: a little later does no harm."""
_TOGETHER = 8


def together(when: float) -> float:
    """`when` or up to an eighth of a second later: what can wait is done for many calls at once."""
    return ceil(when * _TOGETHER) / _TOGETHER


@dataclass(frozen=True, slots=True, kw_only=True)
class SipTimers:
    """The three values all others are made of, in seconds (RFC 3261 section 17.1.1.1)."""

    t1_s: float = 0.5
    """Estimate of the round trip."""
    t2_s: float = 4.0
    """Longest pause between retransmissions."""
    t4_s: float = 5.0
    """How long a message may stay in the network."""

    def delays(self, *, reliable: bool) -> dict[Timer, float | None]:
        """First delay of each timer; None: not used over this transport; 0: fires at once."""
        give_up = 64 * self.t1_s
        return {
            Timer.A: None if reliable else self.t1_s,
            Timer.B: give_up,
            Timer.D: 0.0 if reliable else give_up,
            Timer.E: None if reliable else self.t1_s,
            Timer.F: give_up,
            Timer.G: None if reliable else self.t1_s,
            Timer.H: give_up,
            Timer.I: 0.0 if reliable else self.t4_s,
            Timer.J: 0.0 if reliable else give_up,
            Timer.K: 0.0 if reliable else self.t4_s,
            Timer.L: give_up,
            Timer.M: give_up,
            Timer.CANCEL: give_up,
        }
