"""Dialogs: where requests go, which are taken, and what everybody else is answered."""

import pytest

from switch.sip.admission import DEFAULT_SUPPORTED
from switch.sip.flow import Flow, Transport
from switch.sip.message import Message, Request, Response
from tests.switch.sip_sessions.test_call import in_dialog, invite, is_response, serialize_with
from tests.switch.sip_sessions.test_renegotiation import last, uas_session
from tests.switch.sip_sessions.wire import ANSWER, OFFER, Wire, established


def hang_up(wire: Wire) -> Request:
    wire.b.ua.end(wire.b.session, wire.now)
    wire.flush()
    message = last(wire)
    assert isinstance(message, Request)
    assert message.method == "BYE"
    return message


def up(wire: Wire, **headers: str) -> Response:
    """B answers a hand-made INVITE with these headers."""
    wire.inject(wire.b, invite(body=OFFER, **headers))
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.flush()
    success = last(wire)
    assert isinstance(success, Response)
    wire.inject(wire.b, in_dialog(success, "ACK", 1))
    return success


def test_a_loose_route_is_followed_in_order_and_recorded_in_the_answer() -> None:
    wire = Wire()
    routes = "<sip:p2@192.0.2.12;lr>, <sip:p1@192.0.2.11;lr>"
    success = up(wire, Record_Route=routes)
    assert success.headers.get_all("Record-Route") == routes.split(", ")
    bye = hang_up(wire)
    assert bye.uri == "sip:x@192.0.2.1"
    assert bye.headers.get_all("Route") == routes.split(", ")


def test_a_strict_route_is_followed_as_rfc_2543_wants() -> None:
    wire = Wire()
    up(wire, Record_Route="<sip:p2@192.0.2.12;method=INVITE>, <sip:p1@192.0.2.11;lr>")
    bye = hang_up(wire)
    assert bye.uri == "sip:p2@192.0.2.12"
    assert bye.headers.get_all("Route") == ["<sip:p1@192.0.2.11;lr>", "<sip:x@192.0.2.1>"]


def test_the_caller_turns_the_recorded_route_around() -> None:
    wire = Wire()
    session = wire.call()
    wire.run()
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.b.ua.process(wire.now)
    success = next(
        m for m in map(parse_out, wire.b.endpoint.datagrams_to_send()) if is_response(m, 200)
    )
    success.headers.add("Record-Route", "<sip:p2@192.0.2.12;lr>")
    success.headers.add("Record-Route", "<sip:p1@192.0.2.11;lr>")
    wire.inject(wire.a, serialize_with(success))
    ack = last(wire)
    assert isinstance(ack, Request)
    assert ack.method == "ACK"
    expected = ["<sip:p1@192.0.2.11;lr>", "<sip:p2@192.0.2.12;lr>"]
    assert ack.headers.get_all("Route") == expected
    assert ack.uri == "sip:b@192.0.2.2:5060"
    wire.a.ua.end(session, wire.now)
    wire.flush()
    assert last(wire).headers.get_all("Route") == expected


def parse_out(sent: tuple[bytes, Flow]) -> Message:
    from switch.sip.parsing import parse

    return parse(sent[0])


def test_a_peer_behind_a_nat_is_answered_where_it_came_from() -> None:
    wire = Wire()
    wire.inject(wire.b, invite(Contact="<sip:x@10.0.0.5>"), source=("192.0.2.99", 31000))
    session = wire.b.ua._table.by_id[wire.b.session]
    assert session.dialog is not None
    assert session.dialog.flow.remote == ("192.0.2.99", 31000)


def test_a_udp_peer_without_rport_is_reached_at_its_contact() -> None:
    wire = Wire()
    via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx1"
    wire.inject(wire.b, invite(Via=via, Contact="<sip:x@192.0.2.98:5070>"))
    session = wire.b.ua._table.by_id[wire.b.session]
    assert session.dialog is not None
    assert session.dialog.flow.remote == ("192.0.2.98", 5070)


def test_a_udp_peer_without_rport_behind_a_nat_is_reached_where_it_sends_from() -> None:
    wire = Wire()
    via = "SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bKx1"
    invitation = invite(Via=via, Contact="<sip:x@10.0.0.5:5060>")
    wire.inject(wire.b, invitation, source=("192.0.2.99", 31000))
    session = wire.b.ua._table.by_id[wire.b.session]
    assert session.dialog is not None
    assert session.dialog.flow.remote == ("192.0.2.99", 31000)


