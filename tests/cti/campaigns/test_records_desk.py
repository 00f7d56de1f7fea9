"""What supervisors say of attempts, on its way to the store and to the law's counts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from acd.dialer.model import CampaignName, Outcome, RecordId, RecordState
from acd.model import AgentId
from crm_store.errors import StoreUnavailable
from crm_store.outbound.misjudging import Misjudged
from crm_store.outbound.views import NumberView, RecordView
from cti.api.ports import Account
from cti.campaigns.records_desk import RecordsDesk
from cti.campaigns.uploads import Uploads
from cti.cli.campaigns_records import draw_records
from cti.errors import Invalid, NotFound, Unavailable
from cti.schema_session import Role
from tests.kit.virtual_clock import VirtualClock

SPRING = CampaignName("spring")
FOUND = Misjudged(dialled_at=1.0, answered_at=5.0, was=Outcome.MACHINE, doubt=0.25)


LISTED = RecordView(
    id=RecordId("7"),
    campaign=SPRING,
    batch=1,
    name="Ann [bold]Lee",
    customer_id=None,
    numbers=(
        NumberView(position=0, number="+13055550100", region="US-FL US-TX", zones=("UTC",)),
        NumberView(position=1, number="+12125550101", region="", zones=(), dead=True),
    ),
    position=0,
    facts={"city": "Bath"},
    priority=2,
    state=RecordState.READY,
    stage="retry",
    due_at=1_795_525_200.0,
    attempts=1,
    last_outcome="no-answer",
    last_disposition="",
    last_at=1_795_500_000.0,
    call_back_agent=AgentId("1001"),
)


class Records:
    """A store that has one attempt, which ended as a machine's."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.is_away = False
        self.asked: list[dict[str, Any]] = []

    async def page(self, campaign: CampaignName, **asked: Any) -> list[RecordView]:
        self.asked.append(asked)
        return [LISTED]

    async def misjudged(
        self, campaign: CampaignName, attempt: str, *, at: float, by: str
    ) -> Misjudged | None:
        if self.is_away:
            raise StoreUnavailable("away")
        self.said.append((attempt, by))
        return FOUND if len(self.said) == 1 else None


def desk_of(records: Records, folder: Path, counted: list[Any], changed: list[Any]) -> RecordsDesk:
    store: Any = type("Store", (), {"records": records})
    jobs: Any = None
    return RecordsDesk(
        store,
        uploads=Uploads(folder),
        jobs=jobs,
        clock=VirtualClock(),
        known=SPRING.__eq__,
        lists_changed=changed.append,
        misjudged=lambda name, found: counted.append((name, found)),
    )


async def test_a_list_is_shown_page_by_page(tmp_path: Path) -> None:
    records = Records()
    desk = desk_of(records, tmp_path, [], [])
    everything: dict[str, Any] = {
        "state": "ready",
        "outcome": "no-answer",
        "number": "305 555 0100",
        "after": "6",
        "limit": 5000,
    }
    (shown,) = await desk.records("spring", **everything)
    assert records.asked == [
        {
            "state": RecordState.READY,
            "outcome": Outcome.NO_ANSWER,
            "number": "305 555 0100",
            "after": RecordId("6"),
            "limit": 1000,
        }
    ]
    assert (shown.record_id, shown.state, shown.stage) == ("7", "ready", "retry")
    assert [(each.number, each.regions, each.dead) for each in shown.numbers] == [
        ("+13055550100", "US-FL US-TX", False),
        ("+12125550101", "", True),
    ]
    assert (shown.attempts, shown.last_outcome, shown.agent_id) == (1, "no-answer", "1001")
    with pytest.raises(Invalid, match="no state asleep: ready, claimed, done, blocked"):
        await desk.records("spring", **{**everything, "state": "asleep"})
    with pytest.raises(Invalid, match="no outcome well"):
        await desk.records("spring", **{**everything, "outcome": "well"})
    with pytest.raises(NotFound):
        await desk.records("winter", **everything)


async def test_records_are_drawn_with_their_next_number(tmp_path: Path) -> None:
    everything = {"state": "", "outcome": "", "number": "", "after": ""}
    found = await desk_of(Records(), tmp_path, [], []).records("spring", **everything, limit=1)
    screen = Console(file=io.StringIO(), width=160, highlight=False)
    draw_records(list(found), screen)
    assert isinstance(screen.file, io.StringIO)
    drawn = screen.file.getvalue()
    for words in (
        "Ann [bold]Lee",
        "+13055550100*",
        "+12125550101 dead",
        "US-FL US-TX UTC",
        "unknown",
        "ready: retry (1001)",
        "no-answer",
    ):
        assert words in drawn, drawn


async def test_who_was_taken_for_a_machine_is_counted_once(tmp_path: Path) -> None:
    records, counted, changed = Records(), list[Any](), list[Any]()
    desk = desk_of(records, tmp_path, counted, changed)
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
