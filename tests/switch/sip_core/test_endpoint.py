"""The endpoint as a server and as a client, message by message."""

from __future__ import annotations

import pytest

from switch.errors import LocalProtocolError, RemoteProtocolError
from switch.sip.endpoint import Endpoint
from switch.sip.events import (
    AckReceived,
    CancelReceived,
    RequestReceived,
    ResponseReceived,
    TransportFailed,
)
from switch.sip.flow import Flow, Transport
from switch.sip.limits import EndpointLimits
from switch.sip.message import Request, Response
from switch.sip.parsing import parse
from switch.sip.writing import make_response, serialize
from tests.switch.sip_core.peer import (
    ALICE,
    BOB,
    events_of,
    flow_to,
    make_endpoint,
    make_request,
    sent_by,
    statuses_of,
)

FROM_ALICE = flow_to(("198.51.100.7", 33_000), BOB)
"""Alice sits behind a NAT."""
TO_BOB = flow_to(BOB, ALICE)


def give(endpoint: Endpoint, request: Request, now: float = 0.0, flow: Flow = FROM_ALICE) -> None:
    endpoint.receive_datagram(serialize(request), flow, now)


def give_invite(endpoint: Endpoint, branch: str = "z9hG4bK1") -> RequestReceived:
    give(endpoint, make_request(branch=branch, call_id="one"))
    (event,) = events_of(endpoint)
    assert isinstance(event, RequestReceived)
    return event


def start_invite(endpoint: Endpoint, flow: Flow = TO_BOB) -> tuple[str, Request]:
    identity = endpoint.send_request(make_request(), flow, 0.0)
    (request,) = sent_by(endpoint)
    assert isinstance(request, Request)
    return identity, request


def reply(endpoint: Endpoint, request: Request, status: int, tag: str = "b") -> None:
    response = make_response(request, status, to_tag=tag)
    endpoint.receive_datagram(serialize(response), TO_BOB, 0.0)


# --- server -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["From", "To"])
@pytest.mark.parametrize("tag", [";tag", ";tag="])
def test_a_tag_without_a_value_is_refused_in_a_way_that_can_be_read(name: str, tag: str) -> None:
    endpoint = make_endpoint()
    data = serialize(make_request("OPTIONS", branch="z9hG4bK1"))
    line = next(line for line in data.split(b"\r\n") if line.startswith(name.encode() + b":"))
    damaged = data.replace(line, line.partition(b";tag")[0] + tag.encode())
    endpoint.receive_datagram(damaged, FROM_ALICE, 0.0)
    ((refusal, _),) = endpoint.datagrams_to_send()
    assert refusal.startswith(b"SIP/2.0 400 ")
    assert refusal.partition(b"\r\n")[2].count(b";tag") == 2, "one in From, one in To"
    assert endpoint.next_event() is None


def test_an_invite_is_answered_with_100_at_once_and_reported() -> None:
    endpoint = make_endpoint()
    give(endpoint, make_request(branch="z9hG4bK1", extra=(("Timestamp", "54"),)))
    ((data, flow),) = endpoint.datagrams_to_send()
    trying = parse(data)
    assert isinstance(trying, Response)
    assert trying.status == 100
    assert trying.headers.get("Timestamp") == "54"
    assert trying.to.tag is None
    assert flow == FROM_ALICE
    assert [type(e) for e in events_of(endpoint)] == [RequestReceived]


@pytest.mark.parametrize("status", [180, 200, 401, 486])
def test_an_invite_that_is_answered_in_its_turn_gets_no_100(status: int) -> None:
    endpoint = make_endpoint()
    event = give_invite(endpoint)
    endpoint.respond(event.transaction, make_response(event.request, status, to_tag="b"), 0.0)
    assert statuses_of(endpoint) == [status]
    assert statuses_of(endpoint) == []


def test_an_invite_that_is_answered_later_gets_one_100_a_turn() -> None:
    endpoint = make_endpoint()
    event = give_invite(endpoint)
    give(endpoint, make_request(branch="z9hG4bK1", call_id="one"))
    assert statuses_of(endpoint) == [100]
    give(endpoint, make_request(branch="z9hG4bK1", call_id="one"))
    assert statuses_of(endpoint) == [100]
    endpoint.respond(event.transaction, make_response(event.request, 486, to_tag="b"), 0.0)
    assert statuses_of(endpoint) == [486]


