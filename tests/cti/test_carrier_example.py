"""The example with two carriers: what it says of numbers is so."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from cti.settings import load
from cti.site import site_of
from switch.trunks.hunt import Departure
from switch.trunks.limits import TrunkLimits
from switch.trunks.number_plan import NumberPlan, Refused, ToTrunk
from switch.trunks.source import Source
from switch.trunks.targets import AddressesOnly
from switch.trunks.trunks import Trunks
from tests.architecture.tree import ROOT

SITE = site_of(load(Path(ROOT / "examples/carrier/site.toml")))
PLAN = NumberPlan(SITE.plan)


def attempts(number: str, by: str) -> list[tuple[str, str, str]]:
    """Trunk, number and caller of each attempt, in order."""
    trunks = Trunks(
        SITE.trunks,
        PLAN.groups,
        limits=TrunkLimits(SITE.trunks, PLAN.groups),
        addresses=AddressesOnly(),
        draw=random.Random(1).random,
        region=PLAN.region,
        emergency=PLAN.emergency,
    )
    found = PLAN.resolve(Source.PHONE, by, number)
    assert isinstance(found, ToTrunk)
    hunt = trunks.hunt(found.trunk, found.number, caller_number=by, caller_name="")
    made = []
    while isinstance(next_ := hunt.next(0.0), Departure):
        made.append((next_.trunk.name, next_.number, next_.caller.number))
    return made


def test_the_cheaper_carrier_goes_first_and_each_writes_numbers_in_its_own_way() -> None:
    assert attempts("2025550123", "201") == [
        ("alpha", "12025550123", "12025550100"),
        ("beta", "+12025550123", "+12025550100"),
    ]
    assert [name for name, _, _ in attempts("+13035550123", "201")] == ["beta", "alpha"]
    assert [name for name, _, _ in attempts("+447700900123", "201")] == ["alpha", "beta"]


@pytest.mark.parametrize(("phone", "place"), [("201", "+12025550100"), ("207", "+12025550105")])
def test_emergency_calls_show_the_place_of_the_phone(phone: str, place: str) -> None:
    made = attempts("911", phone)
    assert {number for _, number, _ in made} == {"911"}
    assert {caller.removeprefix("+") for _, _, caller in made} == {place.removeprefix("+")}


def test_premium_numbers_are_blocked() -> None:
    assert PLAN.resolve(Source.PHONE, "201", "9005550123") == Refused(403, "blocked")
