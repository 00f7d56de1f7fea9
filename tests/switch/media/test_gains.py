"""The plan carries out the gain matrix, whatever the entries are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from switch.media.gains import GainMatrix, Plan
from switch.media.legs import LEG

LEGS = 6
Heard = dict[int, float]

entries = st.dictionaries(
    st.tuples(st.integers(0, LEGS - 1), st.integers(-3, LEGS - 1)),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    max_size=30,
)


def heard_by_plan(plan: Plan) -> dict[int, Heard]:
    """What each listener hears when the plan is carried out."""
    heard: dict[int, Heard] = {}
    for source in range(LEGS):
        first = int(plan.relay_start[source])
        for at in range(first, first + int(plan.relay_count[source])):
            assert plan.relay_sources[at] == source
            assert heard.setdefault(int(plan.relay_listeners[at]), {source: 1.0}) == {source: 1.0}
    for listener, player in zip(plan.copy_listeners, plan.copy_players, strict=True):
        assert int(listener) not in heard
        heard[int(listener)] = {~int(player): 1.0}
    ends = [*plan.mix_starts.tolist(), len(plan.mix_sources)][1:]
    mixes = [
        dict(
            zip(
                plan.mix_sources[start:end].tolist(),
                plan.mix_gains[start:end].tolist(),
                strict=True,
            )
        )
        for start, end in zip(plan.mix_starts.tolist(), ends, strict=True)
    ]
    assert len({frozenset(mix.items()) for mix in mixes}) == len(mixes), "each mix is made once"
    for listener, mix in zip(plan.mix_listeners, plan.mix_of_listener, strict=True):
        assert int(listener) not in heard
        heard[int(listener)] = mixes[int(mix)]
    for listener in plan.silent_listeners.tolist():
        assert listener not in heard
        heard[listener] = {}
    return heard


@given(entries, st.lists(st.booleans(), min_size=LEGS, max_size=LEGS))
def test_everybody_who_wants_to_hear_hears_what_the_matrix_says(
    gains: dict[tuple[int, int], float], sending: list[bool]
) -> None:
    matrix = GainMatrix()
    for (listener, source), gain in gains.items():
        matrix.set(listener, source, gain)
    legs = np.zeros(LEGS, dtype=LEG)
    legs["sending"] = sending
    expected: dict[int, Heard] = {row: {} for row in range(LEGS) if sending[row]}
    for (listener, source), gain in gains.items():
        if sending[listener] and gain:
            expected[listener][source] = gain
    assert heard_by_plan(matrix.plan(legs)) == expected
