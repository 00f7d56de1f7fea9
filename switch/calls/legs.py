"""The live legs: applies the leg machine's table and carries out what it asks for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import assert_never

from msgspec.structs import replace

from switch.calls import status
from switch.calls.attempt import Hop
from switch.calls.call_book import CallBook
from switch.calls.causes import EndCause, Result
from switch.calls.codec_order import put_codec_first
from switch.calls.events import (
    LegAnswered,
    LegEarlyMedia,
    LegEnded,
    LegMoved,
    LegRedirected,
    LegRinging,
    LegStarted,
)
from switch.calls.giving_up import GivingUp
from switch.calls.leg import Action, Input, Leg, State, step
from switch.calls.leg_media import LegMedia, is_held_by_peer
from switch.calls.sound import Sound
from switch.calls.turn import Turn
from switch.clock import Clock
from switch.errors import RemoteProtocolError
from switch.ids import CallId, LegId
from switch.sip.events import SessionId
from switch.sip.user_agent import UserAgent
from switch.trunks.limits import TrunkLimits

log = logging.getLogger(__name__)


class Legs:
    """All live legs, by id, session and call."""

    def __init__(
        self,
        *,
        user_agent: UserAgent,
        media: LegMedia,
        sound: Sound,
        limits: TrunkLimits,
        clock: Clock,
        turn: Turn,
        retry_after_s: int,
    ) -> None:
        self._ua = user_agent
        self._media = media
        self._sound = sound
        self._limits = limits
        self._clock = clock
        self._turn = turn
        self._giving_up = GivingUp(turn, self._give_up)
        self._busy_headers = (("Retry-After", str(retry_after_s)),)
        self._by_id: dict[LegId, Leg] = {}
        self._by_session: dict[SessionId, Leg] = {}
        self.on_leaving: Callable[[Leg], None] = lambda leg: None
        """Told of each leg that ends, before anybody else."""
        self._calls = CallBook()
        self.ended = self._calls.ended

    # --- looking up -----------------------------------------------------------------------------

    def get(self, leg: LegId) -> Leg | None:
        """A live leg, or None."""
        return self._by_id.get(leg)

    def of_session(self, session: SessionId) -> Leg | None:
        """The live leg of a session, or None."""
        return self._by_session.get(session)

    def of_call(self, call: CallId) -> tuple[Leg, ...]:
        """The live legs of a call."""
        return self._calls.legs_of(call)

    def __iter__(self) -> Iterator[Leg]:
        return iter(tuple(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def calls_alive(self) -> int:
        """Calls with at least one live leg."""
        return len(self._calls)

    # --- life -----------------------------------------------------------------------------------

    def link(self, session: SessionId, leg: Leg) -> None:
        """The leg has this session too: a branch of its fork."""
        self._by_session[session] = leg

    def unlink(self, session: SessionId) -> None:
        """What this session reports from now on is of no interest."""
        self._by_session.pop(session, None)

    def moved(self, leg: Leg) -> None:
        """An outbound leg is tried on another trunk or address, by a session of its own."""
        self._by_session[leg.session] = leg
        if leg.trunk is not None:
            self._limits.add(leg.trunk, leg.id, now=self._clock.now(), group=leg.group)
        self.note_invite(leg)
        self.report_moved(leg)

    def report_moved(self, leg: Leg) -> None:
        """Its sessions are others than before."""
        self._turn.emit(LegMoved(leg=leg.id, at=self._clock.now()))

    def add(self, leg: Leg, *, setup_timeout_s: float) -> None:
        """Take up a leg whose session exists; it is given up when not answered in time."""
        self._by_id[leg.id] = leg
        self._by_session[leg.session] = leg
        if leg.trunk is not None:
            self._limits.add(leg.trunk, leg.id, now=leg.began, group=leg.group)
        leg.gives_up_at = leg.began + setup_timeout_s
        self._giving_up.start(leg)
        self.note_change(leg)
        self._calls.join(leg)
        self._report_started(leg)

    def restore(self, leg: Leg, *, waits: bool) -> None:
        """Take up a leg of an earlier process; `waits`: it is still to be answered.

        One whose trunk is not configured any more goes on, and counts for none.
        """
        self._count(leg, None)
        self._by_id[leg.id] = leg
        self._by_session[leg.session] = leg
        if waits:
            self._giving_up.start(leg)
        self._calls.restore(leg)

    def redirect(self, leg: Leg, hop: Hop) -> None:
        """The callee has sent the call on: from now on this leg goes there."""
        self._limits.remove(leg.id)
        leg.number, leg.phone = hop.number, hop.phone
        leg.trunk, leg.group = hop.trunk, hop.group
        self._count(leg, self._clock.now())
        self.note_change(leg)
        by = hop.passed[-1]
        log.info("call %s: %s sends it on to %s (%s)", leg.call, by.number, hop.number, by.reason)
        self._turn.emit(
            LegRedirected(
                leg=leg.id,
                call=leg.call,
                at=self._clock.now(),
                number=hop.number,
                phone=hop.phone,
                by=by.number,
                reason=by.reason,
            )
        )

    def _count(self, leg: Leg, now: float | None) -> None:
        """Count a leg, with `now` as begun then; what an earlier process knew may be gone."""
        if leg.trunk is not None and not self._limits.knows(leg.trunk):
            leg.trunk = None
        if leg.trunk is not None:
            group = leg.group if leg.group in self._limits.groups else None
            self._limits.add(leg.trunk, leg.id, now=now, group=group)

    def report_stillborn(self, leg: Leg, cause: EndCause) -> None:
        """Report a leg that ends before it could get a session: nowhere to call."""
        log.debug("leg %s of call %s is stillborn: %s", leg.id, leg.call, cause.reason)
        self._report_started(leg)
        leg.state = State.ENDED
        self._turn.emit(
            LegEnded(leg=leg.id, call=leg.call, at=leg.began, cause=cause, by_peer=False)
        )

    def feed(
        self, leg: Leg, event: Input, cause: EndCause | None = None, *, by_peer: bool = False
    ) -> None:
        """Apply one input to a leg; `cause` goes with every input that may end it."""
        found = step(leg.state, event)
        if found is None:
            log.debug("leg %s: %s, %s ignored", leg.id, leg.state, event)
            return
        state, actions = found
        log.debug("leg %s: %s, %s: %s", leg.id, leg.state, event, state)
        leg.state = state
        cause = cause or _UNEXPLAINED
        if Action.SEND_FINAL in actions:  # the record of the leg says what its peer was told
            cause = replace(cause, status=leg.refuse_with or status.final_status(cause))
        for action in actions:
            self._carry_out(leg, action, cause, by_peer)

    def answer(self, leg: Leg) -> None:
        """Answer an incoming leg; without an offer our 200 makes one, and the ACK answers it."""
        if leg.has_offer:
            self.feed(leg, Input.ANSWER)
            return
        state_before = leg.state
        self.feed(leg, Input.OFFER)
        if leg.state is not state_before:
            leg.awaits_answer = True

    def note_change(self, leg: Leg, *, invite: bool = False) -> None:
        """Something changed that the journal should know; maybe the INVITE, too."""
        self._sound.changes.legs.add(leg.id)
        if invite:
            self._sound.changes.invites.add(leg.id)

    def note_invite(self, leg: Leg) -> None:
        """The INVITE of the leg is another one than before."""
        self._sound.changes.invites.add(leg.id)
        self.note_change(leg)

    def note_confirmed(self, leg: Leg) -> None:
        """The peer has our 2xx."""
        self._sound.changes.confirmed.add(leg.id)

    def hang_up(self, leg: Leg, cause: EndCause) -> None:
        """End a leg by whatever its state asks for."""
        self.feed(leg, Input.HANG_UP, cause)

    def abandon(self, leg: Leg, cause: EndCause) -> None:
        """End a leg that a fault has left in any state; never raises."""
        try:
            if leg.state is not State.ENDED:
                self.feed(leg, Input.HANG_UP, cause)
        except Exception:  # the call boundary's second line
            log.exception("leg %s could not be ended in order", leg.id)
        if leg.id in self._by_id:
            leg.state = State.ENDED
            try:
                self._finish(leg, cause, by_peer=False)
            except Exception:  # as above
                log.exception("leg %s could not be given back in order", leg.id)

    # --- sound ----------------------------------------------------------------------------------

    def take_answer(
        self,
        leg: Leg,
        body: bytes | None,
        accepted: Input | None,
        *,
        is_settled: bool = False,
    ) -> None:
        """Read the peer's answer and go on with `accepted`; one that is no use ends the leg.

        `is_settled`: reliable responses had it, and what is agreed may have changed since.
        """
        leg.awaits_answer = False
        negotiation = leg.negotiation
        try:
            if is_settled and negotiation is not None and not negotiation.is_offering:
                pass  # by an early offer of the peer
            elif leg.outbound and not leg.has_offer:
                leg.has_offer = True
                answer = self._media.answer_offer(leg, body)
                self._ua.acknowledge(leg.session, answer, self._clock.now())
            else:
                if accepted is Input.ACCEPTED and negotiation and not negotiation.is_offering:
                    negotiation.offer_to_another()
                self._media.take_answer(leg, body)
        except RemoteProtocolError as error:
            log.info("leg %s: the answer is no use: %s", leg.id, error)
            self.hang_up(leg, EndCause(Result.FAILED, "bad-answer", 488))
            return
        if accepted is None:
            self.sound_changed(leg)
        else:
            self.feed(leg, accepted)
            put_codec_first(self._ua, leg, self._clock.now())

    def preview_answer(self, leg: Leg, body: bytes) -> None:
        """The peer of an outbound leg sends sound before its answer; who hears it is told later.

        Whatever is the matter with it, the answer itself may still be good.
        """
        if not leg.has_offer:
            return  # an offer of its own, which is answered with the ACK
        if leg.negotiation is not None and not leg.negotiation.is_offering:
            return  # what is agreed by an early offer of the peer goes before
        try:
            self._media.preview_answer(leg, body)
        except RemoteProtocolError as error:
            log.debug("leg %s: early media is no use: %s", leg.id, error)
            return
        self._media.configure(leg)
        self.note_change(leg)
        self._turn.emit(LegEarlyMedia(leg=leg.id, at=self._clock.now()))

    def early_sound_changed(self, leg: Leg) -> None:
        """Carry a new agreement on a leg that is not answered yet to the gateway."""
        self._media.configure(leg)
        self.note_change(leg)

    def end_early_media(self, leg: Leg) -> None:
        """Who sent it is not called any more."""
        self._sound.end_early(leg.id)

    def sound_changed(self, leg: Leg) -> None:
        """Carry a new agreement on an answered leg to the gateway, and its hold to the peers."""
        self._media.configure(leg)
        self._sound.hold(leg.id, on=is_held_by_peer(leg), by_command=False)

    def send_info(self, leg: Leg, digit: str, duration_ms: int) -> None:
        """Send a digit in INFO; nothing happens where the leg is not answered, or over."""
        self._ua.send_info(leg.session, digit, self._clock.now(), duration_ms=duration_ms)

    def hold_ended(self, leg: Leg) -> None:
        """A hold by command is over: a silence that was let pass meanwhile is to be told again."""
        if leg.went_silent:
            leg.went_silent = False
            self._media.configure(leg)

    # --- carrying out ---------------------------------------------------------------------------

    def _carry_out(self, leg: Leg, action: Action, cause: EndCause, by_peer: bool) -> None:
        now = self._clock.now()
        match action:
            case Action.SEND_RINGING:
                self._calls.alerted(leg, now)
                self._ua.ring(leg.session, now)
            case Action.SEND_PROGRESS:
                self._calls.alerted(leg, now)
                self._media.configure(leg)
                self._ua.ring(leg.session, now, 183, body=leg.body)
                self.note_change(leg)
            case Action.SEND_ANSWER:
                self._giving_up.stop(leg)
                self._ua.answer(leg.session, leg.body, now)
                self.note_change(leg)
            case Action.SEND_FINAL:
                self._refuse(leg, cause, now)
            case Action.SEND_END:
                for session in leg.sessions:
                    self._ua.end(session, now, reason_header=status.reason_header(cause))
            case Action.REPORT_RINGING:
                self._calls.alerted(leg, now)
                if self._giving_up.rings(leg, now):
                    self.note_change(leg)
                self._turn.emit(LegRinging(leg=leg.id, at=now))
            case Action.CONNECT:
                self._connect(leg, now)
            case Action.FINISH:
                self._finish(leg, cause, by_peer=by_peer)
            case _:
                assert_never(action)

    def _refuse(self, leg: Leg, cause: EndCause, now: float) -> None:
        headers = self._busy_headers if cause.status == 503 else ()
        self._ua.reject(leg.session, cause.status, leg.refuse_words or None, now, headers)

    def _connect(self, leg: Leg, now: float) -> None:
        self._giving_up.stop(leg)
        leg.answered_at = now
        self._calls.answered(leg, now)
        self._sound.matrix.add(leg.id)
        self._turn.emit(LegAnswered(leg=leg.id, at=now))
        self.sound_changed(leg)

    def _finish(self, leg: Leg, cause: EndCause, *, by_peer: bool) -> None:
        """Give everything back. The tables first: whatever fails later, the leg is gone."""
        self._giving_up.stop(leg)
        self.on_leaving(leg)
        self._by_id.pop(leg.id, None)
        for session in leg.sessions:
            self._by_session.pop(session, None)
        self._limits.remove(leg.id)
        now = self._clock.now()
        self._turn.emit(LegEnded(leg=leg.id, call=leg.call, at=now, cause=cause, by_peer=by_peer))
        is_last = self._calls.leave(leg, cause, now)
        if is_last:
            self._sound.captures.stop_call(leg.call)
        self._sound.leg_ended(leg.id)
        self._media.close(leg)

    def _give_up(self, leg: Leg) -> None:
        reason = "ring-timeout" if leg.outbound else "not-answered"
        self.feed(leg, Input.TIMED_OUT, EndCause(Result.NO_ANSWER, reason))

    def _report_started(self, leg: Leg) -> None:
        self._turn.emit(
            LegStarted(
                leg=leg.id,
                call=leg.call,
                at=leg.began,
                phone=leg.phone,
                outbound=leg.outbound,
                number=leg.number,
                trunk=leg.trunk,
            )
        )


_UNEXPLAINED = EndCause(Result.FAILED, "unexplained")
