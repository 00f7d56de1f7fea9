"""The pacer as the dialer calls it: events in, explained and replayable decisions out."""

from __future__ import annotations

import heapq
import json
import math
import random
import time
from dataclasses import dataclass, field

import msgspec
import pytest

from acd.dialer.pacing import loading
from acd.dialer.pacing.engine import Engine
from acd.dialer.pacing.model import Decision, Floor, Limit, Reason
from acd.dialer.pacing.pacer import Pacer
from acd.dialer.pacing.replay import replay
from acd.dialer.pacing.words import why

RING_S = (4.0, 14.0)
GIVE_UP_S = 20.0
TALK_S = 60.0
WRAP_UP_S = 10.0
PATIENCE_S = 2.0


@dataclass
class World:
    """People who answer after a while and talk for a while, at times that are no whole seconds."""

    pacer: Pacer
    agents: int
    answer: float = 0.4
    machines: float = 0.0
    judge_s: float = 1.3
    is_predictive: bool = True
    limits: tuple[Limit, ...] = ()
    now: float = 1000.25
    answered: int = 0
    abandoned: int = 0
    talk_s: float = 0.0
    dials: int = 0
    decisions: list[Decision] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(7)
        self.free = self.agents
        self.waiting: list[float] = []
        self.talking: dict[int, float] = {}
        self.wrapping: dict[int, float] = {}
        self.due: list[tuple[float, int, str, float, float]] = []
        self.serial = 0

    def later(self, at: float, what: str, begun: float, second: float = 0.0) -> None:
        self.serial += 1
        heapq.heappush(self.due, (at, self.serial, what, begun, second))

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1.0
            while self.due and self.due[0][0] <= self.now:
                at, serial, what, begun, second = heapq.heappop(self.due)
                self.happens(at, serial, what, begun, second)
            decision = self.pacer.decide(
                self.now, self.now, self.floor(), allowance=0.03 * self.answered - self.abandoned,
                is_predictive=self.is_predictive, limits=self.limits,
            )  # fmt: skip
            self.decisions.append(decision)
            for _ in range(decision.dials):
                self.dial()

    def floor(self) -> Floor:
        return Floor(
            free=self.free,
            waiting=len(self.waiting),
            talking=tuple(self.now - begun for begun in self.talking.values()),
            wrapping=tuple(self.now - begun for begun in self.wrapping.values()),
        )

    def dial(self) -> None:
        self.dials += 1
        self.pacer.dialled(self.now)
        if self.chance.random() < self.answer:
            self.later(self.now + self.chance.uniform(*RING_S), "answered", self.now)
        elif self.chance.random() < 0.2:
            self.later(self.now + 0.4, "ended", self.now)
        else:
            self.later(self.now + GIVE_UP_S, "ended", self.now)

    def happens(self, at: float, serial: int, what: str, begun: float, second: float) -> None:
        match what:
            case "ended":
                self.pacer.ended(at, begun)
            case "answered":
                self.pacer.answered(at, begun)
                is_machine = self.chance.random() < self.machines
                judged = at + self.judge_s if self.machines else at
                self.later(judged, "machine" if is_machine else "person", begun, at)
            case "machine":
                self.pacer.ended(at, begun, second)
            case "person":
                self.pacer.needs_agent(at, second)
                self.answered += 1
                self.waiting.append(at)
                self.later(at + PATIENCE_S, "impatient", at)
                self.match(at)
            case "impatient":
                if begun in self.waiting:
                    self.waiting.remove(begun)
                    self.abandoned += 1
            case "talked":
                self.pacer.talked(at - self.talking.pop(int(second)))
                self.wrapping[serial] = at
                self.later(at + WRAP_UP_S, "ready", at, serial)
            case "ready":
                self.pacer.wrapped_up(at - self.wrapping.pop(int(second)))
                self.free += 1
                self.match(at)

    def match(self, at: float) -> None:
        while self.waiting and self.free:
            self.waiting.pop(0)
            self.free -= 1
            lasts = self.chance.expovariate(1.0 / TALK_S)
            self.talk_s += lasts
            self.serial += 1
            self.talking[self.serial] = at
            self.pacer.connected(at + 0.2, at)
            self.later(at + lasts, "talked", at, self.serial)


