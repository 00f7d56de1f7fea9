"""Events go to those who take their type, in order; nobody takes what is no event."""

from __future__ import annotations

import pytest

from switch.calls.events import CallEvent, LegRinging, PhoneReachable
from switch.calls.fan_out import FanOut, everything
from switch.ids import LegId

RINGS = LegRinging(leg=LegId("a"), at=1.0)
REACHABLE = PhoneReachable(phone="1001", at=1.0, reachable=True)


def test_an_event_goes_to_those_who_take_it_in_the_order_given() -> None:
    heard: list[tuple[str, CallEvent]] = []
    hand_out = FanOut(
        {LegRinging: lambda event: heard.append(("first", event))},
        everything(lambda event: heard.append(("all", event))),
        {PhoneReachable: lambda event: heard.append(("last", event))},
    )
    hand_out(RINGS)
    hand_out(REACHABLE)
    assert heard == [("first", RINGS), ("all", RINGS), ("all", REACHABLE), ("last", REACHABLE)]


def test_what_nobody_takes_is_no_fault() -> None:
    FanOut({LegRinging: lambda event: None})(REACHABLE)
    FanOut()(RINGS)


def test_who_takes_what_is_no_event_of_the_calls_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="no events of the calls"):
        FanOut({str: lambda event: None})
