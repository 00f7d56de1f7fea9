"""Who hears whom, as gains."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from switch.calls.bridge import SoundMatrix
from switch.gateway.protocol import Gain
from switch.ids import LegId, PlayerId

A, B, C = LegId("a"), LegId("b"), LegId("c")
MUSIC = PlayerId("music")


class Gateway:
    """What a gateway knows: the gains it was told."""

    def __init__(self) -> None:
        self.heard: dict[LegId, set[str]] = {}

    def take(self, gains: list[Gain]) -> None:
        for gain in gains:
            row = self.heard.setdefault(gain.listener, set())
            if gain.gain:
                assert gain.source not in row, "set twice"
                row.add(gain.source)
            else:
                assert gain.source in row, "removed without being there"
                row.remove(gain.source)

    def remove(self, leg: LegId) -> None:
        self.heard.pop(leg, None)
        for row in self.heard.values():
            row.discard(leg)


def bridged() -> tuple[SoundMatrix, Gateway]:
    matrix, gateway = SoundMatrix(MUSIC), Gateway()
    matrix.add(A)
    matrix.add(B)
    gateway.take(matrix.bridge(A, B))
    return matrix, gateway


def test_bridged_legs_hear_each_other_until_the_bridge_is_taken_apart() -> None:
    matrix, gateway = bridged()
    assert gateway.heard == {A: {B}, B: {A}}
    gateway.take(matrix.unbridge(A, B))
    assert gateway.heard == {A: set(), B: set()}
    assert matrix.peers(A) == ()


def test_bridging_twice_changes_nothing() -> None:
    matrix, _ = bridged()
    assert matrix.bridge(B, A) == []


def test_hold_gives_the_peer_music_and_the_holder_nothing_and_resume_restores() -> None:
    matrix, gateway = bridged()
    gateway.take(matrix.hold(A, on=True, by_command=False))
    assert gateway.heard == {A: set(), B: {MUSIC}}
    gateway.take(matrix.hold(A, on=False, by_command=False))
    assert gateway.heard == {A: {B}, B: {A}}


def test_two_reasons_to_hold_must_both_end() -> None:
    matrix, gateway = bridged()
    gateway.take(matrix.hold(A, on=True, by_command=False))
    assert matrix.hold(A, on=True, by_command=True) == []
    assert matrix.hold(A, on=False, by_command=False) == []
    gateway.take(matrix.hold(A, on=False, by_command=True))
    assert gateway.heard == {A: {B}, B: {A}}


def test_when_both_hold_both_hear_nothing() -> None:
    matrix, gateway = bridged()
    gateway.take(matrix.hold(A, on=True, by_command=True))
    gateway.take(matrix.hold(B, on=True, by_command=False))
    assert gateway.heard == {A: set(), B: set()}
    gateway.take(matrix.hold(A, on=False, by_command=True))
    assert gateway.heard == {A: {MUSIC}, B: set()}


def test_a_muted_leg_hears_and_is_not_heard() -> None:
    matrix, gateway = bridged()
    gateway.take(matrix.mute(A, True))
    assert gateway.heard == {A: {B}, B: set()}
    gateway.take(matrix.mute(A, False))
    assert gateway.heard == {A: {B}, B: {A}}


def test_music_survives_the_hold_of_a_peer_and_the_end_of_the_hold() -> None:
    matrix, gateway = bridged()
    gateway.take(matrix.music(B, True))
    gateway.take(matrix.hold(A, on=True, by_command=True))
    assert gateway.heard[B] == {MUSIC}
    gateway.take(matrix.hold(A, on=False, by_command=True))
    assert gateway.heard[B] == {A, MUSIC}


def test_an_echo_is_a_gain_of_a_leg_to_itself() -> None:
    matrix, gateway = bridged()
    gateway.take(matrix.unbridge(A, B))
    gateway.take(matrix.echo(A, True))
    assert gateway.heard[A] == {A}
    gateway.take(matrix.echo(A, False))
    assert gateway.heard[A] == set()


def test_a_leg_that_ends_while_holding_takes_its_music_with_it() -> None:
    matrix, gateway = bridged()
    gateway.take(matrix.hold(A, on=True, by_command=False))
    gateway.take(matrix.remove(A))
    gateway.remove(A)
    assert gateway.heard == {B: set()}
    assert matrix.remove(A) == []
    assert matrix.peers(B) == ()


LEGS = st.sampled_from([A, B, C])
STEP = st.one_of(
    st.tuples(st.sampled_from(["bridge", "unbridge"]), LEGS, LEGS, st.just(False)),
    st.tuples(
        st.sampled_from(["hold", "command-hold", "mute", "music", "echo", "remove", "add"]),
        LEGS,
        st.just(A),
        st.booleans(),
    ),
)


@settings(max_examples=200)
@given(steps=st.lists(STEP, max_size=40))
def test_after_any_history_the_gateway_has_what_the_facts_say(
    steps: list[tuple[str, LegId, LegId, bool]],
) -> None:
    matrix, gateway = SoundMatrix(MUSIC), Gateway()
    for what, a, b, on in steps:
        if what == "add":
            if a not in matrix:
                matrix.add(a)
            continue
        if a not in matrix or b not in matrix:
            continue
        match what:
            case "bridge" if a != b:
                gateway.take(matrix.bridge(a, b))
            case "unbridge" if a != b:
                gateway.take(matrix.unbridge(a, b))
            case "hold" | "command-hold":
                gateway.take(matrix.hold(a, on=on, by_command=what == "command-hold"))
            case "mute":
                gateway.take(matrix.mute(a, on))
            case "music":
                gateway.take(matrix.music(a, on))
            case "echo":
                gateway.take(matrix.echo(a, on))
            case "remove":
                gateway.take(matrix.remove(a))
                gateway.remove(a)
        for leg, row in matrix.rows():
            assert row == matrix.row(leg)
            assert gateway.heard.get(leg, set()) == row
