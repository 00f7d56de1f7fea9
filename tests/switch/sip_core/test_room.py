"""Room for transactions: what is over gives way, and strangers have a part of it only."""

from __future__ import annotations

import tracemalloc

import pytest

from switch.sip.endpoint import Endpoint
from switch.sip.events import AckReceived, CancelReceived, RequestReceived, TransactionId
from switch.sip.flow import Flow
from switch.sip.limits import EndpointLimits
from switch.sip.message import Response
from switch.sip.ports import Unguarded
from switch.sip.writing import make_response, serialize
from tests.switch.sip_core.peer import (
    ALICE,
    BOB,
    Wire,
    events_of,
    flow_to,
    make_endpoint,
    make_request,
    sent_by,
    statuses_of,
)

FROM_ALICE = flow_to(ALICE, BOB)
FROM_CAROL = flow_to(("192.0.2.3", 5060), BOB)


class Door(Unguarded):
    """Everybody is a stranger but those named."""

    def __init__(self, *known: str) -> None:
        self.known = set(known)
        self.notes: list[tuple[str, str]] = []

    def is_stranger(self, host: str, now: float) -> bool:
        return host not in self.known

    def turns_away(
        self, host: str, user_agent: str, now: float, *, is_connected: bool = False
    ) -> bool:
        return user_agent == "scanner"

    def malformed(self, host: str, now: float, *, is_connected: bool = False) -> None:
        self.notes.append(("malformed", host))

    def half_open(self, host: str, now: float, *, is_connected: bool = False) -> None:
        self.notes.append(("half-open", host))


def answer_all(endpoint: Endpoint, status: int, now: float = 0.0) -> TransactionId:
    """Answer what came; gives the last transaction."""
    transaction = TransactionId("")
    for event in events_of(endpoint):
        assert isinstance(event, RequestReceived)
        response = make_response(event.request, status, to_tag="b")
        endpoint.respond(event.transaction, response, now)
        transaction = event.transaction
    return transaction


def give(endpoint: Endpoint, method: str, number: int, flow: object = FROM_ALICE) -> None:
    request = make_request(method, branch=f"z9hG4bK{number}", call_id=f"c{number}")
    endpoint.receive_datagram(serialize(request), flow, 0.0)  # type: ignore[arg-type]


def test_answered_requests_give_way_to_new_ones() -> None:
    endpoint = make_endpoint(limits=EndpointLimits(max_transactions=10))
    for number in range(1000):
        give(endpoint, "OPTIONS", number)
        answer_all(endpoint, 200)
    assert statuses_of(endpoint) == [200] * 1000
    assert (endpoint.transactions_alive, endpoint.transactions_under_way) == (10, 0)
    assert endpoint.timers_running == 10
    assert endpoint.counters.rests_cut_short == 990
    give(endpoint, "OPTIONS", 999)  # the last ones still absorb retransmissions
    assert events_of(endpoint) == []
    assert statuses_of(endpoint) == [200]


def test_requests_that_wait_for_an_answer_do_not_give_way() -> None:
    endpoint = make_endpoint(limits=EndpointLimits(max_transactions=10))
    for number in range(11):
        give(endpoint, "OPTIONS", number)
    assert statuses_of(endpoint) == [503]
    assert (endpoint.transactions_alive, endpoint.transactions_under_way) == (10, 10)


def test_our_own_requests_take_the_place_of_what_is_over_too() -> None:
    endpoint = make_endpoint(limits=EndpointLimits(max_transactions=1))
    give(endpoint, "OPTIONS", 1)
    answer_all(endpoint, 200)
    endpoint.send_request(make_request("OPTIONS"), FROM_ALICE, 0.0)
    assert endpoint.transactions_alive == 1
    assert events_of(endpoint) == []


def test_calls_over_the_wire_work_while_everything_over_gives_way() -> None:
    wire = Wire()
    wire.ends["bob"] = make_endpoint(limits=EndpointLimits(max_transactions=1))
    for number in range(20):
        wire.alice.send_request(make_request(call_id=f"c{number}"), wire.to_bob, wire.now)
        wire.exchange()
        transaction = answer_all(wire.bob, 200, wire.now)
        wire.exchange()
        ack = make_request("ACK", call_id=f"c{number}", to_tag="b")
        wire.alice.send_ack(ack, wire.to_bob)
        wire.exchange()
        assert [type(event) for event in events_of(wire.bob)] == [AckReceived]
        wire.bob.acknowledged(transaction, wire.now)
    assert wire.bob.transactions_alive == 1
    wire.run(33.0)
    assert wire.bob.transactions_alive == 0


