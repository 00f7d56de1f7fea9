"""Where a peer is looked for that has lost its connection to us, or by a process that never had it."""

import pytest

from switch.sip.flow import Flow, Transport
from switch.sip.uri import NameAddr, Uri
from switch.sip.way_back import without_connection
from switch.sip.writing import serialize
from tests.switch.sip_core.peer import make_request
from tests.switch.sip_sessions.wire import ANSWER, Node, Wire, established

SERVER = ("198.51.100.7", 7061)
PHONE = ("192.0.2.9", 49152)
HERE = ("192.0.2.1", 5061)


def found(
    kind: Transport,
    remote: tuple[str, int],
    contact: str = "sip:b@192.0.2.9",
    *routes: str,
    is_ours: bool = False,
) -> tuple[str, int]:
    ways = [NameAddr.parse(route) for route in routes]
    flow = Flow(kind, remote, HERE)
    return without_connection(flow, Uri.parse(contact), ways, is_ours=is_ours).remote


@pytest.mark.parametrize(
    ("kind", "contact", "remote"),
    [
        (Transport.TCP, "sip:b@192.0.2.9", ("192.0.2.9", 5060)),
        (Transport.TLS, "sip:b@192.0.2.9", ("192.0.2.9", 5061)),
        (Transport.TLS, "sip:b@192.0.2.9:5081", ("192.0.2.9", 5081)),
        (Transport.TCP, "sip:b@[2001:db8::9]", ("2001:db8::9", 5060)),
        (Transport.TLS, "sip:b@phone.example.com", PHONE),
        (Transport.WSS, "sip:b@192.0.2.9", PHONE),
        (Transport.UDP, "sip:b@192.0.2.99", PHONE),
    ],
)
def test_who_connected_to_us_may_listen_at_its_contact(
    kind: Transport, contact: str, remote: tuple[str, int]
) -> None:
    assert found(kind, PHONE, contact) == remote


def test_the_first_route_comes_before_the_contact() -> None:
    routes = ("<sip:203.0.113.5;lr>", "<sip:203.0.113.6:5099;lr>")
    assert found(Transport.TLS, PHONE, "sip:b@192.0.2.9", *routes) == ("203.0.113.5", 5061)
    assert found(Transport.TLS, PHONE, "sip:b@192.0.2.9", "<sip:edge.example.com;lr>") == PHONE


def test_a_server_that_we_connected_to_is_where_it_was() -> None:
    assert found(Transport.TLS, SERVER, is_ours=True) == SERVER
    assert (
        found(Transport.TLS, SERVER, "sip:b@10.0.0.1", "<sip:10.0.0.2;lr>", is_ours=True) == SERVER
    )
    assert found(Transport.TLS, ("198.51.100.7", 5061)) == ("198.51.100.7", 5061)


@pytest.mark.parametrize(("connection", "came_back_by"), [(0, 0), (0, 7), (7, 7)])
def test_a_record_tells_whose_the_connection_was(connection: int, came_back_by: int) -> None:
    """Requests of the peer come by the connection that was made for our INVITE."""
    wire = Wire()
    a, _ = established(wire)
    session = wire.a.ua._table.by_id[a]
    session.flow = Flow(Transport.TLS, SERVER, HERE, connection)
    session.need_dialog().flow = Flow(Transport.TLS, SERVER, HERE, came_back_by)
    for _ in range(2):  # the process that follows may end as well
        record = wire.a.ua.record(a)
        assert record is not None
        fresh = Node("a2", wire.a.address, wire.a.ua._table.settings)
        fresh.ua.restore(record, None, ANSWER, wire.now, may_lack_ack=False)
        wire.a.ua = fresh.ua
        restored = fresh.ua._table.by_id[a]
        remote = SERVER if connection == 0 else wire.b.address  # its Contact
        assert restored.need_dialog().flow == Flow(Transport.TLS, remote, HERE)
        assert restored.flow == restored.need_dialog().flow


@pytest.mark.parametrize(
    ("kind", "is_there", "remote"),
    [
        (Transport.TCP, True, ("192.0.2.1", 49152)),
        (Transport.TCP, False, ("192.0.2.1", 5060)),
        (Transport.TLS, False, ("192.0.2.1", 5060)),
        (Transport.WSS, False, ("192.0.2.1", 49152)),
    ],
)
def test_requests_in_a_call_find_the_peer_when_its_connection_is_gone(
    kind: Transport, is_there: bool, remote: tuple[str, int]
) -> None:
    """It called us from port 49152 and listens where its Contact says (RFC 3261 section 18.1.1)."""
    wire = Wire()
    _, b = established(wire)
    node = wire.b
    dialog = node.ua._table.by_id[b].need_dialog()
    dialog.flow = Flow(kind, ("192.0.2.1", 49152), node.address, 7)
    node.endpoint.asks_for_connections(lambda flow: is_there)
    node.ua.end(b, wire.now)
    ((data, flow),) = node.endpoint.datagrams_to_send()
    assert data.startswith(b"BYE ")
    assert flow.remote == remote


@pytest.mark.parametrize(
    ("kind", "via", "is_there", "remote"),
    [
        (Transport.TCP, "192.0.2.9:5062", True, PHONE),
        (Transport.TCP, "192.0.2.9:5062", False, ("192.0.2.9", 5062)),
        (Transport.TLS, "192.0.2.9", False, ("192.0.2.9", 5061)),
        (Transport.TCP, "proxy.example.com:5062", False, ("192.0.2.9", 5062)),
        (Transport.TCP, "10.0.0.9:5062", False, PHONE),  # behind a NAT
        (Transport.WSS, "192.0.2.9:5062", False, PHONE),
    ],
)
def test_answers_find_the_peer_when_its_connection_is_gone(
    kind: Transport, via: str, is_there: bool, remote: tuple[str, int]
) -> None:
    """RFC 3261 section 18.2.2: at the address that it called from, where its Via says that it listens."""
    node = Wire().b
    flow = Flow(kind, PHONE, node.address, 7)
    request = make_request(branch="z9hG4bK1", extra=(("Contact", "<sip:x@192.0.2.9>"),))
    request.headers.set("Via", f"SIP/2.0/{kind} {via};branch=z9hG4bK1")
    node.endpoint.receive_datagram(serialize(request), flow, 0.0)
    node.turn(0.0)
    node.endpoint.asks_for_connections(lambda flow: is_there)
    node.ua.reject(node.session, 486, None, 1.0)
    *_, (data, way) = node.endpoint.datagrams_to_send()
    assert data.startswith(b"SIP/2.0 486 ")
    assert way.remote == remote
    assert way.connection == (0 if remote != PHONE else 7)


def test_a_caller_that_came_back_while_it_rings_hears_the_answer() -> None:
    wire = Wire()
    wire.call()
    wire.run()
    node = wire.b
    back = Flow(Transport.TLS, PHONE, node.address, 9)
    node.ua.go_by(node.session, back)
    node.ua.answer(node.session, ANSWER, wire.now)
    ((data, flow),) = node.endpoint.datagrams_to_send()
    assert data.startswith(b"SIP/2.0 200 ")
    assert flow == back
