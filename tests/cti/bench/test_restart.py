"""Many calls at once survive the end of their call agent; `python -m cti.bench.restart` for more."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti.bench.restart import measure_restart
from tests.kit.ports import rtp_ports

CALLS = 40


@pytest.mark.slow
async def test_every_call_is_taken_up_and_ends_well(tmp_path: Path) -> None:
    found = await measure_restart(CALLS, tmp_path, rtp_ports=rtp_ports())
    assert found.calls == CALLS, "not all of them talked"
    # The cores are shared with other tests here, and all of the generator is one of their processes:
    # `make soak` holds it to the two seconds and to what nobody hears.
    assert found.complaints(within_s=10.0, pause_s=1.0) == []
