"""Where numbers of the lab lead, for whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.trunks.emergency import EmergencySettings
from switch.trunks.number_plan import (
    Destination,
    NumberPlan,
    Refused,
    ToEntry,
    ToPhone,
    ToTrunk,
    normalise,
)
from switch.trunks.settings import (
    EntrySettings,
    NumberPlanSettings,
    PhoneRange,
    RouteSettings,
    TrunkSettings,
)
from switch.trunks.source import Source

UNKNOWN = Refused(404, "unknown-number")
FORBIDDEN = Refused(403, "not-allowed")
OUT = TrunkSettings(
    name="out",
    proxy_host="127.0.0.1",
    proxy_port=5090,
    callers=frozenset(str(number) for number in range(1001, 1011)),
)


def plan(*, inbound_phones: bool = False) -> NumberPlan:
    lab = TrunkSettings(name="lab", match=("127.0.0.1",), inbound_phones=inbound_phones)
    return NumberPlan(
        NumberPlanSettings(
            entries=(
                EntrySettings(name="menu", numbers=("4000",)),
                EntrySettings(name="echo", numbers=("4002", "+44 1632 960 002")),
            ),
            phones=(
                PhoneRange(first="1001", last="1050"),
                PhoneRange(first="2000", last="5999", callers_from_trunks=False),
            ),
            routes=(RouteSettings(trunk="out", prefixes=("+",), min_digits=7),),
            trunks={"lab": lab, "out": OUT},
        )
    )


@pytest.mark.parametrize(
    ("source", "name", "number", "expected"),
    [
        (Source.TRUNK, "lab", "4000", ToEntry("menu", "4000")),
        (Source.PHONE, "1011", "4000", ToEntry("menu", "4000")),
        (Source.TRUNK, "lab", "40-02", ToEntry("echo", "4002")),
        (Source.TRUNK, "lab", "+441632960002", ToEntry("echo", "+441632960002")),
        (Source.PHONE, "1001", "1050", ToPhone("1050")),
        (Source.PHONE, "1001", "2000", ToPhone("2000")),
        (Source.PHONE, "2000", "1001", ToPhone("1001")),
        (Source.PHONE, "1001", "1051", UNKNOWN),
        (Source.PHONE, "1001", "01001", UNKNOWN),
        (Source.TRUNK, "lab", "1001", UNKNOWN),
        (Source.PHONE, "1001", "+12025550100", ToTrunk("out", "+12025550100")),
        (Source.PHONE, "1010", "(202) 555-0100", ToTrunk("out", "2025550100")),
        (Source.PHONE, "1010", "5550100", ToTrunk("out", "5550100")),
        (Source.PHONE, "1010", "555010", UNKNOWN),
        (Source.PHONE, "1011", "+12025550100", FORBIDDEN),
        (Source.PHONE, "lab", "+12025550100", FORBIDDEN),
        (Source.TRUNK, "lab", "+12025550100", FORBIDDEN),
        (Source.TRUNK, "1001", "+12025550100", FORBIDDEN),
        (Source.TRUNK, "nobody", "1001", UNKNOWN),
        (Source.PHONE, "1001", "", UNKNOWN),
        (Source.PHONE, "1001", "sales", UNKNOWN),
        (Source.PHONE, "1001", "+sales", UNKNOWN),
        (Source.PHONE, "1001", "+", UNKNOWN),
        (Source.PHONE, "1001", "٤٠٠٠٤٠٠٠", UNKNOWN),
        (Source.PHONE, "1001", "+" + "1" * 60, UNKNOWN),
    ],
)
def test_numbers_lead_where_the_plan_says(
    source: Source, name: str, number: str, expected: Destination
) -> None:
    assert plan().resolve(source, name, number) == expected


def test_trunk_callers_reach_phones_only_where_trunk_and_range_allow_it() -> None:
    opened = plan(inbound_phones=True)
    assert opened.resolve(Source.TRUNK, "lab", "1001") == ToPhone("1001")
    assert opened.resolve(Source.TRUNK, "lab", "2000") == UNKNOWN


@given(number=st.text(max_size=40), name=st.sampled_from(["lab", "out", "1001", ""]))
def test_nothing_a_trunk_caller_dials_leaves_through_a_trunk(number: str, name: str) -> None:
    assert not isinstance(plan().resolve(Source.TRUNK, name, number), ToTrunk)


@given(number=st.text(max_size=40))
def test_normalising_twice_changes_nothing(number: str) -> None:
    assert normalise(normalise(number)) == normalise(number)


def test_separators_and_parameters_are_stripped_and_letters_kept() -> None:
    assert normalise("+1 (202) 555-0100;phone-context=example.com") == "+12025550100"
    assert normalise("al-ice") == "alice"


def test_a_number_with_two_entries_is_refused() -> None:
    entries = (
        EntrySettings(name="a", numbers=("4000",)),
        EntrySettings(name="b", numbers=("40 00",)),
    )
    with pytest.raises(ValueError, match="leads to 'a' and to 'b'"):
        NumberPlan(NumberPlanSettings(entries=entries))


def test_a_route_to_a_trunk_that_is_not_there_or_takes_no_calls_is_refused() -> None:
    route = RouteSettings(trunk="out", prefixes=("+",))
    with pytest.raises(ValueError, match="no such trunk"):
        NumberPlan(NumberPlanSettings(routes=(route,)))
    inbound = TrunkSettings(name="out", match=("192.0.2.1",))
    with pytest.raises(ValueError, match="no proxy_host"):
        NumberPlan(NumberPlanSettings(routes=(route,), trunks={"out": inbound}))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+1 202 555 0100", ToTrunk("back", "+12025550100")),
        ("2025550100", FORBIDDEN),
        ("1001", ToPhone("1001")),
        ("4000", UNKNOWN),
        ("911", UNKNOWN),
        ("sales", UNKNOWN),
        ("+1" + "2" * 40, UNKNOWN),
    ],
)
def test_customers_are_called_back_where_a_trunk_allows_it(
    number: str, expected: Destination
) -> None:
    back = TrunkSettings(name="back", proxy_host="127.0.0.1", call_backs=True)
    numbers = NumberPlan(
        NumberPlanSettings(
            entries=(EntrySettings(name="menu", numbers=("4000",)),),
            phones=(PhoneRange(first="1001", last="1050"),),
            routes=(
                RouteSettings(trunk="out", prefixes=("+",), min_digits=7),
                RouteSettings(trunk="back", prefixes=("+",)),
            ),
            trunks={"out": OUT, "back": back},
        )
    )
    assert numbers.call_back(number) == expected


@pytest.mark.parametrize(
    ("number", "way", "expected"),
    [
        ("+1 202 555 0100", "", ToTrunk("wide", "+12025550100")),
        ("+1 202 555 0100", "wide", ToTrunk("wide", "+12025550100")),
        ("+1 202 555 0100", "out", FORBIDDEN),
        ("+1 202 555 0100", "nowhere", UNKNOWN),
        ("2025550100", "wide", UNKNOWN),
        ("1001", "", UNKNOWN),
        ("4000", "", UNKNOWN),
        ("911", "", UNKNOWN),
        ("sales", "", UNKNOWN),
        ("+1" + "2" * 40, "", UNKNOWN),
        ("+88 1234567", "", Refused(403, "blocked")),
    ],
)
def test_campaigns_call_where_a_trunk_allows_it(
    number: str, way: str, expected: Destination
) -> None:
    wide = TrunkSettings(name="wide", proxy_host="127.0.0.1", campaigns=True)
    numbers = NumberPlan(
        NumberPlanSettings(
            entries=(EntrySettings(name="menu", numbers=("4000",)),),
            phones=(PhoneRange(first="1001", last="1050"),),
            routes=(
                RouteSettings(trunk="out", prefixes=("+",), min_digits=7),
                RouteSettings(trunk="wide", prefixes=("+",)),
            ),
            trunks={"out": OUT, "wide": wide},
            blocked=("+88",),
            emergency=EmergencySettings(numbers=frozenset({"911"}), way="out"),
        )
    )
    assert numbers.campaign(number, way) == expected
