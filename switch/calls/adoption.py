"""Calls of an earlier process: described while they live, taken up by the process that follows.

    record, invite, capture    at the end of each turn, for what changed
    restore                    before anything else, commanding nobody
    `GatewayInputs.ready`      compares with what the gateway still has
    resume                     then, when everything above is restored too

After that an adopted call is a call like any other.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from switch.calls.bridge import Facts
from switch.calls.captures import Capture
from switch.calls.causes import EndCause, Result
from switch.calls.changes import Changes
from switch.calls.direct import DirectCalls
from switch.calls.fork_record import fork_record, restored_fork
from switch.calls.forking import Forking
from switch.calls.gateways import FIRST
from switch.calls.leg import Leg, State
from switch.calls.leg_media import LegMedia
from switch.calls.legs import Legs
from switch.calls.records import CaptureRecord, ForkRecord, LegRecord, TransferRecord
from switch.calls.roles import Role
from switch.calls.sound import Sound
from switch.calls.transfer import Transfer
from switch.calls.transfers import Transfers
from switch.clock import Clock
from switch.ids import CallId, LegId, PlayerId, RecordingId
from switch.sdp.offer_answer import AudioNegotiation
from switch.sip.events import SessionId
from switch.sip.user_agent import UserAgent
from switch.trunks.trunks import Trunks

log = logging.getLogger(__name__)

_ACK_COMES_WITHIN_S: Final = 32.0
"""64 * T1: how long after our 2xx its ACK may come (RFC 3261 section 13.3.1.4)."""
_HALF_LOST: Final = EndCause(Result.FAILED, "call-agent-lost")
NO_GATEWAYS: Final[Mapping[str, str]] = MappingProxyType({})
_UNANSWERED: Final = frozenset({State.INVITED, State.RUNG, State.CALLING, State.ALERTING})

Moment = Callable[[float], float]
"""From our monotonic clock to that of the records, or back."""


class Adoption:
    """Describes the legs of these calls, and takes up those of an earlier process."""

    def __init__(
        self,
        *,
        user_agent: UserAgent,
        legs: Legs,
        media: LegMedia,
        sound: Sound,
        direct: DirectCalls,
        transfers: Transfers,
        forking: Forking,
        trunks: Trunks,
        clock: Clock,
    ) -> None:
        self._ua = user_agent
        self._legs = legs
        self._media = media
        self._sound = sound
        self._direct = direct
        self._transfers = transfers
        self._forking = forking
        self._trunks = trunks
        self._clock = clock
        self._half_lost: list[LegId] = []

    @property
    def changes(self) -> Changes:
        """What changed; whoever has taken it clears it."""
        return self._sound.changes

    # --- describing -----------------------------------------------------------------------------

    def record(self, leg_id: LegId, wall: Moment) -> LegRecord | None:
        """Describe a leg; None for one that is over, or was never more than an attempt."""
        leg = self._legs.get(leg_id)
        if leg is None or leg.negotiation is None:
            return None
        session = self._ua.record(leg.session)
        if session is None:
            return None
        facts = self._sound.matrix.facts(leg_id)
        callee = self._direct.callee_of(leg_id)
        early = self._sound.matrix.hears_early(leg_id)
        fork = None if leg.fork is None else fork_record(self._ua, leg.fork, wall)
        leg_part = (
            leg.call,
            session,
            leg.outbound,
            leg.number,
            leg.phone,
            leg.trunk,
            leg.state.name,
            wall(leg.began),
            wall(leg.gives_up_at),
            wall(leg.answered_at) if leg.answered_at else 0.0,
            leg.port,
            leg.negotiation.record(),
            leg.body,
            leg.has_offer,
            leg.awaits_answer,
        )
        gateway = self._gateway_of(leg_id)
        if facts is None:
            return LegRecord(
                *leg_part,
                callee=callee,
                fork=fork,
                early=early,
                group=leg.group,
                transfer=self._transfer(leg_id),
                dtmf=leg.dtmf,
                gateway=gateway,
                rings_for_s=leg.rings_for_s,
            )
        return LegRecord(
            *leg_part,
            tuple(facts.peers),
            facts.held_by_peer,
            facts.held_by_command,
            facts.muted,
            facts.music,
            facts.echo,
            callee,
            early=early,
            attends=facts.attends,
            role=facts.role,
            group=leg.group,
            tune=facts.tune,
            dtmf=leg.dtmf,
            gateway=gateway,
        )

    def _gateway_of(self, leg: LegId) -> str:
        """Empty: the first one."""
        member = self._media.gateways.of(leg)
        return "" if member is None or member.name == FIRST else member.name

    def _transfer(self, leg_id: LegId) -> TransferRecord | None:
        found = self._transfers.of_target(leg_id)
        if found is None:
            return None
        return TransferRecord(
            found.peer,
            found.transferor,
            found.phone,
            found.player,
            found.has_left,
            found.is_recall,
        )

    def invite(self, leg_id: LegId) -> bytes | None:
        """The INVITE of a leg, as octets."""
        leg = self._legs.get(leg_id)
        return None if leg is None else self._ua.invite_octets(leg.session)

    def capture(self, recording: RecordingId, wall: Moment) -> CaptureRecord | None:
        """Describe a recording that is not closed."""
        capture = self._sound.captures.get(recording)
        if capture is None:
            return None
        return CaptureRecord(
            capture.call,
            capture.path,
            wall(capture.began),
            capture.customer,
            next(iter(capture.others), None),
            capture.is_stopping,
            capture.others[1:],
            "" if capture.gateway == FIRST else capture.gateway,
        )

    @property
    def music_player(self) -> PlayerId | None:
        """The player that all who wait hear."""
        return self._sound.matrix.music_player

    def is_direct(self, leg: LegId) -> bool:
        """Whether a leg belongs to a direct call, which no application knows."""
        return leg in self._direct or leg in self._transfers

    # --- taking up ------------------------------------------------------------------------------

    def restore(
        self,
        legs: Mapping[LegId, LegRecord],
        invites: Mapping[LegId, bytes],
        captures: Mapping[RecordingId, CaptureRecord],
        music: PlayerId | None,
        mono: Moment,
        gateways: Mapping[str, str] = NO_GATEWAYS,
    ) -> list[str]:
        """Take up the legs and recordings of an earlier process; returns in words what could not be.

        `gateways` are the processes that had them, by the names of the gateways.

        To be called once, before a gateway is connected. Nothing is sent and nothing is reported.
        """
        faults = []
        for name, process in gateways.items():
            if name in self._media.gateways:
                self._media.gateways[name].earlier = process
        if music is not None:
            self._sound.matrix.music_player = music
        for leg_id, record in sorted(legs.items(), key=lambda item: (item[1].began, item[0])):
            try:
                self._restore(leg_id, record, invites.get(leg_id), mono)
            except (ValueError, TypeError, KeyError) as error:
                faults.append(f"leg {leg_id}: {error}")
        for leg_id, record in legs.items():
            self._restore_early(leg_id, record)
            self._restore_transfer(leg_id, record.transfer)
        self._sound.matrix.settle()
        for leg_id, record in legs.items():
            if record.callee is not None:
                self._restore_direct(leg_id, LegId(record.callee))
        for recording, kept in captures.items():
            capture = _capture(recording, kept, mono)
            self._media.gateways.know(capture.gateway)
            self._sound.captures.restore(capture)
        return faults

    def play_on(self, player: PlayerId, leg: LegId) -> None:
        """This player of the gateway belongs to a leg that was taken up."""
        if self._legs.get(leg) is not None:
            self._sound.adopt_player(player, leg)

    def resume(self) -> None:
        """Say again what callers wait to hear, and end what is left of calls that lost a leg."""
        now = self._clock.now()
        for leg in self._legs:
            if leg.state is not State.RUNG:
                continue
            if self._sound.matrix.hears_early(leg.id) is not None:
                self._ua.ring(leg.session, now, 183, body=leg.body)
            else:
                self._ua.ring(leg.session, now)
        for leg_id in self._half_lost:
            leg_found = self._legs.get(leg_id)
            if leg_found is not None:
                self._legs.abandon(leg_found, _HALF_LOST)
        self._half_lost.clear()

    def _restore(
        self, leg_id: LegId, record: LegRecord, invite: bytes | None, mono: Moment
    ) -> None:
        now = self._clock.now()
        state = State[record.state]
        answered_at = mono(record.answered_at) if record.answered_at else 0.0
        negotiation = AudioNegotiation.of_record(record.negotiation, secrets.token_bytes)
        if record.fork is None:
            self._ua.restore(
                record.session,
                invite,
                record.body,
                now,
                may_lack_ack=state is State.OFFERED or now - answered_at < _ACK_COMES_WITHIN_S,
                credentials=self._trunks.credentials(record.trunk) if record.outbound else None,
            )
        leg = Leg(
            id=leg_id,
            call=CallId(record.call),
            session=SessionId(record.session.id),
            outbound=record.outbound,
            number=record.number,
            phone=record.phone,
            trunk=record.trunk,
            group=record.group,
            dtmf=record.dtmf,
            state=state,
            began=mono(record.began),
            port=record.port,
            negotiation=negotiation,
            body=record.body,
            has_offer=record.has_offer,
            awaits_answer=record.awaits_answer,
            answered_at=answered_at,
            gives_up_at=mono(record.gives_up_at),
            rings_for_s=record.rings_for_s,
        )
        if record.fork is not None:
            self._restore_fork(leg, record.fork, mono)
        self._media.restore(leg, record.gateway or FIRST)
        self._legs.restore(leg, waits=state in _UNANSWERED)
        if state is State.ANSWERED:
            facts = Facts(
                peers=dict.fromkeys(LegId(peer) for peer in record.peers),
                held_by_peer=record.held_by_peer,
                held_by_command=record.held_by_command,
                muted=record.muted,
                music=record.music,
                echo=record.echo,
                attends=None if record.attends is None else LegId(record.attends),
                role=Role(record.role),
                tune=record.tune,
            )
            self._sound.matrix.restore(leg_id, facts)

    def _restore_transfer(self, target: LegId, record: TransferRecord | None) -> None:
        """The target rings on. The transferor hears no more news of it, but is released in time."""
        if record is None or self._legs.get(target) is None:
            return
        transfer = Transfer(
            peer=LegId(record.peer),
            target=target,
            transferor=LegId(record.transferor),
            phone=record.phone,
            refer=None,
            player=None if record.player is None else PlayerId(record.player),
            has_left=record.has_left or self._legs.get(LegId(record.transferor)) is None,
            is_recall=record.is_recall,
        )
        if self._legs.get(transfer.peer) is None:
            self._half_lost.append(target)
            return
        self._transfers.restore(transfer)
        if transfer.player is not None:
            self._sound.adopt_player(transfer.player, transfer.peer)

    def _restore_early(self, leg_id: LegId, record: LegRecord) -> None:
        if record.early is None or self._legs.get(leg_id) is None:
            return
        if self._legs.get(LegId(record.early)) is not None:
            self._sound.matrix.restore_early(leg_id, LegId(record.early))

    def _restore_fork(self, leg: Leg, record: ForkRecord, mono: Moment) -> None:
        """All places that can be taken up ring on. Raises ValueError where there is none."""
        now = self._clock.now()
        fork = restored_fork(leg, record, mono, self._trunks.credentials)
        for branch in record.branches:
            try:
                self._ua.restore(
                    branch.session,
                    branch.invite,
                    b"",
                    now,
                    may_lack_ack=False,
                    credentials=self._trunks.credentials(branch.target.trunk),
                )
            except ValueError as error:
                log.warning("leg %s rings in one place less: %s", leg.id, error)
                fork.branches = [b for b in fork.branches if b.session != branch.session.id]
        if not fork.branches:
            raise ValueError("nothing of its fork rings any more")
        leg.attempt, leg.fork = fork.attempt, fork
        leg.negotiation = fork.branches[0].negotiation
        leg.session = fork.branches[0].session
        self._forking.resume(leg, fork)

    def _restore_direct(self, caller: LegId, callee: LegId) -> None:
        if self._legs.get(caller) is not None and self._legs.get(callee) is not None:
            self._direct.restore(caller, callee)
        else:
            self._half_lost += [caller, callee]


def _capture(recording: RecordingId, record: CaptureRecord, mono: Moment) -> Capture:
    return Capture(
        recording,
        CallId(record.call),
        record.path,
        mono(record.began),
        None if record.customer is None else LegId(record.customer),
        tuple(LegId(leg) for leg in (record.agent, *record.others) if leg is not None),
        record.is_stopping,
        record.gateway or FIRST,
    )
