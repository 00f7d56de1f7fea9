"""Outbound INVITEs: one place or many, in parallel and in turn, until somebody answers.

start             one target: a plain leg, nothing more; several: a fork
take              what the sessions of a fork report
trunk failed      of a call that was sent on: the next address or trunk in its place
all refused       the next group, or the end with the best refusal
first answer      the others get CANCEL with `Reason: SIP;cause=200` (RFC 3326): no missed calls
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Final

from switch.calls.attempt import Attempt, Target
from switch.calls.causes import INTERNAL_ERROR, EndCause, Result
from switch.calls.destinations import Destinations
from switch.calls.diversion import Diverted, reason_of
from switch.calls.early_offers import answer_early_offer
from switch.calls.events import LegRingsElsewhere
from switch.calls.fork import Branch, Fork, Refusal
from switch.calls.inviting import Inviter
from switch.calls.leg import Input, Leg, State
from switch.calls.leg_media import LegMedia
from switch.calls.legs import Legs
from switch.calls.redirection import Redirections
from switch.calls.status import (
    ELSEWHERE,
    cause_of_end,
    cause_of_status,
    failure_of,
    with_reasons,
)
from switch.calls.turn import Turn
from switch.clock import Clock
from switch.errors import LocalProtocolError, MediaUnavailableError
from switch.sip import usage
from switch.sip.events import (
    Answered,
    Ended,
    Failed,
    Progress,
    ReofferReceived,
    SessionChanged,
    SessionEvent,
    SessionId,
)
from switch.sip.flow import Flow, Transport
from switch.sip.message import Response
from switch.sip.reason import reasons_in
from switch.sip.user_agent import UserAgent
from switch.trunks.failover import Failure

log = logging.getLogger(__name__)

_SILENT_FOR_S: Final = 4.0
"""A place that has not even said 100 for so long (five INVITEs) holds up nobody else's refusal."""
_NOWHERE: Final = Target(request_uri="", flow=Flow(Transport.UDP, ("", 0), ("", 0)))
"""Of a place that has just refused: nobody asks any more."""
_RANG_IN_VAIN: Final = Refusal(EndCause(Result.NO_ANSWER, "ring-timeout"), by_peer=False)


