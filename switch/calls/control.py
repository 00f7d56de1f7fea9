"""The calls as the rest of the program sees them: commands in, inputs in, events out.

    user agent --process()--> +-------+ --sink--> distribution, flows, API
    gateway --gateway_event-> | Calls | <-- CallControl commands --'
    clock ----- timers -----> +-------+ --> user agent, gateway

Everything is synchronous. Each input is one turn (`switch.calls.turn`): it is decided, the events
it caused are delivered, and what was queued goes out at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Final

from switch.calls.admission import Admission
from switch.calls.adoption import Adoption
from switch.calls.causes import INTERNAL_ERROR
from switch.calls.commands import Commands
from switch.calls.departing import Departing
from switch.calls.destinations import Destinations
from switch.calls.direct import DirectCalls
from switch.calls.events import CallSink, PhoneReachable, PhoneRegisteredAgain
from switch.calls.expiry import ExpiryWatch
from switch.calls.fan_out import FanOut, everything
from switch.calls.forking import Forking
from switch.calls.gateway_inputs import GatewayInputs
from switch.calls.gateways import FIRST, Gateways
from switch.calls.hunting import Hunting
from switch.calls.incoming import Incoming
from switch.calls.inviting import Inviter
from switch.calls.leg_media import LegMedia
from switch.calls.legs import Legs
from switch.calls.outgoing import Outgoing
from switch.calls.outside import Outside
from switch.calls.overload import Overload
from switch.calls.qualities import Qualities
from switch.calls.reconnecting import Reconnecting
from switch.calls.redirection import Redirections
from switch.calls.replacement import Replacements
from switch.calls.session_inputs import SessionInputs
from switch.calls.settings import CallSettings
from switch.calls.snapshot import LegView, describe
from switch.calls.sound import Sound
from switch.calls.transfer_requests import TransferRequests
from switch.calls.transfers import Transfers
from switch.calls.transport_policies import TransportPolicies, accept_from_all
from switch.calls.turn import Subject, Turn
from switch.calls.vouching import Vouching
from switch.calls.wiring import wired
from switch.clock import Clock
from switch.gateway.protocol import Event, Welcome
from switch.ids import CallId, LegId, PlayerId, RecordingId
from switch.registrar.location import Location
from switch.registrar.ports import Credentials
from switch.registrar.registrar import Registrar
from switch.sdp.transport import SrtpPolicy
from switch.sip.digest import Challenger
from switch.sip.user_agent import UserAgent
from switch.stir.signing import Signer
from switch.stir.verification import Verifier
from switch.trunks.addresses import PeerNames, TrunkAddresses
from switch.trunks.limits import TrunkLimits
from switch.trunks.number_plan import NumberPlan
from switch.trunks.settings import TrunkSettings
from switch.trunks.targets import AddressesOnly, TargetSource
from switch.trunks.trunks import Trunks

_ADDRESSES_ONLY: Final = AddressesOnly()


class Calls(Commands):
    """All live calls of this node. Satisfies `switch.calls.ports.CallControl`.

    Not thread-safe: called from the loop's thread only.
    """

    def __init__(
        self,
        *,
        user_agent: UserAgent,
        gateways: Gateways,
        registrar: Registrar,
        location: Location,
        challenger: Challenger,
        credentials: Credentials,
        number_plan: NumberPlan,
        trunks: Mapping[str, TrunkSettings],
        settings: CallSettings,
        clock: Clock,
        sink: CallSink,
        new_id: Callable[[str], str],
        recording_path: Callable[[RecordingId, CallId], str],
        flush: Callable[[], None],
        addresses: TargetSource = _ADDRESSES_ONLY,
        peer_names: PeerNames = lambda connection: (),
        draw: Callable[[], float] = lambda: 0.5,
        srtp_of_phone: Callable[[str], SrtpPolicy] = accept_from_all,
        dtmf_of_phone: Callable[[str], str] = lambda phone: "rfc4733",
        verifier: Verifier | None = None,
        signer: Signer | None = None,
    ) -> None:
        """Take the parts.

        `new_id` makes an id with a prefix; `recording_path` names a recording's file, absolute and
        without suffix; `flush` asks the shell to send what is queued and to call `process`, soon but
        not at once; `addresses` knows where the servers of trunks are, `peer_names` what certificates
        the peers of connections have proved; `draw` gives numbers from 0 to below 1, by which trunks of
        one order share calls; `srtp_of_phone` and `dtmf_of_phone` are settings of phones, `verifier` and
        `signer` for the numbers of callers. The location's `on_change` should lead to `phone_changed`.
        """
        self.overload = Overload(settings)
        self.limits = TrunkLimits(trunks, number_plan.groups)
        self.trunks = Trunks(
            trunks,
            number_plan.groups,
            limits=self.limits,
            addresses=addresses,
            draw=draw,
            region=number_plan.region,
            emergency=number_plan.emergency,
            blocked=number_plan.blocked,
        )
        # SDP session numbers rise with the seconds of the epoch, so that they differ over restarts.
        own_codecs = {name: trunk.codecs for name, trunk in trunks.items() if trunk.codecs}
        session_ids = count(max(1, int(clock.wall())))
        self.gateways = gateways
        self.media = LegMedia(
            gateways,
            session_ids.__next__,
            settings.codecs,
            own_codecs,
            TransportPolicies(trunks, srtp_of_phone),
        )
        user_agent.takes_calls_while(lambda: self.accepts_calls)
        turn = Turn(
            clock=clock,
            deliver=lambda event: self._deliver(event),
            next_input=self._next_input,
            abandon=self._abandon,
            flush=flush,
        )
        sound = Sound(
            wiring=wired(gateways, new_id, settings.media_address),
            clock=clock,
            emit=turn.emit,
            music=PlayerId(new_id("player")),
            music_items=settings.music,
            tunes=settings.tunes,
        )
        legs = Legs(
            user_agent=user_agent,
            media=self.media,
            sound=sound,
            limits=self.limits,
            clock=clock,
            turn=turn,
            retry_after_s=settings.retry_after_s,
        )
        self._vouching = Vouching(clock, verifier=verifier, signer=signer)
        self.departing = Departing(self.trunks, settings, self._vouching.sign)
        destinations = Destinations(
            location=location,
            trunks=self.trunks,
            departing=self.departing,
            dtmf_of_phone=dtmf_of_phone,
        )
        inviter = Inviter(user_agent, settings)
        self.media.of_call = legs.of_call
        forking = Forking(
            user_agent=user_agent,
            media=self.media,
            legs=legs,
            redirections=Redirections(number_plan, destinations, trunks),
            destinations=destinations,
            inviter=inviter,
            clock=clock,
            turn=turn,
        )
        self.hunting = Hunting(
            user_agent=user_agent,
            trunks=self.trunks,
            media=self.media,
            legs=legs,
            departing=self.departing,
            inviter=inviter,
            clock=clock,
            turn=turn,
        )
        outgoing = Outgoing(
            destinations=destinations,
            trunks=self.trunks,
            legs=legs,
            forking=forking,
            hunting=self.hunting,
            clock=clock,
            turn=turn,
            new_id=new_id,
        )
        super().__init__(
            legs=legs,
            sound=sound,
            outgoing=outgoing,
            location=location,
            clock=clock,
            turn=turn,
            new_id=new_id,
            recording_path=recording_path,
        )
        self._direct = DirectCalls(self, settings)
        self.transfers = Transfers(
            control=self,
            user_agent=user_agent,
            legs=legs,
            sound=sound,
            direct=self._direct,
            clock=clock,
            emit=turn.emit,
        )
        self.transfer_requests = TransferRequests(
            control=self,
            user_agent=user_agent,
            legs=legs,
            sound=sound,
            direct=self._direct,
            transfers=self.transfers,
            plan=number_plan,
            settings=settings,
            clock=clock,
            emit=turn.emit,
        )
        legs.on_leaving = self.transfers.leaving
        location.on_new_way.append(Reconnecting(user_agent, legs, location, clock).came_back)
        self.replacements = Replacements(
            control=self,
            user_agent=user_agent,
            legs=legs,
            sound=sound,
            direct=self._direct,
            transfers=self.transfers,
            clock=clock,
            emit=turn.emit,
        )
        first = (self.transfers, self.replacements, self._direct, self._digits)
        self._expiry = ExpiryWatch(location, turn, clock)
        self._deliver = FanOut(*(part.takes for part in first), everything(sink))
        self._incoming = Incoming(
            user_agent=user_agent,
            admission=Admission(
                challenger=challenger,
                credentials=credentials.ha1,
                number_plan=number_plan,
                addresses=TrunkAddresses(trunks.values(), addresses, peer_names),
                trunks=trunks.values(),
                vouching=self._vouching,
                limits=self.limits,
                dtmf_of_phone=dtmf_of_phone,
            ),
            overload=self.overload,
            media=self.media,
            legs=legs,
            direct=self._direct,
            replacements=self.replacements,
            settings=settings,
            clock=clock,
            turn=turn,
            new_id=new_id,
        )
        self._session_inputs = SessionInputs(
            user_agent=user_agent,
            incoming=self._incoming,
            forking=forking,
            hunting=self.hunting,
            transfers=self.transfer_requests,
            legs=legs,
            media=self.media,
            registrar=registrar,
            clock=clock,
            turn=turn,
        )
        self.adoption = Adoption(
            user_agent=user_agent,
            legs=legs,
            media=self.media,
            sound=sound,
            direct=self._direct,
            transfers=self.transfers,
            forking=forking,
            trunks=self.trunks,
            clock=clock,
        )
        self._gateway_inputs = GatewayInputs(
            gateways=gateways,
            legs=legs,
            media=self.media,
            sound=sound,
            clock=clock,
            turn=turn,
            new_id=new_id,
        )

    def attach(self, outside: Outside) -> None:
        """Let somebody take the requests outside of sessions that no registrar takes."""
        self._session_inputs.outside.append(outside)

    # --- inputs ---------------------------------------------------------------------------------

    def process(self, now: float) -> None:
        """Take what endpoint and user agent have to say; called after every datagram and SIP timer.

        `now` is monotonic and belongs to the clock given at construction.
        """
        self._turn.finish()
        self._expiry.watch()

    def gateway_event(self, event: Event) -> None:
        """Take one event of the gateway."""
        self._turn.guard(getattr(event, "leg", None), self._gateway_inputs.handle, event)
        self._turn.finish()

    def gateway_ready(self, welcome: Welcome, name: str = FIRST) -> None:
        """A gateway is connected: calls can be taken. Legs of former times in it are removed."""
        self._turn.guard(None, self._gateway_inputs.ready, self.gateways[name], welcome)
        self._turn.finish()

    def gateway_lost(self, detail: str, name: str = FIRST) -> None:
        """A gateway is gone: every leg that had sound there ends."""
        self._turn.guard(None, self._gateway_inputs.lost, self.gateways[name], detail)
        self._turn.finish()

    def gateway_away(self, detail: str, name: str) -> None:
        """The connection to a gateway broke; its legs go on until it is back, or lost."""
        self._gateway_inputs.away(self.gateways[name], detail)

    def go_on(self) -> None:
        """The calls of an earlier process that were taken up go on; their gateways must be there."""
        self._turn.guard(None, self._gateway_inputs.give_up_unknown)
        self._turn.guard(None, self.adoption.resume)
        self._turn.finish()

    def phone_changed(self, phone: str, reachable: bool) -> None:
        """The location service got the first binding of a phone, or lost the last one."""
        self._turn.emit(PhoneReachable(phone=phone, at=self._clock.now(), reachable=reachable))
        self._turn.wake()

    def phone_registered_again(self, phone: str) -> None:
        """A phone that has a binding registered once more."""
        self._turn.emit(PhoneRegisteredAgain(phone=phone, at=self._clock.now()))
        self._turn.wake()

    def connection_closed(self, connection: int) -> None:
        """A TCP connection is closed: whoever registered over it is not reachable there."""
        self._location.drop_connection(connection)
        self._turn.finish()

    def close_door(self) -> None:
        """Take no new calls from now on (503); those that run, and REGISTER, go on as before."""
        self._incoming.is_closed = True

    # --- looking --------------------------------------------------------------------------------

    @property
    def accepts_calls(self) -> bool:
        """True while a gateway is there and the door is open."""
        return self.media.is_available and not self._incoming.is_closed

    @property
    def calls_alive(self) -> int:
        """Calls with at least one live leg."""
        return self.legs.calls_alive

    @property
    def qualities(self) -> Qualities:
        """The legs that are over, by how good they were."""
        return self._gateway_inputs.qualities

    @property
    def legs_alive(self) -> int:
        """Live legs."""
        return len(self.legs)

    @property
    def faults(self) -> int:
        """Exceptions caught at the call boundary since the start; each ended one call."""
        return self._turn.faults

    @property
    def direct_calls(self) -> int:
        """Direct calls that live."""
        return len(self._direct)

    def describe(self) -> list[LegView]:
        """Every live leg, for snapshots."""
        return describe(self.legs, self.sound)

    # --- inside ---------------------------------------------------------------------------------

    def _next_input(self) -> bool:
        return self._session_inputs.take_next()

    def _abandon(self, subject: Subject) -> None:
        """End the call of a leg or a call whose handling failed."""
        leg = self.legs.get(LegId(subject or ""))
        call = leg.call if leg is not None else CallId(subject or "")
        for each in self.legs.of_call(call):
            self.legs.abandon(each, INTERNAL_ERROR)
