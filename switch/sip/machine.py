"""What the four transaction machines have in common: actions, and the shape of a table.

House rules of the tables: states, inputs and timers bear the RFC's names; a pair of state and input
is either in `transitions` or in `ignored` with a reason, never in neither; effects are actions, which
the endpoint performs in order; the state is changed before they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from switch.sip.timers import Timer


class Action(StrEnum):
    """What a step makes the endpoint do."""

    SEND = "send"
    """Write the message at hand, keep its octets for `RESEND`."""
    SEND_ONCE = "send once"
    """Write the message at hand and keep nothing."""
    RESEND = "resend"
    """Send the octets kept."""
    SEND_ACK = "send ACK"
    """Acknowledge the non-2xx at hand (section 17.1.1.3)."""
    SEND_CANCEL = "send CANCEL"
    """As a transaction of its own (section 9.1)."""
    POSTPONE_CANCEL = "postpone CANCEL"
    """Until a provisional response shows that the INVITE has arrived."""
    DELIVER = "deliver"
    """Hand the message at hand to the layer above."""
    INFORM_TIMEOUT = "inform: timeout"
    INFORM_TRANSPORT = "inform: transport error"
    YIELD = "yield"
    """It has said no, and only repeats that: what it was about is let go, and it may be forgotten where
    nothing that rests makes room."""
    REST = "rest"
    """From now on it only absorbs what is retransmitted, and may be forgotten early for want of room."""
    STOP_TIMERS = "stop timers"
    """Every timer of this transaction."""
    DOUBLE = "double interval"
    """Start the timer that fired once more, after twice the time."""
    DOUBLE_TO_T2 = "double interval, at most T2"
    PAUSE_T2 = "interval T2"
    START_A = "start A"
    START_B = "start B"
    START_D = "start D"
    START_E = "start E"
    START_F = "start F"
    START_G = "start G"
    START_H = "start H"
    START_I = "start I"
    START_J = "start J"
    START_K = "start K"
    START_L = "start L"
    START_M = "start M"
    START_CANCEL = "start CANCEL timer"


STARTS: Mapping[Action, Timer] = {
    Action[f"START_{timer.name}"]: timer for timer in Timer.__members__.values()
}
"""Which timer an action starts."""

Actions = tuple[Action, ...]
TRANSPORT_ERROR = "transport error"
"""The input that both client machines share."""
TERMINATED = "Terminated"
"""The last state of every machine; the endpoint forgets the transaction there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One kind of transaction as a table. Keys are (state, input)."""

    name: str
    figure: str
    """Where the RFC draws it."""
    initial: str
    on_start: Actions
    transitions: Mapping[tuple[str, str], tuple[str, Actions]]
    ignored: Mapping[tuple[str, str], str]
    states: tuple[str, ...]
    inputs: tuple[str, ...]
    is_client: bool
    is_invite: bool


def every(
    states: type[StrEnum], given: StrEnum, reason: str, but: set[str]
) -> dict[tuple[str, str], str]:
    """`given` is ignored for `reason` in all states but those in `but` and Terminated."""
    return {(state, given): reason for state in states if state not in but and state != TERMINATED}


def after_the_end(states: type[StrEnum], inputs: type[StrEnum]) -> dict[tuple[str, str], str]:
    """In Terminated every input comes too late."""
    assert TERMINATED in set(states)
    return {(TERMINATED, given): "the transaction is gone" for given in inputs}
