"""Call detail records: one row a leg, from what the calls report.

Nothing is looked up in the database and nothing waits: a leg that began is noted, what happens to it is
added, and when its figures have come from the gateway its row goes to the history, which writes in
batches. Calls that were refused have a row of one moment.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct

from crm_store.rows import CallLegRow
from cti.schema import Event, EventType, RecordingView
from switch.calls.causes import EndCause
from switch.calls.control import Calls
from switch.calls.events import (
    CallEvent,
    CallRefused,
    IncomingLeg,
    LegAnswered,
    LegEnded,
    LegMeasured,
    LegRedirected,
    LegRinging,
    LegStarted,
)
from switch.calls.leg import Leg
from switch.clock import Clock
from switch.gateway.protocol import LegStats
from switch.ids import CallId, LegId
from switch.registrar.location import Location
from switch.sip.flow import Flow
from switch.sip.user_agent import UserAgent

_FIGURES_WITHIN_S: Final = 2.0
"""The gateway reports a leg's figures within milliseconds; without them the row goes then."""
_REMEMBERED: Final = 1000
"""Calls that are over, for those who ask for their ladder."""
_LEGS: Final = 64
"""Of one call, for those who ask; every leg has its row."""
_RECORDINGS: Final = 5000
_REFUSED_A_SECOND: Final = 20
"""Rows of refused calls; of a flood of them the others are counted only."""


class LegNotes(Struct):
    """What is known of one leg."""

    leg: LegId
    call: CallId
    outbound: bool
    caller: str
    called: str
    phone: str | None
    trunk: str | None
    started: float
    """Monotonic seconds, as all moments here."""
    call_ids: tuple[str, ...] = ()
    """Of its dialogs: several where it rang in several places."""
    flow: Flow | None = None
    user_agent: str = ""
    rang: float | None = None
    answered: float | None = None
    codec: str = ""
    interaction: str | None = None
    linked: str | None = None
    ended: float | None = None
    by_peer: bool = False
    cause: EndCause | None = None


