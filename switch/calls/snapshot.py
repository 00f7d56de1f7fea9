"""The live legs as plain values, for snapshots and for people who look for a fault."""

from __future__ import annotations

from dataclasses import dataclass

from switch.calls.bridge import Facts
from switch.calls.legs import Legs
from switch.calls.sound import Sound
from switch.ids import CallId, LegId

_NO_FACTS = Facts()


@dataclass(frozen=True, slots=True, kw_only=True)
class LegView:
    """One live leg."""

    leg: LegId
    call: CallId
    state: str
    """Name of its state in lower case."""
    outbound: bool
    number: str
    phone: str | None
    trunk: str | None
    began: float
    """Monotonic seconds."""
    answered_at: float | None
    codec: str | None
    port: int
    peers: tuple[LegId, ...]
    """Whom it is bridged with."""
    held_by_peer: bool
    held_by_command: bool
    muted: bool


def describe(legs: Legs, sound: Sound) -> list[LegView]:
    """List every live leg."""
    views = []
    for leg in legs:
        facts = sound.matrix.facts(leg.id) or _NO_FACTS
        agreed = leg.negotiation.current if leg.negotiation is not None else None
        views.append(
            LegView(
                leg=leg.id,
                call=leg.call,
                state=leg.state.name.lower(),
                outbound=leg.outbound,
                number=leg.number,
                phone=leg.phone,
                trunk=leg.trunk,
                began=leg.began,
                answered_at=leg.answered_at or None,
                codec=agreed.codec if agreed is not None else None,
                port=leg.port,
                peers=tuple(facts.peers),
                held_by_peer=facts.held_by_peer,
                held_by_command=facts.held_by_command,
                muted=facts.muted,
            )
        )
    return views
