"""Legs per trunk are counted, not estimated."""

from __future__ import annotations

from switch.ids import LegId
from switch.trunks.limits import TrunkLimits
from switch.trunks.settings import TrunkSettings


def test_a_trunk_has_room_until_its_legs_are_as_many_as_allowed() -> None:
    limits = TrunkLimits({"lab": TrunkSettings(name="lab", max_calls=2)})
    limits.add("lab", LegId("a"))
    assert limits.has_room("lab")
    limits.add("lab", LegId("b"))
    assert not limits.has_room("lab")
    limits.remove(LegId("a"))
    limits.remove(LegId("a"))
    assert limits.has_room("lab")
    assert limits.live("lab") == 1
    assert limits.legs() == {"b"}


def test_an_unknown_trunk_has_no_room() -> None:
    assert not TrunkLimits({}).has_room("lab")
    assert TrunkLimits({}).live("lab") == 0


def test_a_limit_of_zero_is_none() -> None:
    limits = TrunkLimits({"lab": TrunkSettings(name="lab")})
    limits.add("lab", LegId("a"))
    assert limits.has_room("lab")
