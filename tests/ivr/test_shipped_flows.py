from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.outcomes import CallerGone, HangUp, ToQueue
from tests.ivr.scene import Scene, shipped_flow

FLOWS = ("main-menu", "main-menu-zh", "echo", "announcement", "load-menu")


@pytest.mark.parametrize(("name", "language"), [("main-menu", "en"), ("main-menu-zh", "zh")])
@pytest.mark.parametrize(("digit", "queue"), [("1", "sales"), ("2", "support")])
def test_a_digit_leads_to_its_queue(name: str, language: str, digit: str, queue: str) -> None:
    scene = Scene(shipped_flow(name)).start().listen()
    assert scene.answered
    assert scene.heard == [f"{language}/{p}" for p in ("welcome", "recorded-notice", "main-menu")]
    scene.wait(1.0).press(digit)
    assert scene.outcome == ToQueue(queue=queue, language=language, facts={"menu": queue})
    assert scene.details == [f"digit {digit}", f"chose {queue}"]
    assert scene.left_nothing_behind()


def test_a_digit_during_the_welcome_spares_the_rest() -> None:
    scene = Scene(shipped_flow("main-menu")).start().wait(0.3).press("1")
    assert isinstance(scene.outcome, ToQueue)
    assert scene.heard == ["en/welcome", "en/recorded-notice"]
    assert scene.left_nothing_behind()


def test_a_digit_before_the_answer_counts() -> None:
    scene = Scene(shipped_flow("main-menu"), answers=False).start().press("2")
    assert scene.outcomes == []
    scene.run.leg_answered()
    assert isinstance(scene.outcome, ToQueue)
    assert scene.outcome.queue == "support"
    assert scene.heard == []


def test_silence_asks_again_twice_and_then_support_takes_the_call() -> None:
    scene = Scene(shipped_flow("main-menu")).start().listen()
    for _ in range(2):
        scene.listen()
        heard = len(scene.heard)
        scene.wait(4.8)
        assert len(scene.heard) == heard
        scene.wait(0.3)
        assert scene.heard[heard:] == ["en/no-input", "en/main-menu"]
    scene.listen().wait(5)
    assert isinstance(scene.outcome, ToQueue)
    assert (scene.outcome.queue, scene.outcome.facts) == ("support", {})
    assert scene.heard.count("en/main-menu") == 3


def test_wrong_digits_ask_again_twice_and_then_support_takes_the_call() -> None:
    scene = Scene(shipped_flow("main-menu")).start().listen()
    scene.press("7").press("*")
    assert scene.heard[-2:] == ["en/invalid", "en/main-menu"]
    scene.press("0")
    assert isinstance(scene.outcome, ToQueue)
    assert scene.outcome.queue == "support"
    assert scene.details.count("no such choice") == 3


def test_the_echo_test_of_the_menu_ends_with_a_farewell() -> None:
    scene = Scene(shipped_flow("main-menu")).start().listen().press("9").listen()
    assert scene.echoing
    scene.press("5#").listen()
    assert scene.heard[-2:] == ["en/echo-intro", "en/goodbye"]
    assert scene.outcome == HangUp(reason="flow-ended")
    assert scene.left_nothing_behind()


def test_the_echo_test_ends_by_itself() -> None:
    scene = Scene(shipped_flow("echo"), language="zh").start().listen().listen()
    assert scene.heard == ["zh/echo-intro", "tones/beep"]
    scene.wait(299)
    assert scene.echoing
    scene.wait(1.1)
    assert not scene.echoing
    assert scene.listen().outcome == HangUp(reason="echo-ended")


def test_the_announcement_is_not_cut_short() -> None:
    scene = Scene(shipped_flow("announcement")).start().wait(1).press("1#5")
    assert scene.outcomes == []
    scene.listen() if scene.playing else None
    scene.wait(10)
    assert scene.outcome == HangUp(reason="announcement-ended")


def test_the_load_menu_takes_one_digit() -> None:
    scene = Scene(shipped_flow("load-menu")).start().press("1")
    assert isinstance(scene.outcome, ToQueue)
    assert scene.outcome.queue == "load"


@pytest.mark.parametrize("name", FLOWS)
def test_a_caller_may_hang_up_at_any_moment(name: str) -> None:
    for tenths in range(0, 300, 7):
        scene = Scene(shipped_flow(name)).start().wait(tenths / 10)
        if scene.outcomes:
            break
        node = scene.run.node
        scene.run.caller_gone()
        assert scene.outcome == CallerGone(node=node)
        scene.run.caller_gone()
        scene.run.digit("1")
        scene.run.leg_answered()
        scene.wait(60)
        assert len(scene.outcomes) == 1


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(FLOWS),
    answers=st.booleans(),
    steps=st.lists(
        st.one_of(
            st.sampled_from([*"0123456789*#ABCD", "", "x", "12", "\0"]).map(lambda d: ("press", d)),
            st.floats(0, 40).map(lambda s: ("wait", s)),
            st.just(("answered", 0)),
            st.just(("gone", 0)),
        ),
        max_size=12,
    ),
)
def test_whatever_happens_there_is_one_outcome_and_nothing_is_left(
    name: str, answers: bool, steps: list[tuple[str, str | float]]
) -> None:
    scene = Scene(shipped_flow(name), answers=answers).start()
    for what, value in steps:
        match what, value:
            case "press", str(digit):
                scene.run.digit(digit)
            case "wait", float(seconds):
                scene.wait(seconds)
            case "answered", _:
                scene.run.leg_answered()
            case "gone", _:
                scene.run.caller_gone()
    assert len(scene.outcomes) <= 1
    scene.run.caller_gone()
    assert len(scene.outcomes) == 1
    assert scene.outcome != HangUp(reason="flow-error")
    scene.wait(0.1)
    assert scene.clock.pending == len(scene.playing)