def test_a_peer_that_moves_is_followed() -> None:
    wire = Wire()
    success = uas_session(wire)
    wire.inject(wire.b, in_dialog(success, "OPTIONS", 2), source=("192.0.2.1", 40000))
    wire.b.ua.end(wire.b.session, wire.now)
    ((_, flow),) = wire.b.endpoint.datagrams_to_send()
    assert flow == Flow(Transport.UDP, ("192.0.2.1", 40000), ("192.0.2.2", 5060))


def test_requests_out_of_order_get_500() -> None:
    wire = Wire()
    success = uas_session(wire)
    wire.inject(wire.b, in_dialog(success, "INFO", 5))
    assert is_response(last(wire), 200)
    for seq in (4, 5):
        wire.inject(wire.b, in_dialog(success, "BYE", seq))
        assert is_response(last(wire), 500)
    assert wire.b.ua.sessions_alive == 1
    wire.inject(wire.b, in_dialog(success, "BYE", 6))
    assert is_response(last(wire), 200)


@pytest.mark.parametrize("method", ["BYE", "INVITE", "UPDATE", "INFO", "OPTIONS"])
def test_an_unknown_dialog_is_a_481(method: str) -> None:
    wire = Wire()
    success = uas_session(wire)
    for header, old, new in (
        ("To", str(success.to), "<sip:b@example.com>;tag=other"),
        ("From", str(success.from_), "<sip:x@example.com>;tag=other"),
        ("Call-ID", success.call_id, "other"),
    ):
        data = in_dialog(success, method, 2)
        wire.inject(wire.b, data.replace(f"{header}: {old}".encode(), f"{header}: {new}".encode()))
        assert is_response(last(wire), 481)
        wire.run(40.0)
    assert wire.b.ua.sessions_alive == 1


def test_an_ack_for_nothing_is_silence() -> None:
    wire = Wire()
    success = uas_session(wire)
    count = len(wire.sent)
    wire.inject(wire.b, in_dialog(success, "ACK", 1))
    wire.inject(wire.b, in_dialog(success, "ACK", 7))
    wire.inject(wire.b, in_dialog(success, "ACK", 1).replace(b"x-call", b"y-call"))
    assert len(wire.sent) == count
    assert wire.b.names() == ["Invited", "Confirmed"]


def test_the_ack_of_a_stranger_confirms_nothing() -> None:
    wire = Wire()
    wire.inject(wire.b, invite())
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.flush()
    success = last(wire)
    assert isinstance(success, Response)
    wire.inject(wire.b, in_dialog(success, "ACK", 1).replace(b"tag=x", b"tag=y"))
    wire.inject(wire.b, in_dialog(success, "ACK", 2))
    assert wire.b.names() == ["Invited"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Type": "multipart/mixed;boundary=x"}, 415),
        ({"Content_Type": ""}, 415),
        ({"Content_Encoding": "gzip"}, 415),
        ({"Contact": ""}, 400),
        ({"Contact": "<tel:+12025550123>"}, 400),
        ({"Contact": "<sip:x@192.0.2.1>, <sip:y@192.0.2.1>"}, 400),
        ({"From": "<tel:+12025550123>", "Contact": ""}, 400),
        ({"Accept": "text/plain"}, 406),
        ({"Require": "preconditions"}, 420),
    ],
)
def test_an_invite_that_cannot_be_taken_is_refused(headers: dict[str, str], status: int) -> None:
    wire = Wire()
    wire.inject(wire.b, invite(body=OFFER, **headers))
    answer = last(wire)
    assert is_response(answer, status)
    assert answer.to.tag
    if status == 415:
        assert answer.headers.get("Accept") == "application/sdp"
    assert wire.b.log == []
    assert wire.b.ua.sessions_alive == 0


def test_options_tell_what_we_can_in_and_out_of_a_dialog() -> None:
    wire = Wire()
    success = uas_session(wire)
    inside = in_dialog(success, "OPTIONS", 2)
    outside = invite(body=b"").replace(b"INVITE", b"OPTIONS").replace(b"x-call", b"o-call")
    for data in (inside, outside):
        wire.inject(wire.b, data)
        answer = last(wire)
        assert is_response(answer, 200)
        assert "UPDATE" in answer.headers.tokens("Allow")
        assert answer.headers.get("Accept") == "application/sdp"
        assert answer.headers.tokens("Supported") == list(DEFAULT_SUPPORTED)
        assert answer.to.tag


