"""INVITE with Replaces (RFC 3891): a phone takes over a call of its own, or picks up a ringing one.

Who may: a call that stands may only be taken over by a phone with the same number. What rings may be
picked up by whom the application lets (`PickUpAsked`); for direct calls `pick_up` is how.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from switch.calls.causes import EndCause, Result
from switch.calls.direct import DirectCalls
from switch.calls.events import CallEvent, LegAnswered, LegEnded, LegReplaced, PickUpAsked
from switch.calls.fan_out import Takes
from switch.calls.leg import Input, Leg, State
from switch.calls.legs import Legs
from switch.calls.ports import CallControl
from switch.calls.sound import Sound
from switch.calls.transfers import Transfers
from switch.clock import Clock
from switch.ids import LegId
from switch.sip.replaces import Replaces
from switch.sip.session_facts import DialogNames, names_at_peer
from switch.sip.user_agent import UserAgent

log = logging.getLogger(__name__)

PICKED_UP = EndCause(Result.CANCELLED, "picked-up")
MOVED = EndCause(Result.COMPLETED, "moved")
_RINGS = frozenset({State.CALLING, State.ALERTING})


class Replacements:
    """Carries out what `Invited.replaces` asks for."""

    def __init__(
        self,
        *,
        control: CallControl,
        user_agent: UserAgent,
        legs: Legs,
        sound: Sound,
        direct: DirectCalls,
        transfers: Transfers,
        clock: Clock,
        emit: Callable[[CallEvent], None],
    ) -> None:
        self._control = control
        self._ua = user_agent
        self._legs = legs
        self._sound = sound
        self._direct = direct
        self._transfers = transfers
        self._clock = clock
        self._emit = emit
        self._moving: dict[LegId, LegId] = {}
        """The leg that takes over, until it is answered, and the one that it takes over from."""
        self.takes: Takes = {LegAnswered: self._leg_answered, LegEnded: self._leg_ended}
        """News of the legs; before anybody else has them."""

    def replaced(self, replaces: Replaces) -> Leg | None:
        """The leg whose place is wanted; None: there is no such dialog."""
        session = self._ua.find_session(replaces)
        return None if session is None else self._legs.of_session(session)

    def names(self, leg: LegId) -> DialogNames | None:
        """By what somebody else may name a leg whose place is wanted; None: by nothing, yet or any more."""
        found = self._legs.get(leg)
        session = None if found is None else self._ua.session(found.ringing_session)
        return None if session is None else names_at_peer(session)

    def begin(self, leg: Leg, replaces: Replaces) -> None:
        """A leg has come in that wants the place of another; it is answered, or refused."""
        found = self.replaced(replaces)
        if found is None:
            self._refuse(leg, 481, "nothing-to-replace")
        elif found.state in _RINGS and leg.phone is not None:
            self._emit(
                PickUpAsked(
                    leg=leg.id,
                    call=leg.call,
                    at=self._clock.now(),
                    phone=leg.phone,
                    ringing=found.id,
                    rings_at=found.phone,
                )
            )
        elif found.is_answered and found.phone == leg.phone:
            self._moving[leg.id] = found.id
            self._legs.answer(leg)
        else:
            self._refuse(leg, 403, "may-not-replace")

    def _leg_answered(self, event: LegAnswered) -> None:
        if event.leg in self._moving:
            self._move(event.leg, self._moving.pop(event.leg))

    def _leg_ended(self, event: LegEnded) -> None:
        self._moving.pop(event.leg, None)

    def ringing(self, phones: Collection[str]) -> Leg | None:
        """The direct call that rings longest at one of these phones."""
        for leg in self._legs:
            is_theirs = leg.outbound and leg.phone in phones and leg.state is State.ALERTING
            if is_theirs and self._direct.caller_of(leg.id) is not None:
                return leg
        return None

    def pick_up(self, by: LegId, ringing: LegId) -> bool:
        """Let a leg answer a direct call in the place of one that rings; False: too late."""
        leg, found = self._legs.get(by), self._legs.get(ringing)
        caller = self._direct.caller_of(ringing)
        if leg is None or found is None or caller is None or found.state not in _RINGS:
            return False
        log.info("call %s is picked up by phone %s", found.call, leg.phone)
        self._direct.join(caller, by)
        self._transfers.picked_up(ringing, by)
        self._sound.changes.legs.update((caller, by))
        self._control.hang_up(ringing, PICKED_UP)
        if leg.is_answered:  # it was called for this
            self._control.answer(caller)
        else:
            self._legs.answer(leg)
        return True

    def _move(self, by: LegId, leg_id: LegId) -> None:
        leg, taker = self._legs.get(leg_id), self._legs.get(by)
        peers = self._sound.matrix.peers(leg_id)
        if leg is None or taker is None or len(peers) != 1:
            self._control.hang_up(by, EndCause(Result.FAILED, "nothing-to-replace", 481))
            return
        (peer,) = peers
        self._control.unbridge(leg_id, peer)
        self._control.bridge(peer, by)
        self._sound.changes.legs.update((peer, by))
        self._emit(
            LegReplaced(
                leg=leg_id,
                call=leg.call,
                at=self._clock.now(),
                peer=peer,
                by=by,
                number=taker.number,
                phone=taker.phone,
            )
        )
        self._direct.transferred(leg_id, peer, by, None)
        self._control.hang_up(leg_id, MOVED)

    def _refuse(self, leg: Leg, status: int, reason: str) -> None:
        log.info("leg %s: %d, %s", leg.id, status, reason)
        leg.refuse_with = status
        self._legs.feed(leg, Input.HANG_UP, EndCause(Result.REJECTED, reason, status))
