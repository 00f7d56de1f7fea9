from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ivr.errors import FlowError
from ivr.gather import Gather
from ivr.outcomes import HangUp, ToNumber, ToQueue
from tests.ivr.scene import Scene, flow_of
from tests.kit.cycles import none_left

COLLECT = """\
language: en
start: ask
nodes:
  ask:
    verb: collect
    prompts: [main-menu]
    invalid_prompts: [invalid]
    timeout_prompts: [no-input]
    into: account
    min_digits: 3
    max_digits: 5
    first_digit_timeout_s: 5
    inter_digit_timeout_s: 3
    retries: 1
    next: say
    otherwise: give-up
  say: {verb: say, prompts: [{digits: $account}], next: sales}
  sales: {verb: queue, queue: sales, priority: 7, skills: {english: 3}}
  give-up: {verb: hang_up, reason: nothing-entered}
"""


def facts(scene: Scene) -> dict[str, str]:
    outcome = scene.listen().outcome
    assert isinstance(outcome, ToQueue)
    assert (outcome.priority, outcome.skills) == (7, {"english": 3})
    return dict(outcome.facts)


def test_collect_ends_with_the_last_digit() -> None:
    scene = Scene(flow_of(COLLECT)).start().listen().press("12345")
    assert scene.heard[-5:] == [f"en/digit-{n}" for n in (1, 2, 3, 4, 5)]
    assert facts(scene) == {"account": "12345"}


def test_collect_ends_with_the_terminator() -> None:
    assert facts(Scene(flow_of(COLLECT)).start().listen().press("123#")) == {"account": "123"}


def test_collect_ends_when_no_further_digit_comes() -> None:
    scene = Scene(flow_of(COLLECT)).start().listen().press("1234", gap_s=2.9)
    assert "entered 4 digits" not in scene.details
    scene.wait(0.2)
    assert facts(scene) == {"account": "1234"}


def test_collect_asks_again_for_too_few_digits_and_then_gives_up() -> None:
    scene = Scene(flow_of(COLLECT)).start().listen().press("12#")
    assert scene.heard[-2:] == ["en/invalid", "en/main-menu"]
    scene.listen().wait(5.1)
    assert scene.outcome == HangUp(reason="nothing-entered")
    assert scene.details[-2:] == ["too few digits", "no input"]
    assert scene.left_nothing_behind()


def test_a_gathering_that_is_over_leaves_nothing_to_the_collector() -> None:
    with none_left(Gather):
        scene = Scene(flow_of(COLLECT)).start().listen().press("12#").listen().press("12345")
        facts(scene)


def test_the_first_digit_stops_the_prompt() -> None:
    scene = Scene(flow_of(COLLECT)).start().wait(1)
    assert scene.playing
    scene.press("1")
    assert not scene.playing
    assert facts(scene.press("23#")) == {"account": "123"}


def test_without_barge_in_the_prompt_is_heard_out_and_the_digits_count_afterwards() -> None:
    scene = Scene(flow_of(COLLECT.replace("retries: 1", "barge_in: false"))).start().wait(1)
    scene.press("12#")
    assert scene.playing
    assert scene.details == []
    scene.wait(5)
    assert scene.details[-1] == "too few digits"
    assert scene.heard == ["en/main-menu", "en/invalid", "en/main-menu"]


def test_secret_digits_are_masked_and_kept_from_the_card() -> None:
    scene = Scene(flow_of(COLLECT.replace("retries: 1", "secret: true"))).start().listen()
    assert facts(scene.press("123#")) == {}
    assert scene.details == ["digit *", "digit *", "digit *", "digit *", "entered 3 digits"]
    assert "123" not in repr(scene.events)


def test_digits_ahead_are_shared_out_over_the_following_nodes() -> None:
    text = COLLECT.replace("next: say\n", "next: menu\n").replace(
        "  say:",
        '  menu: {verb: menu, prompts: [main-menu], choices: {"9": say}, otherwise: give-up}\n  say:',
    )
    scene = Scene(flow_of(text), answers=False).start()
    for digit in "1239":
        scene.run.digit(digit)
    scene.run.digit("#")
    scene.run.leg_answered()
    assert scene.heard == ["en/main-menu"]  # of the menu; `collect` had its digits already
    assert facts(scene.press("9")) == {"account": "1239", "menu": "say"}
    scene = Scene(flow_of(text), answers=False).start()
    for digit in "123#9":
        scene.run.digit(digit)
    scene.run.leg_answered()
    assert facts(scene) == {"account": "123", "menu": "say"}
    assert not any(name == "en/main-menu" for name in scene.heard)


