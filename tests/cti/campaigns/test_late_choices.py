"""What agents choose for talks of an earlier process finds its attempt, once the store is there."""

from __future__ import annotations

import asyncio

import pytest

from crm_store.errors import BadRecord, StoreUnavailable
from cti.campaigns import late_choices
from cti.campaigns.late_choices import LateChoices
from tests.kit.patience import PATIENCE_S


async def test_what_was_chosen_waits_for_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_choices, "_FIRST_PAUSE_S", 0.0)
    troubles: list[Exception] = [StoreUnavailable("away"), BadRecord("no id")]
    done: list[tuple[str, str]] = []
    over = asyncio.Event()

    async def recall(interaction: str) -> bool:
        if troubles:
            raise troubles.pop(0)
        return interaction != "i-inbound"

    def dispose(interaction: str, disposition: str) -> bool:
        done.append((interaction, disposition))
        over.set()
        return True

    late = LateChoices(recall, dispose)
    for interaction in ("i-odd", "i-inbound", "i-1"):
        late.add(interaction, "never")
    task = asyncio.create_task(late.run())
    async with asyncio.timeout(PATIENCE_S):
        await over.wait()
    task.cancel()
    assert done == [("i-1", "never")]
