"""Call detail records: one row a leg, from what the calls report.

Nothing is looked up in the database and nothing waits: a leg that began is noted, what happens to it is
added, and when its figures have come from the gateway its row goes to the history, which writes in
batches. Calls that were refused have a row of one moment.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from acd.party import PartyState
from crm_store.rows import CallLegRow
from cti.bus import Bus
from cti.leg_notes import LegNotes
from cti.schema import Event, EventType, RecordingView, SupervisionView
from switch.calls.control import Calls
from switch.calls.events import (
    CallRefused,
    IncomingLeg,
    LegAnswered,
    LegEnded,
    LegMeasured,
    LegMoved,
    LegRedirected,
    LegReplaced,
    LegRinging,
    LegStarted,
    PickUpAsked,
)
from switch.calls.fan_out import Takes
from switch.calls.leg import Leg
from switch.clock import Clock
from switch.gateway.protocol import LegStats
from switch.ids import CallId, LegId
from switch.registrar.location import Location
from switch.sip.events import SessionId
from switch.sip.user_agent import UserAgent

_ROWS_EVERY_S: Final = 0.1
_FIGURES_WITHIN_S: Final = 2.0
"""The gateway reports a leg's figures within milliseconds; without them the row goes then."""
_REMEMBERED: Final = 1000
"""Calls that are over, for those who ask for their ladder."""
_LEGS: Final = 64
"""Of one call, for those who ask; every leg has its row."""
_RECORDINGS: Final = 5000
_REFUSED_A_SECOND: Final = 20
"""Rows of refused calls; of a flood of them the others are counted only."""


_ATTENDED: Final = (PartyState.ATTENDING, PartyState.JOINED, PartyState.LEFT)
_TAKES_OVER: Final = "take-over"
_NO_FIGURES: Final = LegStats()