def test_agents_talk_more_than_one_dial_each_allows_and_the_cap_holds() -> None:
    share = {}
    for is_predictive in (False, True):
        world = World(Pacer(wrap_up_s=WRAP_UP_S), agents=12, is_predictive=is_predictive)
        world.run(3 * 3600)
        share[is_predictive] = world.talk_s / (12 * 3 * 3600)
        assert world.abandoned <= 0.03 * world.answered
    assert share[True] > share[False] + 0.1


def test_it_learns_that_most_answers_are_machines() -> None:
    world = World(Pacer(wrap_up_s=WRAP_UP_S), agents=12, machines=0.6)
    world.run(2 * 3600)
    assert world.abandoned <= 0.03 * world.answered
    assert world.decisions[-1].human_rate == pytest.approx(0.4, abs=0.1)
    assert world.decisions[-1].answer_rate == pytest.approx(0.4, abs=0.15)


def test_every_decision_can_be_replayed_from_its_own_words() -> None:
    limits = (Limit(code="trunk-full", most=6), Limit(code="list-empty", most=40))
    world = World(Pacer(wrap_up_s=WRAP_UP_S), agents=30, limits=limits)
    world.run(2400)
    assert {d.reason for d in world.decisions} >= {Reason.LEARNING, Reason.FORECAST, Reason.LIMIT}
    for decision in world.decisions[::7]:
        kept = msgspec.json.decode(msgspec.json.encode(decision), type=Decision)
        assert replay(kept) == decision.dials
        assert why(kept).startswith(f"{decision.dials} dial")
    numbers = [decision.number for decision in world.decisions]
    assert numbers == list(range(1, len(numbers) + 1))


def test_one_dial_for_each_free_agent_until_it_has_learned() -> None:
    pacer = Pacer()
    first = pacer.decide(100.0, 0.0, Floor(free=4, waiting=1), allowance=0.0)
    assert (first.dials, first.reason) == (3, Reason.LEARNING)
    for _ in range(3):
        pacer.dialled(100.0)
    second = pacer.decide(101.0, 1.0, Floor(free=4, waiting=1), allowance=0.0)
    assert second.dials == 0
    assert "until enough talks are known (0 so far)" in why(second)


def test_nobody_is_dialled_for_agents_who_are_not_there() -> None:
    decision = Pacer().decide(0.0, 0.0, Floor(free=0), allowance=100.0)
    assert (decision.dials, decision.reason) == (0, Reason.NO_AGENTS)
    assert replay(decision) == 0


def test_limits_bind_and_are_named() -> None:
    limits = [Limit(code="calls-per-second", most=5), Limit(code="trunk-full", most=2)]
    decision = Pacer().decide(0.0, 0.0, Floor(free=9), allowance=0.0, limits=limits)
    assert (decision.dials, decision.reason, decision.limit) == (2, Reason.LIMIT, "trunk-full")
    assert why(decision) == "2 dials: the trunk takes no more calls (9 agents free, 0 ringing)."
    closed = [Limit(code="trunk-full", most=-3)]
    assert Pacer().decide(0.0, 0.0, Floor(free=9), allowance=0.0, limits=closed).dials == 0


def test_callers_of_the_queue_go_first() -> None:
    decision = Pacer().decide(0.0, 0.0, Floor(free=3, callers=2), allowance=0.0)
    assert decision.dials == 1


def test_less_allowance_means_fewer_dials() -> None:
    world = World(Pacer(wrap_up_s=WRAP_UP_S), agents=40)
    world.run(1800)
    kept = world.pacer.record()
    floor = Floor(free=2, talking=tuple(float(3 * i) for i in range(30)), wrapping=(1.0, 4.0, 9.5))
    found = []
    for allowance in (20.0, 6.0, 0.0, -20.0):
        pacer = Pacer(wrap_up_s=WRAP_UP_S)
        pacer.restore(kept)
        found.append(pacer.decide(1.0, 0.0, floor, allowance=allowance).dials)
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1] >= 2