def test_responses_go_back_through_the_nat_with_received_and_rport() -> None:
    endpoint = make_endpoint()
    give_invite(endpoint)
    (trying,) = sent_by(endpoint)
    assert trying.top_via.received == "198.51.100.7"
    assert trying.top_via.params["rport"] == "33000"


def test_received_is_added_for_a_host_that_differs_even_without_rport() -> None:
    endpoint = make_endpoint()
    request = make_request("OPTIONS", branch="z9hG4bK1")
    request.headers.set("Via", "SIP/2.0/UDP pc.example.com;branch=z9hG4bK1")
    give(endpoint, request)
    (event,) = events_of(endpoint)
    assert isinstance(event, RequestReceived)
    assert event.request.top_via.received == "198.51.100.7"
    assert "rport" not in event.request.top_via.params


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "PUBLISH", "CANCEL"])
@pytest.mark.parametrize(
    ("via", "port"),
    [
        ("198.51.100.7:5070", 5070),
        ("198.51.100.7", 5060),
        ("pc.example.com:5070", 5070),
        ("198.51.100.7:5070;rport", 33_000),
        ("10.0.0.5:5070", 33_000),  # a NAT stands between: that port is not reached from here
    ],
)
def test_responses_go_to_the_port_of_the_via_unless_rport_or_a_nat_says_otherwise(
    method: str, via: str, port: int
) -> None:
    endpoint = make_endpoint()
    request = make_request(method, branch="z9hG4bK1")
    host, _, rport = via.partition(";")
    request.headers.set("Via", f"SIP/2.0/UDP {host};branch=z9hG4bK1" + (rport and f";{rport}"))
    give(endpoint, request)
    for event in events_of(endpoint):
        assert isinstance(event, RequestReceived)
        assert event.flow == FROM_ALICE
        endpoint.respond(event.transaction, make_response(event.request, 486, to_tag="b"), 0.0)
    flows = {flow.remote for _, flow in endpoint.datagrams_to_send()}
    assert flows == {("198.51.100.7", port)}


def test_what_is_malformed_is_answered_at_the_port_of_its_via() -> None:
    endpoint = make_endpoint()
    data = serialize(make_request("OPTIONS", branch="z9hG4bK1")).replace(b"CSeq: 1", b"CSeq: x")
    data = data.replace(b"192.0.2.1:5060;branch=z9hG4bK1;rport", b"198.51.100.7;branch=z9hG4bK1")
    endpoint.receive_datagram(data, FROM_ALICE, 0.0)
    ((_, flow),) = endpoint.datagrams_to_send()
    assert flow.remote == ("198.51.100.7", 5060)


FAULT = RemoteProtocolError("Content-Lengths that contradict")
OVER_TCP = flow_to(ALICE, BOB, tcp=True)


def test_what_no_stream_gives_whole_is_answered_as_far_as_it_can_be_read() -> None:
    endpoint = make_endpoint()
    head = serialize(make_request("OPTIONS", branch="z9hG4bK1", call_id="one"))
    endpoint.refuse_unframed(head, FAULT, OVER_TCP)
    ((data, flow),) = endpoint.datagrams_to_send()
    refused = parse(data)
    assert isinstance(refused, Response)
    assert (refused.status, refused.reason) == (400, f"Bad Request: {FAULT}")
    assert (refused.call_id, refused.top_via.branch, flow) == ("one", "z9hG4bK1", OVER_TCP)
    assert endpoint.malformed == {400: 1}


@pytest.mark.parametrize("status", [400, 413, 513])
def test_a_head_that_was_cut_is_answered_by_its_whole_lines(status: int) -> None:
    endpoint = make_endpoint()
    head = serialize(make_request("OPTIONS", branch="z9hG4bK1"))[:-4]
    via = b"\r\nVia: SIP/2.0/UDP 192.0.2.3"
    cut = head + (b"\r\nX: " + b"y" * 900) * 17 + via
    cut += b"4" * (16_384 - len(cut))
    endpoint.refuse_unframed(cut, RemoteProtocolError("too long", status=status), OVER_TCP)
    (refused,) = sent_by(endpoint)
    assert isinstance(refused, Response)
    assert (refused.status, len(refused.vias)) == (status, 1)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\nFrom: <sip:a@b>\r\n\r\n",
        serialize(make_request("ACK", branch="z9hG4bK1")),
        serialize(make_response(make_request("OPTIONS", branch="z9hG4bK1"), 200, to_tag="b")),
        bytes(range(256)),
    ],
    ids=["http", "no-via", "ack", "response", "octets"],
)
def test_what_cannot_be_answered_is_not(head: bytes) -> None:
    endpoint = make_endpoint()
    endpoint.refuse_unframed(head, FAULT, OVER_TCP)
    assert sent_by(endpoint) == []
    assert endpoint.malformed == {0: 1}


