"""What the SIP user agent reports, turned into inputs of legs."""

from __future__ import annotations

import logging
from typing import assert_never

from switch.calls.causes import INTERNAL_ERROR
from switch.calls.early_offers import answer_early_offer
from switch.calls.events import DigitPressed
from switch.calls.forking import Forking
from switch.calls.hunting import Hunting
from switch.calls.incoming import Incoming
from switch.calls.leg import Input, Leg, State
from switch.calls.leg_media import LegMedia
from switch.calls.legs import Legs
from switch.calls.outside import Outside
from switch.calls.status import cause_of_end, cause_of_status, with_reasons
from switch.calls.transfer_requests import TransferRequests
from switch.calls.turn import Turn
from switch.clock import Clock
from switch.errors import LocalProtocolError, RemoteProtocolError
from switch.registrar.registrar import Registrar
from switch.sip.events import (
    Answered,
    Confirmed,
    DigitInfo,
    EarlyAnswered,
    Ended,
    EndedBy,
    Failed,
    Invited,
    OutOfDialogRequest,
    Progress,
    ReferProgress,
    Referred,
    RefreshDue,
    ReofferAnswered,
    ReofferFailed,
    ReofferReceived,
    RequestAnswered,
    SessionChanged,
    SessionEvent,
)
from switch.sip.message import Response
from switch.sip.reason import reasons_in
from switch.sip.user_agent import UserAgent
from switch.sip.writing import make_response

log = logging.getLogger(__name__)

_SessionOfLeg = (
    Progress
    | EarlyAnswered
    | Answered
    | Confirmed
    | Failed
    | ReofferReceived
    | ReofferAnswered
    | ReofferFailed
    | Ended
    | DigitInfo
    | SessionChanged
    | RefreshDue
    | Referred
    | ReferProgress
)


_NOT_TAKEN = {"SUBSCRIBE": 489, "PUBLISH": 489, "NOTIFY": 481, "MESSAGE": 405}
"""What nobody attached has taken."""
_UNANSWERED = frozenset({State.CALLING, State.ALERTING})
_EARLY = frozenset({*_UNANSWERED, State.INVITED, State.RUNG})
_BY_PEER = frozenset({EndedBy.REMOTE_BYE, EndedBy.CANCELLED})


