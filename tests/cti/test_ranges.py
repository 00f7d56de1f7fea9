"""Ranges of ports, divided among gateways."""

from __future__ import annotations

import pytest

from cti.ranges import SettingsError, port_shares


@pytest.mark.parametrize(
    ("low", "high", "count", "shares"),
    [
        (16000, 31999, 2, [(16000, 23999), (24000, 31999)]),
        (16001, 16040, 3, [(16002, 16013), (16014, 16025), (16026, 16037)]),
        (24000, 24031, 4, [(24000, 24007), (24008, 24015), (24016, 24023), (24024, 24031)]),
    ],
)
def test_ports_are_shared_evenly(
    low: int, high: int, count: int, shares: list[tuple[int, int]]
) -> None:
    assert port_shares(low, high, count) == shares


def test_a_range_too_small_for_so_many_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"16000-16031 is too small for 5 gateways"):
        port_shares(16000, 16031, 5)