def test_a_2xx_that_nobody_acknowledged_yet_does_not_give_way() -> None:
    endpoint = make_endpoint(limits=EndpointLimits(max_transactions=1))
    give(endpoint, "INVITE", 1)
    answer_all(endpoint, 200)
    give(endpoint, "OPTIONS", 2)
    assert statuses_of(endpoint) == [200, 503]


def test_refused_invites_that_nobody_acknowledges_do_not_shut_out_others() -> None:
    """As a flood in the name of a trunk or an office, whose share is all of the room."""
    endpoint = make_endpoint(limits=EndpointLimits(max_transactions=10))
    give(endpoint, "INVITE", 1)  # a call that rings goes on
    events_of(endpoint)
    for number in range(100, 200):
        give(endpoint, "INVITE", number, FROM_CAROL)
        answer_all(endpoint, 404)
    assert endpoint.transactions_under_way == 1
    give(endpoint, "REGISTER", 2)
    answer_all(endpoint, 200)
    assert 503 not in statuses_of(endpoint)
    cancel = make_request("CANCEL", branch="z9hG4bK1", call_id="c1")
    endpoint.receive_datagram(serialize(cancel), FROM_ALICE, 0.0)
    assert [type(event) for event in events_of(endpoint)] == [CancelReceived]


def test_what_rests_gives_way_before_what_was_refused() -> None:
    endpoint = make_endpoint(limits=EndpointLimits(max_transactions=2))
    give(endpoint, "INVITE", 1)
    answer_all(endpoint, 404)
    give(endpoint, "OPTIONS", 2)
    answer_all(endpoint, 200)
    give(endpoint, "OPTIONS", 3)
    answer_all(endpoint, 200)
    sent_by(endpoint)
    give(endpoint, "INVITE", 1)
    assert statuses_of(endpoint) == [404]


@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "OPTIONS"])
def test_a_challenge_is_sent_once_and_leaves_nothing(method: str, status: int) -> None:
    endpoint = make_endpoint()
    for _ in range(3):  # a retransmission is challenged anew
        give(endpoint, method, 1)
        answer_all(endpoint, status)
        (challenge,) = sent_by(endpoint)  # and no 100, after which no INVITE is sent again
        assert isinstance(challenge, Response)
        assert challenge.status == status
        assert (endpoint.transactions_alive, endpoint.timers_running) == (0, 0)
    assert endpoint.counters.challenges_sent == 3


def test_the_ack_of_a_challenge_is_known_and_absorbed() -> None:
    endpoint = make_endpoint()
    give(endpoint, "INVITE", 1)
    answer_all(endpoint, 401)
    (challenge,) = sent_by(endpoint)
    assert isinstance(challenge, Response)
    ack = make_request("ACK", branch="z9hG4bK1", call_id="c1", to_tag=challenge.to.tag or "")
    endpoint.receive_datagram(serialize(ack), FROM_ALICE, 0.0)
    assert events_of(endpoint) == []
    assert sent_by(endpoint) == []


def test_acks_beyond_the_events_that_may_wait_are_counted() -> None:
    endpoint = make_endpoint(limits=EndpointLimits(max_events=2))
    for number in range(5):
        ack = make_request("ACK", branch=f"z9hG4bK{number}", call_id=f"c{number}", to_tag="b")
        endpoint.receive_datagram(serialize(ack), FROM_ALICE, 0.0)
    assert [type(event) for event in events_of(endpoint)] == [AckReceived] * 2
    assert endpoint.counters.acks_dropped == 3


def test_one_stranger_has_a_part_of_the_room() -> None:
    limits = EndpointLimits(max_transactions=100, max_strangers=10, max_per_stranger=3)
    endpoint = make_endpoint(limits=limits, doorkeeper=Door("192.0.2.3"))
    for number in range(20):
        give(endpoint, "INVITE", number)
    assert statuses_of(endpoint).count(503) == 17
    assert endpoint.strangers_alive == 3
    assert endpoint.counters.shed_strangers == 17
    assert endpoint.fullest_stranger == 3
    for number in range(20, 60):
        give(endpoint, "INVITE", number, FROM_CAROL)
    assert statuses_of(endpoint) == [100] * 40


def test_all_strangers_together_have_a_part_of_the_room() -> None:
    limits = EndpointLimits(max_transactions=100, max_strangers=10, max_per_stranger=3)
    endpoint = make_endpoint(limits=limits, doorkeeper=Door("192.0.2.3"))
    for number in range(40):
        give(endpoint, "INVITE", number, flow_to((f"198.51.100.{number}", 5060), BOB))
    assert statuses_of(endpoint).count(503) == 30
    give(endpoint, "INVITE", 99, FROM_CAROL)
    assert statuses_of(endpoint) == [100]


