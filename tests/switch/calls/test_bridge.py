"""Who hears whom, as gains."""

from __future__ import annotations

import copy
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from switch.calls.bridge import SoundMatrix
from switch.calls.roles import Role
from switch.gateway.protocol import Gain
from switch.ids import LegId, PlayerId

A, B, C, S = LegId("a"), LegId("b"), LegId("c"), LegId("s")
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


def test_music_of_ones_own_is_heard_until_it_ends_and_everybodys_after_that() -> None:
    matrix, gateway = bridged()
    jazz = PlayerId("jazz")
    matrix.tunes = {"jazz": jazz}
    gateway.take(matrix.tune(B, "jazz"))
    assert gateway.heard == {A: {B}, B: {A}}
    gateway.take(matrix.hold(A, on=True, by_command=True))
    assert gateway.heard == {A: set(), B: {jazz}}
    gateway.heard[B].discard(jazz)  # its player is gone, with its gains
    gateway.take(matrix.tune_ended("jazz"))
    assert gateway.heard == {A: set(), B: {MUSIC}}


def conference(*legs: LegId) -> tuple[SoundMatrix, Gateway]:
    matrix, gateway = SoundMatrix(MUSIC), Gateway()
    for leg in legs:
        matrix.add(leg)
        gateway.heard[leg] = set()
    for first, second in combinations(legs, 2):
        gateway.take(matrix.bridge(first, second))
    return matrix, gateway


def joined_by(role: Role) -> tuple[SoundMatrix, Gateway]:
    """A (the customer) and B (the agent) talk; S attends B."""
    matrix, gateway = bridged()
    matrix.add(S)
    gateway.heard[S] = set()
    gateway.take(matrix.attend(S, B, role))
    return matrix, gateway


def test_in_a_conference_everyone_hears_all_others() -> None:
    legs = [LegId(f"leg-{number}") for number in range(9)]
    _, gateway = conference(*legs)
    assert gateway.heard == {leg: {other for other in legs if other != leg} for leg in legs}


def test_a_monitor_hears_both_and_is_heard_by_nobody() -> None:
    _, gateway = joined_by(Role.MONITOR)
    assert gateway.heard == {A: {B}, B: {A}, S: {A, B}}


def test_a_whisper_is_heard_by_the_agent_alone_and_a_barge_by_all() -> None:
    matrix, gateway = joined_by(Role.WHISPER)
    assert gateway.heard == {A: {B}, B: {A, S}, S: {A, B}}
    gateway.take(matrix.attend(S, B, Role.BARGE))
    assert gateway.heard == {A: {B, S}, B: {A, S}, S: {A, B}}
    gateway.take(matrix.attend(S, B, Role.MONITOR))
    assert gateway.heard == {A: {B}, B: {A}, S: {A, B}}


def test_who_attends_follows_the_agent_from_one_talk_to_the_next() -> None:
    matrix, gateway = joined_by(Role.BARGE)
    matrix.add(C)
    gateway.take(matrix.unbridge(A, B))
    gateway.take(matrix.bridge(B, C))
    assert gateway.heard == {A: set(), B: {C, S}, C: {B, S}, S: {B, C}}


def test_while_the_agent_holds_who_attends_hears_nothing_and_is_not_heard() -> None:
    matrix, gateway = joined_by(Role.BARGE)
    gateway.take(matrix.hold(B, on=True, by_command=True))
    assert gateway.heard == {A: {MUSIC}, B: set(), S: set()}


def test_who_attends_and_is_bridged_takes_part_as_everybody_does() -> None:
    matrix, gateway = joined_by(Role.MONITOR)
    gateway.take(matrix.bridge(S, A))
    gateway.take(matrix.unbridge(A, B))
    assert gateway.heard == {A: {S}, B: set(), S: {A}}
    assert matrix.attending(B) == ()


def test_who_attends_hears_nothing_once_the_agent_is_gone() -> None:
    matrix, gateway = joined_by(Role.WHISPER)
    gateway.take(matrix.remove(B))
    gateway.remove(B)
    assert gateway.heard == {A: set(), S: set()}
    facts = matrix.facts(S)
    assert facts is not None
    assert facts.attends is None


def test_nobody_attends_one_who_attends() -> None:
    matrix, _ = joined_by(Role.MONITOR)
    matrix.add(C)
    assert matrix.attend(C, S, Role.BARGE) == []
    assert matrix.attend(B, A, Role.BARGE) == []
    assert matrix.attend(A, A, Role.BARGE) == []


LEGS = st.sampled_from([A, B, C, S])
STEP = st.one_of(
    st.tuples(
        st.sampled_from(["bridge", "unbridge", *Role]),
        LEGS,
        LEGS,
        st.just(False),
    ),
    st.tuples(
        st.sampled_from(
            ["hold", "command-hold", "mute", "music", "echo", "remove", "add", "leave"]
        ),
        LEGS,
        st.just(A),
        st.booleans(),
    ),
)


@settings(max_examples=300)
@given(steps=st.lists(STEP, max_size=40))
def test_after_any_history_the_gateway_has_what_the_facts_say(
    steps: list[tuple[str, LegId, LegId, bool]],
) -> None:
    matrix, gateway = SoundMatrix(MUSIC), Gateway()
    for leg in (A, B, C, S):
        matrix.add(leg)
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
            case "monitor" | "whisper" | "barge":
                gateway.take(matrix.attend(a, b, Role(what)))
            case "leave":
                gateway.take(matrix.leave(a))
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
        check(matrix, gateway)


def check(matrix: SoundMatrix, gateway: Gateway) -> None:
    """The gateway has the rows, the rows are as the facts say, and who may not be heard is not."""
    for leg, row in matrix.rows():
        assert row == matrix.row(leg)
        assert gateway.heard.get(leg, set()) == row
        facts = matrix.facts(leg)
        assert facts is not None
        heard_by = {listener for listener, others in matrix.rows() if leg in others} - {leg}
        if facts.holds or facts.muted:
            assert not heard_by
        if facts.attends is not None:
            assert not facts.peers
            others = {each for each in matrix.attending(facts.attends) if each != leg}
            if facts.role is Role.MONITOR:
                assert not heard_by
            elif facts.role is Role.WHISPER:
                assert heard_by <= {facts.attends} | others
            assert leg in matrix.attending(facts.attends)


@settings(max_examples=100)
@given(steps=st.lists(STEP, max_size=25))
def test_facts_that_were_kept_give_the_same_rows_again(
    steps: list[tuple[str, LegId, LegId, bool]],
) -> None:
    matrix = SoundMatrix(MUSIC)
    for leg in (A, B, C, S):
        matrix.add(leg)
    for what, a, b, on in steps:
        if what in ("monitor", "whisper", "barge"):
            matrix.attend(a, b, Role(what))
        elif what == "bridge" and a != b:
            matrix.bridge(a, b)
        elif what == "hold":
            matrix.hold(a, on=on, by_command=True)
    again = SoundMatrix(MUSIC)
    for leg in (A, B, C, S):
        facts = matrix.facts(leg)
        assert facts is not None
        again.restore(leg, copy.deepcopy(facts))
    again.settle()
    assert dict(again.rows()) == dict(matrix.rows())
    told = Gateway()
    for gain in again.say_again():
        row = told.heard.setdefault(gain.listener, set())
        row.add(gain.source) if gain.gain else row.discard(gain.source)
    assert all(told.heard.get(leg, set()) == row for leg, row in matrix.rows())
