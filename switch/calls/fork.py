"""A leg that rings in several places: branches, the groups still to be tried, the best refusal.

    groups    [a, b]  [c]              by q value: a and b ring together, c when both have refused
    branches   a  b                    one session each, all at the RTP port of the leg
    answered   the first 2xx           the others are cancelled; the leg goes on with this session
    sent on    the others are left     a 3xx that may be followed is what its user wants everywhere
    failed     the best refusal        of all groups, chosen as a proxy chooses (RFC 3261 section 16.7)

The layers above see one leg all the time. Pure: what is to be sent is the business of `forking`.
"""

from __future__ import annotations

from msgspec import Struct, field

from switch.calls.attempt import Attempt, Hop, Target
from switch.calls.causes import EndCause
from switch.calls.diversion import Diverted
from switch.clock import TimerHandle
from switch.sdp.offer_answer import AudioNegotiation
from switch.sip.events import SessionId

_SAYS_MORE = frozenset({401, 407, 415, 420, 484})
"""Refusals that tell the caller how to try again go before others of 4xx (section 16.7, step 6)."""


class Branch(Struct, eq=False):
    """One place that rings."""

    session: SessionId
    target: Target
    negotiation: AudioNegotiation
    rang: bool = False
    """180 or 183 came."""


class Refusal(Struct, frozen=True):
    """How a branch, or the whole leg, failed."""

    cause: EndCause
    by_peer: bool
    """False: nothing was heard, or it was our own decision."""


class Fork(Struct, eq=False):
    """What a leg keeps until one of its branches has answered."""

    attempt: Attempt
    waiting: list[tuple[Target, ...]]
    """Groups still to be tried, the best first."""
    branches: list[Branch] = field(default_factory=list)
    at: Hop | None = None
    """Where the call has been sent on to; None: nowhere."""
    best: Refusal | None = None
    began: float = 0.0
    """When the group that rings was begun; monotonic seconds."""
    until: float = 0.0
    """When the next group's turn comes."""
    timer: TimerHandle | None = None

    @property
    def number(self) -> str:
        """The number that is called now."""
        return self.attempt.number if self.at is None else self.at.number

    @property
    def passed(self) -> tuple[Diverted, ...]:
        """Who has sent the call on."""
        return () if self.at is None else self.at.passed

    def find(self, session: SessionId) -> Branch | None:
        """The live branch of a session."""
        return next((branch for branch in self.branches if branch.session == session), None)

    def note(self, refusal: Refusal) -> None:
        """Keep the better of what was refused before and now."""
        if self.best is None or _rank(refusal) < _rank(self.best):
            self.best = refusal


def _rank(refusal: Refusal) -> tuple[int, bool, bool]:
    """The smaller, the better: 6xx, then 4xx, 5xx, and 3xx last, since nobody follows it any more.

    What came from somebody goes before silence.
    """
    kind = refusal.cause.status // 100
    order = {6: 0, 4: 1, 5: 2, 3: 3}.get(kind, 4)
    if not refusal.by_peer:
        order = 4
    return order, not refusal.by_peer, refusal.cause.status not in _SAYS_MORE
