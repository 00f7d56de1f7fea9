"""The media side of a leg: its RTP port, its offers and answers, what the gateway is told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from switch.calls.gateways import Gateways, Member
from switch.calls.leg import Leg
from switch.calls.transport_policies import TransportPolicies
from switch.errors import LocalProtocolError, MediaUnavailableError, RemoteProtocolError
from switch.gateway.protocol import AddLeg, ConfigureLeg, Dtls, Ice, RemoveLeg, SrtpKeys
from switch.ids import CallId, LegId
from switch.sdp.codecs import ALL_CODECS, known_names
from switch.sdp.offer_answer import AudioNegotiation


class LegMedia:
    """Opens, configures and closes the gateway's legs. Every port taken becomes a leg at once."""

    def __init__(
        self,
        gateways: Gateways,
        new_session_id: Callable[[], int],
        codecs: Sequence[str] = ALL_CODECS,
        codecs_of_trunks: Mapping[str, Sequence[str]] | None = None,
        policies: TransportPolicies | None = None,
    ) -> None:
        """`new_session_id` numbers SDP sessions: unique per leg, of at most 63 bits.

        `codecs` are spoken with everybody, in the order of our offers, but with those trunks, by name,
        that have their own. Raises ValueError for a codec that is unknown.
        """
        self._codecs = known_names(codecs)
        self._codecs_of_trunks = {
            name: known_names(own) for name, own in (codecs_of_trunks or {}).items()
        }
        self.of_call: Callable[[CallId], Iterable[Leg]] = lambda call: ()
        """The legs of a call: what they speak is offered first to those who join them."""
        self.policies = policies or TransportPolicies({})
        self.gateways = gateways
        self._new_session_id = new_session_id
        self._closing: dict[LegId, tuple[CallId, Member]] = {}

    @property
    def is_available(self) -> bool:
        """True while a gateway takes new calls."""
        return self.gateways.is_available

    @property
    def open_legs(self) -> frozenset[LegId]:
        """The legs that the gateways have by our orders."""
        return frozenset(self.gateways.legs)

    def gateway_lost(self, member: Member) -> None:
        """A gateway is gone, and all its legs with it; statistics will not come."""
        member.went()
        for leg, (_, gateway) in tuple(self._closing.items()):
            if gateway is member:
                del self._closing[leg]

    def open(
        self, leg: Leg, *, is_browser: bool = False, mate: Leg | None = None
    ) -> AudioNegotiation:
        """Give the leg a port and a negotiation; `is_browser`: its peer takes DTLS-SRTP alone.

        It is placed with the others of its call, or with `mate`.

        Raises:
            MediaUnavailableError: no gateway is connected, or it has no free port.
        """
        gateways = self.gateways
        member, leg.port = gateways.take_port(self._with(leg, mate))
        gateways.put(leg.id, member)
        try:
            member.link.send(AddLeg(leg=leg.id, port=leg.port))
            leg.negotiation = self.negotiate_anew(leg, is_browser=is_browser)
        except BaseException:
            self.discard(leg)
            raise
        return leg.negotiation

    def _with(self, leg: Leg, mate: Leg | None) -> Member | None:
        """The gateway that the leg belongs at; None: any."""
        others = self.of_call(leg.call) if mate is None else (mate,)
        for other in others:
            member = self.gateways.of(other.id)
            if member is not None and other is not leg:
                return member
        return None

    def negotiate_anew(self, leg: Leg, *, is_browser: bool = False) -> AudioNegotiation:
        """Another negotiation at the port of a leg: whom it is offered to do not know each other.

        A gateway out of reach has the port still, and is told what comes of it when it is back.

        Raises:
            MediaUnavailableError: the gateway of the leg was never there.
        """
        member = self.gateways.of(leg.id)
        if member is None or not member.address:
            raise MediaUnavailableError("no media gateway is connected")
        return AudioNegotiation(
            session_id=self._new_session_id(),
            address=member.address,
            port=leg.port,
            codecs=self._codecs_for(leg),
            takes_events=leg.dtmf == "rfc4733",
            terms=self.policies.terms(leg, is_browser=is_browser, fingerprint=member.fingerprint),
        )

    def _codecs_for(self, leg: Leg) -> tuple[str, ...]:
        """What is spoken with the leg's peer, first what the others of its call speak now."""
        codecs = self._codecs_of_trunks.get(leg.trunk or "", self._codecs)
        spoken = {
            other.negotiation.current.codec
            for other in self.of_call(leg.call)
            if other.negotiation is not None and other.negotiation.current is not None
        }
        return tuple(sorted(codecs, key=lambda name: name not in spoken)) if spoken else codecs

    def restore(self, leg: Leg, gateway: str) -> None:
        """An earlier process has opened this leg; whether its gateway still has it is to be seen."""
        self.gateways.restore(leg.id, gateway)

    def reopen(self, leg: Leg) -> None:
        """Make a leg at its port that the gateway should have, and was never told of."""
        member = self.gateways.of(leg.id)
        if member is not None:
            member.link.claim_port(leg.port)
            member.link.send(AddLeg(leg=leg.id, port=leg.port))

    def close(self, leg: Leg) -> None:
        """Give the port back; the leg's statistics will come. A leg without a port is ignored."""
        member = self.discard(leg)
        if member is not None and (member.is_connected or member.is_away):
            self._closing[leg.id] = (leg.call, member)

    def discard(self, leg: Leg) -> Member | None:
        """Give the port back of a leg that never came to life; nobody wants its statistics.

        Return the gateway that had it.
        """
        member = self.gateways.drop(leg.id)
        if member is not None:
            member.link.send(RemoveLeg(leg=leg.id))
        return member

    def removed(self, leg: LegId) -> CallId | None:
        """The gateway closed a leg: return its call, None when it was not ours to close."""
        call, _ = self._closing.pop(leg, (None, None))
        return call

    def take_answer(self, leg: Leg, body: bytes | None) -> None:
        """Read the peer's answer to our offer.

        Raises:
            RemoteProtocolError: there is none, or none that we can use.
        """
        if not body:
            raise RemoteProtocolError("the answer to our offer is missing", status=488)
        _negotiation(leg).accept_answer(body)

    def answer_offer(self, leg: Leg, body: bytes | None) -> bytes:
        """Answer the offer that came with the 2xx to our INVITE.

        Raises:
            RemoteProtocolError: there is none, or none that we can take.
        """
        if not body:
            raise RemoteProtocolError("the 2xx offers nothing", status=488)
        return _negotiation(leg).answer(body)[1]

    def preview_answer(self, leg: Leg, body: bytes) -> None:
        """Read the answer in a provisional response.

        Raises:
            RemoteProtocolError: there is none that we can use.
        """
        _negotiation(leg).preview_answer(body)

    def configure(self, leg: Leg) -> None:
        """Tell the gateway what is agreed on this leg now."""
        audio = _negotiation(leg).current
        if audio is None:
            raise LocalProtocolError(f"leg {leg.id}: nothing is agreed yet")
        transport = _negotiation(leg).transport
        keys, dtls, ice = transport.keys, transport.dtls, transport.ice
        self.gateways.send(
            leg.id,
            ConfigureLeg(
                leg=leg.id,
                remote_address=audio.remote_address,
                remote_port=audio.remote_port,
                codec=audio.codec,
                payload_type=audio.payload_type,
                telephone_event_payload_type=audio.telephone_event_payload_type,
                telephone_event_clock_rate=audio.telephone_event_clock_rate,
                max_bitrate=audio.max_bitrate,
                use_fec=audio.use_fec,
                received_payload_type=audio.received_payload_type,
                received_event_payload_type=audio.received_event_payload_type,
                digits_elsewhere=sends_digits_by_info(leg),
                send=audio.send,
                receive=audio.receive,
                # Without a shared port RTCP would need a handshake of its own.
                rtcp=transport.rtcp_mux or dtls is None,
                rtcp_mux=transport.rtcp_mux,
                rtcp_address=transport.rtcp_address,
                rtcp_port=transport.rtcp_port,
                srtp=None
                if keys is None
                else SrtpKeys(suite=keys.suite, send=keys.send, receive=keys.receive),
                dtls=None
                if dtls is None
                else Dtls(
                    is_client=dtls.role == "client",
                    fingerprint=dtls.fingerprint,
                    association=dtls.association,
                ),
                ice=None
                if ice is None or not transport.finds_peer
                else Ice(ufrag=ice.ufrag, password=ice.password, remote_ufrag=ice.remote_ufrag),
            ),
        )


def is_held_by_peer(leg: Leg) -> bool:
    """Tell whether the far end asked for silence from us: its hold."""
    audio = _negotiation(leg).current
    return audio is not None and audio.is_on_hold


def takes_digits(leg: Leg) -> bool:
    """Tell whether telephone events (RFC 4733) were agreed with this leg's peer."""
    audio = _negotiation(leg).current
    return audio is not None and audio.telephone_event_payload_type is not None


def sends_digits_by_info(leg: Leg) -> bool:
    """Tell whether digits reach this leg's peer in INFO, and in no other way."""
    return leg.dtmf == "info"


def is_expected_to_send(leg: Leg) -> bool:
    """Tell whether RTP must be coming from this leg's peer."""
    audio = _negotiation(leg).current
    return audio is not None and audio.receive


def _negotiation(leg: Leg) -> AudioNegotiation:
    if leg.negotiation is None:
        raise LocalProtocolError(f"leg {leg.id} has no media")
    return leg.negotiation
