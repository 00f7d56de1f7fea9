"""What the calls offer upwards, as a protocol."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

from msgspec import Struct

from switch.calls.attempt import Rights
from switch.calls.causes import EndCause
from switch.calls.roles import Role
from switch.gateway.protocol import PlayItem
from switch.ids import CallId, LegId, PlayerId, RecordingId

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class CallControl(Protocol):
    """Call control as the layers above use it. Every method returns at once; outcomes are events.

    Unknown or ended legs are ignored: whoever commands a leg may be later than its hang-up.
    """

    def ring(self, leg: LegId) -> None:
        """Send 180 on an incoming leg."""

    def hear_early(self, leg: LegId, callee: LegId) -> None:
        """Let a leg hear what a callee sends before its answer, in this direction only.

        A leg that is not answered itself gets 183 with SDP. Ends with the callee's leg or a `bridge`.
        """

    def answer(self, leg: LegId) -> None:
        """Answer an incoming leg with 200 and its SDP; `LegAnswered` follows."""

    def reject(self, leg: LegId, status: int, reason: str) -> None:
        """Refuse an incoming leg with a final status of 300-699."""

    def hang_up(self, leg: LegId, cause: EndCause) -> None:
        """End a leg by whatever its state asks for: CANCEL, final response or BYE."""

    def call_phone(
        self,
        phone: str,
        *,
        call: CallId,
        caller_number: str,
        caller_name: str,
        ring_timeout_s: float,
        headers: Mapping[str, str],
        rights: Rights | None = None,
        alert_within_s: float = 0.0,
    ) -> LegId:
        """Call a phone at all of its bindings, as one leg; `LegEnded` at once when it has none.

        `rights` are those of the caller: where the phone sends the call on, that is followed as far
        as they reach (`LegRedirected`). None: it is not followed, and the leg ends.

        With `alert_within_s` it rings for `ring_timeout_s` from its first 18x on, and so long is waited
        for that one; 0: both together last `ring_timeout_s`.
        """

    def call_trunk(
        self,
        trunk: str,
        number: str,
        *,
        call: CallId,
        caller_number: str,
        caller_name: str,
        ring_timeout_s: float,
        headers: Mapping[str, str] = NO_HEADERS,
        rights: Rights | None = None,
        alert_within_s: float = 0.0,
    ) -> LegId:
        """Call a number through a trunk; the rest is as for `call_phone`."""

    def bridge(self, a: LegId, b: LegId) -> None:
        """Let two answered legs hear each other; `LegsBridged` follows."""

    def unbridge(self, a: LegId, b: LegId) -> None:
        """Take a bridge apart; both legs hear nothing."""

    def attend(self, leg: LegId, target: LegId, role: Role) -> None:
        """Let an answered leg attend the conversation of another, or change its role there.

        It gives up its own bridges. Nothing happens where the target attends somebody itself.
        """

    def leave(self, leg: LegId) -> None:
        """Let a leg attend nobody any more; it hears nothing then."""

    def hold(self, leg: LegId) -> None:
        """Let the leg's bridge peer hear music and the leg nothing; `LegHeld` follows."""

    def resume(self, leg: LegId) -> None:
        """Undo `hold`; `LegResumed` follows."""

    def mute(self, leg: LegId, muted: bool) -> None:
        """Keep what the leg says from everyone (the recording included), or no longer."""

    def play(self, leg: LegId, items: Sequence[PlayItem], *, loop: bool = False) -> PlayerId:
        """Play to one answered leg; `PlayFinished` follows."""

    def stop(self, player: PlayerId) -> None:
        """Stop a player started with `play`."""

    def music(self, leg: LegId, on: bool) -> None:
        """Let the leg hear hold music, shared with all others who wait."""

    def tune(self, leg: LegId, name: str) -> None:
        """Say which music an answered leg hears, now or later; an empty name: everybody's."""

    def echo(self, leg: LegId, on: bool) -> None:
        """Let the leg hear itself."""

    def silence(self, leg: LegId) -> None:
        """Take the leg out of its bridges and end its music, echo and players."""

    def send_digits(self, leg: LegId, digits: str) -> None:
        """Send digits to the leg's peer (RFC 4733)."""

    def watch_sound(self, leg: LegId, on: bool) -> None:
        """Tell what the sound of the leg's peer is like, from now on anew; `SoundHeard` follows.

        Also of a leg that is not answered yet. Ends with the leg.
        """

    def start_recording(self, call: CallId, *, customer: LegId, agent: LegId | None) -> RecordingId:
        """Record a call in stereo, customer left, agent right. `RecordingClosed` follows its end."""

    def set_recording_legs(
        self, recording: RecordingId, customer: LegId, others: Collection[LegId]
    ) -> None:
        """Let the customer feed the left channel, and the others, mixed, the right one."""

    def stop_recording(self, recording: RecordingId) -> None:
        """End a recording."""

    def is_reachable(self, phone: str) -> bool:
        """True when the phone has a binding."""


class HeldCall(Struct, frozen=True):
    """A call that a phone has on hold."""

    leg: LegId
    """The phone's."""
    peer: LegId
    """Who hears music."""


class RingingCall(Struct, frozen=True):
    """A direct call that rings at a phone."""

    leg: LegId
    call: CallId
    phone: str
    caller: str


class Features(Protocol):
    """What phones ask for by codes that they dial; `switch.calls.features` has the words."""

    def held_call(self, phone: str) -> HeldCall | None:
        """The newest call with one other party that a phone has on hold."""

    def deflect(self, leg: LegId, entry: str, number: str) -> bool:
        """Bring whom a leg talks to to an entry, and end the leg; False: that cannot be."""

    def ringing_call(self, phones: Collection[str]) -> RingingCall | None:
        """The direct call that rings longest at one of these phones."""

    def pick_up(self, by: LegId, ringing: LegId) -> bool:
        """Let a leg answer a call in the place of one that rings; False: it rings no more."""
