"""Requests that are refused unread: their answer, their copies, their ACK."""

from __future__ import annotations

import itertools

import pytest

from switch.sip.endpoint import Endpoint
from switch.sip.flow import Flow, Transport
from switch.sip.limits import EndpointLimits
from switch.sip.message import Request, Response
from switch.sip.parsing import parse
from switch.sip.surplus import REMEMBERED_S
from switch.sip.transaction import stateless_tag

FLOW = Flow(Transport.UDP, ("192.0.2.7", 40_000), ("192.0.2.1", 5060))


def invite(
    number: int = 1,
    via: str = ";rport",
    method: str = "INVITE",
    change: tuple[str, str] = ("", ""),
) -> bytes:
    text = (
        f"{method} sip:4000@example.com SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK{number}{via}\r\n"
        f"From: <sip:grace@example.com>;tag=1\r\nTo: <sip:4000@example.com>\r\n"
        f"Call-ID: call{number}\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    )
    return text.replace(*change).encode() if change[0] else text.encode()


def ack(number: int, tag: str) -> bytes:
    return (
        invite(number)
        .replace(b"INVITE", b"ACK")
        .replace(b"To: <sip:4000@example.com>", f"To: <sip:4000@example.com>;tag={tag}".encode())
    )


@pytest.fixture
def endpoint() -> Endpoint:
    names = itertools.count(1)
    return Endpoint(new_branch=lambda: str(next(names)), limits=EndpointLimits(max_transactions=50))


def sent(endpoint: Endpoint) -> list[tuple[Response, Flow]]:
    found: list[tuple[Response, Flow]] = []
    for data, flow in endpoint.datagrams_to_send():
        message = parse(data)
        assert isinstance(message, Response)
        found.append((message, flow))
    return found


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "OPTIONS"])
def test_the_answer_is_503_with_all_that_an_answer_repeats(endpoint: Endpoint, method: str) -> None:
    data = invite(method=method)
    assert endpoint.surplus.refuse(data, FLOW, 1.0)
    ((answer, flow),) = sent(endpoint)
    request = parse(data)
    assert isinstance(request, Request)
    assert answer.status == 503
    assert answer.headers.get("Retry-After") == "5"
    assert answer.to.tag == stateless_tag(request)
    assert answer.headers.get("From") == request.headers.get("From")
    assert (answer.call_id, answer.cseq) == (request.call_id, request.cseq)
    assert answer.top_via.params["received"] == "192.0.2.7"
    assert answer.top_via.params["rport"] == "40000"
    assert flow == FLOW
    assert endpoint.answered == {503: 1}
    assert endpoint.transactions_alive == 0
    assert not endpoint.has_event


def test_it_goes_where_the_peer_listens(endpoint: Endpoint) -> None:
    endpoint.surplus.refuse(invite(via=""), FLOW, 1.0)
    ((answer, flow),) = sent(endpoint)
    assert flow.remote == ("192.0.2.7", 5070)
    assert "received" not in answer.top_via.params


@pytest.mark.parametrize(
    "change",
    [
        ("CSeq: ", "CSeq: \r\n "),
        ("From: ", 'From: "Gräce" '),
        ("To: ", "X-Long: a\r\n b\r\nTo: "),
    ],
    ids=["folded", "not ASCII", "folded elsewhere"],
)
def test_what_is_written_in_an_unusual_way_gets_the_same_answer(
    endpoint: Endpoint, change: tuple[str, str]
) -> None:
    assert endpoint.surplus.refuse(invite(change=change), FLOW, 1.0)
    ((answer, flow),) = sent(endpoint)
    assert (answer.status, answer.headers.get("Retry-After"), flow) == (503, "5", FLOW)
    assert endpoint.surplus.has_refused("z9hG4bK1 192.0.2.7:5070 INVITE", 2.0)


def test_a_copy_gets_the_same_answer_when_there_is_time_again(endpoint: Endpoint) -> None:
    endpoint.surplus.refuse(invite(), FLOW, 1.0)
    ((first, _),) = sent(endpoint)
    endpoint.receive_datagram(invite(), FLOW, 2.0)
    ((second, _),) = sent(endpoint)
    assert (second.status, second.to.tag) == (503, first.to.tag)
    assert not endpoint.has_event
    endpoint.receive_datagram(invite(), FLOW, 1.0 + REMEMBERED_S)
    assert endpoint.has_event


def test_the_copy_of_a_request_under_way_is_not_refused(endpoint: Endpoint) -> None:
    for data in (invite(), invite(2, change=("CSeq: ", "CSeq: \r\n "))):
        endpoint.receive_datagram(data, FLOW, 1.0)
        assert [answer.status for answer, _ in sent(endpoint)] == [100]
        assert not endpoint.surplus.refuse(data, FLOW, 1.5)
        assert sent(endpoint) == []


def test_what_is_malformed_is_left_to_the_reader(endpoint: Endpoint) -> None:
    for data in (
        b"INVITE nonsense",
        b"",
        b"SIP/2.0 200 OK\r\n\r\n",
        invite(change=("From: ", "X-From: ")),
    ):
        assert not endpoint.surplus.refuse(data, FLOW, 1.0)
    assert sent(endpoint) == []


def test_its_ack_needs_no_reading(endpoint: Endpoint) -> None:
    assert not endpoint.surplus.is_over(ack(1, "s01234567"))
    endpoint.surplus.refuse(invite(), FLOW, 1.0)
    ((answer, _),) = sent(endpoint)
    assert answer.to.tag is not None
    mine = ack(1, answer.to.tag)
    assert endpoint.surplus.is_over(mine)
    assert not endpoint.surplus.is_over(ack(1, "s01234567"))
    endpoint.receive_datagram(mine, FLOW, 1.0)
    assert not endpoint.has_event, "read all the same, it belongs to nobody"


def test_memory_of_refusals_is_bounded_and_ends(endpoint: Endpoint) -> None:
    keys = [f"z9hG4bK{number} 192.0.2.7:5070 INVITE" for number in range(200)]
    for number in range(200):
        endpoint.surplus.refuse(invite(number), FLOW, 1.0)
    assert [endpoint.surplus.has_refused(key, 1.0) for key in keys] == [False] * 150 + [True] * 50
    oldest, *_, newest = (answer.to.tag or "" for answer, _ in sent(endpoint))
    assert not endpoint.surplus.is_over(ack(0, oldest))
    assert endpoint.surplus.is_over(ack(199, newest))
    assert not any(endpoint.surplus.has_refused(key, 1.0 + REMEMBERED_S) for key in keys)
