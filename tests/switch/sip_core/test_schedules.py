"""Retransmission schedules: two endpoints, a wire that loses, and virtual time."""

from __future__ import annotations

import pytest

from switch.sip.endpoint import Endpoint
from switch.sip.events import (
    AckReceived,
    RequestReceived,
    ResponseReceived,
    TransactionTimedOut,
)
from switch.sip.writing import make_response
from tests.switch.sip_core.peer import Wire, events_of, make_request


def lose_from(*senders: str):  # type: ignore[no-untyped-def]
    return lambda sender, nth, data: sender in senders


def request_at_bob(wire: Wire) -> RequestReceived:
    (event,) = events_of(wire.bob)
    assert isinstance(event, RequestReceived)
    return event


def responses_at(endpoint: Endpoint) -> list[ResponseReceived]:
    return [event for event in events_of(endpoint) if isinstance(event, ResponseReceived)]


def test_timer_a_doubles_and_timer_b_gives_up() -> None:
    wire = Wire(lose=lose_from("alice"))
    identity = wire.alice.send_request(make_request(), wire.to_bob, wire.now)
    wire.run(40)
    assert wire.times("alice", "INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert events_of(wire.alice) == [TransactionTimedOut(transaction=identity, timer="B")]
    assert wire.alice.transactions_alive == wire.alice.timers_running == 0


def test_timer_a_does_not_run_over_tcp_but_timer_b_does() -> None:
    wire = Wire(tcp=True, lose=lose_from("alice"))
    wire.alice.send_request(make_request(), wire.to_bob, wire.now)
    wire.run(31.9)
    assert events_of(wire.alice) == []
    wire.run(0.2)
    assert wire.times("alice", "INVITE") == [0]
    assert [type(e) for e in events_of(wire.alice)] == [TransactionTimedOut]


def test_timer_e_doubles_to_t2_and_timer_f_gives_up() -> None:
    wire = Wire(lose=lose_from("alice"))
    identity = wire.alice.send_request(make_request("OPTIONS"), wire.to_bob, wire.now)
    wire.run(40)
    expected = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert wire.times("alice", "OPTIONS") == expected
    assert events_of(wire.alice) == [TransactionTimedOut(transaction=identity, timer="F")]


def test_timer_e_keeps_to_t2_after_a_provisional_response() -> None:
    wire = Wire()
    wire.alice.send_request(make_request("OPTIONS"), wire.to_bob, wire.now)
    wire.exchange()
    event = request_at_bob(wire)
    wire.bob.respond(event.transaction, make_response(event.request, 182, to_tag="b"), wire.now)
    wire.run(10)
    assert wire.times("alice", "OPTIONS") == [0, 0.5, 4.5, 8.5]
    assert wire.times("bob", "182") == [0, 0.5, 4.5, 8.5]


def test_timers_k_and_j_absorb_and_then_forget() -> None:
    wire = Wire(lose=lambda sender, nth, data: sender == "bob" and nth == 1)
    wire.alice.send_request(make_request("OPTIONS"), wire.to_bob, wire.now)
    wire.exchange()
    event = request_at_bob(wire)
    wire.bob.respond(event.transaction, make_response(event.request, 200, to_tag="b"), wire.now)
    wire.run(1)
    assert wire.times("bob", "200") == [0, 0.5]
    assert wire.bob.counters.retransmissions_absorbed == 1
    assert [type(e) for e in events_of(wire.alice)] == [ResponseReceived]
    wire.run(4.4)
    assert wire.alice.transactions_alive == 1
    wire.run(0.2)
    assert wire.alice.transactions_alive == 0
    wire.run(26.3)
    assert wire.bob.transactions_alive == 1
    wire.run(0.2)
    assert wire.bob.transactions_alive == 0


def test_over_tcp_nothing_waits_for_timers_d_i_j_and_k() -> None:
    wire = Wire(tcp=True)
    for method in ("OPTIONS", "INVITE"):
        wire.alice.send_request(make_request(method), wire.to_bob, wire.now)
        wire.exchange()
        event = request_at_bob(wire)
        wire.bob.respond(event.transaction, make_response(event.request, 486, to_tag="b"), wire.now)
        wire.exchange()
        assert wire.alice.transactions_alive == wire.bob.transactions_alive == 0
        assert wire.alice.timers_running == wire.bob.timers_running == 0
    assert wire.times("alice", "ACK") == [0]


def test_timer_g_doubles_to_t2_and_timer_h_gives_up_without_ack() -> None:
    wire = Wire(lose=lambda sender, nth, data: data.startswith(b"ACK"))
    wire.alice.send_request(make_request(), wire.to_bob, wire.now)
    wire.exchange()
    event = request_at_bob(wire)
    wire.bob.respond(event.transaction, make_response(event.request, 486, to_tag="b"), wire.now)
    wire.run(40)
    expected = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert wire.times("bob", "486") == expected
    assert wire.times("alice", "ACK") == expected, "each retransmission is acknowledged"
    assert events_of(wire.bob) == [TransactionTimedOut(transaction=event.transaction, timer="H")]
    assert [e.response.status for e in responses_at(wire.alice)] == [100, 486]


def test_timer_g_does_not_run_over_tcp() -> None:
    wire = Wire(tcp=True, lose=lambda sender, nth, data: data.startswith(b"ACK"))
    wire.alice.send_request(make_request(), wire.to_bob, wire.now)
    wire.exchange()
    event = request_at_bob(wire)
    wire.bob.respond(event.transaction, make_response(event.request, 486, to_tag="b"), wire.now)
    wire.run(40)
    assert wire.times("bob", "486") == [0]
    assert [type(e) for e in events_of(wire.bob)] == [TransactionTimedOut]


def test_timers_d_and_i_after_a_failure() -> None:
    wire = Wire()
    wire.alice.send_request(make_request(), wire.to_bob, wire.now)
    wire.exchange()
    event = request_at_bob(wire)
    wire.bob.respond(event.transaction, make_response(event.request, 486, to_tag="b"), wire.now)
    wire.run(4.9)
    assert wire.bob.transactions_alive == 1
    wire.run(0.2)
    assert wire.bob.transactions_alive == 0, "Timer I, 5 s"
    wire.run(26.8)
    assert wire.alice.transactions_alive == 1
    wire.run(0.2)
    assert wire.alice.transactions_alive == 0, "Timer D, 32 s"


def test_timers_l_and_m_after_a_success() -> None:
    wire = Wire()
    wire.alice.send_request(make_request(), wire.to_bob, wire.now)
    wire.exchange()
    event = request_at_bob(wire)
    success = make_response(event.request, 200, to_tag="b")
    wire.bob.respond(event.transaction, success, wire.now)
    wire.run(0.5)
    wire.bob.respond(event.transaction, success, wire.now)  # the layer above retransmits it
    wire.run(31.4)
    assert wire.times("bob", "200") == [0, 0.5]
    delivered = [
        e.response.status for e in events_of(wire.alice) if isinstance(e, ResponseReceived)
    ]
    assert delivered == [100, 200, 200], "a retransmitted 2xx is handed up again (RFC 6026)"
    assert (wire.alice.transactions_alive, wire.bob.transactions_alive) == (1, 1)
    wire.run(0.2)
    assert (wire.alice.transactions_alive, wire.bob.transactions_alive) == (0, 0)


def test_a_retransmitted_invite_after_a_2xx_is_absorbed() -> None:
    wire = Wire(lose=lambda sender, nth, data: sender == "bob")
    wire.alice.send_request(make_request(), wire.to_bob, wire.now)
    wire.exchange()
    event = request_at_bob(wire)
    wire.bob.respond(event.transaction, make_response(event.request, 200, to_tag="b"), wire.now)
    wire.run(10)
    assert wire.bob.counters.retransmissions_absorbed == 4
    assert wire.times("bob", "200") == [0]
    assert events_of(wire.bob) == []


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_call_is_set_up_whatever_single_datagram_is_lost(lost: int) -> None:
    count = 0

    def lose(sender: str, nth: int, data: bytes) -> bool:
        nonlocal count
        count += 1
        return count == lost

    wire = Wire(lose=lose)
    wire.alice.send_request(make_request(), wire.to_bob, wire.now)
    wire.run(1)
    event = request_at_bob(wire)
    wire.bob.respond(event.transaction, make_response(event.request, 180, to_tag="b"), wire.now)
    success = make_response(event.request, 200, to_tag="b")
    for _ in range(3):
        wire.bob.respond(event.transaction, success, wire.now)
        wire.run(1)
    final = [
        e
        for e in events_of(wire.alice)
        if isinstance(e, ResponseReceived) and e.response.status == 200
    ]
    assert final
    ack = make_request("ACK", call_id=final[0].response.call_id, to_tag="b")
    wire.alice.send_ack(ack, wire.to_bob)
    wire.exchange()
    assert [type(e) for e in events_of(wire.bob)] == [AckReceived]


def test_a_cancel_waits_for_a_provisional_response() -> None:
    wire = Wire(lose=lambda sender, nth, data: sender == "bob" and nth == 1)
    identity = wire.alice.send_request(make_request(), wire.to_bob, wire.now)
    wire.alice.cancel(identity, wire.now)
    wire.alice.cancel(identity, wire.now)
    wire.exchange()
    assert wire.times("alice", "CANCEL") == []
    wire.run(0.6)
    assert wire.times("alice", "CANCEL") == [0.5]


def test_a_cancelled_invite_that_is_never_answered_times_out() -> None:
    wire = Wire()
    identity = wire.alice.send_request(make_request(), wire.to_bob, wire.now)
    wire.exchange()
    wire.alice.cancel(identity, wire.now)
    wire.run(33)
    timeouts = [e for e in events_of(wire.alice) if isinstance(e, TransactionTimedOut)]
    assert timeouts == [TransactionTimedOut(transaction=identity, timer="CANCEL")]
    assert wire.alice.transactions_alive == 0
