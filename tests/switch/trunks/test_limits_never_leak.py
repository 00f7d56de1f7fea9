"""Whatever happens to legs, in whatever order: what is counted are the legs that live."""

from __future__ import annotations

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from switch.ids import LegId
from switch.trunks.groups import GroupSettings
from switch.trunks.limits import Limited, TrunkLimits
from switch.trunks.settings import TrunkSettings
from tests.kit.machines import runs

TRUNKS: dict[str, Limited] = {
    "a": TrunkSettings(name="a", max_calls=3, max_calls_per_second=2),
    "b": TrunkSettings(name="b", max_calls=2),
    "c": TrunkSettings(name="c"),
}
GROUPS: dict[str, Limited] = {
    "g": GroupSettings(name="g", members=(), max_calls=4, max_calls_per_second=3),
    "h": GroupSettings(name="h", members=()),
}
NAMES = st.sampled_from(sorted(TRUNKS))
WAYS = st.sampled_from([None, "g", "h"])


class Legs(RuleBasedStateMachine):
    """Legs that begin, move to another trunk, end, or outlive a restart."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = TrunkLimits(TRUNKS, GROUPS)
        self.now = 100.0
        self.number = 0
        self.alive: dict[LegId, tuple[str, str | None]] = {}
        self.begun: dict[str, list[float]] = {name: [] for name in (*TRUNKS, *GROUPS)}

    @rule(trunk=NAMES, group=WAYS)
    def begins(self, trunk: str, group: str | None) -> None:
        names = [trunk] + ([group] if group else [])
        if all(self.limits.has_room(name, self.now) for name in names):
            self.number += 1
            leg = LegId(f"leg-{self.number}")
            self.limits.add(trunk, leg, now=self.now, group=group)
            self.alive[leg] = (trunk, group)
            for name in names:
                self.begun[name].append(self.now)

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), trunk=NAMES)
    def moves(self, data: st.DataObject, trunk: str) -> None:
        leg = data.draw(st.sampled_from(sorted(self.alive)))
        before, group = self.alive[leg]
        if trunk == before:  # at another address: it takes no further room
            self.limits.add(trunk, leg, now=self.now, group=group)
        elif self.limits.has_room(trunk, self.now):
            self.limits.add(trunk, leg, now=self.now, group=group)
            self.alive[leg] = (trunk, group)
            self.begun[trunk].append(self.now)

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def ends(self, data: st.DataObject) -> None:
        leg = data.draw(st.sampled_from(sorted(self.alive)))
        del self.alive[leg]
        self.limits.remove(leg)

    @rule()
    def what_is_unknown_ends(self) -> None:
        self.limits.remove(LegId("nobody"))

    @rule(seconds=st.sampled_from([0.0, 0.3, 0.5, 1.0, 5.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def the_process_is_another(self) -> None:
        self.limits = TrunkLimits(TRUNKS, GROUPS)
        self.begun = {name: [] for name in self.begun}
        for leg, (trunk, group) in self.alive.items():
            self.limits.add(trunk, leg, group=group)

    @invariant()
    def the_count_is_that_of_the_living(self) -> None:
        live = Counter(name for ways in self.alive.values() for name in ways if name is not None)
        for name, settings_ in {**TRUNKS, **GROUPS}.items():
            assert self.limits.live(name) == live[name]
            assert not settings_.max_calls or live[name] <= settings_.max_calls
        assert self.limits.legs() == frozenset(self.alive)

    @invariant()
    def no_second_has_more_beginnings_than_allowed(self) -> None:
        for name, limited in {**TRUNKS, **GROUPS}.items():
            most = limited.max_calls_per_second
            recent = [at for at in self.begun[name] if at > self.now - 1.0]
            assert not most or len(recent) <= most


TestLegs = Legs.TestCase
TestLegs.settings = runs(examples=60, steps=40)
