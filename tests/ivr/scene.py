"""A caller in a flow, in virtual time: what it hears, presses, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ivr.events import FlowStepped
from ivr.flow import Flow
from ivr.loader import load_flow, parse_flow
from ivr.outcomes import Outcome
from ivr.prompts.catalogue import PromptCatalogue
from ivr.runner import CallerFacts, FlowRun
from switch.clock import TimerHandle
from switch.gateway.protocol import PlayItem, Prompt, Silence, Tone
from switch.ids import LegId, PlayerId
from tests.kit.virtual_clock import VirtualClock

ROOT = Path(__file__).parents[2]
CATALOGUE = PromptCatalogue(ROOT / "config/prompts")
QUEUES = frozenset({"sales", "support", "load"})


def shipped_flow(name: str) -> Flow:
    return load_flow(
        ROOT / f"config/flows/{name}.yaml", has_prompt=CATALOGUE.has, has_queue=QUEUES.__contains__
    )


def flow_of(text: str) -> Flow:
    return parse_flow(
        text.encode(),
        "flow.yaml",
        name="flow",
        has_prompt=CATALOGUE.has,
        has_queue=QUEUES.__contains__,
    )


class Scene:
    """Stands for the switch: answers, plays prompts for as long as they last, carries digits."""

    def __init__(
        self, flow: Flow, *, language: str = "en", answers: bool = True, wall: float = 1.7e9
    ) -> None:
        self.clock = VirtualClock(wall=wall)
        self.heard: list[str] = []
        """Names of prompts whose playing began."""
        self.playing: dict[PlayerId, tuple[PlayItem, ...]] = {}
        self.answered = False
        self.echoing = False
        self.outcomes: list[Outcome] = []
        self.events: list[FlowStepped] = []
        self._answers = answers
        self._players = 0
        self._ends: dict[PlayerId, TimerHandle] = {}
        self.run = FlowRun(
            flow,
            leg=LegId("leg-1"),
            voice=self,
            clock=self.clock,
            facts=CallerFacts(caller="+12025550123", called="4000", language=language),
            on_outcome=self.outcomes.append,
            on_event=self.events.append,
        )

    # --- ivr.ports.Voice ---

    def answer(self, leg: LegId) -> None:
        assert not self.answered
        self.answered = True
        if self._answers:
            self.clock.call_at(self.clock.now(), self.run.leg_answered)

    def play(self, leg: LegId, items: Sequence[PlayItem], *, loop: bool = False) -> PlayerId:
        assert self.answered
        assert not self.playing, "two prompts at once"
        assert items
        self._players += 1
        player = PlayerId(f"player-{self._players}")
        self.playing[player] = tuple(items)
        self.heard += [item.name for item in items if isinstance(item, Prompt)]
        end = self.clock.now() + seconds_of(items)
        self._ends[player] = self.clock.call_at(end, lambda: self._finished(player))
        return player

    def stop(self, player: PlayerId) -> None:
        del self.playing[player]
        self._ends[player].cancel()
        # The gateway reports a stopped player as well, a little later.
        self.clock.call_at(self.clock.now() + 0.02, lambda: self.run.play_finished(player))

    def echo(self, leg: LegId, on: bool) -> None:
        assert on != self.echoing
        self.echoing = on

    # --- the test's hands ---

    def start(self) -> Scene:
        self.run.start()
        self.clock.advance(0)
        return self

    def press(self, digits: str, *, gap_s: float = 0.2) -> Scene:
        for digit in digits:
            self.run.digit(digit)
            self.clock.advance(gap_s)
        return self

    def wait(self, seconds: float) -> Scene:
        self.clock.advance(seconds)
        return self

    def listen(self) -> Scene:
        """Wait until the prompt that plays is over, and what follows it at once has begun."""
        for player, items in list(self.playing.items()):
            self.clock.advance(seconds_of(items))
            assert player not in self.playing
        return self

    @property
    def outcome(self) -> Outcome:
        (outcome,) = self.outcomes
        return outcome

    @property
    def details(self) -> list[str]:
        return [event.detail for event in self.events if event.detail]

    @property
    def nodes(self) -> list[str]:
        return [event.node for event in self.events if not event.detail]

    def left_nothing_behind(self) -> bool:
        self.clock.advance(0.1)
        return not self.playing and not self.echoing and self.clock.pending == 0

    def _finished(self, player: PlayerId) -> None:
        if self.playing.pop(player, None):
            self.run.play_finished(player)


def seconds_of(items: Sequence[PlayItem]) -> float:
    total = 0
    for item in items:
        match item:
            case Prompt(name=name):
                total += CATALOGUE.duration_ms(name) or 0
            case Silence(duration_ms=length) | Tone(duration_ms=length):
                total += length
    return total / 1000
