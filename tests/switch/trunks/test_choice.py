"""Who is tried first and next: order, weight, cost, health, and what is known of addresses."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from switch.ids import LegId
from switch.sip.flow import Transport
from switch.trunks.blocking import Blocked
from switch.trunks.failover import Failure, leads_on, retry_after_of
from switch.trunks.groups import Choice, GroupSettings, Member, in_order
from switch.trunks.health import Health, HealthSettings, is_alive
from switch.trunks.hunt import MOST_ATTEMPTS, Departure, Nowhere
from switch.trunks.limits import TrunkLimits
from switch.trunks.number_format import NumberFormat
from switch.trunks.rates import read_rates
from switch.trunks.settings import TrunkSettings
from switch.trunks.steps import Step
from switch.trunks.targets import AddressesOnly, Server, Target, TargetSource
from switch.trunks.translation import Rule
from switch.trunks.trunks import Trunks

NUMBER = "+442079460123"


def trunk(name: str, last: int, rates: str = "", **more: object) -> TrunkSettings:
    table = read_rates(f"prefix,cost\n{rates}", "rates") if rates else None
    settings = TrunkSettings(name=name, proxy_host=f"192.0.2.{last}", rates=table)
    return replace(settings, **more)  # type: ignore[arg-type]


def trunks(
    *given: TrunkSettings,
    members: tuple[Member, ...] = (),
    choice: Choice = Choice.ORDER,
    addresses: TargetSource | None = None,
) -> Trunks:
    settings = {each.name: each for each in given}
    own = members or tuple(Member(trunk=t.name, order=n) for n, t in enumerate(given))
    groups = {"g": GroupSettings(name="g", members=own, choice=choice)}
    limits = TrunkLimits(settings, groups)
    return Trunks(
        settings,
        groups,
        limits=limits,
        addresses=addresses or AddressesOnly(),
        draw=random.Random(7).random,
        region="US",
    )


def order(of: Trunks, now: float = 0.0) -> list[str]:
    """The hosts that a call tries when all fail."""
    hunt = of.hunt("g", NUMBER, caller_number="1001", caller_name="")
    found = []
    while isinstance(departure := hunt.next(now), Departure):
        found.append(departure.target.host.removeprefix("192.0.2."))
    return found


def first(of: Trunks, now: float = 0.0) -> Departure:
    departure = of.hunt("g", NUMBER, caller_number="1001", caller_name="").next(now)
    assert isinstance(departure, Departure)
    return departure


def test_weights_share_the_calls_of_one_order() -> None:
    members = [
        Member(trunk="a", weight=3),
        Member(trunk="b", weight=1),
        Member(trunk="c", weight=0),
    ]
    draw = random.Random(1).random
    seen = Counter(in_order(members, draw, lambda m: m.order)[0].trunk for _ in range(4000))
    assert 2800 < seen["a"] < 3200
    assert seen["c"] == 0
    assert len(in_order(members, draw, lambda m: m.order)) == 3


def test_the_cheapest_goes_first_and_who_has_no_rate_last() -> None:
    own = trunks(
        trunk("dear", 1, "44,0.02\n1,0.001"),
        trunk("none", 2, "1,0.001"),
        trunk("cheap", 3, "44,0.02\n4420,0.01"),
        choice=Choice.COST,
    )
    assert order(own) == ["3", "1", "2"]
    assert first(own).e164 == NUMBER


def test_equal_costs_are_ordered_by_order() -> None:
    a, b = trunk("a", 1, "44,0.010"), trunk("b", 2, "44,0.01")
    members = (Member(trunk="a", order=2), Member(trunk="b", order=1))
    assert order(trunks(a, b, members=members, choice=Choice.COST)) == ["2", "1"]


def test_an_address_that_is_down_is_tried_last_and_one_that_asked_for_peace_not_at_all() -> None:
    own = trunks(trunk("a", 1), trunk("b", 2), trunk("c", 3))
    down = Failure(408, heard_back=False)
    own.failed(first(own), down, 0.0)
    assert order(own, 1.0) == ["2", "3", "1"]
    own.judge("b", Target(Transport.UDP, "192.0.2.2", 5060), Failure(503, True, 20.0), 1.0)
    assert order(own, 2.0) == ["3", "1"]
    assert order(own, 40.0) == ["1", "2", "3"]


def test_when_all_want_peace_there_is_no_way_out() -> None:
    own = trunks(trunk("a", 1))
    own.failed(first(own), Failure(503, True, 20.0), 0.0)
    hunt = own.hunt("g", NUMBER, caller_number="", caller_name="")
    assert hunt.next(1.0) == Nowhere(503, "trunk-down")


def test_probes_take_an_address_down_and_up_with_hysteresis() -> None:
    settings = HealthSettings(probe_s=10, down_after=2, up_after=2)
    health = Health()
    health.failed(settings, "no answer", 1.0)
    assert health.is_up
    health.failed(settings, "no answer", 11.0)
    assert not health.is_up
    health.answered(settings, 21.0)
    assert not health.is_up
    health.failed(settings, "no answer", 31.0)
    health.answered(settings, 41.0)
    health.answered(settings, 51.0)
    assert health.is_up
    assert health.since == 51.0


@pytest.mark.parametrize(
    ("status", "alive"),
    [(200, True), (404, True), (405, True), (481, True), (500, False), (503, False), (408, False)],
)
def test_what_an_answer_to_options_says(status: int, alive: bool) -> None:
    assert is_alive(status) is alive


def test_a_trunk_that_is_not_registered_is_a_last_resort() -> None:
    own = trunks(trunk("a", 1), trunk("b", 2))
    own.is_usable = lambda name: name != "a"
    assert order(own) == ["2", "1"]
    assert not own.is_up("a", 0.0)
    assert own.is_up("b", 0.0)


class ManyAddresses:
    def targets(self, server: Server) -> list[Target]:
        return [Target(Transport.UDP, f"192.0.2.{n}", 5060) for n in range(20)]


def test_a_call_tries_a_bounded_number_of_addresses() -> None:
    own = trunks(TrunkSettings(name="a", proxy_host="sip.example.com"), addresses=ManyAddresses())
    assert len(order(own)) == MOST_ATTEMPTS
    assert str(first(own).request_uri) == "sip:+442079460123@sip.example.com"


def test_a_name_without_addresses_leads_nowhere() -> None:
    own = trunks(TrunkSettings(name="a", proxy_host="sip.example.com"))
    hunt = own.hunt("g", NUMBER, caller_number="", caller_name="")
    assert hunt.next(0.0) == Nowhere(503, "trunk-down")


def test_a_full_trunk_is_passed_over() -> None:
    own = trunks(trunk("a", 1, max_calls=1), trunk("b", 2))
    own.limits.add("a", LegId("x"))
    assert order(own) == ["2"]


def test_what_a_trunk_makes_of_a_number_may_be_blocked_too() -> None:
    """The digit for a line outside hides what is dialled behind it."""
    settings = {
        "a": trunk("a", 1, rules_out=(Rule(prefix="9", put=""),)),
        "b": trunk("b", 2, rules_out=(Rule(prefix="9", put="8"),)),
    }
    own = Trunks(
        settings,
        {},
        limits=TrunkLimits(settings),
        addresses=AddressesOnly(),
        draw=lambda: 0.0,
        blocked=Blocked(("+1900",)),
    )

    def leaves(way: str, number: str) -> str | Nowhere:
        found = own.hunt(way, number, caller_number="", caller_name="").next(0.0)
        return found if isinstance(found, Nowhere) else found.number

    assert leaves("a", "912025550123") == "12025550123"
    assert leaves("a", "919005550123") == Nowhere(403, "blocked")
    assert leaves("b", "919005550123") == "819005550123"
    steps: list[Step] = []
    own.hunt("a", "919005550123", caller_number="", caller_name="", trace=steps)
    assert Step("written-blocked", "a", "+1900") in steps


def test_a_call_does_not_stand_in_its_own_way() -> None:
    """At the next address of a trunk it is the call that was counted there."""
    settings = TrunkSettings(
        name="a", proxy_host="sip.example.com", max_calls=1, max_calls_per_second=1
    )
    own = trunks(settings, addresses=ManyAddresses())
    leg, now = LegId("x"), 5.0
    hunt = own.hunt("g", NUMBER, caller_number="", caller_name="")
    for attempt in range(MOST_ATTEMPTS):
        departure = hunt.next(now)
        assert isinstance(departure, Departure)
        assert departure.target.host == f"192.0.2.{attempt}"
        own.limits.add("a", leg, now=now, group="g")
        now += 0.1
        hunt.failed(Failure(503, True), has_rung=False)
    assert own.limits.live("a") == 1
    assert own.limits.begun_lately("a", 5.9) == 1
    other = own.hunt("g", NUMBER, caller_number="", caller_name="")
    assert other.next(5.9) == Nowhere(503, "trunk-full")


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (NumberFormat.AS_DIALLED, NUMBER),
        (NumberFormat.E164, "442079460123"),
        (NumberFormat.NATIONAL, "011442079460123"),
        (NumberFormat.DOUBLE_ZERO, "00442079460123"),
    ],
)
def test_numbers_are_written_as_the_trunk_wants_them(form: NumberFormat, written: str) -> None:
    assert first(trunks(trunk("a", 1, number_format=form))).number == written


@pytest.mark.parametrize(
    ("failure", "has_rung", "further", "next_"),
    [
        (Failure(408, False), False, (), True),
        (Failure(503, False), False, (), True),
        (Failure(500, True), False, (), True),
        (Failure(503, True), True, (), False),
        (Failure(486, True), False, (486,), False),
        (Failure(600, True), False, (600,), False),
        (Failure(404, True), False, (404,), False),
        (Failure(403, True), False, (), False),
        (Failure(403, True), False, (403,), True),
        (Failure(480, True), False, (), False),
        (Failure(302, True), False, (), False),
    ],
)
def test_failures_that_lead_on(
    failure: Failure, has_rung: bool, further: tuple[int, ...], next_: bool
) -> None:
    assert leads_on(failure, has_rung=has_rung, further=frozenset(further)) is next_


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        (" 120 (I'm in a meeting)", 120.0),
        ("18000;duration=3600", 3600.0),
        ("", None),
        ("x", None),
        ("-1", None),
        ("\u0663", None),
        (None, None),
        ("9" * 40, None),
    ],
)
def test_retry_after_is_read_with_care(value: str | None, seconds: float | None) -> None:
    assert retry_after_of(value) == seconds
