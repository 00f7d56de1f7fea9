"""What the calls report upwards. Ids of this layer only; a sink is given at construction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from switch.calls.causes import EndCause
from switch.gateway.protocol import LegStats
from switch.ids import CallId, LegId, PlayerId, RecordingId
from switch.trunks.source import Source as Source


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingLeg:
    """A call for an entry (a DID): the application decides. It is not rung and not answered yet."""

    leg: LegId
    call: CallId
    at: float
    entry: str
    """Name of the entry that the number plan found."""
    called: str
    """The number as dialled."""
    caller_number: str
    """As the peer gave it; empty when withheld."""
    caller_name: str
    source: Source
    source_name: str
    """Phone number or trunk name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegStarted:
    """A leg exists. For legs with a phone behind them, `phone` names it: its agent is engaged."""

    leg: LegId
    call: CallId
    at: float
    phone: str | None
    outbound: bool
    """True when we called."""
    number: str
    """The other side's number as far as this leg knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRinging:
    """The peer of an outbound leg alerts."""

    leg: LegId
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnswered:
    """The leg has sound in both directions as far as it was agreed."""

    leg: LegId
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LegsBridged:
    """Two legs hear each other."""

    call: CallId
    a: LegId
    b: LegId
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LegHeld:
    """The leg put its peer on hold (re-INVITE) or was told to (command): the peer hears music."""

    leg: LegId
    at: float
    by_command: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LegResumed:
    """The hold is over."""

    leg: LegId
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnded:
    """The leg is gone. The last event of a leg; the statistics follow in `LegMeasured`."""

    leg: LegId
    call: CallId
    at: float
    cause: EndCause
    by_peer: bool
    """True when the far end ended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegMeasured:
    """What passed through a leg that ended."""

    leg: LegId
    call: CallId
    stats: LegStats


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitPressed:
    """A leg's peer pressed a key."""

    leg: LegId
    at: float
    digit: str
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayFinished:
    """A player that was started with `play` has ended."""

    player: PlayerId
    leg: LegId
    at: float
    stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingClosed:
    """A recording ended. `error` is None when the file is whole."""

    recording: RecordingId
    call: CallId
    at: float
    path: str
    duration_ms: int
    octets: int
    sha256: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneReachable:
    """A phone has at least one binding now, or none any more."""

    phone: str
    at: float
    reachable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayChanged:
    """The media gateway was lost or is there again."""

    at: float
    available: bool
    detail: str = ""
    lost_legs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused:
    """A call was refused before it became a leg: unknown number, no right, overload, bad SDP."""

    at: float
    status: int
    reason: str
    called: str
    caller_number: str
    details: Mapping[str, str] = field(default_factory=dict)


CallEvent = (
    IncomingLeg
    | LegStarted
    | LegRinging
    | LegAnswered
    | LegsBridged
    | LegHeld
    | LegResumed
    | LegEnded
    | LegMeasured
    | DigitPressed
    | PlayFinished
    | RecordingClosed
    | PhoneReachable
    | GatewayChanged
    | CallRefused
)

CallSink = Callable[[CallEvent], None]