class CallRecords:
    """The legs that live and the last that are over."""

    def __init__(
        self,
        *,
        calls: Calls,
        user_agent: UserAgent,
        location: Location,
        clock: Clock,
        append: Callable[[CallLegRow], None],
        interaction_of: Callable[[CallId, LegId], tuple[str, CallId, Iterable[LegId]] | None],
        new_id: Callable[[str], str],
        bus: Bus,
    ) -> None:
        """`append` takes a row and never waits.

        `interaction_of` gives the interaction of a leg, with its call and all its legs, while it lives.
        """
        self._calls = calls
        self._ua = user_agent
        self._location = location
        self._clock = clock
        self._append = append
        self._interaction_of = interaction_of
        self._new_id = new_id
        self._legs: dict[LegId, LegNotes] = {}
        """Those that live."""
        self._waiting: dict[LegId, LegNotes] = {}
        """Those that are over and wait for their figures, the first first."""
        self._done: list[tuple[LegNotes, LegStats | None]] = []
        self._is_watched = False
        self._of_call: dict[CallId, list[LegNotes]] = {}
        self._over: OrderedDict[CallId, None] = OrderedDict()
        self._recordings: OrderedDict[str, str] = OrderedDict()
        """The recording of an interaction."""
        self.on_figures: Callable[[LegNotes, LegStats], None] = lambda notes, stats: None
        """Hears how each leg sounded."""
        self.on_dialog: Callable[[str, bool], None] = lambda call_id, lives: None
        """Hears of the Call-ID of each dialog that begins to live, or is over."""
        self._second = -1
        self._of_second = 0
        self.left_out = 0
        """Refused calls without a row."""
        self.takes: Takes = {
            LegStarted: self._started,
            IncomingLeg: self._incoming,
            PickUpAsked: self._picks_up,
            LegRinging: self._rang,
            LegAnswered: self._answered,
            LegRedirected: self._redirected,
            LegMoved: self._moved,
            LegReplaced: self._replaced,
            LegEnded: self._ended,
            LegMeasured: self._measured,
            CallRefused: self._refused,
        }
        """What the calls report; to be told before contacts are, which end with their legs."""
        bus.listen(
            self._on_event,
            EventType.RECORDING_STARTED,
            EventType.INTERACTION_ENDED,
            EventType.SUPERVISED,
        )

    def _on_event(self, event: Event) -> None:
        """Take a public event: what is recorded, whose legs are to end with it, who attends by which leg."""
        if event.type is EventType.INTERACTION_ENDED:
            for notes in self._of_call.get(CallId(event.call_id or ""), ()):
                if notes.ended is None:
                    notes.interaction = event.interaction_id
        elif isinstance(event.data, SupervisionView):
            self._supervised(CallId(event.call_id or ""), event.data)
        elif isinstance(event.data, RecordingView):
            self._recordings[event.interaction_id or ""] = event.data.recording_id
            if len(self._recordings) > _RECORDINGS:
                self._recordings.popitem(last=False)

    def _supervised(self, call: CallId, view: SupervisionView) -> None:
        """The newest leg to the supervisor's phone is the one it attends by; its row is not made yet."""
        role = _TAKES_OVER if view.state == PartyState.JOINED else view.role
        for notes in reversed(self._of_call.get(call, ())):
            if notes.outbound and notes.phone == view.number and view.state in _ATTENDED:
                notes.attends(view.by, role)
                return

    def restore(self) -> None:
        """Note the legs that were taken up from an earlier process."""
        for leg in self._calls.legs:
            notes = LegNotes(leg.id, leg.call, leg.outbound, leg.number, leg.phone, leg.began, leg)
            self._note(notes, leg)

    def close(self) -> None:
        """Let go of the rows that still wait for figures."""
        self._done += [(notes, None) for notes in self._waiting.values()]
        self._waiting.clear()
        self._write()

    # --- for those who ask ----------------------------------------------------------------------

    def legs_of(self, call: CallId) -> tuple[LegNotes, ...]:
        """The legs of a call that lives or is among the last that are over."""
        legs = tuple(self._of_call.get(call, ()))
        for notes in legs:
            if notes.live is not None:
                notes.read()
        return legs

    def calls_of(self, wanted: str) -> list[CallId]:
        """Calls by their id, a leg's, an interaction's, or a number; the newest first."""
        if wanted in self._of_call:
            return [CallId(wanted)]
        return [
            call
            for call in reversed(self._of_call)
            if any(
                wanted in (leg.leg, leg.interaction, leg.caller, leg.called, leg.phone)
                for leg in self.legs_of(call)
            )
        ]

    # --- a leg's life ---------------------------------------------------------------------------

    def _started(self, event: LegStarted) -> None:
        leg = self._calls.legs.get(event.leg)
        notes = LegNotes(
            event.leg, event.call, event.outbound, event.number, event.phone, event.at, leg
        )
        notes.trunk = event.trunk
        self._note(notes, leg)

    def _note(self, notes: LegNotes, leg: Leg | None) -> None:
        if leg is not None:
            for each in leg.sessions:
                self._follow(notes, each)
        self._legs[notes.leg] = notes
        legs = self._of_call.get(notes.call)
        if legs is None:
            self._of_call[notes.call] = [notes]
            return
        legs.append(notes)
        self._over.pop(notes.call, None)
        if len(legs) > _LEGS:  # a customer whom nobody takes is offered again and again
            legs.remove(next((each for each in legs if each.ended is not None), legs[0]))

    def _incoming(self, event: IncomingLeg) -> None:
        notes = self._legs.get(event.leg)
        if notes is not None:
            notes.called_as = event.called
            notes.linked = event.redirected_by or None

    def _picks_up(self, event: PickUpAsked) -> None:
        """It has called for what rings at a phone, whether it may have that or not."""
        notes, ringing = self._legs.get(event.leg), self._legs.get(event.ringing)
        if notes is not None and ringing is not None:
            notes.called_as = event.rings_at or ""
            notes.linked = ringing.call

    def _rang(self, event: LegRinging) -> None:
        notes = self._legs.get(event.leg)
        if notes is not None and notes.rang is None:
            notes.rang = event.at

    def _answered(self, event: LegAnswered) -> None:
        """Of several places where it rang one has answered."""
        notes = self._legs.get(event.leg)
        if notes is not None and notes.live is not None:
            self._follow(notes, notes.live.session)

    def _moved(self, event: LegMoved) -> None:
        notes = self._legs.get(event.leg)
        if notes is not None and notes.live is not None:
            for each in notes.live.sessions:
                self._follow(notes, each)

    def _follow(self, notes: LegNotes, session_id: SessionId) -> None:
        """This is the leg's session now; what there was before belongs to its signalling too."""
        session = self._ua.session(session_id)
        if session is None:
            return
        if session not in notes.sessions:
            self.on_dialog(session.invite.call_id, True)
        notes.sessions = (*(each for each in notes.sessions if each is not session), session)

    def _redirected(self, event: LegRedirected) -> None:
        notes = self._legs.get(event.leg)
        if notes is not None:
            notes.number, notes.phone = event.number, event.phone
            notes.linked = event.by or notes.linked

    def _replaced(self, event: LegReplaced) -> None:
        """A transfer: whoever comes in has the call, or the phone, it came from."""
        leaves, comes = self._legs.get(event.leg), self._legs.get(event.by)
        if comes is None:
            return
        if comes.call != event.call:
            comes.linked = event.call
        elif leaves is not None:
            comes.linked = leaves.phone or leaves.number

    def _ended(self, event: LegEnded) -> None:
        notes = self._legs.pop(event.leg, None)
        if notes is None:
            return
        notes.ended, notes.by_peer, notes.cause = event.at, event.by_peer, event.cause
        found = self._interaction_of(event.call, event.leg)
        if found is not None:
            interaction, call, legs = found
            notes.belong(interaction, call)
            for each in legs:  # it may be over with this leg: theirs cannot be asked for then
                if (other := self._legs.get(each)) is not None:
                    other.belong(interaction, call)
        if notes.outbound and notes.phone is not None:  # now: it may unregister any moment
            notes.user_agent = self._agent_called(notes, notes.phone, event.at)
        if notes.sessions:
            self._waiting[event.leg] = notes
            self._watch()
        else:  # it never had a session, so the gateway knows nothing of it
            self._finish(notes, None)

    def _agent_called(self, notes: LegNotes, phone: str, now: float) -> str:
        """What the place that was called last, or has answered, registered as."""
        called = notes.sessions[-1].invite.uri if notes.sessions else ""
        bindings = self._location.bindings(phone, now)
        return next((each.user_agent for each in bindings if each.contact_uri == called), "")

    def _measured(self, event: LegMeasured) -> None:
        notes = self._waiting.pop(event.leg, None)
        if notes is not None:
            self._finish(notes, event.stats)

    def _finish(self, notes: LegNotes, stats: LegStats | None) -> None:
        """Its row is made soon, together with others: on the path of a call that costs thrice."""
        self._done.append((notes, stats))
        self._watch()

    def _watch(self) -> None:
        if not self._is_watched and (self._waiting or self._done):
            self._is_watched = True
            self._clock.call_at(self._clock.now() + _ROWS_EVERY_S, self._write)

    def _write(self) -> None:
        """Make the rows of the legs that are done, those that waited in vain included."""
        self._is_watched = False
        overdue = self._clock.now() - _FIGURES_WITHIN_S
        for leg, notes in tuple(self._waiting.items()):
            if notes.ended is not None and notes.ended > overdue:
                break  # they stand in the order of their ends
            del self._waiting[leg]
            self._done.append((notes, None))
        done, self._done = self._done, []
        for notes, stats in done:
            self._make_row(notes, stats)
        self._watch()

    # --- rows -----------------------------------------------------------------------------------

    def _make_row(self, notes: LegNotes, stats: LegStats | None) -> None:
        notes.let_go()
        self._append(self._row(notes, stats or _NO_FIGURES, is_measured=stats is not None))
        if stats is not None:
            self.on_figures(notes, stats)
        for call_id in notes.call_ids:
            self.on_dialog(call_id, False)
        for leg in self._of_call.get(notes.call, ()):
            if leg.ended is None:
                return
        self._over[notes.call] = None
        if len(self._over) > _REMEMBERED:
            self._of_call.pop(self._over.popitem(last=False)[0], None)

    def _row(self, notes: LegNotes, stats: LegStats, *, is_measured: bool) -> CallLegRow:
        to_wall = self._clock.wall() - self._clock.now()
        cause, ended, rang, answered = notes.cause, notes.ended, notes.rang, notes.answered
        assert cause is not None
        assert ended is not None
        return CallLegRow(
            leg_id=notes.leg,
            call_id=notes.call,
            sip_call_id=notes.call_ids[-1] if notes.call_ids else "",
            interaction_id=notes.interaction,
            direction="out" if notes.outbound else "in",
            caller=notes.caller,
            called=notes.called,
            phone=notes.phone,
            trunk=notes.trunk,
            started=notes.started + to_wall,
            rang=None if rang is None else rang + to_wall,
            answered=None if answered is None else answered + to_wall,
            ended=ended + to_wall,
            result=cause.result,
            reason=cause.reason,
            status=cause.status,
            q850=cause.q850,
            ended_by="peer" if notes.by_peer else "us",
            codec=notes.codec,
            user_agent=notes.user_agent,
            linked_call=notes.linked,
            recording_id=self._recordings.get(notes.interaction or ""),
            attended=notes.attended,
            packets_received=stats.packets_received if is_measured else None,
            packets_sent=stats.packets_sent if is_measured else None,
            packets_lost=stats.packets_lost if is_measured else None,
            remote_lost=stats.remote_lost,
            jitter_ms=stats.jitter_ms if is_measured else None,
            rtt_ms=stats.rtt_ms,
            mos=stats.mos,
        )

    def _refused(self, event: CallRefused) -> None:
        second = int(event.at)
        if second != self._second:
            self._second, self._of_second = second, 0
        self._of_second += 1
        if self._of_second > _REFUSED_A_SECOND:
            self.left_out += 1
            return
        at = event.at + self._clock.wall() - self._clock.now()
        self._append(
            CallLegRow(
                leg_id=self._new_id("leg"),
                call_id=self._new_id("call"),
                direction="in",
                caller=event.caller_number,
                called=event.called,
                started=at,
                ended=at,
                result="rejected",
                reason=event.reason,
                status=event.status,
                ended_by="us",
            )
        )
