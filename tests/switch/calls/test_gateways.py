"""Where legs are placed, by values alone."""

from __future__ import annotations

from collections import Counter

import pytest

from switch.calls.gateways import FIRST, Gateways, Member, alone, by_room
from switch.errors import MediaUnavailableError
from switch.gateway.protocol import SendDigits, Welcome
from switch.ids import LegId
from tests.switch.calls.recording_gateway import RecordingGateway


def gateways(*weights: float, ports: int = 40) -> tuple[Gateways, list[Member]]:
    """Gateways that are there, of these weights."""
    members = []
    for number, weight in enumerate(weights):
        link = RecordingGateway(ports, number)
        member = Member(link.name, link, weight=weight)
        member.came(link.start())
        members.append(member)
    return Gateways(members), members


def place(registry: Gateways, leg: str, mate: Member | None = None) -> Member:
    member, _ = registry.take_port(mate)
    registry.put(LegId(leg), member)
    return member


def test_new_calls_go_where_the_most_room_is_in_proportion_to_the_weights() -> None:
    registry, (small, large) = gateways(1.0, 3.0)
    placed = Counter(place(registry, f"leg{n}").name for n in range(40))
    assert placed == {small.name: 10, large.name: 30}
    assert (small.legs, large.legs) == (10, 30)
    assert by_room(registry) == [small, large]
    for n in range(40):
        registry.drop(LegId(f"leg{n}"))
    assert small.legs == large.legs == 0
    assert registry.drop(LegId("leg1")) is None


def test_who_joins_a_call_goes_where_the_call_is_also_while_it_is_drained() -> None:
    registry, (first, second) = gateways(1.0, 1.0)
    for n in range(5):
        place(registry, f"a{n}", first)
    first.is_draining = True
    assert place(registry, "joins", first) is first
    assert place(registry, "new") is second
    second.is_draining = True
    assert not registry.is_available
    assert registry.is_any_connected
    with pytest.raises(MediaUnavailableError):
        registry.take_port(None)
    first.is_draining = False
    assert place(registry, "again") is first


def test_a_full_gateway_leads_on_and_one_that_is_away_does_not() -> None:
    registry, (first, second) = gateways(1.0, 1.0, ports=2)
    place(registry, "a", first)
    place(registry, "b", first)
    assert place(registry, "joins", first) is second
    first.went_away()
    with pytest.raises(MediaUnavailableError):
        registry.take_port(first)
    assert place(registry, "new") is second
    with pytest.raises(MediaUnavailableError):
        registry.take_port(None)


def test_what_lacks_prompts_or_is_not_connected_gets_no_new_calls() -> None:
    registry, (first, second) = gateways(1.0, 1.0)
    first.lacks = ("en/welcome",)
    assert {place(registry, f"leg{n}") for n in range(4)} == {second}
    second.went()
    assert not registry.is_available


def test_the_only_one_is_asked_for_everything_but_for_new_calls_while_it_is_drained() -> None:
    link = RecordingGateway()
    registry = alone(link)
    with pytest.raises(MediaUnavailableError):
        registry.take_port(None)
    member = registry[FIRST]
    member.came(link.start())
    assert place(registry, "a") is member
    member.is_draining = True
    with pytest.raises(MediaUnavailableError):
        registry.take_port(None)
    assert place(registry, "joins", member) is member


def test_a_leg_of_a_gateway_that_is_not_configured_any_more_can_only_be_ended() -> None:
    registry, _ = gateways(1.0)
    registry.restore(LegId("old"), "local-9")
    (gone,) = registry.unknown()
    assert gone.name == "local-9"
    assert registry.legs_of(gone) == (LegId("old"),)
    assert not gone.takes_new
    registry.send(LegId("old"), SendDigits(leg=LegId("old"), digits="1"))
    with pytest.raises(MediaUnavailableError):
        registry.take_port(gone)


def test_the_process_that_comes_back_is_told_from_another_one() -> None:
    member = Member("a", RecordingGateway())
    welcome = Welcome(version=1, gateway="p1", pid=1, rtp_address="127.0.0.9")
    assert not member.came(welcome)
    member.went_away()
    assert member.is_away
    assert member.came(welcome)
    assert not member.is_away
    member.went_away()
    assert not member.came(Welcome(version=1, gateway="p2", pid=2, rtp_address="127.0.0.9"))
    member.went()
    assert not member.came(welcome), "what is gone for good has no legs of ours"
