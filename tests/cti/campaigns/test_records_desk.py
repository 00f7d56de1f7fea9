"""What supervisors say of attempts, on its way to the store and to the law's counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acd.dialer.model import CampaignName, Outcome
from crm_store.errors import StoreUnavailable
from crm_store.outbound.misjudging import Misjudged
from cti.api.ports import Account
from cti.campaigns.records_desk import RecordsDesk
from cti.campaigns.uploads import Uploads
from cti.errors import NotFound, Unavailable
from cti.schema_session import Role
from tests.kit.virtual_clock import VirtualClock

SPRING = CampaignName("spring")
FOUND = Misjudged(dialled_at=1.0, answered_at=5.0, was=Outcome.MACHINE, doubt=0.25)


class Records:
    """A store that has one attempt, which ended as a machine's."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.is_away = False

    async def misjudged(
        self, campaign: CampaignName, attempt: str, *, at: float, by: str
    ) -> Misjudged | None:
        if self.is_away:
            raise StoreUnavailable("away")
        self.said.append((attempt, by))
        return FOUND if len(self.said) == 1 else None


async def test_who_was_taken_for_a_machine_is_counted_once(tmp_path: Path) -> None:
    records, counted, changed = Records(), list[Any](), list[Any]()
    store: Any = type("Store", (), {"records": records})
    jobs: Any = None
    desk = RecordsDesk(
        store,
        uploads=Uploads(tmp_path),
        jobs=jobs,
        clock=VirtualClock(),
        known=SPRING.__eq__,
        lists_changed=changed.append,
        misjudged=lambda name, found: counted.append((name, found)),
    )
    super_ = Account(login="super", name="Super", role=Role.SUPERVISOR)
    with pytest.raises(NotFound):
        await desk.misjudged("winter", "call-1", super_)
    records.is_away = True
    with pytest.raises(Unavailable):
        await desk.misjudged("spring", "call-1", super_)
    assert counted == []
    records.is_away = False
    assert [await desk.misjudged("spring", "call-1", super_) for _ in range(2)] == [1, 0]
    assert records.said == [("call-1", "super")] * 2
    assert (counted, changed) == ([(SPRING, FOUND)], [SPRING])