HOURS = """\
language: en
start: hours
nodes:
  hours:
    verb: hours
    zone: Europe/London
    open:
      mon-thu: "09:00-17:30"
      fri: ["09:00-12:00", "13:00-24:00"]
      sat, sun: "22:00-02:00"
    holidays: [2026-05-04, "12-25"]
    when_open: sales
    when_closed: closed
  sales: {verb: queue, queue: sales}
  closed: {verb: hang_up, reason: closed}
"""


@pytest.mark.parametrize(
    ("there", "is_open"),
    [
        ("2026-06-01 08:59:59", False),  # Monday, summer time
        ("2026-06-01 09:00:00", True),
        ("2026-06-01 17:29:59", True),
        ("2026-06-01 17:30:00", False),
        ("2026-01-05 09:00:00", True),  # Monday, winter time
        ("2026-06-05 12:30:00", False),
        ("2026-06-05 23:59:59", True),
        ("2026-06-06 00:00:00", False),
        ("2026-06-06 22:00:00", True),
        ("2026-06-07 01:59:00", True),  # still Saturday's hours
        ("2026-06-07 02:00:00", False),
        ("2026-06-08 01:00:00", True),  # Monday, still Sunday's hours
        ("2026-05-04 10:00:00", False),  # a holiday of one year
        ("2027-05-03 10:00:00", True),
        ("2026-12-25 10:00:00", False),  # of every year
        ("2030-12-25 10:00:00", False),
        ("2026-12-26 01:00:00", False),
    ],
)
def test_hours_follow_the_clock_on_the_wall_there(there: str, is_open: bool) -> None:
    at = datetime.fromisoformat(there).replace(tzinfo=ZoneInfo("Europe/London"))
    scene = Scene(flow_of(HOURS), wall=at.astimezone(UTC).timestamp()).start()
    assert not scene.answered
    assert scene.details == ["open" if is_open else "closed"]
    assert isinstance(scene.outcome, ToQueue if is_open else HangUp)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("Europe/London", "Europe/Nowhere", "no time zone"),
        ("Europe/London", "../../etc/passwd", "no time zone"),
        ("mon-thu", "someday", "expected days"),
        ('"09:00-17:30"', "9 to 5", "expected a time"),
        ('"09:00-17:30"', '"25:00-26:00"', "expected a time"),
        ('"12-25"', '"13-25"', "expected a date"),
        ('"12-25"', "2026-02-30", "expected a date"),
        ('"12-25"', "christmas", "expected a date"),
    ],
)
def test_bad_hours_are_told(old: str, new: str, part: str) -> None:
    with pytest.raises(FlowError, match=part):
        flow_of(HOURS.replace(old, new))


def test_transfer_hands_over_a_number() -> None:
    flow = flow_of('start: t\nnodes:\n  t: {verb: transfer, number: "+441632960123"}\n')
    scene = Scene(flow).start()
    assert scene.outcome == ToNumber(number="+441632960123")
    assert not scene.answered


def test_transfer_to_what_the_caller_entered() -> None:
    text = """\
language: en
start: ask
nodes:
  ask:
    verb: collect
    prompts: [main-menu]
    into: extension
    min_digits: 0
    max_digits: 4
    next: dial
    otherwise: end
  dial: {verb: transfer, number: $extension, otherwise: end}
  end: {verb: hang_up}
"""
    scene = Scene(flow_of(text)).start().listen().press("1001")
    assert scene.outcome == ToNumber(number="1001", facts={"extension": "1001"})
    scene = Scene(flow_of(text)).start().listen().press("#")
    assert scene.outcome == HangUp(reason="flow-ended")
    assert "no number" in scene.details


@pytest.mark.parametrize(
    ("node", "part"),
    [
        ('{verb: transfer, number: "call me"}', "cannot be dialled"),
        ("{verb: transfer, number: $caller}", "`otherwise` is missing"),
        ("{verb: transfer}", "`number` is missing"),
        ("{verb: queue, queue: sales, skills: {english: 9}}", "a level from 1 to 5"),
        ("{verb: queue, queue: sales, priority: 1000}", "from -100 to 100"),
        ("{verb: play, file: beep, next: t}", "name the folder"),
        ("{verb: play, file: tones/boop, next: t}", "no sound file"),
        ("{verb: echo, duration_s: 0, next: t}", "from 1.0 to 3600.0"),
        ("{verb: echo, duration_s: nan, next: t}", "from 1.0 to 3600.0"),
        ("{verb: say, prompts: [welcome]}", "`next` is missing"),
    ],
)
def test_bad_values_of_verbs_are_told(node: str, part: str) -> None:
    with pytest.raises(FlowError, match=part.replace("$", r"\$")):
        flow_of(f"start: t\nnodes:\n  t: {node}\n")
