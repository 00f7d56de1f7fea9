"""Carry a flow out on a caller's leg: the shell around the interpreter."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from ivr.actions import (
    Action,
    AnswerLeg,
    ClearTimer,
    Finish,
    Play,
    SetEcho,
    SetTimer,
    Step,
    StopPlay,
)
from ivr.events import FlowStepped
from ivr.flow import Flow
from ivr.inputs import Answered, CallerHungUp, Digit, Input, PlayFinished, TimerFired
from ivr.interpreter import Interpreter, State
from ivr.outcomes import HangUp, Outcome
from ivr.ports import Voice
from ivr.records import RunRecord
from switch.clock import Clock, TimerHandle
from switch.ids import LegId, PlayerId

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerFacts:
    """What is known of the caller before the flow begins."""

    caller: str
    """Its number; empty when withheld. The variable `$caller` of flows."""
    called: str
    """The number it dialled. The variable `$called`."""
    language: str = "en"
    """Spoken by flows that have no language of their own."""


class FlowRun:
    """One flow on one leg. Tell it what happens to the leg; it ends with one `on_outcome`.

    `on_outcome` is called exactly once, unless the flow is never started. A fault within a flow ends
    this call alone, with `HangUp("flow-error")`.
    """

    def __init__(
        self,
        flow: Flow,
        *,
        leg: LegId,
        voice: Voice,
        clock: Clock,
        facts: CallerFacts,
        on_outcome: Callable[[Outcome], None],
        on_event: Callable[[FlowStepped], None],
    ) -> None:
        self.leg = leg
        self._flow = flow
        self._voice = voice
        self._clock = clock
        self._on_outcome = on_outcome
        self._on_event = on_event
        self._machine = Interpreter(
            flow,
            language=facts.language,
            variables={"caller": facts.caller, "called": facts.called},
        )
        self._player: PlayerId | None = None
        self._timer: TimerHandle | None = None
        self._echoing = False
        self._ended = False
        self._turning = False
        self._waiting: deque[Callable[[], list[Action]]] = deque()

    @property
    def flow(self) -> Flow:
        """What it runs."""
        return self._flow

    @property
    def is_over(self) -> bool:
        """True once the outcome was told."""
        return self._ended

    @property
    def node(self) -> str:
        """The node the caller is in."""
        return self._machine.node

    def start(self, *, answered: bool = False) -> None:
        """Begin. `answered`: the leg is answered already; else the flow answers when it must."""
        if self._machine.state is State.FRESH:
            self._turn(
                lambda: self._machine.start(
                    self._clock.now(), self._clock.wall(), answered=answered
                )
            )

    def record(self) -> RunRecord:
        """Where the caller is, for another process to go on."""
        return self._machine.record()

    def resume(self, record: RunRecord, *, answered: bool) -> None:
        """Begin where an earlier process left the caller: its node is begun anew."""
        if self._machine.state is State.FRESH:
            self._turn(
                lambda: self._machine.resume(
                    record, self._clock.now(), self._clock.wall(), answered=answered
                )
            )

    def leg_answered(self) -> None:
        """The leg has sound."""
        self._tell(Answered())

    def digit(self, digit: str) -> None:
        """The caller pressed a key."""
        self._tell(Digit(digit))

    def play_finished(self, player: PlayerId) -> None:
        """A player ended; those that are not this run's, or were stopped by it, are ignored."""
        if player == self._player:
            self._player = None
            self._tell(PlayFinished())

    def caller_gone(self) -> None:
        """The leg is gone; what was begun on it is not undone, it went with the leg."""
        self._player = None
        self._echoing = False
        self._tell(CallerHungUp())

    def _timer_fired(self) -> None:
        self._timer = None
        self._tell(TimerFired())

    def _tell(self, given: Input) -> None:
        if self._ended:
            return
        self._turn(lambda: self._machine.handle(given, self._clock.now(), self._clock.wall()))

    def _turn(self, decide: Callable[[], list[Action]]) -> None:
        """Decide and act. What an action itself brings about waits for the next turn."""
        self._waiting.append(decide)
        if self._turning:
            return
        self._turning = True
        try:
            while self._waiting and not self._ended:
                outcome = self._one_turn(self._waiting.popleft())
                if outcome is not None:
                    self._ended = True
                    self._waiting.clear()
                    self._let_go()
                    self._on_outcome(outcome)
        finally:
            self._turning = False

    def _one_turn(self, decide: Callable[[], list[Action]]) -> Outcome | None:
        """Carry out one turn; here is the boundary of the call for faults."""
        outcome: Outcome | None = None
        try:
            for action in decide():
                outcome = self._act(action) or outcome
        except Exception:  # noqa: BLE001 - the call boundary: this call ends, the others go on
            _log.exception("flow %s failed at node %s", self._flow.name, self._machine.node)
            outcome = HangUp(reason="flow-error")
        return outcome

    def _act(self, action: Action) -> Outcome | None:
        match action:
            case AnswerLeg():
                self._voice.answer(self.leg)
            case Play(items):
                self._player = self._voice.play(self.leg, items)
            case StopPlay():
                self._stop_play()
            case SetTimer(deadline):
                self._clear_timer()
                self._timer = self._clock.call_at(deadline, self._timer_fired)
            case ClearTimer():
                self._clear_timer()
            case SetEcho(on):
                self._set_echo(on)
            case Step(node, verb, detail):
                self._on_event(
                    FlowStepped(
                        leg=self.leg,
                        at=self._clock.now(),
                        flow=self._flow.name,
                        node=node,
                        verb=verb,
                        detail=detail,
                    )
                )
            case Finish(outcome):
                return outcome
            case _:
                assert_never(action)
        return None

    def _stop_play(self) -> None:
        player, self._player = self._player, None
        if player is not None:
            self._voice.stop(player)

    def _clear_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _set_echo(self, on: bool) -> None:
        if on != self._echoing:
            self._echoing = on
            self._voice.echo(self.leg, on)

    def _let_go(self) -> None:
        """Leave nothing behind, whatever the flow did."""
        self._clear_timer()
        try:
            self._stop_play()
            self._set_echo(False)
        except Exception:  # noqa: BLE001 - as above; the outcome must be told
            _log.exception("flow %s: the leg cannot be let go", self._flow.name)
