from itertools import product

import pytest

from switch.errors import LocalProtocolError
from switch.presence import subscription
from switch.presence.subscription import IGNORED, TRANSITIONS, Action, Input, State, step


@pytest.mark.parametrize(("state", "given"), [*product(State, Input)])
def test_every_pair_is_a_step_is_ignored_or_is_our_fault(state: State, given: Input) -> None:
    listed = ((state, given) in TRANSITIONS) + ((state, given) in IGNORED)
    assert listed <= 1
    if listed:
        assert step(state, given) == TRANSITIONS.get((state, given))
    else:
        with pytest.raises(LocalProtocolError):
            step(state, given)


def test_every_way_to_the_end_forgets() -> None:
    for (state, _), (target, actions) in TRANSITIONS.items():
        if target is State.OVER and state is not State.OVER:
            assert actions[-1] is Action.FORGET


def test_every_package_has_a_content_type() -> None:
    assert set(subscription.CONTENT_TYPES) == set(subscription.Package)