def test_what_a_stranger_has_done_with_does_not_count() -> None:
    limits = EndpointLimits(max_per_stranger=3)
    endpoint = make_endpoint(limits=limits, doorkeeper=Door())
    for number in range(20):
        give(endpoint, "OPTIONS", number)
        answer_all(endpoint, 200)
        give(endpoint, "INVITE", 100 + number)
        answer_all(endpoint, 401)
    assert 503 not in statuses_of(endpoint)
    assert endpoint.strangers_alive == 0


def test_a_stranger_that_never_acknowledges_is_told_of_and_leaves_nothing() -> None:
    door = Door()
    endpoint = make_endpoint(doorkeeper=door)
    give(endpoint, "INVITE", 1)
    answer_all(endpoint, 404)
    assert endpoint.strangers_alive == 1
    now = 0.0
    while (due := endpoint.get_timer()) is not None:
        now = due
        endpoint.handle_timer(now)
    assert now == 32.0
    assert door.notes == [("half-open", "192.0.2.1")]
    assert (endpoint.strangers_alive, endpoint.transactions_alive) == (0, 0)


def test_malformed_messages_are_told_of() -> None:
    door = Door()
    endpoint = make_endpoint(doorkeeper=door)
    endpoint.receive_datagram(b"nonsense", FROM_ALICE, 0.0)
    assert door.notes == [("malformed", "192.0.2.1")]


def test_a_scheme_that_we_do_not_serve_is_no_offence() -> None:
    door = Door()
    endpoint = make_endpoint(doorkeeper=door)
    request = make_request("INVITE", branch="z9hG4bK1", uri="im:bob@192.0.2.2")
    endpoint.receive_datagram(serialize(request), FROM_ALICE, 0.0)
    assert statuses_of(endpoint) == [416]
    assert (door.notes, endpoint.malformed) == ([], {416: 1})


BODY = b"x" * 60_000


@pytest.mark.parametrize("flow", [FROM_ALICE, flow_to(ALICE, BOB, tcp=True)], ids=["udp", "tcp"])
def test_what_a_refused_invite_was_about_is_let_go_at_once(flow: Flow) -> None:
    """Its answer is repeated until an ACK comes, for half a minute where none does."""
    endpoint = make_endpoint(doorkeeper=Door())
    requests = [make_request(branch=f"z9hG4bK{n}", call_id=f"c{n}") for n in range(200)]
    tracemalloc.start()
    try:
        for request in requests:
            request.body = BODY
            endpoint.receive_datagram(serialize(request), flow, 0.0)
            answer_all(endpoint, 415)
            assert statuses_of(endpoint) == [415]
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert endpoint.strangers_alive == 200
    assert kept < 200 * len(BODY) / 10
    endpoint.receive_datagram(serialize(requests[7]), flow, 0.0)
    assert statuses_of(endpoint) == [415]
    cancel = make_request("CANCEL", branch="z9hG4bK7", call_id="c7")
    endpoint.receive_datagram(serialize(cancel), flow, 0.0)
    (done,) = sent_by(endpoint)
    assert isinstance(done, Response)
    assert (done.status, done.to.tag) == (200, "b"), "with the tag of the refusal"


def test_a_refusal_finds_its_peer_when_the_connection_is_gone() -> None:
    endpoint = make_endpoint()
    lives = True
    endpoint.asks_for_connections(lambda flow: lives)
    request = make_request(branch="z9hG4bK1", call_id="c1")
    request.body = BODY
    came_by = flow_to(("192.0.2.1", 40_000), BOB, tcp=True)
    endpoint.receive_datagram(serialize(request), came_by, 0.0)
    answer_all(endpoint, 415)
    endpoint.datagrams_to_send()
    lives = False
    endpoint.receive_datagram(serialize(request), came_by, 0.0)
    ((_, flow),) = endpoint.datagrams_to_send()
    assert (flow.remote, flow.connection) == (("192.0.2.1", 5060), 0)


def test_scanners_get_no_answer() -> None:
    endpoint = make_endpoint(doorkeeper=Door())
    request = make_request("OPTIONS", branch="z9hG4bK1", extra=(("User-Agent", "scanner"),))
    endpoint.receive_datagram(serialize(request), FROM_ALICE, 0.0)
    assert sent_by(endpoint) == []
    assert events_of(endpoint) == []
    assert endpoint.counters.turned_away == 1
