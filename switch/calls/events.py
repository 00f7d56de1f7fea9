"""What the calls report upwards. Ids of this layer only; a sink is given at construction."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from switch.calls.causes import EndCause
from switch.calls.gateways import FIRST
from switch.gateway.protocol import LegStats, SoundFeatures
from switch.ids import CallId, LegId, PlayerId, RecordingId
from switch.trunks.source import Source as Source


class IncomingLeg(Struct, frozen=True, kw_only=True):
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
    redirected_by: str = ""
    """The number that sent the call on to us, where a trunk says so."""
    redirect_reason: str = ""
    """Why, as in `LegRedirected`."""
    is_answered: bool = False
    """True: it was transferred to this entry out of a call that stood."""
    place_of: LegId | None = None
    """A leg that waits: whose place this one takes, before it ends."""
    verstat: str = ""
    """How the caller's number was found by its signature (`TN-Validation-Passed`, `TN-Validation-Failed`,
    `No-TN-Validation`); empty: nobody looked."""
    attestation: str = ""
    """`A`, `B` or `C` of a signature that is good."""


class LegStarted(Struct, frozen=True, kw_only=True):
    """A leg exists. For legs with a phone behind them, `phone` names it: its agent is engaged."""

    leg: LegId
    call: CallId
    at: float
    phone: str | None
    outbound: bool
    """True when we called."""
    number: str
    """The other side's number as far as this leg knows it."""
    trunk: str | None = None
    """The trunk behind it; the group, where no trunk of it could take the call."""


class LegRinging(Struct, frozen=True, kw_only=True):
    """The peer of an outbound leg alerts."""

    leg: LegId
    at: float


class LegRingsElsewhere(Struct, frozen=True, kw_only=True):
    """A leg that rings does so in other places than before: one more rings, or one has refused."""

    leg: LegId
    at: float


class PickUpAsked(Struct, frozen=True, kw_only=True):
    """A phone names a leg that rings and wants its place (INVITE with Replaces): the application decides.

    Its own leg is not rung and not answered yet, as that of `IncomingLeg`.
    """

    leg: LegId
    call: CallId
    at: float
    phone: str
    """Who asks."""
    ringing: LegId
    rings_at: str | None
    """The phone that rings, if it is one of ours."""


class LegRedirected(Struct, frozen=True, kw_only=True):
    """The callee of an outbound leg has sent the call on, and the leg goes on there."""

    leg: LegId
    call: CallId
    at: float
    number: str
    """Where it goes now."""
    phone: str | None
    """The phone there, in place of the one in `LegStarted`."""
    by: str
    """The number that sent it on."""
    reason: str
    """A word of RFC 5806: `unconditional`, `no-answer`, `user-busy`, ..."""


class LegMoved(Struct, frozen=True, kw_only=True):
    """An outbound leg is tried elsewhere: at the next address of a trunk, at further bindings of a phone."""

    leg: LegId
    at: float


class LegEarlyMedia(Struct, frozen=True, kw_only=True):
    """The peer of an outbound leg sends sound before its answer: ring-back, an announcement.

    Nobody hears it until `hear_early` says who.
    """

    leg: LegId
    at: float


class LegAnswered(Struct, frozen=True, kw_only=True):
    """The leg has sound in both directions as far as it was agreed."""

    leg: LegId
    at: float


class LegsBridged(Struct, frozen=True, kw_only=True):
    """Two legs hear each other."""

    call: CallId
    a: LegId
    b: LegId
    at: float


class LegReplaced(Struct, frozen=True, kw_only=True):
    """Somebody takes the place of a leg: a transfer, or a call moved to another phone.

    Comes before the `LegEnded` of the leg, which concerns its call no more.
    """

    leg: LegId
    """Who leaves."""
    call: CallId
    at: float
    peer: LegId
    """Whom it talked to."""
    by: LegId
    """Who talks to `peer` from now on, or is being called for it."""
    number: str
    """The number of `by`."""
    phone: str | None
    """The phone of `by`, if it is one of ours."""
    other: LegId | None = None
    """The leg through which the one who leaves talked to `by`; its place there is taken by `peer`."""
    is_answered: bool = True
    """False: `by` is still being called."""


