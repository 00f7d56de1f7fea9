from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from ivr import gather
from ivr.actions import Finish, Play, SetTimer, Step
from ivr.errors import FlowLoopError
from ivr.flow import Flow
from ivr.inputs import Answered, CallerHungUp, Digit, Input, PlayFinished, TimerFired
from ivr.interpreter import IGNORED, TRANSITIONS, Interpreter, State
from ivr.outcomes import CallerGone, ToQueue
from ivr.speaking import SayPrompt
from ivr.verbs.say import SayNode
from switch.gateway.protocol import Prompt
from tests.ivr.scene import shipped_flow

GIVEN: dict[type[Input], Input] = {
    Answered: Answered(),
    Digit: Digit("1"),
    PlayFinished: PlayFinished(),
    TimerFired: TimerFired(),
    CallerHungUp: CallerHungUp(),
}


def in_state(state: State) -> Interpreter:
    machine = Interpreter(shipped_flow("main-menu"), language="en", variables={})
    if state is not State.FRESH:
        machine.start(0.0, 0.0)
    if state is State.RUNNING:
        machine.handle(Answered(), 0.0, 0.0)
    if state is State.FINISHED:
        machine.handle(CallerHungUp(), 0.0, 0.0)
    assert machine.state is state
    return machine


@pytest.mark.parametrize(("state", "kind"), list(product(State, get_args(Input))))
def test_every_pair_is_in_the_table_or_ignored_for_a_reason(
    state: State, kind: type[Input]
) -> None:
    assert ((state, kind) in TRANSITIONS) != ((state, kind) in IGNORED)
    actions = in_state(state).handle(GIVEN[kind], 1.0, 1.0)
    if (state, kind) in IGNORED:
        assert IGNORED[state, kind]
        assert actions == []


@pytest.mark.parametrize(("state", "happening"), list(product(gather.State, gather.Happening)))
def test_every_pair_of_gathering_as_well(state: gather.State, happening: gather.Happening) -> None:
    pair = (state, happening)
    assert (pair in gather.TRANSITIONS) != (pair in gather.IGNORED)


def test_finish_is_the_last_action_and_comes_once() -> None:
    machine = in_state(State.RUNNING)
    actions = machine.handle(Digit("1"), 1.0, 1.0)
    assert [type(action) for action in actions].count(Finish) == 1
    last = actions[-1]
    assert isinstance(last, Finish)
    assert isinstance(last.outcome, ToQueue)
    assert machine.handle(CallerHungUp(), 2.0, 2.0) == []


def test_the_same_inputs_at_the_same_times_give_the_same_actions() -> None:
    def replay() -> list[object]:
        machine = Interpreter(shipped_flow("main-menu"), language="en", variables={})
        said: list[object] = [machine.start(10.0, 100.0)]
        inputs: list[Input] = [Answered(), PlayFinished(), PlayFinished(), TimerFired()]
        for at, given in enumerate([*inputs, Digit("8"), Digit("9")]):
            said.append(machine.handle(given, 11.0 + at, 101.0 + at))
        return said

    assert replay() == replay()


def test_the_timer_counts_from_the_end_of_the_prompt() -> None:
    machine = in_state(State.RUNNING)
    machine.handle(PlayFinished(), 5.0, 5.0)
    actions = machine.handle(PlayFinished(), 9.0, 9.0)
    assert actions == [SetTimer(14.0)]


def test_the_drop_off_is_reported_with_its_node() -> None:
    machine = in_state(State.RUNNING)
    machine.handle(PlayFinished(), 5.0, 5.0)
    assert machine.handle(CallerHungUp(), 6.0, 6.0)[-1] == Finish(CallerGone(node="menu"))


def test_steps_tell_node_and_verb() -> None:
    machine = in_state(State.UNANSWERED)
    actions = machine.handle(Answered(), 1.0, 1.0)
    assert isinstance(actions[0], Play)
    assert machine.handle(PlayFinished(), 2.0, 2.0)[0] == Step("menu", "menu", "")


def test_a_flow_that_goes_round_at_once_is_a_fault_not_a_hang() -> None:
    def node(name: str, following: str) -> SayNode:
        return SayNode(
            name=name, line=1, items=(SayPrompt("welcome"),), barge_in=True, next=following
        )

    flow = Flow(
        name="round", language="en", start="a", nodes={"a": node("a", "b"), "b": node("b", "a")}
    )
    machine = Interpreter(flow, language="en", variables={})
    machine.start(0.0, 0.0)
    machine.handle(Digit("1"), 0.0, 0.0)
    with pytest.raises(FlowLoopError, match="round"):
        machine.handle(Answered(), 0.0, 0.0)


def test_a_caller_whom_another_process_takes_up_hears_why_it_begins_again() -> None:
    before = in_state(State.RUNNING)
    machine = Interpreter(shipped_flow("main-menu"), language="en", variables={})
    actions = machine.resume(before.record(), 5.0, 5.0, answered=True)
    assert machine.node == before.node
    (play,) = [action for action in actions if isinstance(action, Play)]
    assert play.items[0] == Prompt(name="en/interrupted")
    assert len(play.items) > 1
    later = [machine.handle(PlayFinished(), 6.0, 6.0), machine.handle(TimerFired(), 20.0, 20.0)]
    said = [action for turn in later for action in turn if isinstance(action, Play)]
    assert said
    assert all(Prompt(name="en/interrupted") not in play.items for play in said)


def test_who_has_heard_nothing_yet_was_not_interrupted() -> None:
    machine = Interpreter(shipped_flow("main-menu"), language="en", variables={})
    machine.resume(in_state(State.UNANSWERED).record(), 5.0, 5.0, answered=False)
    actions = machine.handle(Answered(), 6.0, 6.0)
    (play,) = [action for action in actions if isinstance(action, Play)]
    assert Prompt(name="en/interrupted") not in play.items
