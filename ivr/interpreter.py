"""The interpreter: one caller's way through a flow, as a plain machine. No I/O, no clock.

Inputs and the time go in, actions come out. What a node does is in its verb; here is what holds for
all: the call is answered when first something must be heard, digits pressed too early are kept, and
leaving a node stops its sound, its timer and its echo.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final, assert_never

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
from ivr.errors import FlowLoopError
from ivr.flow import Flow
from ivr.inputs import Answered, CallerHungUp, Digit, Input, PlayFinished, TimerFired
from ivr.outcomes import CallerGone, Outcome
from ivr.reader import DIGITS
from ivr.records import RunRecord
from ivr.speaking import Say, SayPrompt, to_play
from ivr.turn import Activity, Node

MAX_KEPT_DIGITS: Final = 64
MAX_NODES_AT_ONCE: Final = 100


class State(Enum):
    """Where a run stands."""

    FRESH = auto()
    UNANSWERED = auto()
    """The call is being answered; a node waits for it."""
    RUNNING = auto()
    FINISHED = auto()


class Effect(Enum):
    """What an input leads to."""

    BEGIN = auto()
    """Begin the node that waited for the answer."""
    KEEP = auto()
    """Keep the digit for later."""
    GIVE = auto()
    """Give the input to the node."""
    LEAVE = auto()
    """The caller is gone: end."""


TRANSITIONS: Final[dict[tuple[State, type[Input]], tuple[State, Effect]]] = {
    (State.UNANSWERED, Answered): (State.RUNNING, Effect.BEGIN),
    (State.UNANSWERED, Digit): (State.UNANSWERED, Effect.KEEP),
    (State.UNANSWERED, CallerHungUp): (State.FINISHED, Effect.LEAVE),
    (State.RUNNING, Digit): (State.RUNNING, Effect.GIVE),
    (State.RUNNING, PlayFinished): (State.RUNNING, Effect.GIVE),
    (State.RUNNING, TimerFired): (State.RUNNING, Effect.GIVE),
    (State.RUNNING, CallerHungUp): (State.FINISHED, Effect.LEAVE),
}

IGNORED: Final[dict[tuple[State, type[Input]], str]] = {
    **{
        (State.FRESH, kind): "nothing happens before the start"
        for kind in (Answered, Digit, PlayFinished, TimerFired, CallerHungUp)
    },
    (State.UNANSWERED, PlayFinished): "nothing is played before the answer",
    (State.UNANSWERED, TimerFired): "no timer runs before the answer",
    (State.RUNNING, Answered): "answered already",
    **{
        (State.FINISHED, kind): "the flow is over; late news of what it had begun"
        for kind in (Answered, Digit, PlayFinished, TimerFired, CallerHungUp)
    },
}


class Interpreter:
    """One run of a flow. `start` once, then `handle` for each input; both return actions in order.

    Implements `ivr.turn.Turn` for the verbs while one of these calls lasts.
    """

    def __init__(self, flow: Flow, *, language: str, variables: Mapping[str, str]) -> None:
        self._flow = flow
        self._language = flow.language or language
        self._variables = dict(variables)
        self._given = frozenset(variables)
        self._known = dict[str, str]()
        self._state = State.FRESH
        self._answered = False
        self._node: Node = flow.nodes[flow.start]
        self._next: str | None = None
        self._activity: Activity | None = None
        self._kept: deque[str] = deque(maxlen=MAX_KEPT_DIGITS)
        self._playing = self._timing = self._echoing = False
        self._was_interrupted = False
        """The caller is to be told so with the next that is said."""
        self._actions: list[Action] = []
        self._now = 0.0
        self._wall = 0.0

    @property
    def state(self) -> State:
        """Where the run stands."""
        return self._state

    @property
    def node(self) -> str:
        """The node the run is in."""
        return self._node.name

    def start(self, now: float, wall: float, *, answered: bool = False) -> list[Action]:
        """Begin at the first node. `answered`: the leg has sound already."""
        self._begin_turn(now, wall)
        self._state = State.RUNNING
        self._answered = answered
        self.go(self._flow.start)
        self._run()
        return self._actions

    def record(self) -> RunRecord:
        """Where the run stands, for another process to go on; before the start: at its beginning."""
        secrets = self._variables.keys() - self._known.keys() - self._given
        return RunRecord(self._flow.name, "" if secrets else self._node.name, dict(self._known))

    def resume(self, record: RunRecord, now: float, wall: float, *, answered: bool) -> list[Action]:
        """Begin at the node in which an earlier process left the caller, who is told why."""
        self._begin_turn(now, wall)
        self._state = State.RUNNING
        self._answered = answered
        self._variables.update(record.known)
        self._known.update(record.known)
        self._was_interrupted = answered
        self.go(record.node if record.node in self._flow.nodes else self._flow.start)
        self._run()
        return self._actions

    def handle(self, given: Input, now: float, wall: float) -> list[Action]:
        """Take an input. Raises FlowLoopError for a flow that goes round."""
        self._begin_turn(now, wall)
        step = TRANSITIONS.get((self._state, type(given)))
        if step is None:
            if (self._state, type(given)) not in IGNORED:
                raise AssertionError(f"no transition for {self._state}, {type(given).__name__}")
            return self._actions
        self._state, effect = step
        match effect:
            case Effect.BEGIN:
                self._answered = True
                self._begin_node()
            case Effect.KEEP:
                assert isinstance(given, Digit)
                self.keep_digit(given.digit)
            case Effect.GIVE:
                self._give(given)
            case Effect.LEAVE:
                self._leave_node()
                self._actions.append(Finish(CallerGone(node=self._node.name)))
            case _:
                assert_never(effect)
        self._run()
        return self._actions

    def _begin_turn(self, now: float, wall: float) -> None:
        self._now, self._wall = now, wall
        self._actions = []

    def _give(self, given: Input) -> None:
        activity = self._activity
        if activity is None:
            return
        if isinstance(given, Digit):
            if len(given.digit) == 1 and given.digit in DIGITS:
                activity.digit(self, given.digit)
        elif isinstance(given, PlayFinished):
            if self._playing:
                self._playing = False
                activity.play_finished(self)
        elif isinstance(given, TimerFired) and self._timing:
            self._timing = False
            activity.timer_fired(self)

    def _run(self) -> None:
        """Pass from node to node until one waits or the flow ends."""
        for _ in range(MAX_NODES_AT_ONCE):
            if self._next is None or self._state is not State.RUNNING:
                return
            self._leave_node()
            self._node = self._flow.nodes[self._next]
            self._next = None
            self._actions.append(Step(self._node.name, self._node.VERB, ""))
            if self._node.NEEDS_ANSWER and not self._answered:
                self._state = State.UNANSWERED
                self._actions.append(AnswerLeg())
                return
            self._begin_node()
        raise FlowLoopError(f"flow `{self._flow.name}` goes round at node `{self._node.name}`")

    def _begin_node(self) -> None:
        activity = self._node.begin(self)
        if self._next is None and self._state is State.RUNNING:
            self._activity = activity

    def _leave_node(self) -> None:
        self._activity = None
        self.stop_play()
        self.clear_timer()
        self.set_echo(False)

    # --- what the verbs use: ivr.turn.Turn ---

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return self._now

    @property
    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._wall

    @property
    def language(self) -> str:
        """The language spoken to this caller."""
        return self._language

    def play(self, items: Sequence[Say], *, barge_in: bool) -> None:
        """Say something."""
        self.stop_play()
        self._playing = True
        if self._was_interrupted:
            self._was_interrupted = False
            items = (SayPrompt("interrupted"), *items)
        sound = to_play(items, self._language, self._variables)
        self._actions.append(Play(sound, barge_in))

    def stop_play(self) -> None:
        """Stop what is being said."""
        if self._playing:
            self._playing = False
            self._actions.append(StopPlay())

    def set_timer(self, after_s: float) -> None:
        """Ask for a time-out."""
        self._timing = True
        self._actions.append(SetTimer(self._now + after_s))

    def clear_timer(self) -> None:
        """Forget the timer."""
        if self._timing:
            self._timing = False
            self._actions.append(ClearTimer())

    def set_echo(self, on: bool) -> None:
        """Let the caller hear itself, or no longer."""
        if on != self._echoing:
            self._echoing = on
            self._actions.append(SetEcho(on))

    def note(self, detail: str) -> None:
        """Report what happened."""
        self._actions.append(Step(self._node.name, self._node.VERB, detail))

    def value(self, name: str) -> str:
        """Return a variable."""
        return self._variables.get(name, "")

    def remember(self, name: str, value: str, *, secret: bool = False) -> None:
        """Set a variable."""
        self._variables[name] = value
        if not secret:
            self._known[name] = value

    def facts(self) -> dict[str, str]:
        """Return what the caller entered and chose."""
        return dict(self._known)

    def keep_digit(self, digit: str) -> None:
        """Keep a digit; beyond MAX_KEPT_DIGITS the oldest is dropped."""
        self._kept.append(digit)

    def next_kept_digit(self) -> str | None:
        """Take the oldest digit that was kept."""
        return self._kept.popleft() if self._kept else None

    def forget_digits(self) -> None:
        """Drop all digits that were kept."""
        self._kept.clear()

    def go(self, node: str) -> None:
        """Go on at another node."""
        self._next = node

    def finish(self, outcome: Outcome) -> None:
        """End the flow."""
        self._leave_node()
        self._state = State.FINISHED
        self._actions.append(Finish(outcome))
