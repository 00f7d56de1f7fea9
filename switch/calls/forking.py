"""Outbound INVITEs: one place or many, in parallel and in turn, until somebody answers.

start             one target: a plain leg, nothing more; several: a fork
take              what the sessions of a fork report
all refused       the next group, or the end with the best refusal
first answer      the others get CANCEL with `Reason: SIP;cause=200` (RFC 3326): no missed calls
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from switch.calls.attempt import Attempt, Target
from switch.calls.causes import INTERNAL_ERROR, EndCause, Result
from switch.calls.fork import Branch, Fork, Refusal
from switch.calls.leg import Input, Leg, State
from switch.calls.leg_media import LegMedia
from switch.calls.legible import legible
from switch.calls.legs import Legs
from switch.calls.settings import CallSettings
from switch.calls.status import cause_of_end, cause_of_status
from switch.calls.turn import Turn
from switch.clock import Clock
from switch.errors import LocalProtocolError, MediaUnavailableError
from switch.sdp.offer_answer import AudioNegotiation
from switch.sip import usage
from switch.sip.events import Answered, Ended, Failed, Progress, SessionEvent, SessionId
from switch.sip.uri import NameAddr, Uri
from switch.sip.user_agent import UserAgent

log = logging.getLogger(__name__)

USER_SAFE: Final = "+*#&=$,?/!~'()-_."
"""Characters that may stand unescaped in the user part of a SIP URI (RFC 3261 section 25.1)."""
_ELSEWHERE: Final = 'SIP;cause=200;text="Call completed elsewhere"'
_SILENT_FOR_S: Final = 4.0
"""A place that has not even said 100 for so long (five INVITEs) holds up nobody else's refusal."""
_RANG_IN_VAIN: Final = Refusal(EndCause(Result.NO_ANSWER, "ring-timeout"), by_peer=False)


class Forking:
    """Invites, and keeps the forks of all legs that have one."""

    def __init__(
        self,
        *,
        user_agent: UserAgent,
        media: LegMedia,
        legs: Legs,
        settings: CallSettings,
        clock: Clock,
        turn: Turn,
    ) -> None:
        self._ua = user_agent
        self._media = media
        self._legs = legs
        self._settings = settings
        self._clock = clock
        self._turn = turn

    # --- beginning ------------------------------------------------------------------------------

    def start(self, leg: Leg, attempt: Attempt, groups: Sequence[tuple[Target, ...]]) -> None:
        """Invite; whatever goes wrong, the leg is reported as started and as ended."""
        self._turn.guard(None, lambda: self._begin(leg, attempt, groups))
        if self._legs.get(leg.id) is None and leg.state is not State.ENDED:
            self._legs.report_stillborn(leg, INTERNAL_ERROR)

    def _begin(self, leg: Leg, attempt: Attempt, groups: Sequence[tuple[Target, ...]]) -> None:
        try:
            negotiation = self._media.open(leg)
        except MediaUnavailableError:
            self._legs.report_stillborn(leg, EndCause(Result.FAILED, "no-media", 503))
            return
        leg.attempt = attempt
        leg.gives_up_at = leg.began + attempt.ring_timeout_s
        try:
            if len(groups) == 1 and len(groups[0]) == 1:
                leg.session = self._invite(attempt, groups[0][0], negotiation, leg.began)
            else:
                leg.fork = Fork(attempt, list(groups))
                if not self._next_group(leg, leg.fork):
                    raise LocalProtocolError(f"{attempt.number} has no binding that can be called")
        except BaseException:
            if leg.fork is not None:
                self._drop(leg.fork.branches)
            self._media.discard(leg)
            raise
        self._legs.add(leg, setup_timeout_s=attempt.ring_timeout_s)

    def _invite(
        self, attempt: Attempt, target: Target, negotiation: AudioNegotiation, now: float
    ) -> SessionId:
        headers = dict(attempt.headers)
        if target.routes:
            headers["Route"] = ", ".join(target.routes)
        return self._ua.invite(
            request_uri=target.request_uri,
            flow=target.flow,
            from_=self._caller(attempt),
            to=NameAddr(self._own_uri(attempt.number)),
            offer=negotiation.make_offer(),
            headers=headers,
            now=now,
        )

    def _caller(self, attempt: Attempt) -> NameAddr:
        if not attempt.caller_number:
            return NameAddr(Uri("sip", "anonymous", "anonymous.invalid"), "Anonymous")
        name = legible(attempt.caller_name) or None
        return NameAddr(self._own_uri(attempt.caller_number), name)

    def _own_uri(self, number: str) -> Uri:
        return Uri("sip", quote(number, USER_SAFE), self._settings.host)

    # --- groups ---------------------------------------------------------------------------------

    def _next_group(self, leg: Leg, fork: Fork) -> bool:
        """Let the next group ring; False when there is none that can be called."""
        now = self._clock.now()
        while fork.waiting and not fork.branches:
            self._add_branches(leg, fork, fork.waiting.pop(0), now)
        if not fork.branches:
            return False
        fork.began = now
        fork.until = now + (leg.gives_up_at - now) / (len(fork.waiting) + 1)
        self._settle_on(leg, fork.branches[0])
        self._arm(leg, fork)
        return True

    def _add_branches(self, leg: Leg, fork: Fork, group: Iterable[Target], now: float) -> None:
        for target in group:
            negotiation = leg.negotiation
            if negotiation is None or fork.branches or fork.best is not None:
                negotiation = self._media.negotiate_anew(leg)
            try:
                session = self._invite(fork.attempt, target, negotiation, now)
            except LocalProtocolError as error:
                log.warning("leg %s: a binding cannot be called: %s", leg.id, error)
                fork.note(Refusal(EndCause(Result.UNREACHABLE, "no-route", 404), by_peer=False))
                continue
            fork.branches.append(Branch(session, target, negotiation))
            self._legs.link(session, leg)

    def _settle_on(self, leg: Leg, branch: Branch) -> None:
        leg.session, leg.negotiation = branch.session, branch.negotiation

    def _go_on(self, leg: Leg, fork: Fork) -> None:
        """Nothing rings any more: the next group, or the end."""
        if self._next_group(leg, fork):
            self._legs.note_change(leg)
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
            case Progress(session=session, status=status):
                branch = fork.find(session)
                if branch is not None and status in (180, 183):
                    branch.rang = True
                    self._legs.feed(leg, Input.ALERTED)
            case Answered(session=session, answer=answer):
                branch = fork.find(session)
                if branch is not None:
                    self._won(leg, fork, branch)
                    self._legs.take_answer(leg, answer, Input.ACCEPTED)
            case Failed(session=session, status=status):
                by_peer = event.response is not None
                cause = cause_of_status(status, heard_back=by_peer)
                self._failed(leg, fork, session, Refusal(cause, by_peer))
            case Ended(session=session, by=by):
                cause = cause_of_end(by, outbound=True, answered=False)
                self._failed(leg, fork, session, Refusal(cause, by_peer=True))
            case _:
                log.debug("leg %s: %s before the answer is of no use", leg.id, type(event).__name__)

    def _won(self, leg: Leg, fork: Fork, winner: Branch) -> None:
        """From now on the leg is like any other."""
        fork.branches.remove(winner)
        losers, fork.branches = fork.branches, []
        self._stop(fork)
        leg.fork = None
        self._settle_on(leg, winner)
        self._drop(losers, _ELSEWHERE)

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
        self._legs.note_change(leg)
        self._arm(leg, fork)

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