def test_a_retransmitted_invite_gets_the_last_response_again_and_no_event() -> None:
    endpoint = make_endpoint()
    event = give_invite(endpoint)
    endpoint.respond(event.transaction, make_response(event.request, 180, to_tag="b"), 0.0)
    give(endpoint, make_request(branch="z9hG4bK1", call_id="one"))
    assert statuses_of(endpoint) == [180, 180]
    assert events_of(endpoint) == []
    assert endpoint.counters.retransmissions_absorbed == 1


def test_an_ack_to_a_failure_is_absorbed_and_one_to_a_success_reported() -> None:
    endpoint = make_endpoint()
    for branch, status in (("z9hG4bK1", 486), ("z9hG4bK2", 200)):
        call = make_request(branch=branch, call_id=branch)
        give(endpoint, call)
        (event,) = events_of(endpoint)
        assert isinstance(event, RequestReceived)
        endpoint.respond(event.transaction, make_response(event.request, status, to_tag="b"), 0.0)
        ack_branch = branch if status == 486 else "z9hG4bKnew"
        give(endpoint, make_request("ACK", branch=ack_branch, call_id=branch, to_tag="b"))
        expected = [] if status == 486 else [AckReceived]
        assert [type(e) for e in events_of(endpoint)] == expected


def test_cancel_is_answered_and_reported_while_the_invite_is_open() -> None:
    endpoint = make_endpoint()
    event = give_invite(endpoint)
    endpoint.respond(event.transaction, make_response(event.request, 180, to_tag="b"), 0.0)
    cancel = make_request("CANCEL", branch="z9hG4bK1", call_id="one")
    give(endpoint, cancel)
    (cancelled,) = events_of(endpoint)
    assert isinstance(cancelled, CancelReceived)
    assert cancelled.transaction == event.transaction
    *_, done = sent_by(endpoint)
    assert isinstance(done, Response)
    assert (done.status, done.cseq.method, done.to.tag) == (200, "CANCEL", "b")
    give(endpoint, cancel)
    assert statuses_of(endpoint) == [200], "its retransmission is answered from the transaction"
    assert events_of(endpoint) == []


def test_cancel_after_the_final_response_is_answered_but_not_reported() -> None:
    endpoint = make_endpoint()
    event = give_invite(endpoint)
    endpoint.respond(event.transaction, make_response(event.request, 200, to_tag="b"), 0.0)
    give(endpoint, make_request("CANCEL", branch="z9hG4bK1", call_id="one"))
    assert statuses_of(endpoint) == [200, 200]
    assert events_of(endpoint) == []


def test_a_cancel_that_comes_when_all_is_over_is_answered_with_the_tag_of_the_answer() -> None:
    endpoint = make_endpoint()
    event = give_invite(endpoint)
    endpoint.respond(event.transaction, make_response(event.request, 200, to_tag="b"), 0.0)
    endpoint.acknowledged(event.transaction, 0.0)  # it rests, and has let go of its messages
    sent_by(endpoint)
    give(endpoint, make_request("CANCEL", branch="z9hG4bK1", call_id="one"))
    (done,) = sent_by(endpoint)
    assert isinstance(done, Response)
    assert (done.status, done.cseq.method, done.to.tag) == (200, "CANCEL", "b")
    assert events_of(endpoint) == []


def test_a_refusal_that_comes_again_while_it_rests_is_acknowledged_again() -> None:
    endpoint = make_endpoint()
    _, request = start_invite(endpoint)
    acks = []
    for _ in range(2):
        reply(endpoint, request, 486)
        (ack,) = sent_by(endpoint)
        assert isinstance(ack, Request)
        acks.append(serialize(ack))
    assert acks[0] == acks[1]


def test_cancel_of_nothing_gets_481() -> None:
    endpoint = make_endpoint()
    give(endpoint, make_request("CANCEL", branch="z9hG4bK1"))
    assert statuses_of(endpoint) == [481]
    assert endpoint.counters.stray_cancels == 1


