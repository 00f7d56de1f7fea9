"""Numbers of carriers: formats, translation rules, rates, blocked prefixes, emergency calls, arrivals."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.trunks.arrivals import arrive
from switch.trunks.emergency import EmergencySettings, emergency_numbers_of
from switch.trunks.groups import GroupSettings, Member
from switch.trunks.identity import CallerHeader, CallerPolicy, OwnNumbers, choose_caller
from switch.trunks.number_format import NumberFormat, read, to_e164, write
from switch.trunks.number_plan import NumberPlan, Refused, ToTrunk
from switch.trunks.rates import RateTable, read_rates
from switch.trunks.settings import NumberPlanSettings, PhoneRange, RouteSettings, TrunkSettings
from switch.trunks.source import Source
from switch.trunks.translation import LONGEST_NUMBER, Rule, translate


@pytest.mark.parametrize(
    ("number", "region", "e164"),
    [
        ("2025550123", "US", "+12025550123"),
        ("12025550123", "US", "+12025550123"),
        ("+442079460123", "US", "+442079460123"),
        ("011442079460123", "US", "+442079460123"),
        ("01632960123", "GB", "+441632960123"),
        ("1001", "US", None),
        ("1001", "GB", None),
        ("5550123", "US", None),
        ("911", "US", None),
        ("alice", "US", None),
        ("\u0661\u0662", "US", None),
        ("9" * 60, "US", None),
    ],
)
def test_numbers_are_read_as_of_their_region(number: str, region: str, e164: str | None) -> None:
    assert to_e164(number, region) == e164


@pytest.mark.parametrize(
    ("e164", "form", "region", "written"),
    [
        ("+12025550123", NumberFormat.NATIONAL, "US", "2025550123"),
        ("+441632960123", NumberFormat.NATIONAL, "GB", "01632960123"),
        ("+12025550123", NumberFormat.NATIONAL, "GB", "0012025550123"),
        ("+12025550123", NumberFormat.PLUS, "GB", "+12025550123"),
        ("+12025550123", NumberFormat.E164, "GB", "12025550123"),
        ("+12025550123", NumberFormat.DOUBLE_ZERO, "US", "0012025550123"),
    ],
)
def test_numbers_are_written_and_read_back(
    e164: str, form: NumberFormat, region: str, written: str
) -> None:
    assert write(e164, form, region) == written
    assert read(written, form, region) == e164


def test_the_first_rule_that_fits_is_applied() -> None:
    rules = (
        Rule(prefix="+44", put="0"),
        Rule(pattern=r"\+1(\d{10})", put=r"9\1"),
        Rule(prefix="", put="#"),
    )
    assert translate("+441632960123", rules) == "01632960123"
    assert translate("+12025550123", rules) == "92025550123"
    assert translate("100", rules) == "#100"
    assert translate("x", (Rule(pattern="(.*)", put=r"\1" * 9),)) == "x" * 9
    assert translate("x" * 20, (Rule(pattern="(.*)", put=r"\1" * 9),)) == "x" * 20, "too long"
    assert translate("1", (Rule(prefix="1", put=""),)) == "1", "nothing is no number"


@pytest.mark.parametrize(
    ("put", "made"),
    [(r"\10", "2020"), (r"9\1234", "9202234"), (r"\1\100", "20220200"), (r"\2\1", "202")],
)
def test_digits_may_follow_a_group(put: str, made: str) -> None:
    """And a group that took no part in the match stands for nothing."""
    assert translate("202", (Rule(pattern=r"(\d{3})(x)?", put=put),)) == made


PIECES = st.sampled_from(
    [
        *"()[]{}*+?|\\.^$-:!=<",
        "(a+)+",
        "(?:",
        "\\1",
        "\\d",
        "{2,}",
        ".*",
        "[^]]",
        "a",
        "0",
        "(?P<x>a)",
    ]
)


@given(pattern=st.lists(PIECES, max_size=14).map("".join), put=st.text("\\123ab", max_size=8))
def test_no_pattern_that_is_taken_can_run_away(pattern: str, put: str) -> None:
    try:
        rule = Rule(pattern=pattern, put=put)
    except ValueError:
        return
    began = time.process_time()
    for number in ("a" * LONGEST_NUMBER, "0" * (LONGEST_NUMBER - 1) + "!", "()" * 20):
        translate(number, (rule,))
    assert time.process_time() - began < 0.5


def test_the_longest_prefix_has_the_rate() -> None:
    table = read_rates("prefix,cost,note\n+1,0.01,x\n1202,0.004,\n\n44,0.02,y\n", "rates.csv")
    assert len(table) == 3
    for number, cost in (("+12025550123", "0.004"), ("+13035550123", "0.01")):
        rate = table.find(number)
        assert rate is not None
        assert rate.cost == Decimal(cost)
    assert table.find("+4915155501") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "rates.csv:1: the first line must name the columns"),
        ("prefix,price\n", "rates.csv:1: the first line must name the columns"),
        ("prefix,cost\n1,x\n", "rates.csv:2: cost 'x' is no price"),
        ("prefix,cost\n1,-1\n", "rates.csv:2: cost '-1'"),
        ("prefix,cost\n1,NaN\n", "rates.csv:2: cost 'NaN'"),
        ("prefix,cost\nx,1\n", "rates.csv:2: prefix 'x'"),
        ("prefix,cost\n1\n", "rates.csv:2: 1 columns"),
        ("prefix,cost\n1,1\n+1,2\n", "rates.csv:3: prefix 1 is there already"),
        ('prefix,cost\n"1,1\n', "rates.csv: no table"),
    ],
)
def test_a_line_of_rates_that_makes_no_sense_is_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"rates\.csv") as caught:
        read_rates(text, "rates.csv")
    assert str(caught.value).startswith(words)


@given(st.text(max_size=200) | st.text('prefix,cost\n"0123456789+-.eE\0', max_size=80))
def test_any_text_is_a_table_or_a_clear_error(text: str) -> None:
    for each in (text, "prefix,cost\n" + text):
        try:
            told = "" if isinstance(read_rates(each, "rates.csv"), RateTable) else "no table"
        except ValueError as error:
            told = str(error).removeprefix("rates.csv")[:1].strip(":")
        assert told == ""


OUT = TrunkSettings(name="out", proxy_host="192.0.2.1", callers=frozenset({"1001"}))


def plan(**more: object) -> NumberPlan:
    return NumberPlan(
        NumberPlanSettings(
            phones=(PhoneRange(first="1001", last="1010"),),
            routes=(RouteSettings(trunk="out", prefixes=("+",), min_digits=3),),
            trunks={"out": OUT},
            **more,  # type: ignore[arg-type]
        )
    )


@pytest.mark.parametrize("number", ["+19005550123", "19005550123", "9005550123", "+1 900 555-0123"])
def test_blocked_destinations_are_blocked_however_they_are_dialled(number: str) -> None:
    own = plan(blocked=("+1900", "+4490"))
    assert own.resolve(Source.PHONE, "1001", number) == Refused(403, "blocked")
    assert own.call_back(number).reason in ("blocked", "not-allowed")  # type: ignore[union-attr]
    assert isinstance(own.resolve(Source.PHONE, "1001", "+12025550123"), ToTrunk)


@pytest.mark.parametrize("number", ["449012345678", "00449012345678", "0019005550123"])
def test_what_a_carrier_would_read_as_a_blocked_number_is_blocked(number: str) -> None:
    """In the US none of them is a number; carriers take them with the country first."""
    own = plan(blocked=("+1900", "+4490"))
    assert own.resolve(Source.PHONE, "1001", number) == Refused(403, "blocked")


@pytest.mark.parametrize(
    "number", ["5305550123", "12025550123", "0115255550123", "611", "8005550123"]
)
def test_a_number_of_the_region_is_none_abroad(number: str) -> None:
    """Of California, and not of Cuba."""
    own = plan(blocked=("+53", "+61", "+1900", "+80"))
    assert isinstance(own.resolve(Source.PHONE, "1001", number), ToTrunk)


def test_emergency_numbers_go_before_everything_and_need_no_right() -> None:
    own = plan(blocked=("+1",), emergency=EmergencySettings(numbers=frozenset({"911"}), way="out"))
    wanted = ToTrunk("out", "911", is_emergency=True)
    assert own.resolve(Source.PHONE, "1009", "911") == wanted
    assert own.resolve(Source.TRUNK, "out", "911") != wanted, "a trunk's caller is elsewhere"


def test_emergency_numbers_of_countries() -> None:
    assert emergency_numbers_of("US") == {"911", "112"}
    assert emergency_numbers_of("CN") == {"110", "119", "120"}
    assert emergency_numbers_of("ZZ") == set()


@pytest.mark.parametrize(
    "bad",
    [
        {"groups": {"g": GroupSettings(name="g", members=(Member(trunk="missing"),))}},
        {"emergency": EmergencySettings(numbers=frozenset({"911"}), way="missing")},
    ],
)
def test_what_names_no_trunk_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="'missing': there is no such trunk"):
        plan(**bad)


OWN = OwnNumbers.parse(("+12025550100-+12025550109", "+1202555011*", "+442079460000"))


def test_numbers_that_are_ours() -> None:
    assert "+12025550105" in OWN
    assert "+12025550119" in OWN
    assert "+442079460000" in OWN
    assert "+12025550120" not in OWN
    for wrong in ("12025550100", "+1-+2x", "+12025550109-+12025550100", "*"):
        with pytest.raises(ValueError, match=r"international|ascend"):
            OwnNumbers.parse((wrong,))


@pytest.mark.parametrize(
    ("number", "shown", "is_ours"),
    [
        ("1001", "+12025550101", True),
        ("1002", "+12025550100", True),
        ("+12025550105", "+12025550105", True),
        ("+442079460999", "+12025550100", True),
        ("", "", True),
    ],
)
def test_callers_are_shown_as_the_trunk_allows(number: str, shown: str, is_ours: bool) -> None:
    policy = CallerPolicy(
        header=CallerHeader.ASSERTED,
        main="+12025550100",
        shown=(("1001", "+12025550101"),),
        own=OWN,
        passes_foreign=False,
    )
    found = choose_caller(
        policy, number=number, name="N", form=NumberFormat.PLUS, region="US", account=""
    )
    assert (found.number, found.is_ours) == (shown, is_ours)
    assert found.asserted == (shown or "+12025550100"), "withheld from the callee alone"
    assert found.name == ("N" if number else "")


def test_numbers_that_come_in_are_translated_and_read() -> None:
    trunk = TrunkSettings(
        name="in",
        number_format=NumberFormat.NATIONAL,
        region="US",
        rules_in=(Rule(prefix="99", put=""),),
        caller_rules_in=(Rule(prefix="0", put=""),),
    )
    arrived = arrive(trunk, "992025550123", "02025550199")
    assert (arrived.called, arrived.caller) == ("+12025550123", "+12025550199")
    assert arrive(trunk, "994000", "") == type(arrived)("4000", "")
