"""Transfers whose target is being called, and their roll-back (RFC 3515, RFC 5589).

    t talks to p and refers it to n:
        accepted            t and p are parted, p hears ring-back, n is called with the rights of t
        n answers           p and n are bridged, t is released
        n refuses           t and p are bridged again: nobody is lost, a recording goes on
        t leaves before     n has its place already; if n refuses then, t's phone is called again
        p leaves            n is cancelled, t is told

What phones may ask for, and how it begins, is `switch.calls.transfer_requests`.

Each time somebody takes the place of a leg, `LegReplaced` says so before that leg's `LegEnded`, so
that whoever keeps books of calls changes the name in them and goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from switch.calls.causes import EndCause, Result
from switch.calls.direct import DirectCalls
from switch.calls.events import (
    CallEvent,
    LegAnswered,
    LegEarlyMedia,
    LegEnded,
    LegReplaced,
    LegRinging,
)
from switch.calls.fan_out import Takes
from switch.calls.leg import Leg
from switch.calls.legs import Legs
from switch.calls.ports import CallControl
from switch.calls.sound import Sound
from switch.calls.status import final_status
from switch.calls.transfer import TRANSFERRED, Transfer
from switch.clock import Clock
from switch.ids import LegId
from switch.sip.user_agent import UserAgent

log = logging.getLogger(__name__)

_PEER_GONE: Final = EndCause(Result.CANCELLED, "caller-gone")
_RING_AGAIN_S: Final = 30.0


class Transfers:
    """All transfers under way."""

    def __init__(
        self,
        *,
        control: CallControl,
        user_agent: UserAgent,
        legs: Legs,
        sound: Sound,
        direct: DirectCalls,
        clock: Clock,
        emit: Callable[[CallEvent], None],
    ) -> None:
        self._control = control
        self._ua = user_agent
        self._legs = legs
        self._sound = sound
        self._direct = direct
        self._clock = clock
        self._emit = emit
        self._by_target: dict[LegId, Transfer] = {}
        self.takes: Takes = {
            LegRinging: self._leg_rings,
            LegEarlyMedia: self._leg_sounds,
            LegAnswered: self._leg_answered,
            LegEnded: self._leg_ended,
        }
        """News of the legs; before anybody else has them."""

    def __len__(self) -> int:
        return len(self._by_target)

    def __contains__(self, leg: LegId) -> bool:
        return leg in self._by_target

    def of_target(self, leg: LegId) -> Transfer | None:
        """The transfer that calls this leg."""
        return self._by_target.get(leg)

    def begin(self, transfer: Transfer) -> None:
        """Its target is being called, and rings for who is transferred from now on."""
        self._by_target[transfer.target] = transfer
        self._note(transfer)

    def restore(self, transfer: Transfer) -> None:
        """Take up a transfer of an earlier process; all its legs live."""
        self._by_target[transfer.target] = transfer

    def picked_up(self, target: LegId, by: LegId) -> None:
        """Another leg answers in the place of a target that rings: the transfer waits for that one."""
        transfer = self._by_target.pop(target, None)
        if transfer is not None:
            transfer.target = by
            self._by_target[by] = transfer
            self._note(transfer)

    # --- what becomes of it ---------------------------------------------------------------------

    def _leg_rings(self, event: LegRinging) -> None:
        if event.leg in self._by_target:
            self._notify(self._by_target[event.leg], 180)

    def _leg_sounds(self, event: LegEarlyMedia) -> None:
        transfer = self._by_target.get(event.leg)
        if transfer is not None:
            self._end_ringback(transfer)
            self._control.hear_early(transfer.peer, event.leg)

    def _leg_answered(self, event: LegAnswered) -> None:
        if event.leg in self._by_target:
            self._answered(self._by_target.pop(event.leg))

    def _leg_ended(self, event: LegEnded) -> None:
        if event.leg in self._by_target:
            self._refused(self._by_target.pop(event.leg), event.cause)
            return
        for transfer in [t for t in self._by_target.values() if t.peer == event.leg]:
            self._peer_gone(transfer)

    def leaving(self, leg: Leg) -> None:
        """A leg ends now: if it was transferring, the target has its place from here on."""
        for transfer in self._by_target.values():
            if transfer.transferor == leg.id and not transfer.has_left:
                transfer.has_left = True
                self._note(transfer)
                self.report(leg, transfer.peer, transfer.target, is_answered=False)
                self._direct.transferred(leg.id, transfer.peer, transfer.target, None)
                return

    def _answered(self, transfer: Transfer) -> None:
        self._end_ringback(transfer)
        self._control.bridge(transfer.peer, transfer.target)
        self._notify(transfer, 200)
        leg = self._legs.get(transfer.transferor)
        if leg is not None and not transfer.has_left:
            self.report(leg, transfer.peer, transfer.target, is_answered=True)
            self._direct.transferred(leg.id, transfer.peer, transfer.target, None)
            self._control.hang_up(leg.id, TRANSFERRED)

    def _refused(self, transfer: Transfer, cause: EndCause) -> None:
        self._notify(transfer, final_status(cause))
        log.info("leg %s is not transferred: %s", transfer.peer, cause.reason)
        if not transfer.has_left:
            self._end_ringback(transfer)
            self._control.bridge(transfer.peer, transfer.transferor)
        elif transfer.peer in self._direct and not transfer.is_recall:
            self._call_back(transfer)
        else:  # whose call it is decides, and may go on with it
            self._end_ringback(transfer)

    def _call_back(self, transfer: Transfer) -> None:
        """The transferor hung up and nobody else took the call: it rings there again."""
        peer = self._legs.get(transfer.peer)
        if peer is None:
            return
        target = self._control.call_phone(
            transfer.phone,
            call=peer.call,
            caller_number=peer.number,
            caller_name="",
            ring_timeout_s=_RING_AGAIN_S,
            headers={},
        )
        self._direct.transferred(transfer.target, transfer.peer, target, None)
        transfer.target, transfer.is_recall, transfer.refer = target, True, None
        self._by_target[target] = transfer
        self._note(transfer)

    def _peer_gone(self, transfer: Transfer) -> None:
        del self._by_target[transfer.target]
        self._notify(transfer, 487)
        self._control.hang_up(transfer.target, _PEER_GONE)

    # --- inside ---------------------------------------------------------------------------------

    def under_way(self, leg: LegId, peer: LegId) -> Transfer | None:
        """The transfer of one of the two, if there is one: one at a time."""
        for transfer in self._by_target.values():
            if transfer.transferor == leg or transfer.peer == peer:
                return transfer
        return None

    def _notify(self, transfer: Transfer, status: int) -> None:
        if transfer.refer is not None:
            self._ua.notify_refer(transfer.refer, status, self._clock.now())

    def _end_ringback(self, transfer: Transfer) -> None:
        if transfer.player is not None:
            self._control.stop(transfer.player)
            transfer.player = None
            self._note(transfer)

    def _note(self, transfer: Transfer) -> None:
        """For the journal, which keeps it with the target's leg."""
        self._sound.changes.legs.add(transfer.target)

    def report(
        self,
        leg: Leg,
        peer: LegId,
        by: LegId,
        *,
        is_answered: bool,
        other: LegId | None = None,
    ) -> None:
        """`by` takes the place of `leg` beside `peer`; for `other` see `LegReplaced`."""
        taker = self._legs.get(by)
        self._sound.changes.legs.update((peer, by))  # who belongs together is in their records
        self._emit(
            LegReplaced(
                leg=leg.id,
                call=leg.call,
                at=self._clock.now(),
                peer=peer,
                by=by,
                number="" if taker is None else taker.number,
                phone=None if taker is None else taker.phone,
                other=other,
                is_answered=is_answered,
            )
        )