def test_cancel_of_what_is_no_invite_is_answered_and_changes_nothing() -> None:
    """RFC 3261 section 9.2: 200, regardless of the method of the request that it matches."""
    endpoint = make_endpoint()
    give(endpoint, make_request("MESSAGE", branch="z9hG4bK1", call_id="one"))
    (asked,) = events_of(endpoint)
    assert isinstance(asked, RequestReceived)
    give(endpoint, make_request("CANCEL", branch="z9hG4bK1", call_id="one"))
    assert events_of(endpoint) == []
    endpoint.respond(asked.transaction, make_response(asked.request, 202, to_tag="b"), 0.0)
    assert statuses_of(endpoint) == [200, 202]
    assert endpoint.counters.stray_cancels == 0


def test_a_second_final_response_is_dropped_and_counted() -> None:
    endpoint = make_endpoint()
    event = give_invite(endpoint)
    for status in (486, 200):
        answer = make_response(event.request, status, to_tag="b")
        endpoint.respond(event.transaction, answer, 0.0)
    assert statuses_of(endpoint) == [486]
    assert endpoint.counters.late_responses == 1
    endpoint.handle_timer(1000.0)
    endpoint.respond(event.transaction, make_response(event.request, 200), 1000.0)
    assert endpoint.counters.late_responses == 2


def test_merged_requests_get_482() -> None:
    endpoint = make_endpoint()
    give_invite(endpoint, "z9hG4bK1")
    give(endpoint, make_request(branch="z9hG4bKfork", call_id="one"))
    assert statuses_of(endpoint) == [482, 100]
    assert events_of(endpoint) == []
    give(endpoint, make_request(branch="z9hG4bKfork2", call_id="one", seq=2))
    give(endpoint, make_request("OPTIONS", branch="z9hG4bKother", call_id="one"))
    assert [type(e) for e in events_of(endpoint)] == [RequestReceived, RequestReceived]


@pytest.mark.parametrize(("method", "status"), [("PRACK", 405), ("INV%49TE", 501)])
def test_methods_we_do_not_take_get_405_and_unheard_ones_501_with_allow(
    method: str, status: int
) -> None:
    endpoint = make_endpoint(allow=("INVITE", "ACK"))
    give(endpoint, make_request(method, branch="z9hG4bK1"))
    (response,) = sent_by(endpoint)
    assert isinstance(response, Response)
    assert response.status == status
    assert "INVITE" in response.headers.tokens("Allow")
    assert response.to.tag


def test_a_bare_cookie_is_no_transaction_of_its_own() -> None:
    """RFC 4475 section 3.2.1: two requests with the branch `z9hG4bK` are two."""
    endpoint = make_endpoint()
    for number in (1, 2):
        request = make_request("OPTIONS", branch="z9hG4bK", call_id=f"bare-{number}")
        give(endpoint, request)
        give(endpoint, request)
    assert [type(event) for event in events_of(endpoint)] == [RequestReceived, RequestReceived]
    assert endpoint.counters.retransmissions_absorbed == 2


def test_unknown_extensions_get_420_naming_them() -> None:
    endpoint = make_endpoint(supported=("timer",))
    give(endpoint, make_request(branch="z9hG4bK1", extra=(("Require", "timer, 100rel, x"),)))
    (response,) = sent_by(endpoint)
    assert isinstance(response, Response)
    assert response.status == 420
    assert response.headers.tokens("Unsupported") == ["100rel", "x"]


def test_the_ack_to_a_stateless_refusal_is_absorbed() -> None:
    endpoint = make_endpoint()
    refused = make_request(branch="z9hG4bK1", call_id="one", extra=(("Require", "x"),))
    give(endpoint, refused)
    (response,) = sent_by(endpoint)
    ack = make_request("ACK", branch="z9hG4bK1", call_id="one", to_tag=response.to.tag or "")
    give(endpoint, ack)
    assert events_of(endpoint) == []


