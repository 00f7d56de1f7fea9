"""What people are told of campaigns: lists, why nothing is dialled, and when all are known."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from acd.dialer.limits import LIST_HAS_NONE
from acd.dialer.model import Blocker, Funnel
from crm_store.outbound.views import Penetration
from cti.api.ports import Account
from cti.campaigns.desk import CampaignDesk
from cti.campaigns.views import knowing_the_list, list_view, why_view
from cti.errors import Unavailable
from cti.schema_campaigns import CampaignListView
from cti.schema_session import Role
from tests.acd.dialer.outbound import SPRING
from tests.kit.virtual_clock import VirtualClock

SUPER = Account(login="super", name="Super", role=Role.SUPERVISOR)
CLAIMED = Blocker(code="claimed", words="4 with the dialer", count=4)


def summary(*steps: Blocker, callable: int = 0, ahead: int = 0) -> str:
    funnel = Funnel(campaign=SPRING, at=0.0, total=9, steps=steps, callable=callable)
    return why_view(funnel, "running", (), ahead=ahead).summary


def test_records_at_hand_are_not_held_back() -> None:
    assert summary(CLAIMED, ahead=4).startswith(
        "4 of 9 records are at hand and come next, 0 more may be dialled now."
    )
    reached = Blocker(code="reached", words="3 reached", count=3)
    assert summary(reached, CLAIMED).endswith("Most are held back by: 3 reached")


def test_what_does_not_run_says_its_state_once() -> None:
    funnel = Funnel(campaign=SPRING, at=0.0, total=9, steps=(), callable=9)
    why = why_view(funnel, "draft", ())
    assert (why.state, why.summary) == ("draft", "Nothing is dialled until it is started.")


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (CampaignListView(), LIST_HAS_NONE),
        (CampaignListView(at=1.0), "The list is empty: import one."),
        (CampaignListView(at=1.0, total=7, done=7), "Nobody of the list is left to be called"),
        (CampaignListView(at=1.0, total=7, ready=5), "5 records are left, and none may be called"),
        (CampaignListView(at=1.0, total=7, ready=1), "1 record is left, and it may not be called"),
    ],
)
def test_where_no_record_is_at_hand_the_list_says_why(
    records: CampaignListView, words: str
) -> None:
    none = Blocker(code="list-empty", words=LIST_HAS_NONE)
    other = Blocker(code="no-agents", words="No agent is there.")
    found = knowing_the_list((none, other), records)
    assert found[0].words.startswith(words)
    assert found[1] is other


def test_who_was_dialled_and_is_blocked_now_was_worked_through() -> None:
    counted = Penetration(
        campaign=SPRING,
        total=4,
        untouched=2,
        by_state={"ready": 2, "blocked": 2},
        by_stage={"ready": 2, "opted-out": 1, "do-not-call": 1},
        by_outcome={"opted-out": 1},
        tried=1,
        goal_reached=0,
        attempts=1,
    )
    assert list_view(counted, 0.0).penetration == pytest.approx(1 / 3)
    nobody = list_view(Penetration(**{**_plain(counted), "untouched": 0, "tried": 0}), 0.0)
    assert nobody.penetration == 0.0


def _plain(counted: Penetration) -> dict[str, Any]:
    return {name: getattr(counted, name) for name in counted.__struct_fields__}


class Service:
    """Knows no campaign until it is loaded."""

    def __init__(self) -> None:
        self.loaded = asyncio.Event()
        self.dialer = self.store = None

    def views(self) -> tuple[Any, ...]:
        return ()

    def broken_views(self) -> tuple[Any, ...]:
        return ()


async def test_all_campaigns_are_listed_or_none_after_a_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service: Any = Service()
    ground: Any = None
    desk = CampaignDesk(service, ground=ground, clock=VirtualClock(), queues_of=lambda agent: ())
    asked = asyncio.create_task(desk.listed(SUPER))
    await asyncio.sleep(0)
    assert not asked.done(), "it waits"
    service.loaded.set()
    assert await asked == ()
    service.loaded.clear()
    monkeypatch.setattr("cti.campaigns.desk._LOADING_S", 0.0)
    with pytest.raises(Unavailable, match="being read from the database"):
        await desk.listed(SUPER)