def test_options_are_answered_as_a_call_would_be() -> None:
    wire = Wire()
    is_open = [False, True]
    wire.b.ua.takes_calls_while(lambda: is_open.pop(0))
    data = invite(body=b"").replace(b"INVITE", b"OPTIONS")
    wire.inject(wire.b, data)
    answer = last(wire)
    assert is_response(answer, 503)
    assert answer.headers.get("Retry-After") == "5"
    wire.inject(wire.b, data.replace(b"1 OPTIONS", b"2 OPTIONS").replace(b"bKx1", b"bKx2"))
    assert is_response(last(wire), 200)


@pytest.mark.parametrize("body", [b"", OFFER])
@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "INFO", "OPTIONS"])
def test_a_dialog_that_we_ended_is_a_481(method: str, body: bytes) -> None:
    wire = Wire()
    success = uas_session(wire)
    wire.b.ua.end(wire.b.session, wire.now)
    assert wire.b.ua.sessions_alive == 1
    wire.inject(wire.b, in_dialog(success, method, 2, body))
    assert is_response(last(wire), 481)
    assert wire.b.names()[-1] == "Ended"


def test_info() -> None:
    wire = Wire()
    success = uas_session(wire)
    wire.inject(wire.b, in_dialog(success, "INFO", 2))
    assert is_response(last(wire), 200)
    wire.inject(wire.b, in_dialog(success, "INFO", 3, body=b"Signal=5\r\n"))
    answer = last(wire)
    assert is_response(answer, 415)
    assert answer.headers.get("Accept") == "application/dtmf-relay, application/dtmf"


@pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE"])
def test_requests_that_need_a_dialog_and_have_none_get_481(method: str) -> None:
    wire = Wire()
    wire.inject(wire.b, invite(body=b"").replace(b"INVITE", method.encode()))
    assert is_response(last(wire), 481)


def test_register_is_handed_up_and_its_answer_gets_a_tag() -> None:
    from switch.sip.events import OutOfDialogRequest
    from switch.sip.writing import make_response

    wire = Wire()
    wire.inject(wire.b, invite(body=b"").replace(b"INVITE", b"REGISTER"))
    (event,) = wire.b.log
    assert isinstance(event, OutOfDialogRequest)
    wire.b.ua.respond(event.transaction, make_response(event.request, 200), wire.now)
    wire.flush()
    assert is_response(last(wire), 200)
    assert last(wire).to.tag


def test_a_bye_of_a_callee_that_did_not_answer_ends_the_call() -> None:
    wire = Wire()
    session = wire.call()
    wire.run()
    wire.b.ua.ring(wire.b.session, wire.now)
    wire.run()
    ringing = next(m for n, m in wire.sent if n == "b" and is_response(m, 180))
    assert isinstance(ringing, Response)
    bye = in_dialog(ringing, "BYE", 1).replace(b"From:", b"X:").replace(b"To:", b"From:")
    wire.inject(wire.a, bye.replace(b"X:", b"To:"))
    assert wire.a.names() == ["Progress", "Ended"]
    assert "200 BYE" in wire.methods("a")
    wire.run()
    assert wire.methods("a")[-2:] == ["CANCEL", "ACK"]
    assert session not in wire.a.ua._table.by_id
    wire.assert_quiet()


def test_one_session_does_not_disturb_another() -> None:
    wire = Wire()
    a, _ = established(wire)
    success = uas_session(wire)
    for seq in (2, 3):
        wire.inject(wire.b, in_dialog(success, "BYE", seq))
        wire.run(40.0)
    assert wire.a.ua.sessions_alive == wire.b.ua.sessions_alive == 1
    wire.a.ua.reoffer(a, OFFER, wire.now)
    wire.run()
    assert wire.b.names()[-1] == "ReofferReceived"


def test_a_caller_of_rfc_2543_has_neither_tag_nor_contact() -> None:
    """RFC 3261 section 12.1.1: a missing tag is a null tag; the address is that of From."""
    wire = Wire()
    up(wire, From="<sip:old@192.0.2.1>", Contact="")
    bye = hang_up(wire)
    assert bye.uri == "sip:old@192.0.2.1"
    assert bye.to.tag is None
    assert bye.from_.tag