def test_a_full_endpoint_sheds_invites_with_retry_after_but_lets_calls_end() -> None:
    endpoint = make_endpoint(limits=EndpointLimits(max_transactions=4, retry_after_s=7))
    for n in range(6):
        give(endpoint, make_request(branch=f"z9hG4bK{n}"))
    first, second, *let_in = sent_by(endpoint)
    for shed in (first, second):
        assert isinstance(shed, Response)
        assert (shed.status, shed.headers.get("Retry-After")) == (503, "7")
    assert [each.status for each in let_in if isinstance(each, Response)] == [100] * 4
    assert (endpoint.counters.shed, endpoint.transactions_alive) == (2, 4)
    give(endpoint, make_request("BYE", branch="z9hG4bKbye", to_tag="b"))
    assert [type(e) for e in events_of(endpoint)] == [RequestReceived] * 5
    give(endpoint, make_request("BYE", branch="z9hG4bKbye2", to_tag="b"))
    assert statuses_of(endpoint) == [503]


def test_requests_of_rfc_2543_without_a_unique_branch_are_told_apart() -> None:
    endpoint = make_endpoint()
    for call_id in ("one", "two", "one"):
        give(endpoint, make_request(branch="1", call_id=call_id))
    assert [type(e) for e in events_of(endpoint)] == [RequestReceived] * 2
    assert endpoint.counters.retransmissions_absorbed == 1


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0", b"\0\0\0\0"])
def test_keepalives_are_counted_and_otherwise_ignored(data: bytes) -> None:
    endpoint = make_endpoint()
    endpoint.receive_datagram(data, FROM_ALICE, 0.0)
    assert endpoint.counters.keepalives == 1
    assert endpoint.counters.malformed == 0
    assert endpoint.datagrams_to_send() == []


# --- client -------------------------------------------------------------------------------------


def test_a_request_gets_one_via_and_max_forwards() -> None:
    endpoint = make_endpoint()
    request = make_request("OPTIONS")
    for _ in range(2):  # sent again with credentials, the same object gets a fresh branch
        endpoint.send_request(request, TO_BOB, 0.0)
    first, second = sent_by(endpoint)
    assert len(first.vias) == len(second.vias) == 1
    assert first.top_via.branch != second.top_via.branch
    assert first.top_via.sent_by == "192.0.2.1:5060"
    assert "rport" in first.top_via.params
    assert first.headers.get("Max-Forwards") == "70"


def test_sent_by_may_be_given() -> None:
    endpoint = make_endpoint(sent_by=lambda flow: "sip.example.com:5080")
    endpoint.send_request(make_request("OPTIONS"), TO_BOB, 0.0)
    (request,) = sent_by(endpoint)
    assert (request.top_via.host, request.top_via.port) == ("sip.example.com", 5080)


def test_a_failure_is_acknowledged_by_the_transaction() -> None:
    endpoint = make_endpoint()
    identity = endpoint.send_request(
        make_request(extra=(("Route", "<sip:192.0.2.9;lr>"),)), TO_BOB, 0.0
    )
    (invite,) = sent_by(endpoint)
    assert isinstance(invite, Request)
    for _ in range(2):
        reply(endpoint, invite, 486)
    acks = sent_by(endpoint)
    assert len(acks) == 2
    for ack in acks:
        assert isinstance(ack, Request)
        assert ack.method == "ACK"
        assert str(ack.top_via) == str(invite.top_via)
        assert (ack.uri, ack.call_id, ack.to.tag) == (invite.uri, invite.call_id, "b")
        assert (ack.cseq.seq, ack.cseq.method) == (1, "ACK")
        assert ack.headers.get("Route") == "<sip:192.0.2.9;lr>"
    (event,) = events_of(endpoint)
    assert isinstance(event, ResponseReceived)
    assert event.transaction == identity
    assert endpoint.counters.retransmissions_absorbed == 1


def test_a_cancel_goes_out_with_the_branch_of_its_invite_and_reports_nothing_itself() -> None:
    endpoint = make_endpoint()
    identity, invite = start_invite(endpoint)
    reply(endpoint, invite, 180)
    events_of(endpoint)
    endpoint.cancel(identity, 0.0)  # type: ignore[arg-type]
    endpoint.cancel(identity, 0.0)  # type: ignore[arg-type]
    (cancel,) = sent_by(endpoint)
    assert isinstance(cancel, Request)
    assert cancel.method == "CANCEL"
    assert cancel.top_via.branch == invite.top_via.branch
    assert cancel.to.tag is None
    reply(endpoint, cancel, 200)
    assert events_of(endpoint) == []
    reply(endpoint, invite, 487)
    (event,) = events_of(endpoint)
    assert isinstance(event, ResponseReceived)
    assert event.response.status == 487


