from __future__ import annotations

from pathlib import Path

from cti.bench.outbound_lists import measure


async def test_a_list_is_filled_and_claims_are_timed(tmp_path: Path) -> None:
    found = await measure(f"sqlite:///{tmp_path}/lists.db", records=6_000, claims=60)
    assert found["records"] == 6_000
    for name in ("claim_1", "claim_50", "settle_50", "funnel", "penetration"):
        assert 0.0 < found[name]["p50"] <= found[name]["p99"] <= found[name]["max"], name
