"""The commands of call control, as `switch.calls.ports.CallControl` describes them.

A command looks up its leg, does its work behind the call boundary, and leaves the rest to the turn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence

from switch.calls.attempt import Attempt, Rights
from switch.calls.causes import EndCause
from switch.calls.digit_passing import DigitPassing
from switch.calls.leg import Input, Leg
from switch.calls.legs import Legs
from switch.calls.outgoing import Outgoing
from switch.calls.ports import NO_HEADERS
from switch.calls.roles import Role
from switch.calls.sound import Sound
from switch.calls.status import refusal
from switch.calls.turn import Turn
from switch.clock import Clock
from switch.gateway.protocol import PlayItem
from switch.ids import CallId, LegId, PlayerId, RecordingId
from switch.legible import legible
from switch.registrar.location import Location

log = logging.getLogger(__name__)


class Commands:
    """Call control over the parts that `switch.calls.control.Calls` puts together."""

    def __init__(
        self,
        *,
        legs: Legs,
        sound: Sound,
        outgoing: Outgoing,
        location: Location,
        clock: Clock,
        turn: Turn,
        new_id: Callable[[str], str],
        recording_path: Callable[[RecordingId, CallId], str],
    ) -> None:
        self.legs = legs
        self.sound = sound
        self._outgoing = outgoing
        self._location = location
        self._clock = clock
        self._turn = turn
        self._new_id = new_id
        self._recording_path = recording_path
        self._digits = DigitPassing(legs, sound, clock, turn)

    @property
    def digits_dropped(self) -> int:
        """Digits that were not sent by signalling, as too many of them waited."""
        return self._digits.dropped

    # --- commands on legs -----------------------------------------------------------------------

    def ring(self, leg: LegId) -> None:
        """Send 180 on an incoming leg."""
        self._command(leg, lambda found: self.legs.feed(found, Input.RING))

    def hear_early(self, leg: LegId, callee: LegId) -> None:
        """Let a leg hear what a callee sends before its answer, in this direction only."""

        def hear(found: Leg) -> None:
            source = self.legs.get(callee)
            if source is None or not source.outbound or source.is_answered:
                return
            if not (found.is_answered or (found.has_offer and not found.outbound)):
                self.legs.feed(found, Input.RING)  # its offer comes after our answer: no sound yet
                return
            self.sound.hear_early(leg, callee)
            self.legs.feed(found, Input.PROGRESS)

        self._command(leg, hear)

    def answer(self, leg: LegId) -> None:
        """Answer an incoming leg with 200 and its SDP; `LegAnswered` follows."""
        self._command(leg, self.legs.answer)

    def reject(self, leg: LegId, status: int, reason: str) -> None:
        """Refuse an incoming leg with a final status of 300-699; an answered one gets BYE.

        `reason` stands in the status line: most phones show it.
        """

        def refuse(found: Leg) -> None:
            found.refuse_with = status if 300 <= status <= 699 else 0
            found.refuse_words = legible(reason)
            self.legs.hang_up(found, refusal(status, reason))

        self._command(leg, refuse)

    def hang_up(self, leg: LegId, cause: EndCause) -> None:
        """End a leg by whatever its state asks for: CANCEL, final response or BYE."""
        self._command(leg, lambda found: self.legs.hang_up(found, cause))

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
        """Call a phone at all of its bindings; `LegEnded` follows at once when it has none."""
        attempt = Attempt(
            call=call,
            number=phone,
            caller_number=caller_number,
            caller_name=caller_name,
            ring_timeout_s=ring_timeout_s,
            alert_within_s=alert_within_s,
            headers=headers,
            rights=rights,
        )
        leg = self._outgoing.phone(attempt)
        self._turn.wake()
        return leg

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
        """Call a number through a trunk. Whether the caller may is the number plan's business."""
        attempt = Attempt(
            call=call,
            number=number,
            caller_number=caller_number,
            caller_name=caller_name,
            ring_timeout_s=ring_timeout_s,
            alert_within_s=alert_within_s,
            headers=headers,
            rights=rights,
        )
        leg = self._outgoing.trunk(trunk, attempt)
        self._turn.wake()
        return leg

    # --- commands on sound ----------------------------------------------------------------------

    def bridge(self, a: LegId, b: LegId) -> None:
        """Let two answered legs hear each other; `LegsBridged` follows."""
        if a != b and b in self.sound.matrix:
            self._sound_command(a, lambda leg: self.sound.bridge(leg.call, a, b))

    def unbridge(self, a: LegId, b: LegId) -> None:
        """Take a bridge apart."""
        if b in self.sound.matrix:
            self._sound_command(a, lambda leg: self.sound.unbridge(a, b))

    def attend(self, leg: LegId, target: LegId, role: Role) -> None:
        """Let an answered leg attend the conversation of another, or change its role there."""
        if target in self.sound.matrix:
            self._sound_command(leg, lambda _: self.sound.attend(leg, target, role))

    def leave(self, leg: LegId) -> None:
        """Let a leg attend nobody any more; it hears nothing then."""
        self._sound_command(leg, lambda _: self.sound.leave(leg))

    def hold(self, leg: LegId) -> None:
        """Let the leg's bridge peer hear music and the leg nothing; `LegHeld` follows."""
        self._sound_command(leg, lambda _: self.sound.hold(leg, on=True, by_command=True))

    def resume(self, leg: LegId) -> None:
        """Undo `hold`; `LegResumed` follows, unless the leg's far end holds as well."""

        def end_hold(found: Leg) -> None:
            self.sound.hold(leg, on=False, by_command=True)
            self.legs.hold_ended(found)

        self._sound_command(leg, end_hold)

    def mute(self, leg: LegId, muted: bool) -> None:
        """Keep what the leg says from everyone (the recording included), or no longer."""
        self._sound_command(leg, lambda _: self.sound.mute(leg, muted))

    def play(self, leg: LegId, items: Sequence[PlayItem], *, loop: bool = False) -> PlayerId:
        """Play to one answered leg; `PlayFinished` follows.

        On a leg that is not answered yet it follows at once, with nothing played.
        """
        player = PlayerId(self._new_id("player"))

        def start(found: Leg) -> None:
            if found.is_answered:
                self.sound.play(player, leg, items, loop=loop)
            else:
                self.sound.report_played(player, leg, stopped=True)

        self._command(leg, start)
        return player

    def stop(self, player: PlayerId) -> None:
        """Stop a player started with `play`."""
        self.sound.stop(player)
        self._turn.wake()

    def music(self, leg: LegId, on: bool) -> None:
        """Let the leg hear hold music, shared with all others who wait."""
        self._sound_command(leg, lambda _: self.sound.music(leg, on))

    def tune(self, leg: LegId, name: str) -> None:
        """Say which music the leg hears, now or later, when it is to hear some."""
        self._sound_command(leg, lambda _: self.sound.tune(leg, name))

    def echo(self, leg: LegId, on: bool) -> None:
        """Let the leg hear itself."""
        self._sound_command(leg, lambda _: self.sound.echo(leg, on))

    def silence(self, leg: LegId) -> None:
        """Take the leg out of its bridges and end its music, echo and players."""
        self._sound_command(leg, lambda _: self.sound.silence(leg))

    def send_digits(self, leg: LegId, digits: str) -> None:
        """Send digits to the leg's peer: as telephone-events (RFC 4733), as tones, or in INFO."""
        self._sound_command(leg, lambda found: self._digits.send(found, digits))

    def watch_sound(self, leg: LegId, on: bool) -> None:
        """Tell what the sound of the leg's peer is like, answered or not; `SoundHeard` follows."""
        self._command(leg, lambda _: self.sound.watch(leg, on))

    # --- commands on recordings -----------------------------------------------------------------

    def start_recording(self, call: CallId, *, customer: LegId, agent: LegId | None) -> RecordingId:
        """Record a call in stereo, customer left, agent right. `RecordingClosed` follows its end."""
        recording = RecordingId(self._new_id("recording"))

        def start(found: Leg) -> None:
            # A recording ends with its call at the latest, so it needs one that lives.
            owner = call if self.legs.of_call(call) else found.call
            path = self._recording_path(recording, owner)
            self.sound.captures.start(recording, owner, path, customer, self._live(agent))

        self._command(customer, start)
        return recording

    def set_recording_legs(
        self, recording: RecordingId, customer: LegId, others: Collection[LegId]
    ) -> None:
        """Let the customer feed the left channel, and the others, mixed, the right one."""
        live = [leg for leg in others if self.legs.get(leg) is not None]
        left = None if self.legs.get(customer) is None else customer
        self.sound.captures.set_legs(recording, left, live)
        self._turn.wake()

    def stop_recording(self, recording: RecordingId) -> None:
        """End a recording."""
        self.sound.captures.stop(recording)
        self._turn.wake()

    def is_reachable(self, phone: str) -> bool:
        """True when the phone has a binding."""
        return self._location.is_reachable(phone, self._clock.now())

    # --- inside ---------------------------------------------------------------------------------

    def _command(self, leg: LegId, work: Callable[[Leg], None]) -> None:
        """Do something with a live leg; a leg that is gone is ignored."""
        found = self.legs.get(leg)
        if found is not None:
            self._turn.guard(leg, work, found)
            self._turn.wake()

    def _sound_command(self, leg: LegId, work: Callable[[Leg], None]) -> None:
        """Do something with a live, answered leg; others are ignored."""
        if leg in self.sound.matrix:
            self._command(leg, work)

    def _live(self, leg: LegId | None) -> LegId | None:
        return leg if leg is not None and self.legs.get(leg) is not None else None
