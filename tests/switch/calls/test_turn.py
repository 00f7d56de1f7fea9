"""Turns: the order of events, and the call boundary."""

from __future__ import annotations

from collections.abc import Callable

from switch.calls.events import CallEvent, LegAnswered, LegRinging
from switch.calls.turn import Subject, Turn
from switch.ids import LegId
from tests.kit.virtual_clock import VirtualClock

A = LegId("a")


class Bench:
    """A turn with everything it needs, noting what it does."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.delivered: list[CallEvent] = []
        self.abandoned: list[Subject] = []
        self.flushes = 0
        self.inputs: list[Callable[[], None]] = []
        self.react: Callable[[CallEvent], None] = lambda _: None
        self.turn = Turn(
            clock=self.clock,
            deliver=self._deliver,
            next_input=self._next_input,
            abandon=self.abandoned.append,
            flush=self._flush,
        )

    def _deliver(self, event: CallEvent) -> None:
        self.delivered.append(event)
        self.react(event)

    def _next_input(self) -> bool:
        if not self.inputs:
            return False
        self.inputs.pop(0)()
        return True

    def _flush(self) -> None:
        self.flushes += 1


RINGING = LegRinging(leg=A, at=0.0)
ANSWERED = LegAnswered(leg=A, at=0.0)


def test_an_event_never_comes_back_into_the_command_that_caused_it() -> None:
    bench = Bench()
    bench.turn.emit(RINGING)
    bench.turn.wake()
    bench.turn.wake()
    assert bench.delivered == []
    assert bench.flushes == 2
    bench.turn.finish()
    assert bench.delivered == [RINGING]


def test_events_of_commands_within_a_turn_follow_in_the_same_turn() -> None:
    bench = Bench()

    def command(event: CallEvent) -> None:
        if event == RINGING:
            bench.turn.emit(ANSWERED)
            bench.turn.wake()
            bench.turn.finish()
            assert bench.delivered == [RINGING]

    bench.react = command
    bench.turn.emit(RINGING)
    bench.turn.finish()
    assert bench.delivered == [RINGING, ANSWERED]
    assert bench.flushes == 1
    assert bench.clock.pending == 0


def test_events_are_delivered_before_the_next_input_is_taken() -> None:
    bench = Bench()
    seen: list[int] = []
    bench.inputs = [
        lambda: bench.turn.emit(RINGING),
        lambda: seen.append(len(bench.delivered)),
    ]
    bench.turn.finish()
    assert seen == [1]


def test_a_fault_above_ends_the_call_of_the_event_and_the_rest_goes_on() -> None:
    bench = Bench()

    def fail(event: CallEvent) -> None:
        if event == RINGING:
            raise RuntimeError("above")

    bench.react = fail
    bench.turn.emit(RINGING)
    bench.turn.emit(ANSWERED)
    bench.turn.finish()
    assert bench.abandoned == [A]
    assert bench.delivered == [RINGING, ANSWERED]
    assert bench.turn.faults == 1


def test_a_timer_is_a_guarded_turn_of_its_own() -> None:
    bench = Bench()

    def work() -> None:
        bench.turn.emit(RINGING)
        raise RuntimeError("in the timer")

    bench.turn.call_at(bench.clock.now() + 1, A, work)
    bench.clock.advance(1)
    assert bench.abandoned == [A]
    assert bench.delivered == [RINGING]
    assert bench.flushes == 1
