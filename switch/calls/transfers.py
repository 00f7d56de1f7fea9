"""Transfers that phones ask for: REFER, blind and attended (RFC 3515, RFC 5589), and their roll-back.

    t talks to p and refers it to n:
        accepted            t and p are parted, p hears ring-back, n is called with the rights of t
        n answers           p and n are bridged, t is released
        n refuses           t and p are bridged again: nobody is lost, a recording goes on
        t leaves before     n has its place already; if n refuses then, t's phone is called again
        p leaves            n is cancelled, t is told

    t talks to p and to q, and refers p to q (Replaces):  p and q are bridged, both legs of t end.

    t talks to p, calls q, and refers p to q while q rings:  q rings for p now, as if t had referred p to its
                            number; t's call to q ends, that to p when q answers.

Each time somebody takes the place of a leg, `LegReplaced` says so before that leg's `LegEnded`, so
that whoever keeps books of calls changes the name in them and goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from switch.calls.attempt import Rights
from switch.calls.causes import EndCause, Result
from switch.calls.direct import DirectCalls
from switch.calls.diversion import USER_SAFE
from switch.calls.events import (
    CallEvent,
    IncomingLeg,
    LegAnswered,
    LegEarlyMedia,
    LegEnded,
    LegReplaced,
    LegRinging,
)
from switch.calls.fan_out import Takes
from switch.calls.leg import Leg, State
from switch.calls.legs import Legs
from switch.calls.ports import CallControl
from switch.calls.settings import CallSettings
from switch.calls.sound import Sound
from switch.calls.status import final_status
from switch.calls.transfer import RINGBACK, TRANSFERRED, TRANSFERRED_EARLY, Transfer
from switch.clock import Clock
from switch.ids import LegId
from switch.sip.events import ReferId, Referred
from switch.sip.user_agent import UserAgent
from switch.trunks.number_plan import NumberPlan, Refused, ToEntry, ToPhone, ToTrunk, normalise
from switch.trunks.source import Source

log = logging.getLogger(__name__)

_PEER_GONE: Final = EndCause(Result.CANCELLED, "caller-gone")
_RING_AGAIN_S: Final = 30.0

Destination = ToPhone | ToTrunk


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
        plan: NumberPlan,
        settings: CallSettings,
        clock: Clock,
        emit: Callable[[CallEvent], None],
    ) -> None:
        self._control = control
        self._ua = user_agent
        self._legs = legs
        self._sound = sound
        self._direct = direct
        self._plan = plan
        self._settings = settings
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
        self.refuses: Callable[[ToEntry, LegId], int | None] = lambda entry, leg: None
        """Asked before a leg is brought to an entry: the status to refuse that with."""

    def __len__(self) -> int:
        return len(self._by_target)

    def __contains__(self, leg: LegId) -> bool:
        return leg in self._by_target

    def of_target(self, leg: LegId) -> Transfer | None:
        """The transfer that calls this leg."""
        return self._by_target.get(leg)

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

    # --- asked for ------------------------------------------------------------------------------

    def referred(self, leg: Leg, event: Referred) -> None:
        """A leg's peer wants whom it talks to to talk to somebody else."""
        peers = self._sound.matrix.peers(leg.id)
        if leg.phone is None:
            self._refuse(event.refer, 403, f"leg {leg.id} has no phone of ours")
        elif len(peers) != 1 or self._under_way(leg.id, peers[0]) is not None:
            self._refuse(event.refer, 491, f"leg {leg.id} talks to {len(peers)}, or is referring")
        elif event.replaces is not None:
            self._to_other_call(leg, leg.phone, peers[0], event)
        else:
            self._blind(leg, leg.phone, peers[0], event)

    def _refuse(self, refer: ReferId, status: int, why: str) -> None:
        log.info("a transfer is refused with %d: %s", status, why)
        self._ua.refuse_refer(refer, status, self._clock.now())

    def _to_other_call(self, leg: Leg, phone: str, peer: LegId, event: Referred) -> None:
        other = self._other_call(leg, event)
        callee = None if other is None else self._direct.callee_of(other.id)
        target = None if callee is None else self._legs.get(callee)
        if other is not None and self._may_join(leg, other):
            self._attended(leg, peer, other, event.refer)
        elif other is not None and not other.is_answered and target is not None:
            if target.state in (State.CALLING, State.ALERTING):
                self._semi_attended(Transfer(peer, target.id, leg.id, phone, event.refer), other)
            else:
                self._refuse(event.refer, 491, f"leg {other.id} waits for the ACK of its phone")
        else:
            self._refuse(event.refer, 481, f"leg {leg.id} has no such other call")

    def _other_call(self, leg: Leg, event: Referred) -> Leg | None:
        """The other leg of the same phone, which it names."""
        if event.replaces is None:
            return None
        session = self._ua.find_session(event.replaces, takes_invited=True)
        other = None if session is None else self._legs.of_session(session)
        return None if other is leg or other is None or other.phone != leg.phone else other

    def _may_join(self, leg: Leg, other: Leg) -> bool:
        """Whether both talk to somebody, and not to each other."""
        there = self._sound.matrix.peers(other.id)
        if not other.is_answered or len(there) != 1:
            return False
        if there[0] in (leg.id, *self._sound.matrix.peers(leg.id)):
            return False
        return self._under_way(other.id, there[0]) is None

    def _semi_attended(self, transfer: Transfer, other: Leg) -> None:
        """Whom the other call rings rings for the peer from now on."""
        target = self._legs.get(transfer.target)
        now = self._clock.now()
        if transfer.refer is not None:
            self._ua.accept_refer(transfer.refer, now)
        self._control.unbridge(transfer.transferor, transfer.peer)
        self._direct.forget(other.id)
        self._by_target[transfer.target] = transfer
        if self._sound.matrix.hears_early(other.id) == transfer.target:
            self._control.hear_early(transfer.peer, transfer.target)
        else:
            transfer.player = self._control.play(transfer.peer, RINGBACK, loop=True)
        self._note(transfer)
        if target is not None and target.state is State.ALERTING:
            self._notify(transfer, 180)
        self._sound.changes.legs.add(other.id)
        self._control.hang_up(other.id, TRANSFERRED_EARLY)

    def _attended(self, leg: Leg, peer: LegId, other: Leg, refer: ReferId) -> None:
        (there,) = self._sound.matrix.peers(other.id)
        self._ua.accept_refer(refer, self._clock.now())
        self._control.unbridge(leg.id, peer)
        self._control.unbridge(other.id, there)
        self._control.bridge(peer, there)
        self._report(leg, peer, there, other=other.id, is_answered=True)
        self._direct.transferred(leg.id, peer, there, other.id)
        self._ua.notify_refer(refer, 200, self._clock.now())
        for each in (leg, other):
            self._control.hang_up(each.id, TRANSFERRED)

    def _blind(self, leg: Leg, phone: str, peer: LegId, event: Referred) -> None:
        number = normalise(event.refer_to.uri.username)
        found = self._plan.resolve(Source.PHONE, phone, number)
        transferred = self._legs.get(peer)
        if isinstance(found, Refused):
            self._refuse(event.refer, found.status, f"phone {phone} may not call {number[:32]!r}")
        elif transferred is None or number == phone:
            self._refuse(event.refer, 403, f"phone {phone} transfers to itself")
        elif isinstance(found, ToEntry):
            status = self.refuses(found, peer)
            if status is None:
                self._to_entry(leg, transferred, found, event.refer)
            else:
                self._refuse(event.refer, status, f"entry {found.entry} takes nobody now")
        else:
            self._call(leg, phone, transferred, found, event.refer)

    def deflect(self, leg: Leg, entry: ToEntry) -> bool:
        """Bring whom a leg talks to to an entry, as if its phone had asked for that; False: it cannot be."""
        peers = self._sound.matrix.peers(leg.id)
        peer = self._legs.get(peers[0]) if len(peers) == 1 else None
        if peer is None or self._under_way(leg.id, peer.id) is not None:
            return False
        if self.refuses(entry, peer.id) is not None:
            return False
        self._to_entry(leg, peer, entry, None)
        return True

    def _to_entry(self, leg: Leg, peer: Leg, entry: ToEntry, refer: ReferId | None) -> None:
        """A queue or a menu takes the peer at once: nothing rings, nothing can fail."""
        now = self._clock.now()
        if refer is not None:
            self._ua.accept_refer(refer, now)
        self._control.unbridge(leg.id, peer.id)
        self._direct.forget(leg.id)
        self._emit(
            IncomingLeg(
                leg=peer.id,
                call=peer.call,
                at=now,
                entry=entry.entry,
                called=entry.number,
                caller_number=peer.number,
                caller_name="",
                source=Source.TRUNK if peer.phone is None else Source.PHONE,
                source_name=peer.phone or peer.trunk or "",
                redirected_by=leg.phone or "",
                redirect_reason="deflection",
                is_answered=True,
            )
        )
        if refer is not None:
            self._ua.notify_refer(refer, 200, now)
        self._control.hang_up(leg.id, TRANSFERRED)

    def _call(
        self, leg: Leg, phone: str, peer: Leg, destination: Destination, refer: ReferId
    ) -> None:
        self._ua.accept_refer(refer, self._clock.now())
        self._control.unbridge(leg.id, peer.id)
        player = self._control.play(peer.id, RINGBACK, loop=True)
        referrer = f"<sip:{quote(phone, USER_SAFE)}@{self._settings.host}>"
        headers = {"Referred-By": referrer}
        rights = Rights(Source.PHONE, phone)
        if isinstance(destination, ToPhone):
            target = self._control.call_phone(
                destination.number,
                call=peer.call,
                caller_number=peer.number,
                caller_name="",
                ring_timeout_s=self._settings.ring_timeout_s,
                headers=headers,
                rights=rights,
            )
        else:  # whoever pays is shown: a trunk need not take numbers that are not ours
            target = self._control.call_trunk(
                destination.trunk,
                destination.number,
                call=peer.call,
                caller_number=phone,
                caller_name="",
                ring_timeout_s=self._settings.ring_timeout_s,
                headers=headers,
                rights=rights,
            )
        log.info("call %s: phone %s transfers it to %s", peer.call, phone, destination.number)
        transfer = Transfer(peer.id, target, leg.id, phone, refer, player)
        self._by_target[target] = transfer
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
                self._report(leg, transfer.peer, transfer.target, is_answered=False)
                self._direct.transferred(leg.id, transfer.peer, transfer.target, None)
                return

    def _answered(self, transfer: Transfer) -> None:
        self._end_ringback(transfer)
        self._control.bridge(transfer.peer, transfer.target)
        self._notify(transfer, 200)
        leg = self._legs.get(transfer.transferor)
        if leg is not None and not transfer.has_left:
            self._report(leg, transfer.peer, transfer.target, is_answered=True)
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

    def _under_way(self, leg: LegId, peer: LegId) -> Transfer | None:
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

    def _report(
        self,
        leg: Leg,
        peer: LegId,
        by: LegId,
        *,
        is_answered: bool,
        other: LegId | None = None,
    ) -> None:
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