class LegHeld(Struct, frozen=True, kw_only=True):
    """The leg put its peer on hold (re-INVITE) or was told to (command): the peer hears music."""

    leg: LegId
    at: float
    by_command: bool


class LegResumed(Struct, frozen=True, kw_only=True):
    """The hold is over."""

    leg: LegId
    at: float


class LegEnded(Struct, frozen=True, kw_only=True):
    """The leg is gone. The last event of a leg; the statistics follow in `LegMeasured`."""

    leg: LegId
    call: CallId
    at: float
    cause: EndCause
    by_peer: bool
    """True when the far end ended it."""


class LegMeasured(Struct, frozen=True, kw_only=True):
    """What passed through a leg that ended."""

    leg: LegId
    call: CallId
    stats: LegStats


class LegQualityChanged(Struct, frozen=True, kw_only=True):
    """How good a leg sounds has changed noticeably; a leg that is always good is never spoken of."""

    leg: LegId
    call: CallId
    at: float
    mos: float
    """Estimated mean opinion score of the last few seconds, 1 to 4.5 (ITU-T G.107)."""
    rtt_ms: float | None = None


class DigitPressed(Struct, frozen=True, kw_only=True):
    """A leg's peer pressed a key."""

    leg: LegId
    at: float
    digit: str
    duration_ms: int
    by_info: bool = False
    """By INFO: the gateway knows nothing of it."""


class SoundHeard(Struct, frozen=True, kw_only=True):
    """The sound of a leg that is watched has changed, or it is time to tell that it has not."""

    leg: LegId
    at: float
    sound: SoundFeatures
    """As the gateway told it; its times count from the `watch_sound` that began it."""


class PlayFinished(Struct, frozen=True, kw_only=True):
    """A player that was started with `play` has ended."""

    player: PlayerId
    leg: LegId
    at: float
    stopped: bool


class RecordingClosed(Struct, frozen=True, kw_only=True):
    """A recording ended. `error` is None when the file is whole."""

    recording: RecordingId
    call: CallId
    at: float
    path: str
    duration_ms: int
    octets: int
    sha256: str
    error: str | None = None


class PhoneReachable(Struct, frozen=True, kw_only=True):
    """A phone has at least one binding now, or none any more."""

    phone: str
    at: float
    reachable: bool


class PhoneRegisteredAgain(Struct, frozen=True, kw_only=True):
    """A phone that has a binding registered once more: it is there, whatever became of its calls."""

    phone: str
    at: float


class GatewayChanged(Struct, frozen=True, kw_only=True):
    """A media gateway was lost or is there again."""

    at: float
    available: bool
    """Whether there is any now."""
    detail: str = ""
    """The name of its process, or why it was lost."""
    lost_legs: int = 0
    gateway: str = FIRST
    is_up: bool = False
    """Whether this one is there now."""


class EmergencyCalled(Struct, frozen=True, kw_only=True):
    """Somebody dialled an emergency number: people at the site should know."""

    leg: LegId
    call: CallId
    at: float
    number: str
    caller_number: str
    """The phone, or the caller as the call showed it."""
    location: str
    """The number that tells where the caller is; empty where none is configured."""


class CallRefused(Struct, frozen=True, kw_only=True):
    """A call was refused before it became a leg: unknown number, no right, overload, bad SDP."""

    at: float
    status: int
    reason: str
    called: str
    caller_number: str
    details: Mapping[str, str] = field(default_factory=dict)


CallEvent = (
    IncomingLeg
    | PickUpAsked
    | LegStarted
    | LegRinging
    | LegRingsElsewhere
    | LegRedirected
    | LegMoved
    | LegReplaced
    | LegEarlyMedia
    | LegAnswered
    | LegsBridged
    | LegHeld
    | LegResumed
    | LegEnded
    | LegMeasured
    | LegQualityChanged
    | DigitPressed
    | SoundHeard
    | PlayFinished
    | RecordingClosed
    | PhoneReachable
    | PhoneRegisteredAgain
    | GatewayChanged
    | EmergencyCalled
    | CallRefused
)

CallSink = Callable[[CallEvent], None]
