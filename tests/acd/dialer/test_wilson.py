"""Upper bounds of small shares, and the room that they leave."""

from __future__ import annotations

import pytest

from acd.dialer.wilson import room, upper_bound


@pytest.mark.parametrize(
    ("cases", "of", "percent"), [(25, 1000, 3.45), (75, 3000, 3.01), (20, 1000, 2.87)]
)
def test_upper_bounds_known_from_elsewhere(cases: int, of: int, percent: float) -> None:
    assert 100 * upper_bound(cases, of) == pytest.approx(percent, abs=0.01)


def test_of_none_everything_is_possible() -> None:
    assert upper_bound(0, 0) == 1.0


@pytest.mark.parametrize("of", [100.0, 1000.0, 50000.0])
@pytest.mark.parametrize("cap", [0.01, 0.03, 0.05])
def test_where_the_room_is_used_up_the_bound_is_the_cap(of: float, cap: float) -> None:
    left = room(cap, of, is_guarded=True)
    if left > 0:
        assert upper_bound(left, of) == pytest.approx(cap)
    else:
        assert upper_bound(0, of) >= cap
    assert room(cap, of, is_guarded=False) == pytest.approx(cap * of)