def test_a_cancel_after_the_final_response_does_nothing() -> None:
    endpoint = make_endpoint()
    identity, invite = start_invite(endpoint)
    reply(endpoint, invite, 200)
    endpoint.cancel(identity, 0.0)  # type: ignore[arg-type]
    assert sent_by(endpoint) == []


def test_every_2xx_of_a_forked_invite_is_reported() -> None:
    endpoint = make_endpoint()
    _, invite = start_invite(endpoint)
    for tag in ("x", "y", "x"):
        reply(endpoint, invite, 200, tag)
    tags = [e.response.to.tag for e in events_of(endpoint) if isinstance(e, ResponseReceived)]
    assert tags == ["x", "y", "x"]


def test_stray_responses_are_dropped_and_counted() -> None:
    endpoint = make_endpoint()
    _, invite = start_invite(endpoint)
    reply(endpoint, make_request(branch="z9hG4bKnobody"), 200)
    twice = make_response(invite, 200, to_tag="b")
    twice.headers.add("Via", "SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKz")
    endpoint.receive_datagram(serialize(twice), TO_BOB, 0.0)
    assert events_of(endpoint) == []
    assert endpoint.counters.stray_responses == 2


def test_the_ack_to_a_2xx_is_the_same_when_sent_again() -> None:
    endpoint = make_endpoint()
    ack = make_request("ACK", to_tag="b")
    endpoint.send_ack(ack, TO_BOB)
    endpoint.send_ack(ack, TO_BOB)
    (first, _), (second, _) = endpoint.datagrams_to_send()
    assert first == second
    assert endpoint.transactions_alive == 0


def test_an_ack_is_no_transaction() -> None:
    with pytest.raises(LocalProtocolError, match="send_ack"):
        make_endpoint().send_request(make_request("ACK"), TO_BOB, 0.0)


def test_a_dead_transport_fails_the_transactions_that_go_there_and_no_others() -> None:
    endpoint = make_endpoint()
    dead = endpoint.send_request(make_request(), TO_BOB, 0.0)
    endpoint.send_request(make_request("OPTIONS"), flow_to(("192.0.2.3", 5060), ALICE), 0.0)
    endpoint.transport_failed(TO_BOB, "refused", 0.1)
    assert events_of(endpoint) == [TransportFailed(transaction=dead, reason="refused")]
    assert endpoint.transactions_alive == 1
    assert endpoint.counters.transport_failures == 1


def test_a_closed_connection_fails_only_what_went_over_it() -> None:
    endpoint = make_endpoint()
    flows = [Flow(Transport.TCP, BOB, ALICE, connection) for connection in (1, 2, 0)]
    ids = [endpoint.send_request(make_request("OPTIONS"), flow, 0.0) for flow in flows]
    endpoint.transport_failed(flows[0], "closed", 0.1)
    failed = [e.transaction for e in events_of(endpoint) if isinstance(e, TransportFailed)]
    assert failed == [ids[0], ids[2]], "connection 0 may have gone over any"


def test_a_closed_connection_does_not_fail_an_invite_that_rings() -> None:
    endpoint = make_endpoint()
    _, invite = start_invite(endpoint)
    reply(endpoint, invite, 180)
    events_of(endpoint)
    endpoint.transport_failed(TO_BOB, "closed", 0.1)
    assert events_of(endpoint) == []
    reply(endpoint, invite, 200)
    assert [type(e) for e in events_of(endpoint)] == [ResponseReceived]


def test_a_full_endpoint_fails_requests_of_our_own_at_once() -> None:
    endpoint = make_endpoint(limits=EndpointLimits(max_transactions=1))
    endpoint.send_request(make_request("OPTIONS"), TO_BOB, 0.0)
    identity = endpoint.send_request(make_request("OPTIONS"), TO_BOB, 0.0)
    (event,) = events_of(endpoint)
    assert isinstance(event, TransportFailed)
    assert event.transaction == identity
    assert len(endpoint.datagrams_to_send()) == 1


def test_commands_for_unknown_transactions_do_no_harm() -> None:
    endpoint = make_endpoint()
    identity = endpoint.send_request(make_request("OPTIONS"), TO_BOB, 0.0)
    endpoint.handle_timer(100.0)
    endpoint.cancel(identity, 100.0)
    assert endpoint.get_timer() is None
    assert endpoint.transactions_alive == 0
