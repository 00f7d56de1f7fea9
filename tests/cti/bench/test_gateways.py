from __future__ import annotations

import pytest

from cti.bench.gateway_run import Window
from cti.bench.gateways import _Round, measure_gateways
from tests.kit.ports import rtp_ports


@pytest.mark.slow
async def test_calls_are_shared_among_gateways_and_none_is_left_out() -> None:
    figures = await measure_gateways(5, 2, 0.5, rtp_ports(), rounds=1)
    assert (figures.calls, figures.gateways) == (5, 2)
    assert figures.alone_ms > 0
    assert figures.shared_ms > 0
    assert figures.load_reached > 0.5, "all calls are bridged in both"


def test_what_gateways_used_counts_together_and_the_latest_tick_of_all() -> None:
    def window(cpu_s: float, late_ms: float, received: int) -> Window:
        return Window(
            seconds=2.0, cpu_s=cpu_s, system_s=0.0, crypt_s=0.0, packets_received=received,
            packets_sent=received, lateness_p50_ms=0.1, lateness_p99_ms=late_ms,
            lateness_max_ms=late_ms, ticks_dropped=0, packets_dropped=0,
        )  # fmt: skip

    both = _Round.of([window(0.3, 1.0, 1000), window(0.1, 4.0, 900)], calls=10)
    assert both.cpu_ms == pytest.approx(1000 * 0.4 / 19)
    assert both.p99_ms == 4.0
    assert both.reached == pytest.approx(0.95)
