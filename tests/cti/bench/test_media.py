from __future__ import annotations

import pytest

from cti.bench.media import measure
from tests.kit.ports import rtp_ports


@pytest.mark.slow
async def test_recorded_calls_are_bridged_without_loss_and_measured() -> None:
    figures = await measure(5, 0.5, recorded=True, ports=rtp_ports())
    assert figures.packets_sent == 2 * 5 * 100
    assert figures.packets_lost == 0
    assert figures.packets_dropped == 0
    assert (figures.recordings_whole, figures.recorded_packets_lacking) == (5, 0)
    assert 0 < figures.cpu_percent < 100
    assert 0 < figures.delay_p50_ms < 200
