"""Calls by `sips:`: our Contact is a SIPS URI where the peer needs one, and where it can be."""

import pytest

from switch.sip.events import Invited
from switch.sip.flow import Flow, Transport
from switch.sip.message import Request, Response
from switch.sip.parsing import parse
from switch.sip.uri import NameAddr
from tests.switch.sip_sessions.wire import ANSWER, OFFER, B, Node, Wire

PEER = ("192.0.2.9", 40_000)


def contact_of_answer(kind: Transport, uri: str, contact: str, route: str = "") -> str:
    """The Contact in our 200 to an INVITE that came by such a way."""
    wire = Wire()
    node = wire.b
    flow = Flow(kind, PEER, B, 1 if kind.is_reliable else 0)
    record_route = f"Record-Route: <{route}:192.0.2.9;lr>\r\n" if route else ""
    head = (
        f"INVITE {uri}:4000@192.0.2.2 SIP/2.0\r\n"
        f"Via: SIP/2.0/{kind} 192.0.2.9:5061;branch=z9hG4bK1;rport\r\n{record_route}"
        f"From: <{uri}:x@example.com>;tag=1\r\nTo: <{uri}:4000@example.com>\r\nCall-ID: q\r\n"
        f"CSeq: 1 INVITE\r\nContact: <{contact}:x@192.0.2.9:5061>\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(OFFER)}\r\n\r\n"
    )
    node.endpoint.receive_datagram(head.encode() + OFFER, flow, 0.0)
    node.turn(0.0)
    (invited,) = node.of(Invited)
    assert isinstance(invited, Invited)
    node.ua.answer(invited.session, ANSWER, 0.0)
    return str(response_of(node).contacts[0].uri)


def response_of(node: Node) -> Response:
    *_, (data, _) = node.endpoint.datagrams_to_send()
    response = parse(data)
    assert isinstance(response, Response)
    assert response.status == 200
    return response


@pytest.mark.parametrize("kind", [Transport.TLS, Transport.WSS])
@pytest.mark.parametrize(
    ("uri", "contact", "route", "scheme"),
    [
        ("sips", "sips", "", "sips"),
        ("sips", "sip", "", "sips"),
        ("sip", "sips", "", "sips"),
        ("sip", "sip", "sips", "sips"),
        ("sip", "sips", "sip", "sip"),
        ("sip", "sip", "", "sip"),
    ],
)
def test_who_calls_by_sips_gets_a_contact_of_sips(
    kind: Transport, uri: str, contact: str, route: str, scheme: str
) -> None:
    """RFC 3261 section 12.1.1: of the Request-URI, the top Record-Route, or the Contact without one."""
    assert contact_of_answer(kind, uri, contact, route) == f"{scheme}:b@192.0.2.2:5060"


@pytest.mark.parametrize("kind", [Transport.UDP, Transport.TCP, Transport.WS])
def test_a_way_that_is_not_secure_is_not_called_so(kind: Transport) -> None:
    assert contact_of_answer(kind, "sips", "sips") == "sip:b@192.0.2.2:5060"


@pytest.mark.parametrize(
    ("uri", "route", "scheme"),
    [("sips", "", "sips"), ("sip", "sips", "sips"), ("sip", "sip", "sip"), ("sip", "", "sip")],
)
def test_a_call_of_ours_to_sips_has_a_contact_of_sips(uri: str, route: str, scheme: str) -> None:
    """RFC 3261 section 8.1.1.8: of the Request-URI or the top Route; the scheme stands for TLS."""
    wire = Wire()
    node = wire.a
    node.ua._table._contact = lambda flow: "sip:a@192.0.2.1:5061;transport=tls"
    node.ua.invite(
        request_uri=f"{uri}:b@192.0.2.9",
        flow=Flow(Transport.TLS, PEER, node.address, 1),
        from_=NameAddr.parse("<sip:a@example.com>"),
        to=NameAddr.parse("<sip:b@example.com>"),
        offer=OFFER,
        headers={"Route": f"<{route}:192.0.2.9;lr>"} if route else {},
        now=0.0,
    )
    ((data, _),) = node.endpoint.datagrams_to_send()
    invite = parse(data)
    assert isinstance(invite, Request)
    plain = "sip:a@192.0.2.1:5061;transport=tls"
    assert str(invite.contacts[0].uri) == (plain if scheme == "sip" else "sips:a@192.0.2.1:5061")