class SessionInputs:
    """Takes the session events one by one, each behind the call boundary."""

    def __init__(
        self,
        *,
        user_agent: UserAgent,
        incoming: Incoming,
        forking: Forking,
        hunting: Hunting,
        transfers: TransferRequests,
        legs: Legs,
        media: LegMedia,
        registrar: Registrar,
        clock: Clock,
        turn: Turn,
    ) -> None:
        self._ua = user_agent
        self._incoming = incoming
        self._forking = forking
        self._hunting = hunting
        self._transfers = transfers
        self._legs = legs
        self._media = media
        self._registrar = registrar
        self._clock = clock
        self._turn = turn
        self.outside: list[Outside] = []

    def take_next(self) -> bool:
        """Handle one waiting event; False when there was none."""
        event = self._ua.next_event()
        if event is None and self._ua.has_news:
            # The endpoint may have something for the user agent: new, or caused by this turn.
            # Behind the boundary: one message must not keep those behind it waiting.
            self._turn.guard(None, self._process)
            event = self._ua.next_event()
        if event is None:
            return False
        self._take(event)
        return True

    def _process(self) -> None:
        self._ua.process(self._clock.now())

    def _take(self, event: SessionEvent) -> None:
        match event:
            case Invited():
                self._turn.guard(None, self._invited, event)
            case RequestAnswered():
                self._turn.guard(None, self._answered, event)
            case OutOfDialogRequest():
                self._turn.guard(None, self._out_of_dialog, event)
            case _:
                leg = self._legs.of_session(event.session)
                # A session whose leg is over still reports how its BYE or CANCEL went.
                if leg is not None:
                    self._turn.guard(leg.id, self._of_leg, leg, event)

    def _invited(self, event: Invited) -> None:
        try:
            self._incoming.invited(event)
        except Exception:
            leg = self._legs.of_session(event.session)
            if leg is not None:
                self._legs.abandon(leg, INTERNAL_ERROR)
            else:  # there is nobody yet whose end would answer the INVITE
                self._ua.reject(event.session, 500, None, self._clock.now())
            raise

    def _out_of_dialog(self, event: OutOfDialogRequest) -> None:
        now = self._clock.now()
        response: Response | None = make_response(event.request, 500)
        try:
            response = self._outside_of_calls(event, now)
        finally:
            if response is not None:
                self._ua.respond(event.transaction, response, now)

    def _outside_of_calls(self, event: OutOfDialogRequest, now: float) -> Response | None:
        """The answer; None where somebody attached gives it."""
        if event.request.method == "REGISTER":
            return self._registrar.handle(event.request, event.flow, now)
        if any(each.request(event, now) for each in self.outside):
            return None
        return make_response(event.request, _NOT_TAKEN[event.request.method])

    def _answered(self, event: RequestAnswered) -> None:
        now = self._clock.now()
        if not any(each.answered(event, now) for each in self.outside):
            log.debug("nobody waits for the answer %d to %s", event.status, event.transaction)

    def _of_leg(self, leg: Leg, event: _SessionOfLeg) -> None:
        if leg.fork is not None:
            self._forking.take(leg, leg.fork, event)
            return
        if self._hunting.take(leg, event):
            return
        match event:
            case Progress(status=status, body=body):
                if body and leg.state in _UNANSWERED:
                    self._legs.preview_answer(leg, body)
                if status in (180, 183):
                    self._legs.feed(leg, Input.ALERTED)
            case Answered(answer=answer, is_settled=is_settled):
                self._legs.take_answer(leg, answer, Input.ACCEPTED, is_settled=is_settled)
            case EarlyAnswered(answer=answer):
                self._legs.take_answer(leg, answer, None)
            case Confirmed(body=body):
                self._confirmed(leg, body)
            case Failed() if self._forking.redirected(leg, event.response):
                pass
            case Failed():
                by_peer = event.response is not None
                cause = cause_of_status(event.status, heard_back=by_peer)
                if event.response is not None:
                    cause = with_reasons(cause, reasons_in(event.response.headers))
                self._legs.feed(leg, Input.FAILED, cause, by_peer=by_peer)
            case ReofferReceived(offer=offer):
                self._reoffered(leg, offer)
            case ReofferAnswered(answer=answer):
                self._legs.take_answer(leg, answer, None)
            case ReofferFailed(status=status):
                log.debug("leg %s: our offer was refused with %d", leg.id, status)
                if leg.negotiation is not None:
                    leg.negotiation.drop_offer()
            case Ended(by=by, reasons=reasons):
                cause = cause_of_end(by, outbound=leg.outbound, answered=leg.is_answered)
                cause = with_reasons(cause, reasons)
                self._legs.feed(leg, Input.GONE, cause, by_peer=by in _BY_PEER)
            case SessionChanged(invite=has_new_invite):
                self._legs.note_change(leg, invite=has_new_invite)
            case RefreshDue():
                self._refresh(leg)
            case DigitInfo(digit=digit, duration_ms=duration_ms):
                at = self._clock.now()
                if leg.keyed.counts(digit, duration_ms, at, by_info=True):
                    pressed = DigitPressed(
                        leg=leg.id, at=at, digit=digit, duration_ms=duration_ms, by_info=True
                    )
                    self._turn.emit(pressed)
            case Referred():
                self._transfers.referred(leg, event)
            case ReferProgress():
                pass  # nobody here refers yet
            case _:
                assert_never(event)

    def _refresh(self, leg: Leg) -> None:
        """Offer the sound as it is: the peer does not take UPDATE (RFC 4028 section 7.4)."""
        negotiation = leg.negotiation
        if leg.state is State.ANSWERED and negotiation is not None and not leg.awaits_answer:
            try:
                offer = negotiation.make_offer()
            except LocalProtocolError:
                return  # one of ours is open: its answer refreshes the session as well
            self._ua.reoffer(leg.session, offer, self._clock.now())

    def _confirmed(self, leg: Leg, body: bytes | None) -> None:
        """ACK: it carries an answer when the offer stood in our 2xx."""
        self._legs.note_confirmed(leg)  # another process need not send the 2xx again
        if not leg.awaits_answer:
            return
        self._legs.take_answer(leg, body, None if leg.is_answered else Input.COMPLETED)

    def _reoffered(self, leg: Leg, offer: bytes | None) -> None:
        """Re-INVITE or UPDATE: answered here, never passed through."""
        now = self._clock.now()
        negotiation = leg.negotiation
        if leg.state in _EARLY:
            if answer_early_offer(self._ua, leg.session, negotiation, offer, now):
                self._legs.early_sound_changed(leg)
            return
        if leg.state is not State.ANSWERED or negotiation is None or leg.awaits_answer:
            self._ua.refuse_reoffer(leg.session, 491, now)
            return
        if not offer:
            self._ua.accept_reoffer(leg.session, negotiation.make_offer(), now)
            leg.awaits_answer = True
            return
        try:
            _, answer = negotiation.answer(offer)
        except RemoteProtocolError as error:
            log.debug("leg %s: offer refused: %s", leg.id, error)
            self._ua.refuse_reoffer(leg.session, error.status, now)
            return
        self._ua.accept_reoffer(leg.session, answer, now)
        self._legs.sound_changed(leg)
