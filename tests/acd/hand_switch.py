"""A switch made by hand: legs that a test lets ring, answer and end, and every command it got.

Like the real one it never calls back within a command: events wait until `settle`. It raises
when it is told what makes no sense to a caller's ears, such as a bridge under running music.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from switch.calls.attempt import Rights
from switch.calls.causes import EndCause, Result
from switch.calls.events import (
    CallEvent,
    DigitPressed,
    GatewayChanged,
    IncomingLeg,
    LegAnswered,
    LegEarlyMedia,
    LegEnded,
    LegHeld,
    LegRedirected,
    LegReplaced,
    LegResumed,
    LegRinging,
    LegsBridged,
    LegStarted,
    PhoneReachable,
    PhoneRegisteredAgain,
    PickUpAsked,
    PlayFinished,
    RecordingClosed,
)
from switch.calls.ports import NO_HEADERS, HeldCall, RingingCall
from switch.calls.roles import Role
from switch.gateway.protocol import PlayItem
from switch.ids import CallId, LegId, PlayerId, RecordingId
from switch.trunks.source import Source
from tests.kit.virtual_clock import VirtualClock

HUNG_UP = EndCause(Result.COMPLETED, "caller-hung-up")


@dataclass(slots=True)
class Leg:
    """One leg, in the few facts that matter above the switch."""

    id: LegId
    call: CallId
    phone: str | None
    outbound: bool
    answered: bool = False
    answering: bool = False
    music: bool = False
    held: bool = False
    dialled: bool = False
    """It has called us to fetch or to pick up a call, and is bridged with one of another call."""
    attends: tuple[LegId, Role] | None = None
    players: set[PlayerId] = field(default_factory=set)
    gives_up_at: float = 0.0
    rings_for_s: float = 0.0


class HandSwitch:
    """Satisfies `switch.calls.ports.CallControl` and `switch.calls.ports.Features`."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.handle: Callable[[CallEvent], None] = lambda event: None
        self.legs: dict[LegId, Leg] = {}
        self.bridged: set[frozenset[LegId]] = set()
        self.recordings: dict[RecordingId, CallId] = {}
        self.recorded: dict[RecordingId, tuple[LegId, tuple[LegId, ...]]] = {}
        """Who feeds the left and the right channel."""
        self.reachable: set[str] = set()
        self.direct: dict[LegId, LegId] = {}
        """Calls between phones that are no contacts: callee and caller."""
        self.rings_for: dict[LegId, LegId] = {}
        """Who is called for somebody whose transferor is gone, and that one."""
        self.refuses: Callable[[str, str, LegId], int | None] = lambda entry, number, leg: None
        self.headers: dict[LegId, Mapping[str, str]] = {}
        """What the INVITEs to phones carried."""
        self.has_media = True
        self.confirms = True
        """False: an answer takes until `confirm`, as it does over a slow network."""
        self.log: list[tuple[str, str]] = []
        """Verb and leg (or number, player, recording) of every command."""
        self.refused: list[tuple[LegId, int, str]] = []
        """Each refusal, with its status and words."""
        self._outbox: deque[CallEvent] = deque()
        self._count = 0

    # --- what happens ---------------------------------------------------------------------------

    def settle(self) -> None:
        """Deliver all events, and those they lead to."""
        while self._outbox:
            self.handle(self._outbox.popleft())

    def incoming(
        self, entry: str, *, number: str = "+12025550101", phone: str | None = None
    ) -> Leg:
        """Somebody calls an entry."""
        leg = Leg(self._id("leg"), CallId(self._id("call")), phone, False)
        self.legs[leg.id] = leg
        self._emit_started(leg, entry)
        self._emit(
            IncomingLeg(
                leg=leg.id,
                call=leg.call,
                at=self.clock.now(),
                entry=entry,
                called=entry,
                caller_number=number,
                caller_name="",
                source=Source.TRUNK,
                source_name="carrier",
            )
        )
        self.settle()
        return leg

    def dials(self, phone: str, entry: str, number: str) -> Leg:
        """A phone of ours dials a code."""
        leg = Leg(self._id("leg"), CallId(self._id("call")), phone, False, dialled=True)
        self.legs[leg.id] = leg
        self._emit_started(leg, number)
        self._emit(
            IncomingLeg(
                leg=leg.id,
                call=leg.call,
                at=self.clock.now(),
                entry=entry,
                called=number,
                caller_number=phone,
                caller_name="",
                source=Source.PHONE,
                source_name=phone,
            )
        )
        self.settle()
        return leg

    def names(self, phone: str, ringing: Leg) -> Leg:
        """A phone of ours calls in the place of a leg that rings (INVITE with Replaces)."""
        leg = Leg(self._id("leg"), CallId(self._id("call")), phone, False, dialled=True)
        self.legs[leg.id] = leg
        self._emit_started(leg, phone)
        self._emit(
            PickUpAsked(
                leg=leg.id,
                call=leg.call,
                at=self.clock.now(),
                phone=phone,
                ringing=ringing.id,
                rings_at=ringing.phone,
            )
        )
        self.settle()
        return leg

    def ringing(self, leg: Leg) -> None:
        """The called phone alerts."""
        if leg.rings_for_s:
            leg.gives_up_at = self.clock.now() + leg.rings_for_s
            leg.rings_for_s = 0.0
            self._wait(leg)
        self._emit(LegRinging(leg=leg.id, at=self.clock.now()))
        self.settle()

    def confirm(self, leg: Leg) -> None:
        """The leg has sound now: somebody picked up, or our answer is through."""
        leg.answered, leg.answering = True, False
        peer = self.rings_for.pop(leg.id, None)
        if peer is not None:
            self.bridged.add(frozenset((peer, leg.id)))
        self._emit(LegAnswered(leg=leg.id, at=self.clock.now()))
        self.settle()

    def end(self, leg: Leg, cause: EndCause = HUNG_UP) -> None:
        """The far end, or the network, ends the leg."""
        self._end(leg, cause, by_peer=True)
        self.settle()

    def press_hold(self, leg: Leg) -> None:
        """The phone's own hold key."""
        self.hold(leg.id) if not leg.held else self.resume(leg.id)
        self.settle()

    def called_for(self, peer: Leg, phone: str) -> Leg:
        """The switch calls a phone for somebody who is transferred to it."""
        leg = self.call_phone(
            phone,
            call=peer.call,
            caller_number="",
            caller_name="",
            ring_timeout_s=60.0,
            headers={},
        )
        self.settle()
        return self.legs[leg]

    def replaced(self, old: Leg, peer: Leg, new: Leg, *, other: Leg | None = None) -> None:
        """The switch has put one leg in the place of another, which ends."""
        self.bridged.discard(frozenset((old.id, peer.id)))
        if new.answered:
            self.bridged.add(frozenset((peer.id, new.id)))
        else:
            self.rings_for[new.id] = peer.id
        self._emit(
            LegReplaced(
                leg=old.id,
                call=old.call,
                at=self.clock.now(),
                peer=peer.id,
                by=new.id,
                number=new.phone or "",
                phone=new.phone,
                other=None if other is None else other.id,
                is_answered=new.answered,
            )
        )
        for leg in (old, *((other,) if other else ())):
            self._end(leg, HUNG_UP, by_peer=False)
        self.settle()

    def sent_to(
        self, old: Leg, peer: Leg, entry: str, number: str = "", place_of: Leg | None = None
    ) -> None:
        """The switch has brought somebody to an entry who was transferred there."""
        self.bridged.discard(frozenset((old.id, peer.id)))
        self._emit(
            IncomingLeg(
                leg=peer.id,
                call=peer.call,
                at=self.clock.now(),
                entry=entry,
                called=number or entry,
                caller_number=peer.phone or "+12025550101",
                caller_name="",
                source=Source.TRUNK,
                source_name="carrier",
                redirected_by=old.phone or "",
                is_answered=True,
                place_of=None if place_of is None else place_of.id,
            )
        )
        self._end(old, HUNG_UP, by_peer=False)
        if place_of is not None:
            self._end(place_of, HUNG_UP, by_peer=False)
        self.settle()

    def sounds(self, leg: Leg) -> None:
        """The far end sends sound before it answers."""
        self._emit(LegEarlyMedia(leg=leg.id, at=self.clock.now()))
        self.settle()

    def send_on(self, leg: Leg, phone: str) -> None:
        """The called phone sends the call on to another, and is followed."""
        by, leg.phone = leg.phone or "", phone
        self._emit(
            LegRedirected(
                leg=leg.id,
                call=leg.call,
                at=self.clock.now(),
                number=phone,
                phone=phone,
                by=by,
                reason="unconditional",
            )
        )
        self.settle()

    def digit(self, leg: Leg, digit: str) -> None:
        """The far end presses a key."""
        self._emit(DigitPressed(leg=leg.id, at=self.clock.now(), digit=digit, duration_ms=100))
        self.settle()

    def play_out(self, leg: Leg) -> None:
        """Everything that plays to the leg comes to its end."""
        for player in sorted(leg.players):
            self._finish_player(leg, player, stopped=False)
        self.settle()

    def phone(self, phone: str, *, reachable: bool) -> None:
        """A phone registers, or its registration ends."""
        (self.reachable.add if reachable else self.reachable.discard)(phone)
        self._emit(PhoneReachable(phone=phone, at=self.clock.now(), reachable=reachable))
        self.settle()

    def registered_again(self, phone: str) -> None:
        """A phone that has a binding registers once more."""
        self._emit(PhoneRegisteredAgain(phone=phone, at=self.clock.now()))

    def lose_gateway(self) -> None:
        """The media gateway dies, and every leg with it."""
        self.has_media = False
        self._emit(GatewayChanged(at=self.clock.now(), available=False))
        for leg in tuple(self.legs.values()):
            self._end(leg, EndCause(Result.FAILED, "gateway-lost", 503), by_peer=False)
        self.settle()

    def bring_gateway(self) -> None:
        """Another one is there."""
        self.has_media = True
        self._emit(GatewayChanged(at=self.clock.now(), available=True))
        self.settle()

    def newest_call(self) -> CallId:
        """An id for a call that a test makes by hand."""
        return CallId(self._id("call"))

    def newest(self) -> Leg:
        """The leg that was begun last."""
        return list(self.legs.values())[-1]

    def phone_leg(self, phone: str) -> Leg:
        """The newest live leg to a phone."""
        return [leg for leg in self.legs.values() if leg.phone == phone][-1]

    def are_bridged(self, a: LegId, b: LegId) -> bool:
        return frozenset((a, b)) in self.bridged

    def verbs(self, leg: LegId) -> list[str]:
        """What was commanded of one leg, in order."""
        return [verb for verb, whom in self.log if whom == leg]

    # --- CallControl ----------------------------------------------------------------------------

    def ring(self, leg: LegId) -> None:
        self._note("ring", leg)

    def hear_early(self, leg: LegId, callee: LegId) -> None:
        self._note(f"hear-early {callee}", leg)

    def answer(self, leg: LegId) -> None:
        found = self._note("answer", leg)
        if found is None or found.answered or found.answering:
            return
        found.answering = True
        if self.confirms:
            found.answered, found.answering = True, False
            self._emit(LegAnswered(leg=leg, at=self.clock.now()))

    def reject(self, leg: LegId, status: int, reason: str) -> None:
        found = self._note(f"reject {status}", leg)
        self.refused.append((leg, status, reason))
        if found is not None:
            self._end(found, EndCause(Result.REJECTED, reason, status), by_peer=False)

    def hang_up(self, leg: LegId, cause: EndCause) -> None:
        found = self._note("hang-up", leg)
        if found is not None:
            self._end(found, cause, by_peer=False)

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
        reachable = phone in self.reachable
        leg = self._call(phone, phone, call, ring_timeout_s, alert_within_s, reachable=reachable)
        self.headers[leg] = headers
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
        return self._call(None, number, call, ring_timeout_s, alert_within_s, reachable=True)

    def bridge(self, a: LegId, b: LegId) -> None:
        self.log.append(("bridge", a))
        if a not in self.legs or b not in self.legs:
            return  # whoever commands a leg may be later than its hang-up
        for leg in (self.legs[a], self.legs[b]):
            assert leg.answered, f"{leg} is bridged before it has sound"
            assert not leg.music, f"{leg} hears music under the conversation"
            assert not leg.players, f"{leg} hears an announcement under the conversation"
        is_fetched = self.legs[a].dialled or self.legs[b].dialled
        assert is_fetched or self.legs[a].call == self.legs[b].call
        self.bridged.add(frozenset((a, b)))
        self._emit(LegsBridged(call=self.legs[a].call, a=a, b=b, at=self.clock.now()))

    def unbridge(self, a: LegId, b: LegId) -> None:
        self.log.append(("unbridge", a))
        self.bridged.discard(frozenset((a, b)))

    def hold(self, leg: LegId) -> None:
        found = self._note("hold", leg)
        if found is not None and found.answered and not found.held:
            found.held = True
            self._emit(LegHeld(leg=leg, at=self.clock.now(), by_command=True))

    def resume(self, leg: LegId) -> None:
        found = self._note("resume", leg)
        if found is not None and found.held:
            found.held = False
            self._emit(LegResumed(leg=leg, at=self.clock.now()))

    def mute(self, leg: LegId, muted: bool) -> None:
        self._note("mute" if muted else "unmute", leg)

    def play(self, leg: LegId, items: Sequence[PlayItem], *, loop: bool = False) -> PlayerId:
        player = PlayerId(self._id("player"))
        found = self._note("play", leg)
        if found is not None and found.answered:
            found.players.add(player)
        elif found is not None:
            self._finish_player(found, player, stopped=True)
        return player

    def stop(self, player: PlayerId) -> None:
        self.log.append(("stop", player))
        for leg in self.legs.values():
            if player in leg.players:
                self._finish_player(leg, player, stopped=True)

    def music(self, leg: LegId, on: bool) -> None:
        found = self._note("music" if on else "music-off", leg)
        if found is not None and found.answered:
            found.music = on

    def tune(self, leg: LegId, name: str) -> None:
        self._note(f"tune {name}", leg)

    def echo(self, leg: LegId, on: bool) -> None:
        self._note("echo", leg)

    def silence(self, leg: LegId) -> None:
        found = self._note("silence", leg)
        if found is not None:
            self.bridged = {pair for pair in self.bridged if leg not in pair}
            found.music = False
            for player in sorted(found.players):
                self._finish_player(found, player, stopped=True)

    def attend(self, leg: LegId, target: LegId, role: Role) -> None:
        found = self._note(f"attend {role}", leg)
        if found is not None and found.answered and self.legs[target].answered:
            found.attends = (target, role)

    def leave(self, leg: LegId) -> None:
        found = self._note("leave", leg)
        if found is not None:
            found.attends = None

    def send_digits(self, leg: LegId, digits: str) -> None:
        self._note(f"digits {digits}", leg)

    def watch_sound(self, leg: LegId, on: bool) -> None:
        self._note("watch_sound" if on else "unwatch_sound", leg)

    def start_recording(self, call: CallId, *, customer: LegId, agent: LegId | None) -> RecordingId:
        recording = RecordingId(self._id("recording"))
        assert call not in self.recordings.values(), "the call is recorded already"
        self.log.append(("record", customer))
        self.recordings[recording] = call
        return recording

    def set_recording_legs(
        self, recording: RecordingId, customer: LegId, others: Collection[LegId]
    ) -> None:
        self.log.append(("record-agent", recording))
        self.recorded[recording] = (customer, tuple(others))

    def stop_recording(self, recording: RecordingId) -> None:
        self.log.append(("stop-recording", recording))
        call = self.recordings.pop(recording, None)
        if call is not None:
            self._emit(
                RecordingClosed(
                    recording=recording,
                    call=call,
                    at=self.clock.now(),
                    path="",
                    duration_ms=0,
                    octets=0,
                    sha256="",
                )
            )

    def is_reachable(self, phone: str) -> bool:
        return phone in self.reachable

    # --- Features -------------------------------------------------------------------------------

    def held_call(self, phone: str) -> HeldCall | None:
        for leg in self.legs.values():
            if leg.phone == phone and leg.held:
                for pair in self.bridged:
                    if leg.id in pair:
                        (peer,) = pair - {leg.id}
                        return HeldCall(leg.id, peer)
        return None

    def deflect(self, leg: LegId, entry: str, number: str) -> bool:
        found = self.legs[leg]
        peers = [pair - {leg} for pair in self.bridged if leg in pair]
        if len(peers) != 1:
            return False
        (peer,) = peers[0]
        if self.refuses(entry, number, peer) is not None:
            return False
        self.sent_to(found, self.legs[peer], entry, number)
        return True

    def ringing_call(self, phones: Collection[str]) -> RingingCall | None:
        for callee in self.direct:
            leg = self.legs.get(callee)
            if leg is not None and leg.phone in phones and not leg.answered:
                return RingingCall(callee, leg.call, leg.phone or "", "")
        return None

    def pick_up(self, by: LegId, ringing: LegId) -> bool:
        caller = self.direct.pop(ringing, None)
        leg, found = self.legs.get(by), self.legs.get(ringing)
        if caller is None or leg is None or found is None or found.answered:
            return False
        self.direct[by] = caller
        self.hang_up(ringing, EndCause(Result.CANCELLED, "picked-up"))
        self.answer(by)
        return True

    # --- inside ---------------------------------------------------------------------------------

    def _call(
        self,
        phone: str | None,
        number: str,
        call: CallId,
        ring_timeout_s: float,
        alert_within_s: float,
        *,
        reachable: bool,
    ) -> LegId:
        self.log.append(("call", number))
        leg = Leg(self._id("leg"), call, phone, True)
        self.legs[leg.id] = leg
        self._emit_started(leg, number)
        if not reachable:
            self._end(leg, EndCause(Result.UNREACHABLE, "no-binding", 480), by_peer=False)
        elif not self.has_media:
            self._end(leg, EndCause(Result.FAILED, "no-media", 503), by_peer=False)
        else:
            leg.gives_up_at = self.clock.now() + (alert_within_s or ring_timeout_s)
            leg.rings_for_s = ring_timeout_s if alert_within_s else 0.0
            self._wait(leg)
        return leg.id

    def _wait(self, leg: Leg) -> None:
        self.clock.call_at(leg.gives_up_at, lambda: self._rang_out(leg))

    def _rang_out(self, leg: Leg) -> None:
        if leg.id in self.legs and not leg.answered and self.clock.now() >= leg.gives_up_at:
            self._end(leg, EndCause(Result.NO_ANSWER, "ring-timeout", 408), by_peer=False)

    def _id(self, kind: str) -> LegId:
        self._count += 1
        return LegId(f"{kind}-{self._count:04}")

    def _note(self, verb: str, leg: LegId) -> Leg | None:
        self.log.append((verb, leg))
        return self.legs.get(leg)

    def _emit(self, event: CallEvent) -> None:
        self._outbox.append(event)

    def _emit_started(self, leg: Leg, number: str) -> None:
        self._emit(
            LegStarted(
                leg=leg.id,
                call=leg.call,
                at=self.clock.now(),
                phone=leg.phone,
                outbound=leg.outbound,
                number=number,
            )
        )

    def _finish_player(self, leg: Leg, player: PlayerId, *, stopped: bool) -> None:
        leg.players.discard(player)
        self._emit(PlayFinished(player=player, leg=leg.id, at=self.clock.now(), stopped=stopped))

    def _end(self, leg: Leg, cause: EndCause, *, by_peer: bool) -> None:
        if self.legs.pop(leg.id, None) is None:
            return
        self.bridged = {pair for pair in self.bridged if leg.id not in pair}
        self.rings_for.pop(leg.id, None)
        self._emit(
            LegEnded(leg=leg.id, call=leg.call, at=self.clock.now(), cause=cause, by_peer=by_peer)
        )
        for target in [each for each, peer in self.rings_for.items() if peer == leg.id]:
            self._end(self.legs[target], HUNG_UP, by_peer=False)
