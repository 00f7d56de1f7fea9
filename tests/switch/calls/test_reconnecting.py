"""A phone over TLS loses its connection, or its server, and comes back by another: its calls go on."""

from __future__ import annotations

import pytest

from switch.registrar.location import Binding, contact_key
from switch.sip.flow import Flow, Transport
from switch.sip.uri import Uri
from tests.switch.calls.bench import SWITCH, Bench
from tests.switch.calls.phone import Phone


def register(
    bench: Bench, phone: Phone, connection: int, *, port: int = 0, host: str = "127.0.0.1"
) -> None:
    """As the registrar does; `port`: another one than before in its Contact."""
    contact = f"sip:{phone.number}@{host}:{port or phone.address[1]}"
    flow = Flow(Transport.TLS, phone.address, SWITCH, connection)
    expires_at = bench.clock.now() + 600.0
    binding = Binding(contact_uri=contact, flow=flow, expires_at=expires_at)
    bench.location.put(phone.number, contact_key(Uri.parse(contact)), binding)


def talking(bench: Bench, *, connection: int, number: str = "1002") -> tuple[Phone, Phone]:
    """1001 talks to a phone that registered by this connection."""
    ann, bob = bench.phone("1001"), bench.stranger(number, ("127.0.0.1", 7500 + connection))
    register(bench, bob, connection)
    ann.call(number)
    bob.answer()
    assert way_of(bench, bob) == connection
    return ann, bob


def way_of(bench: Bench, phone: Phone) -> int:
    """The connection that requests to the phone take now."""
    legs = [leg for leg in bench.calls.legs if leg.phone == phone.number]
    found = [bench.user_agent.way_to(leg.session) for leg in legs]
    (way,) = [each for each in found if each and each[1].port == phone.address[1]]
    return way[0].connection


def test_a_call_goes_by_the_connection_that_its_phone_has_now() -> None:
    bench = Bench()
    ann, bob = talking(bench, connection=7)
    bench.calls.connection_closed(7)
    register(bench, bob, 9)
    assert way_of(bench, bob) == 9
    register(bench, bob, 9)
    ann.hang_up()
    assert bob.is_idle
    bench.location.drop_all("1002")
    bench.check_forgotten()


@pytest.mark.parametrize("port", [0, 49152])
def test_so_does_one_of_a_process_that_is_gone(port: int) -> None:
    """The only phone of its number may have another Contact than before."""
    bench = Bench()
    ann, bob = talking(bench, connection=7)
    bench.restart()
    assert way_of(bench, bob) == 0
    register(bench, bob, 1, port=port)
    assert way_of(bench, bob) == 1
    ann.hang_up()
    assert bob.is_idle
    bench.location.drop_all("1002")
    bench.check_forgotten()


def test_another_phone_of_the_number_takes_no_call_away() -> None:
    """Not even where it is back first, and alone until the other is."""
    bench = Bench()
    ann, bob = talking(bench, connection=7)
    other = bench.stranger("1002", ("127.0.0.1", 7999))
    register(bench, other, 8, host="127.0.0.9")
    assert way_of(bench, bob) == 7, "its connection lives"
    bench.restart()
    register(bench, other, 1, host="127.0.0.9")
    assert way_of(bench, bob) == 0
    register(bench, bob, 2)
    assert way_of(bench, bob) == 2
    ann.hang_up()
    assert bob.is_idle
    bench.location.drop_all("1002")
    bench.check_forgotten()


def test_who_has_the_contact_of_a_call_gets_it_back() -> None:
    """Two devices of a host cannot be told apart until both are back."""
    bench = Bench()
    ann, bob = talking(bench, connection=7)
    other = bench.stranger("1002", ("127.0.0.1", 7999))
    register(bench, other, 8)
    bench.restart()
    register(bench, other, 1)
    register(bench, bob, 2)
    assert way_of(bench, bob) == 2
    register(bench, other, 3)
    assert way_of(bench, bob) == 2
    ann.hang_up()
    assert bob.is_idle
    bench.location.drop_all("1002")
    bench.check_forgotten()
