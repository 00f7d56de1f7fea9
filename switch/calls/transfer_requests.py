"""What phones ask for by REFER: blind, attended and semi-attended transfers (RFC 3515, RFC 5589).

    t talks to p, and refers it
        to a number         it is called with the rights of t, and rings for p
        to a queue, a menu  p is brought there, t is released: nothing rings, nothing can fail
        to another call of t (Replaces) that
            talks to q      p and q are bridged, both legs of t end
            rings at q      q rings for p now, as if t had referred p to its number; t's call to q ends
            waits           for a queue or in a menu: p takes its place there, both legs of t end

What becomes of targets that ring is `switch.calls.transfers`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import quote

from switch.calls.attempt import Rights
from switch.calls.direct import DirectCalls
from switch.calls.diversion import USER_SAFE
from switch.calls.events import CallEvent, IncomingLeg
from switch.calls.leg import Leg, State
from switch.calls.legs import Legs
from switch.calls.ports import CallControl
from switch.calls.settings import CallSettings
from switch.calls.sound import Sound
from switch.calls.transfer import RINGBACK, TRANSFERRED, TRANSFERRED_EARLY, Transfer
from switch.calls.transfers import Transfers
from switch.clock import Clock
from switch.ids import LegId
from switch.sip.events import ReferId, Referred
from switch.sip.user_agent import UserAgent
from switch.trunks.number_plan import NumberPlan, Refused, ToEntry, ToPhone, ToTrunk, normalise
from switch.trunks.source import Source

log = logging.getLogger(__name__)

Destination = ToPhone | ToTrunk


class TransferRequests:
    """Judges what phones ask for, and begins it."""

    def __init__(
        self,
        *,
        control: CallControl,
        user_agent: UserAgent,
        legs: Legs,
        sound: Sound,
        direct: DirectCalls,
        transfers: Transfers,
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
        self._transfers = transfers
        self._plan = plan
        self._settings = settings
        self._clock = clock
        self._emit = emit
        self.refuses: Callable[[ToEntry, LegId], int | None] = lambda entry, leg: None
        """Asked before a leg is brought to an entry: the status to refuse that with."""
        self.waits_at: Callable[[LegId], ToEntry | None] = lambda leg: None
        """Where a leg waits whose place somebody else may take (`IncomingLeg.place_of`)."""

    def referred(self, leg: Leg, event: Referred) -> None:
        """A leg's peer wants whom it talks to to talk to somebody else."""
        peers = self._sound.matrix.peers(leg.id)
        if leg.phone is None:
            self._refuse(event.refer, 403, f"leg {leg.id} has no phone of ours")
        elif len(peers) != 1 or self._transfers.under_way(leg.id, peers[0]) is not None:
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
        if other is None:
            self._refuse(event.refer, 481, f"leg {leg.id} has no such other call")
        elif self._may_join(leg, other):
            self._attended(leg, peer, other, event.refer)
        elif (waiting := self.waits_at(other.id)) is not None:
            self._take_place(leg, peer, other, waiting, event.refer)
        else:
            self._to_ringing_call(leg, phone, peer, other, event.refer)

    def _to_ringing_call(
        self, leg: Leg, phone: str, peer: LegId, other: Leg, refer: ReferId
    ) -> None:
        callee = self._direct.callee_of(other.id)
        target = None if callee is None else self._legs.get(callee)
        if target is None or other.is_answered:
            self._refuse(refer, 481, f"leg {other.id} is no call that a transfer can lead to")
        elif target.state in (State.CALLING, State.ALERTING):
            self._semi_attended(Transfer(peer, target.id, leg.id, phone, refer), other)
        else:
            self._refuse(refer, 491, f"leg {other.id} waits for the ACK of its phone")

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
        return self._transfers.under_way(other.id, there[0]) is None

    def _semi_attended(self, transfer: Transfer, other: Leg) -> None:
        """Whom the other call rings rings for the peer from now on."""
        target = self._legs.get(transfer.target)
        now = self._clock.now()
        if transfer.refer is not None:
            self._ua.accept_refer(transfer.refer, now)
        self._control.unbridge(transfer.transferor, transfer.peer)
        self._direct.forget(other.id)
        if self._sound.matrix.hears_early(other.id) == transfer.target:
            self._control.hear_early(transfer.peer, transfer.target)
        else:
            transfer.player = self._control.play(transfer.peer, RINGBACK, loop=True)
        self._transfers.begin(transfer)
        if target is not None and target.state is State.ALERTING and transfer.refer is not None:
            self._ua.notify_refer(transfer.refer, 180, now)
        self._sound.changes.legs.add(other.id)
        self._control.hang_up(other.id, TRANSFERRED_EARLY)

    def _attended(self, leg: Leg, peer: LegId, other: Leg, refer: ReferId) -> None:
        (there,) = self._sound.matrix.peers(other.id)
        self._ua.accept_refer(refer, self._clock.now())
        self._control.unbridge(leg.id, peer)
        self._control.unbridge(other.id, there)
        self._control.bridge(peer, there)
        self._transfers.report(leg, peer, there, other=other.id, is_answered=True)
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
        if peer is None or self._transfers.under_way(leg.id, peer.id) is not None:
            return False
        if self.refuses(entry, peer.id) is not None:
            return False
        self._to_entry(leg, peer, entry, None)
        return True

    def _take_place(
        self, leg: Leg, peer: LegId, other: Leg, waiting: ToEntry, refer: ReferId
    ) -> None:
        """Whoever waits by the other call of the transferor waits no more: the peer does, instead."""
        transferred = self._legs.get(peer)
        status = 481 if transferred is None else self.refuses(waiting, peer)
        if transferred is None or status is not None:
            self._refuse(refer, status or 481, f"leg {peer} cannot wait at {waiting.entry}")
            return
        self._to_entry(leg, transferred, waiting, refer, place_of=other.id)
        self._control.hang_up(other.id, TRANSFERRED if other.is_answered else TRANSFERRED_EARLY)

    def _to_entry(
        self,
        leg: Leg,
        peer: Leg,
        entry: ToEntry,
        refer: ReferId | None,
        place_of: LegId | None = None,
    ) -> None:
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
                place_of=place_of,
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
        self._transfers.begin(transfer)