class CallRecords:
    """The legs that live and the last that are over. Told of every event of the calls, in order."""

    def __init__(
        self,
        *,
        calls: Calls,
        user_agent: UserAgent,
        location: Location,
        clock: Clock,
        append: Callable[[CallLegRow], None],
        interaction_of: Callable[[CallId], str | None],
        new_id: Callable[[str], str],
    ) -> None:
        """`append` takes a row and never waits."""
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
        self._is_watched = False
        self._of_call: dict[CallId, list[LegNotes]] = {}
        self._over: OrderedDict[CallId, None] = OrderedDict()
        self._recordings: OrderedDict[str, str] = OrderedDict()
        """The recording of an interaction."""
        self.on_figures: Callable[[LegNotes, LegStats], None] = lambda notes, stats: None
        """Hears how each leg sounded."""
        self._second = -1
        self._of_second = 0
        self.left_out = 0
        """Refused calls without a row."""
        self._takes: dict[type[Any], Callable[[Any], None]] = {
            LegStarted: self._started,
            IncomingLeg: self._incoming,
            LegRinging: self._rang,
            LegAnswered: self._answered,
            LegRedirected: self._redirected,
            LegEnded: self._ended,
            LegMeasured: self._measured,
            CallRefused: self._refused,
        }

    def call_event(self, event: CallEvent) -> None:
        """Take one event; to be told before contacts are, which end with their legs."""
        take = self._takes.get(type(event))
        if take is not None:
            take(event)

    def on_event(self, event: Event) -> None:
        """Take a public event: which interaction is recorded."""
        if event.type is EventType.RECORDING_STARTED and isinstance(event.data, RecordingView):
            self._recordings[event.interaction_id or ""] = event.data.recording_id
            if len(self._recordings) > _RECORDINGS:
                self._recordings.popitem(last=False)

    def restore(self) -> None:
        """Note the legs that were taken up from an earlier process."""
        for leg in self._calls.legs:
            notes = self._note(leg.id, leg.call, leg.number, leg.began, leg, leg.outbound)
            if leg.answered_at:
                notes.answered = leg.answered_at
                notes.codec = _codec(leg)

    def close(self) -> None:
        """Let go of the rows that still wait for figures."""
        for notes in tuple(self._waiting.values()):
            self._finish(notes, None)

    # --- for those who ask ----------------------------------------------------------------------

    def legs_of(self, call: CallId) -> tuple[LegNotes, ...]:
        """The legs of a call that lives or is among the last that are over."""
        return tuple(self._of_call.get(call, ()))

    def calls_of(self, wanted: str) -> list[CallId]:
        """Calls by their id, a leg's, an interaction's, or a number; the newest first."""
        if wanted in self._of_call:
            return [CallId(wanted)]
        return [
            call
            for call, legs in reversed(self._of_call.items())
            if any(
                wanted in (leg.leg, leg.interaction, leg.caller, leg.called, leg.phone)
                for leg in legs
            )
        ]

    # --- a leg's life ---------------------------------------------------------------------------

    def _started(self, event: LegStarted) -> None:
        leg = self._calls.legs.get(event.leg)
        notes = self._note(event.leg, event.call, event.number, event.at, leg, event.outbound)
        notes.phone = event.phone

    def _note(
        self,
        leg: LegId,
        call: CallId,
        number: str,
        at: float,
        found: Leg | None,
        outbound: bool,
    ) -> LegNotes:
        notes = LegNotes(leg, call, outbound, number, "", None, None, at)
        if found is not None:
            notes.phone, notes.trunk = found.phone, found.trunk
            self._name(notes, found)
        if outbound:
            notes.caller, notes.called = notes.called, number
        self._legs[leg] = notes
        legs = self._of_call.get(call)
        if legs is None:
            self._of_call[call] = [notes]
        else:
            legs.append(notes)
            self._over.pop(call, None)
            if len(legs) > _LEGS:  # a customer whom nobody takes is offered again and again
                legs.remove(next((each for each in legs if each.ended is not None), legs[0]))
        return notes

    def _name(self, notes: LegNotes, leg: Leg) -> None:
        """What its sessions are called; `called` becomes the user of our own address."""
        for session in leg.sessions:
            facts = self._ua.facts(session)
            if facts is None or facts.call_id in notes.call_ids:
                continue
            notes.call_ids += (facts.call_id,)
            notes.flow = facts.flow
            notes.user_agent = notes.user_agent or facts.user_agent
            if not notes.called and facts.local != "anonymous":
                notes.called = facts.local

    def _incoming(self, event: IncomingLeg) -> None:
        notes = self._legs.get(event.leg)
        if notes is not None:
            notes.called = event.called
            notes.linked = event.redirected_by or None

    def _rang(self, event: LegRinging) -> None:
        notes = self._legs.get(event.leg)
        if notes is not None and notes.rang is None:
            notes.rang = event.at

    def _answered(self, event: LegAnswered) -> None:
        notes = self._legs.get(event.leg)
        leg = self._calls.legs.get(event.leg)
        if notes is None or leg is None:
            return
        notes.answered = event.at
        notes.codec = _codec(leg)
        notes.trunk = leg.trunk
        if leg.outbound:
            self._name(notes, leg)

    def _redirected(self, event: LegRedirected) -> None:
        notes = self._legs.get(event.leg)
        if notes is not None:
            notes.called, notes.phone = event.number, event.phone
            notes.linked = event.by or notes.linked

    def _ended(self, event: LegEnded) -> None:
        notes = self._legs.pop(event.leg, None)
        if notes is None:
            return
        notes.ended, notes.by_peer, notes.cause = event.at, event.by_peer, event.cause
        notes.interaction = self._interaction_of(event.call)
        if notes.call_ids:
            self._waiting[event.leg] = notes
            self._watch()
        else:  # it never had a session, so the gateway knows nothing of it
            self._finish(notes, None)

    def _measured(self, event: LegMeasured) -> None:
        notes = self._waiting.get(event.leg)
        if notes is not None:
            self._finish(notes, event.stats)
            self.on_figures(notes, event.stats)

    def _watch(self) -> None:
        if not self._is_watched and self._waiting:
            self._is_watched = True
            self._clock.call_at(self._clock.now() + _FIGURES_WITHIN_S, self._waited)

    def _waited(self) -> None:
        self._is_watched = False
        overdue = self._clock.now() - _FIGURES_WITHIN_S / 2
        late = [n for n in self._waiting.values() if n.ended is not None and n.ended < overdue]
        for notes in late:
            self._finish(notes, None)
        self._watch()

    # --- rows -----------------------------------------------------------------------------------

    def _finish(self, notes: LegNotes, stats: LegStats | None) -> None:
        self._waiting.pop(notes.leg, None)
        self._append(self._row(notes, stats))
        call = notes.call
        if all(leg.ended is not None for leg in self._of_call.get(call, ())):
            self._over[call] = None
            self._over.move_to_end(call)
            if len(self._over) > _REMEMBERED:
                self._of_call.pop(self._over.popitem(last=False)[0], None)

    def _row(self, notes: LegNotes, stats: LegStats | None) -> CallLegRow:
        to_wall = self._clock.wall() - self._clock.now()
        cause = notes.cause
        assert cause is not None
        assert notes.ended is not None
        agent = notes.user_agent
        if not agent and notes.phone is not None:
            bindings = self._location.bindings(notes.phone, notes.ended)
            agent = bindings[0].user_agent if bindings else ""
        figures: dict[str, Any] = {}
        if stats is not None:
            figures = {
                "packets_received": stats.packets_received,
                "packets_sent": stats.packets_sent,
                "packets_lost": stats.packets_lost,
                "remote_lost": stats.remote_lost,
                "jitter_ms": stats.jitter_ms,
                "rtt_ms": stats.rtt_ms,
                "mos": stats.mos,
            }
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
            rang=None if notes.rang is None else notes.rang + to_wall,
            answered=None if notes.answered is None else notes.answered + to_wall,
            ended=notes.ended + to_wall,
            result=cause.result,
            reason=cause.reason,
            status=cause.status,
            q850=cause.q850,
            ended_by="peer" if notes.by_peer else "us",
            codec=notes.codec,
            user_agent=agent,
            linked_call=notes.linked,
            recording_id=self._recordings.get(notes.interaction or ""),
            **figures,
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


def names_of(legs: Iterable[LegNotes]) -> dict[str, str]:
    """What to call the peers of a ladder: phone, trunk or number by address and transport."""
    found = {}
    for leg in legs:
        if leg.flow is not None:
            host, port = leg.flow.remote
            shown = f"[{host}]" if ":" in host else host
            other = leg.called if leg.outbound else leg.caller
            found[f"{shown}:{port} {leg.flow.transport}"] = other or leg.trunk or "anonymous"
    return found


def _codec(leg: Leg) -> str:
    agreed = leg.negotiation.current if leg.negotiation is not None else None
    return "" if agreed is None else agreed.codec