def test_what_was_learned_survives_a_restart() -> None:
    world = World(Pacer(wrap_up_s=WRAP_UP_S), agents=20)
    world.run(1800)
    kept = json.loads(json.dumps(world.pacer.record()))
    after = Pacer()
    after.restore(kept)
    floor = Floor(free=5, talking=(3.0, 40.0, 80.0), wrapping=(2.0,))
    fresh = Pacer().decide(1.0, 0.0, floor, allowance=8.0)
    decision = after.decide(1.0, 0.0, floor, allowance=8.0)
    assert fresh.reason is Reason.LEARNING
    assert decision.reason is Reason.FORECAST
    assert decision.number == len(world.decisions) + 1
    assert decision.dials > fresh.dials


@pytest.mark.parametrize(
    "kept", [{}, {"decisions": "x"}, {"mind": [1, 2]}, {"mind": [math.nan] * 4000}, {"mind": "x"}]
)
def test_what_cannot_be_read_is_learned_anew(kept: dict[str, object]) -> None:
    pacer = Pacer()
    pacer.restore(kept)
    assert pacer.decide(0.0, 0.0, Floor(free=1), allowance=0.0).reason is Reason.LEARNING


def test_a_dial_that_nobody_ended_is_forgotten_after_a_minute() -> None:
    pacer = Pacer()
    pacer.dialled(10.0)
    pacer.dialled(11.0)
    pacer.ended(12.0, 11.0)
    assert pacer.ringing == 1
    assert pacer.decide(13.0, 0.0, Floor(free=1), allowance=0.0).dials == 0
    assert pacer.decide(75.0, 0.0, Floor(free=1), allowance=0.0).dials == 1
    pacer.ended(76.0, 10.0)
    assert pacer.ringing == 0


def test_ages_turn_with_the_clock() -> None:
    engine = Engine(wrap_up_s=20.0, cap=0.03)
    for at in (100.0, 100.9, 103.5, 163.2):
        engine.dialled(at)
    assert engine.ringing == 4
    assert {age: int(n) for age, n in enumerate(engine._by_age()) if n} == {0: 1, 60: 1, 63: 2}


def test_until_it_is_loaded_it_keeps_the_news_and_dials_one_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(Pacer(wrap_up_s=WRAP_UP_S), agents=20)
    world.run(1200)
    monkeypatch.setattr(loading, "_loader", loading._Loader())
    loading.defer()
    pacer = Pacer(wrap_up_s=WRAP_UP_S)
    pacer.restore(world.pacer.record())
    pacer.dialled(2000.0)
    pacer.dialled(2000.0)
    pacer.answered(2001.0, 2000.0)
    floor = Floor(free=5, waiting=1, talking=(3.0, 40.0))
    limits = [Limit(code="trunk-full", most=1)]
    before = pacer.decide(2002.0, 0.0, floor, allowance=8.0)
    bound = pacer.decide(2002.0, 0.0, floor, allowance=8.0, limits=limits)
    nobody = pacer.decide(2002.0, 0.0, Floor(free=0), allowance=8.0)
    assert (before.dials, before.reason, before.in_flight) == (2, Reason.LEARNING, 1)
    assert (bound.dials, bound.limit) == (1, "trunk-full")
    assert (nobody.dials, nobody.reason) == (0, Reason.NO_AGENTS)
    assert replay(before) == 2
    assert pacer.record()["mind"] == world.pacer.record()["mind"]
    loading.load()
    after = pacer.decide(2003.0, 0.0, floor, allowance=8.0)
    assert (after.reason, after.in_flight, after.judging) == (Reason.FORECAST, 1, 1)
    assert after.number == before.number + 3


def test_a_decision_for_500_agents_and_5000_dials_takes_less_than_a_millisecond() -> None:
    world = World(Pacer(wrap_up_s=WRAP_UP_S), agents=60)
    world.run(1200)
    pacer = Pacer(wrap_up_s=WRAP_UP_S)
    pacer.restore(world.pacer.record())
    for second in range(20):
        for _ in range(250):
            pacer.dialled(1000.0 + second)
    assert pacer.ringing == 5000
    floor = Floor(
        free=40,
        talking=tuple(i * 0.7 for i in range(400)),
        wrapping=tuple(i * 0.16 for i in range(60)),
    )
    best = math.inf
    for turn in range(50):
        began = time.perf_counter()
        pacer.decide(1020.0 + turn / 100.0, 0.0, floor, allowance=30.0)
        best = min(best, time.perf_counter() - began)
    assert best < 0.001
