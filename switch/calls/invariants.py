"""What must hold after every turn. Cheap enough for tests to check it after each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from switch.calls.control import Calls


class InvariantError(AssertionError):
    """The calls have lost count of something."""


def check_invariants(calls: Calls) -> None:
    """Check the state of all calls against itself.

    Raises:
        InvariantError: naming everything that is wrong.
    """
    faults = list(_faults(calls))
    if faults:
        raise InvariantError("; ".join(faults))


def _faults(calls: Calls) -> Iterator[str]:
    live = {leg.id: leg for leg in calls.legs}
    answered = {leg.id for leg in live.values() if leg.is_answered}
    matrix = calls.sound.matrix

    heard = dict(matrix.rows())
    early = {leg for leg in live if matrix.hears_early(leg) is not None}
    for leg in early:
        callee = live.get(matrix.hears_early(leg) or leg)
        if callee is None or not callee.outbound:
            yield f"leg {leg} hears {matrix.hears_early(leg)} early, which is no callee that lives"
    if heard.keys() != answered | early:
        yield f"legs with a row {sorted(heard)}, legs answered {sorted(answered)}"
    for leg, row in heard.items():
        if row != matrix.row(leg):
            yield f"leg {leg} hears {sorted(row)}, should hear {sorted(matrix.row(leg))}"
        for peer in matrix.peers(leg):
            if peer not in answered:
                yield f"leg {leg} is bridged with {peer}, which is not answered"
            elif leg not in matrix.peers(peer):
                yield f"leg {leg} is bridged with {peer}, but not the other way round"

    for crossing in calls.sound.wiring.crossings:
        if crossing.source not in live or not crossing.users:
            yield f"leg {crossing.source} is led to {crossing.there.name} for {crossing.users}"
    for name, count in Counter(m.name for m in calls.gateways.legs.values()).items():
        if calls.gateways[name].legs != count:
            yield f"gateway {name} counts {calls.gateways[name].legs} legs, it has {count}"
    if calls.media.open_legs != live.keys():
        yield f"ports of {sorted(calls.media.open_legs)}, legs {sorted(live)}"
    trunk_legs = {leg.id for leg in live.values() if leg.trunk is not None}
    if calls.limits.legs() != trunk_legs:
        yield f"trunks count {sorted(calls.limits.legs())}, on trunks are {sorted(trunk_legs)}"
    for each in live.values():
        if calls.legs.of_session(each.session) is not each:
            yield f"leg {each.id} is not found by its session {each.session}"
        if (each.timer is None) != (each.is_answered or each.state.name == "OFFERED"):
            yield f"leg {each.id} is {each.state.name}, its timer is {each.timer}"
    counted = {leg.call for leg in live.values()}
    if calls.calls_alive != len(counted):
        yield f"{calls.calls_alive} calls are counted, {len(counted)} have legs"
    for player, listener in calls.sound.players.items():
        if listener not in answered:
            yield f"player {player} plays to {listener}, which is not answered"
    for capture in calls.sound.captures.running():
        if not capture.is_stopping and capture.call not in counted:
            yield f"recording {capture.id} runs for call {capture.call}, which is over"
    if calls.direct_calls > len(counted):
        yield f"{calls.direct_calls} direct calls, but only {len(counted)} calls"
