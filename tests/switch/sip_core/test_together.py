"""Waits in which nothing but copies can come end for many transactions at once."""

from hypothesis import given
from hypothesis import strategies as st

from switch.sip.timers import together


@given(st.floats(min_value=0.0, max_value=1e9))
def test_a_wait_ends_never_early_and_an_eighth_of_a_second_late_at_most(when: float) -> None:
    assert when <= together(when) <= when + 0.125


def test_waits_that_began_apart_end_together() -> None:
    ends = {together(1000.0 + call / 100) for call in range(100)}
    assert len(ends) == 9
