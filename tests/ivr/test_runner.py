from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from ivr.outcomes import CallerGone, HangUp, Outcome, ToQueue
from ivr.runner import CallerFacts, FlowRun
from switch.gateway.protocol import PlayItem
from switch.ids import LegId, PlayerId
from tests.ivr.scene import Scene, shipped_flow
from tests.kit.virtual_clock import VirtualClock


class BrokenVoice:
    """A voice whose switch has gone mad."""

    def answer(self, leg: LegId) -> None:
        pass

    def play(self, leg: LegId, items: Sequence[PlayItem], *, loop: bool = False) -> PlayerId:
        raise RuntimeError("no sound today")

    def stop(self, player: PlayerId) -> None:
        raise RuntimeError("nothing plays")

    def echo(self, leg: LegId, on: bool) -> None:
        raise RuntimeError("no echo")


def test_a_fault_ends_this_call_alone_with_one_outcome(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Outcome] = []
    clock = VirtualClock()
    run = FlowRun(
        shipped_flow("main-menu"),
        leg=LegId("leg-1"),
        voice=BrokenVoice(),
        clock=clock,
        facts=CallerFacts(caller="", called="4000"),
        on_outcome=outcomes.append,
        on_event=lambda event: None,
    )
    with caplog.at_level(logging.CRITICAL + 1):
        run.start()
        run.leg_answered()
    assert outcomes == [HangUp(reason="flow-error")]
    run.digit("1")
    run.caller_gone()
    assert outcomes == [HangUp(reason="flow-error")]
    assert clock.pending == 0


def test_a_voice_that_reports_at_once_is_taken_in_turn() -> None:
    scene = Scene(shipped_flow("main-menu"), answers=False)

    def answer_and_press(leg: LegId) -> None:
        scene.answered = True
        scene.run.leg_answered()
        scene.run.digit("1")

    scene.answer = answer_and_press  # type: ignore[method-assign]
    scene.run.start()
    assert isinstance(scene.outcome, ToQueue)
    assert scene.left_nothing_behind()


def test_players_of_others_and_stopped_ones_are_ignored() -> None:
    scene = Scene(shipped_flow("main-menu")).start()
    scene.run.play_finished(PlayerId("somebody-elses"))
    assert scene.run.node == "welcome"
    scene.listen().press("7")
    # The stopped menu prompt reports its end while the next one plays: that one goes on.
    assert len(scene.playing) == 1
    assert scene.heard[-2:] == ["en/invalid", "en/main-menu"]


def test_a_flow_may_begin_on_an_answered_leg() -> None:
    scene = Scene(shipped_flow("main-menu"))
    scene.answered = True
    scene.run.start(answered=True)
    assert scene.heard == ["en/welcome", "en/recorded-notice"]


def test_events_carry_leg_time_flow_and_node() -> None:
    scene = Scene(shipped_flow("main-menu")).start().listen()
    event = scene.events[-1]
    assert (event.leg, event.flow, event.node, event.verb) == ("leg-1", "main-menu", "menu", "menu")
    assert event.at == scene.clock.now()
    assert scene.nodes == ["welcome", "menu"]


def test_nothing_is_played_to_a_caller_who_is_gone() -> None:
    scene = Scene(shipped_flow("echo")).start().listen().listen()
    assert scene.echoing
    scene.run.caller_gone()
    assert scene.outcome == CallerGone(node="echo")
    assert scene.clock.pending == 0
