"""What our messages say of where we are: the address that the peer reaches, or what is advertised."""

from __future__ import annotations

import pytest

from cti.settings import SipSection
from cti.sip_addresses import PeerNetworks, SipAddresses, media_address
from switch.sip.flow import Flow, Transport

PORTS = {
    Transport.UDP: 5060,
    Transport.TCP: 5060,
    Transport.TLS: 5061,
    Transport.WS: 5066,
    Transport.WSS: 5067,
}
V4, V6 = ("192.0.2.1", 5060), ("2001:db8::1", 5060)
PHONE, FAR, V6_PHONE = ("10.0.0.7", 4000), ("198.51.100.9", 5060), ("2001:db8::7", 4000)


def addresses(**values: object) -> SipAddresses:
    return SipAddresses(SipSection(host="192.0.2.1", **values), PORTS)  # type: ignore[arg-type]


def flow(
    kind: Transport = Transport.UDP,
    remote: tuple[str, int] = PHONE,
    local: tuple[str, int] = V4,
) -> Flow:
    return Flow(kind, remote, local)


@pytest.mark.parametrize(
    ("kind", "contact", "via"),
    [
        (Transport.UDP, "192.0.2.1:5060", "192.0.2.1:5060"),
        (Transport.TCP, "192.0.2.1:5060;transport=tcp", "192.0.2.1:5060"),
        (Transport.TLS, "192.0.2.1:5061;transport=tls", "192.0.2.1:5061;alias"),
        (Transport.WS, "192.0.2.1:5066;transport=ws", "192.0.2.1:5066"),
        (Transport.WSS, "192.0.2.1:5067;transport=ws", "192.0.2.1:5067"),
    ],
)
def test_port_and_transport_are_those_of_the_flow(kind: Transport, contact: str, via: str) -> None:
    ours = addresses()
    assert ours.contact(flow(kind)) == f"sip:switchroom@{contact}"
    assert ours.sent_by(flow(kind)) == via


def test_ipv6_stands_in_brackets_and_is_told_to_who_came_over_it() -> None:
    ours = addresses(more_hosts=("2001:db8::1",))
    assert ours.sent_by(flow(remote=V6_PHONE, local=V6)) == "[2001:db8::1]:5060"
    assert ours.contact(flow(remote=V6_PHONE, local=V6)) == "sip:switchroom@[2001:db8::1]:5060"
    assert ours.sent_by(flow(remote=V6_PHONE)) == "[2001:db8::1]:5060", "a flow of our own making"
    assert SipAddresses(SipSection(host="::1"), PORTS).own_host == "[::1]"


def test_what_is_advertised_is_told_to_all_but_the_networks_on_our_side() -> None:
    ours = addresses(advertise="203.0.113.5", local_networks=("10.0.0.0/8",))
    assert ours.contact(flow(remote=FAR)) == "sip:switchroom@203.0.113.5:5060"
    assert ours.sent_by(flow(remote=FAR)) == "203.0.113.5:5060"
    assert ours.contact(flow()) == "sip:switchroom@192.0.2.1:5060"
    assert ours.own_host == "203.0.113.5"


def test_an_advertised_address_of_the_other_family_is_told_to_nobody_and_a_name_to_both() -> None:
    ours = addresses(advertise="203.0.113.5", more_hosts=("2001:db8::1",))
    assert ours.sent_by(flow(remote=V6_PHONE, local=V6)) == "[2001:db8::1]:5060"
    named = addresses(advertise="sip.example.com", more_hosts=("2001:db8::1",))
    assert named.sent_by(flow(remote=V6_PHONE, local=V6)) == "sip.example.com:5060"
    assert named.contact(flow(Transport.TLS)) == "sip:switchroom@sip.example.com:5061;transport=tls"


def test_sound_of_far_peers_goes_to_what_a_nat_forwards_and_of_near_ones_straight() -> None:
    near = PeerNetworks(("10.0.0.0/8", "fd00::/8"))
    told = media_address({"192.0.2.1": "203.0.113.5"}, near)
    assert told("10.1.2.3", "192.0.2.1") == "192.0.2.1"
    assert told("198.51.100.9", "192.0.2.1") == "203.0.113.5"
    assert told("no address", "192.0.2.1") == "203.0.113.5"
    assert told("198.51.100.9", "192.0.2.9") == "192.0.2.9"