class Forking:
    """Invites, and keeps the forks of all legs that have one."""

    def __init__(
        self,
        *,
        user_agent: UserAgent,
        media: LegMedia,
        legs: Legs,
        redirections: Redirections,
        destinations: Destinations,
        inviter: Inviter,
        clock: Clock,
        turn: Turn,
    ) -> None:
        self._ua = user_agent
        self._media = media
        self._legs = legs
        self._redirections = redirections
        self._destinations = destinations
        self._inviter = inviter
        self._clock = clock
        self._turn = turn

    # --- beginning ------------------------------------------------------------------------------

    def start(self, leg: Leg, attempt: Attempt, groups: Sequence[tuple[Target, ...]]) -> None:
        """Invite; whatever goes wrong, the leg is reported as started and as ended."""
        self._turn.guard(None, self._begin, leg, attempt, groups)
        if self._legs.get(leg.id) is None and leg.state is not State.ENDED:
            self._legs.report_stillborn(leg, INTERNAL_ERROR)

    def _begin(self, leg: Leg, attempt: Attempt, groups: Sequence[tuple[Target, ...]]) -> None:
        try:
            negotiation = self._media.open(leg, is_browser=groups[0][0].is_browser)
        except MediaUnavailableError:
            self._legs.report_stillborn(leg, EndCause(Result.FAILED, "no-media", 503))
            return
        leg.attempt = attempt
        leg.gives_up_at = leg.began + attempt.silence_s
        try:
            if len(groups) == 1 and len(groups[0]) == 1:
                leg.session = self._inviter.invite(attempt, groups[0][0], negotiation, leg.began)
            else:
                leg.fork = Fork(attempt, list(groups))
                if not self._next_group(leg, leg.fork):
                    raise LocalProtocolError(f"{attempt.number} has no binding that can be called")
        except BaseException:
            if leg.fork is not None:
                self._drop(leg.fork.branches)
            self._media.discard(leg)
            raise
        self._legs.add(leg, setup_timeout_s=attempt.silence_s)

    # --- groups ---------------------------------------------------------------------------------

    def _next_group(self, leg: Leg, fork: Fork) -> bool:
        """Let the next group ring; False when there is none that can be called."""
        now = self._clock.now()
        self._legs.end_early_media(leg)
        while fork.waiting and not fork.branches:
            group = fork.waiting.pop(0)
            self._turn_to(leg, group[0])
            self._add_branches(leg, fork, group, now)
        if not fork.branches:
            return False
        fork.began = now
        fork.until = now + (leg.gives_up_at - now) / (len(fork.waiting) + 1)
        self._settle_on(leg, fork.branches[0])
        self._places_changed(leg)
        self._arm(leg, fork)
        hop = fork.branches[0].target.hop
        if hop is not None and hop != fork.at:
            fork.at = hop
            self._legs.redirect(leg, hop)
        return True

    def _turn_to(self, leg: Leg, target: Target) -> None:
        """What is offered from here on is what this place is to be offered, not who sent us there."""
        if target.hop is not None:
            leg.phone, leg.trunk = target.hop.phone, target.hop.trunk
            leg.group = target.hop.group
            leg.dtmf = target.dtmf

    def _add_branches(self, leg: Leg, fork: Fork, group: Iterable[Target], now: float) -> None:
        for target in group:
            negotiation = leg.negotiation
            if negotiation is None or fork.branches or fork.best is not None:
                negotiation = self._media.negotiate_anew(leg, is_browser=target.is_browser)
            try:
                session = self._inviter.invite(fork.attempt, target, negotiation, now)
            except LocalProtocolError as error:
                log.warning("leg %s: a binding cannot be called: %s", leg.id, error)
                fork.note(Refusal(EndCause(Result.UNREACHABLE, "no-route", 404), by_peer=False))
                continue
            fork.branches.append(Branch(session, target, negotiation))
            self._legs.link(session, leg)

    def _settle_on(self, leg: Leg, branch: Branch) -> None:
        leg.session, leg.negotiation = branch.session, branch.negotiation
        leg.has_offer = not branch.target.late_offer

    def _go_on(self, leg: Leg, fork: Fork) -> None:
        """Nothing rings any more: the next group, or the end."""
        if self._next_group(leg, fork):
            self._legs.note_change(leg)
            self._legs.report_moved(leg)
            return
        refusal = fork.best or _RANG_IN_VAIN
        self._legs.feed(leg, Input.FAILED, refusal.cause, by_peer=refusal.by_peer)

    def _drop(self, branches: Iterable[Branch], reason: str | None = None) -> None:
        now = self._clock.now()
        for branch in branches:
            self._legs.unlink(branch.session)
            self._ua.end(branch.session, now, reason_header=reason)

    # --- what the sessions report ---------------------------------------------------------------

    def take(self, leg: Leg, fork: Fork, event: SessionEvent) -> None:
        """Take what a session of a fork reports."""
        match event:
            case Progress(session=session, status=status, body=body):
                branch = fork.find(session)
                if branch is None:
                    return
                if body and len(fork.branches) == 1:  # of several that ring nobody is heard yet
                    self._legs.preview_answer(leg, body)
                if status in (180, 183):
                    self._alerted(leg, branch)
            case Answered(session=session, answer=answer, is_settled=is_settled):
                branch = fork.find(session)
                if branch is not None:
                    self._won(leg, fork, branch)
                    self._legs.take_answer(leg, answer, Input.ACCEPTED, is_settled=is_settled)
            case Failed(session=session, status=status):
                by_peer = event.response is not None
                if self._is_followed(leg, fork, session, event.response):
                    return
                if self._leads_on(leg, fork, session, failure_of(event)):
                    return
                cause = cause_of_status(status, heard_back=by_peer)
                if event.response is not None:
                    cause = with_reasons(cause, reasons_in(event.response.headers))
                self._failed(leg, fork, session, Refusal(cause, by_peer))
            case Ended(session=session, by=by, reasons=reasons):
                cause = cause_of_end(by, outbound=True, answered=False)
                cause = with_reasons(cause, reasons)
                self._failed(leg, fork, session, Refusal(cause, by_peer=True))
            case ReofferReceived(session=session, offer=offer):
                self._reoffered(leg, fork, session, offer)
            case SessionChanged():
                self._legs.note_change(leg)  # the INVITEs of a fork are part of its record
            case _:
                log.debug("leg %s: %s before the answer is of no use", leg.id, type(event).__name__)

    def _alerted(self, leg: Leg, branch: Branch) -> None:
        """A place rings; the leg reports it once, whichever is the first."""
        if not branch.rang:
            branch.rang = True
            self._places_changed(leg)
        self._legs.feed(leg, Input.ALERTED)

    def _places_changed(self, leg: Leg) -> None:
        """Whoever names the leg by the dialog with the place that rings has to name it anew."""
        if leg.state is State.ALERTING:
            self._turn.emit(LegRingsElsewhere(leg=leg.id, at=self._clock.now()))

    def _reoffered(self, leg: Leg, fork: Fork, session: SessionId, offer: bytes | None) -> None:
        branch, now = fork.find(session), self._clock.now()
        negotiation = None if branch is None else branch.negotiation
        is_changed = answer_early_offer(self._ua, session, negotiation, offer, now)
        if is_changed and len(fork.branches) == 1:
            self._legs.early_sound_changed(leg)

    def _won(self, leg: Leg, fork: Fork, winner: Branch) -> None:
        """From now on the leg is like any other."""
        fork.branches.remove(winner)
        losers, fork.branches = fork.branches, []
        self._stop(fork)
        leg.fork = None
        self._destinations.answered(winner.target, self._clock.now())
        self._settle_on(leg, winner)
        self._drop(losers, ELSEWHERE)

    def _leads_on(self, leg: Leg, fork: Fork, session: SessionId, failure: Failure) -> bool:
        """True when the next trunk takes the place of one that has failed."""
        branch, now = fork.find(session), self._clock.now()
        if branch is None:
            return False
        target = self._destinations.onward(branch.target, failure, has_rung=branch.rang, now=now)
        if target is None:
            return False
        fork.branches.remove(branch)
        self._legs.unlink(session)
        self._legs.end_early_media(leg)
        self._turn_to(leg, target)
        self._add_branches(leg, fork, (target,), now)
        if not fork.branches:
            self._stop(fork)
            self._go_on(leg, fork)
            return True
        fork.at, fork.began = target.hop, now
        self._settle_on(leg, fork.branches[0])
        self._arm(leg, fork)
        self._legs.moved(leg)
        return True

    def _failed(self, leg: Leg, fork: Fork, session: SessionId, refusal: Refusal) -> None:
        branch = fork.find(session)
        if branch is None:
            return
        fork.branches.remove(branch)
        self._legs.unlink(session)
        fork.note(refusal)
        if refusal.cause.status >= 600 and refusal.by_peer:
            self._give_up(fork)  # nobody else need be asked (RFC 3261 section 16.7, step 5)
        if not fork.branches:
            self._stop(fork)
            self._go_on(leg, fork)
            return
        if leg.session == session:
            self._settle_on(leg, fork.branches[0])
        if branch.rang:
            self._places_changed(leg)
        self._legs.note_change(leg)
        self._arm(leg, fork)

    def redirected(self, leg: Leg, response: Response | None) -> bool:
        """A leg without a fork was refused: True when it goes on elsewhere (3xx)."""
        if response is None or response.status >= 400 or leg.attempt is None:
            return False
        assert leg.negotiation is not None
        alone = Branch(leg.session, _NOWHERE, leg.negotiation, leg.state is State.ALERTING)
        fork = Fork(leg.attempt, [], [alone])
        leg.fork = fork
        if self._is_followed(leg, fork, leg.session, response):
            return True
        leg.fork = None
        return False

    def _is_followed(
        self, leg: Leg, fork: Fork, session: SessionId, response: Response | None
    ) -> bool:
        """Who sends the call on does so for all places of its number."""
        branch, rights = fork.find(session), fork.attempt.rights
        if response is None or response.status >= 400 or rights is None or branch is None:
            return False
        reason = reason_of(response.headers, rang=branch.rang)
        passed = (*fork.passed, Diverted(fork.number, reason))
        seen = {fork.attempt.number, *(each.number for each in passed)}
        now = self._clock.now()
        hop = branch.target.hop
        by_trunk = leg.trunk if hop is None else hop.trunk
        groups = self._redirections.groups(
            rights,
            response,
            passed,
            seen,
            now,
            by_trunk=by_trunk,
            is_withheld=not fork.attempt.caller_number,
        )
        if not groups:
            return False
        fork.branches.remove(branch)
        self._legs.unlink(session)
        fork.note(Refusal(cause_of_status(response.status, heard_back=True), by_peer=True))
        self._give_up(fork)
        self._stop(fork)
        fork.waiting = groups
        self._go_on(leg, fork)
        return True

    def _give_up(self, fork: Fork) -> None:
        fork.waiting.clear()
        branches, fork.branches = fork.branches, []
        self._drop(branches)

    # --- time -----------------------------------------------------------------------------------

    def resume(self, leg: Leg, fork: Fork) -> None:
        """Go on with a fork of an earlier process."""
        for branch in fork.branches:
            self._legs.link(branch.session, leg)
        self._arm(leg, fork)

    def _arm(self, leg: Leg, fork: Fork) -> None:
        """Wait for the turn of the next group, or for those that nothing was heard of."""
        self._stop(fork)
        dues = [fork.until] if fork.waiting else []
        if fork.best is not None and fork.best.by_peer and self._is_silent(fork):
            dues.append(max(fork.began + _SILENT_FOR_S, self._clock.now()))
        if dues:
            fork.timer = self._turn.call_at(min(dues), leg.id, lambda: self._due(leg, fork))

    def _due(self, leg: Leg, fork: Fork) -> None:
        fork.timer = None
        if leg.fork is not fork or leg.state is State.ENDED:
            return
        now = self._clock.now()
        is_over = bool(fork.waiting) and now >= fork.until
        if not (is_over or (now >= fork.began + _SILENT_FOR_S and self._is_silent(fork))):
            self._arm(leg, fork)
            return
        silent = fork.branches[0].session
        if not is_over and self._leads_on(leg, fork, silent, Failure(408, heard_back=False)):
            self._ua.end(silent, now)
            return
        branches, fork.branches = fork.branches, []
        self._drop(branches)
        fork.note(_RANG_IN_VAIN)
        self._go_on(leg, fork)

    def _is_silent(self, fork: Fork) -> bool:
        """Whether not even a 100 came of any branch that rings still, as far as we think."""
        return not any(branch.rang or self._was_heard(branch) for branch in fork.branches)

    def _was_heard(self, branch: Branch) -> bool:
        record = self._ua.record(branch.session)
        return record is not None and record.state != usage.State.CALLING

    @staticmethod
    def _stop(fork: Fork) -> None:
        if fork.timer is not None:
            fork.timer.cancel()
            fork.timer = None
