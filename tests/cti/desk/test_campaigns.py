"""Campaigns on the wallboard, against real HTTP and WebSocket."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from cti.desk.campaigns.blockers import in_words
from cti.desk.campaigns.change_screen import ValueDialog
from cti.desk.campaigns.changes import FIELDS, Wrong, patch, read, shown, value_of
from cti.desk.campaigns.log_screen import in_words as log_words
from cti.desk.campaigns.panel import in_order
from cti.desk.campaigns.screen import allowed
from cti.desk.campaigns.table import worst
from cti.desk.state import DeskState
from cti.desk.supervisor.app import WallboardApp, WallboardOptions
from cti.desk.text import Words
from cti.schema import EventType, Problem, Role
from cti.schema_campaign_requests import AuditView
from cti.schema_campaigns import (
    BlockerView,
    CallerIdView,
    CampaignDetail,
    CampaignListView,
    CampaignRemoved,
    CampaignsLoaded,
    FunnelStepView,
    WhyCampaignView,
)
from tests.cti.desk.campaigns_kit import campaign, rate
from tests.cti.desk.fake_server import FakeServer
from tests.cti.desk.screens import screen_text, sees, until

SMALL, WIDE = (80, 24), (130, 40)
SETTINGS = {
    "mode": "predictive",
    "ring_s": 25.0,
    "weight": 1,
    "cap": {"percent": 3.0, "guard": "statistical"},
    "limits": {"calls": 0, "calls_per_s": 5.0, "attempts": 6, "per_day": 3},
}
WHY = WhyCampaignView(
    name="spring",
    state="running",
    at=0.0,
    total=5000,
    callable=0,
    steps=(
        FunnelStepView(code="reached", words="900 reached", takes=900, leaves=4100),
        FunnelStepView(
            code="outside-window",
            words="4100 are outside the hours of their place",
            takes=4100,
            leaves=0,
            until=time.time() + 3600,
        ),
    ),
    blockers=(BlockerView(code="no-agents", words="Nobody of sales is signed on."),),
    summary="Nothing may be dialled before the morning.",
)


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    server.role = Role.SUPERVISOR
    server.campaigns = (campaign(), campaign("autumn", title="Autumn", state="paused"))
    server.answers = {
        "campaigns/spring": CampaignDetail(campaign=campaign(), settings=SETTINGS),
        "campaigns/spring/audit": [
            AuditView(
                at=time.time(), campaign="spring", by="super", what="change", words="ring_s 25"
            )
        ],
        "campaigns/spring/why": WHY,
    }
    await server.start()
    yield server
    await server.stop()


@asynccontextmanager
async def board(
    server: FakeServer,
    size: tuple[int, int] = SMALL,
    language: str = "en",
    shows: str = "▸ Spring offer",
) -> AsyncIterator[Pilot[None]]:
    """The campaigns are open."""
    server.language = language
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=size, notifications=True) as pilot:
        await server.wait_connected()
        await sees(pilot, "F7 Campaigns" if language == "en" else "F7 外呼活动")
        await pilot.press("f7")
        await sees(pilot, shows)
        yield pilot


@pytest.mark.parametrize("size", [SMALL, WIDE])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_how_campaigns_do_is_seen_at_a_glance(
    server: FakeServer, size: tuple[int, int], language: str
) -> None:
    async with board(server, size, language) as pilot:
        await sees(pilot, "Autumn", "1.6 %", "2.2 %", "8", "┃", "40 %", "2/14", "352 / 1000")
        english = (
            "running",
            "paused",
            "US",
            "Nothing is in the way.",
            "● US",
            "○ UK",
            "talked 352",
        )
        chinese = ("运行中", "已暂停", "美国", "无限制因素", "● 美国", "○ 英国", "通话 352")
        await sees(pilot, *(english if language == "en" else chinese))
        if size == WIDE:
            mode = "predictive" if language == "en" else "预测"
            await sees(pilot, mode, "≤ 2.6 %", "cap 3.0 %" if language == "en" else "上限 3.0 %")
        blocked = BlockerView(code="no-agents", words="Nobody of sales is signed on.")
        await server.send(EventType.CAMPAIGN_CHANGED, campaign(blockers=(blocked,), in_flight=0))
        sentence = "Nobody of sales is signed on." if language == "en" else "队列无座席签入"
        await sees(pilot, sentence)


async def test_the_course_of_rate_and_level_is_drawn(server: FakeServer) -> None:
    async with board(server, WIDE) as pilot:
        for level in (0.5, 1.0, 2.0):
            news = campaign(dial_level=level, enforced_percent=level)
            await server.send(EventType.CAMPAIGN_CHANGED, news)
        await sees(pilot, "held 2.0 % ▇▆", "Level ▆█")


async def test_a_campaign_is_paused_when_the_supervisor_means_it(server: FakeServer) -> None:
    async with board(server) as pilot:
        await sees(pilot, "F3 Pause")
        assert "F2 Start" not in screen_text(pilot.app)
        await pilot.press("f3", "f3")
        await sees(pilot, "Pause Spring offer?", "Nobody new is called", "2  Leave it as it is")
        await pilot.press("2", "f3")
        await sees(pilot, "Pause Spring offer?")
        await pilot.press("1")
        assert await server.wait_for("campaigns/spring/pause") == {"reason": ""}
        await sees(pilot, "Spring offer is paused")
        await pilot.press("down")
        await sees(pilot, "▸ Autumn", "F2 Start")
        await pilot.press("f2", "1")
        await server.wait_for("campaigns/autumn/start")
        await pilot.press("f8")
        await sees(pilot, "Finish Autumn?", "what is in flight goes")
        await pilot.press("1")
        await server.wait_for("campaigns/autumn/finish")
        await pilot.press("escape")
        await sees(pilot, "What happens")


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_settings_are_changed_while_it_runs(server: FakeServer, language: str) -> None:
    async with board(server, language=language) as pilot:
        await pilot.press("f4")
        english = language == "en"
        await sees(pilot, "Abandon cap, %" if english else "弃呼上限 %", "super", "ring_s 25")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ValueDialog), "the field")
        field = pilot.app.screen.query_one(Input)
        field.value = "0"
        await pilot.press("enter")
        await sees(pilot, "from 0.1 to 100" if english else "0.1 至 100")
        field.value = "2,5"
        await pilot.press("enter")
        await sees(pilot, "3 → 2.5")
        await pilot.press("down", "down", "enter")
        await sees(pilot, "3  progressive" if english else "3  渐进")
        await pilot.press("3")
        await sees(pilot, "predictive → progressive" if english else "预测 → 渐进")
        await pilot.press("ctrl+s")
        body = await server.wait_for("campaigns/spring/settings")
        assert body == {"settings": {"cap": {"percent": 2.5}, "mode": "progressive"}}
        await sees(pilot, "2 settings changed" if english else "已修改 2 项设置")


async def test_a_change_that_the_server_refuses_is_told(server: FakeServer) -> None:
    problem = Problem(error_id="bad-campaign", message="ring_s: at least 15")
    server.refuse["campaigns/spring/settings"] = problem
    async with board(server, WIDE) as pilot:
        await pilot.press("f4")
        await sees(pilot, "Weight among campaigns")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ValueDialog), "the field")
        pilot.app.screen.query_one(Input).value = "2"
        await pilot.press("enter", "ctrl+s")
        await sees(pilot, "ring_s: at least 15")


@pytest.mark.parametrize("size", [SMALL, WIDE])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_why_nothing_is_dialled_is_drawn_as_a_funnel(
    server: FakeServer, size: tuple[int, int], language: str
) -> None:
    async with board(server, size, language) as pilot:
        await pilot.press("f5")
        await sees(pilot, "5000", "4100", "−900", "−4100", "███")
        english = (
            "Nothing may be dialled before",
            "outside the hours",
            "Nobody of sales is signed",
        )
        chinese = ("5000 条中现在可拨 0 条", "当地不在可拨时段", "队列无座席签入")
        await sees(pilot, *(english if language == "en" else chinese))
        server.answers["campaigns/spring/why"] = replace(WHY, callable=77, blockers=())
        await pilot.press("r")
        await sees(pilot, "77", "nothing is in the way" if language == "en" else "名单以外无限制")


async def test_who_did_what_is_listed_and_unknown_campaigns_are_told(server: FakeServer) -> None:
    async with board(server) as pilot:
        await pilot.press("f6")
        await sees(pilot, "Who did what to Spring offer", "super", "changed it", "ring_s 25")
        await pilot.press("escape", "down", "f6")
        await sees(pilot, "No campaigns/autumn/audit here.")
        await pilot.press("f1")
        await sees(pilot, "Change cap, mode, ring time", "ends at twice the cap")


async def test_a_wallboard_without_campaigns_offers_none(server: FakeServer) -> None:
    server.campaigns = ()
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=SMALL) as pilot:
        await server.wait_connected()
        await sees(pilot, "F1 Help", "Sales")
        assert "Campaigns" not in screen_text(app)


def test_what_was_typed_becomes_a_value_or_is_refused() -> None:
    fields = {each.path: each for each in FIELDS}
    assert read(fields["cap.percent"], " 2,5 ") == 2.5
    assert read(fields["weight"], "3") == 3
    assert read(fields["weight"], "3.5") == Wrong("change.not_whole")
    assert read(fields["weight"], "0") == Wrong("change.out_of_range", "1", "100")
    for nonsense in ("", "much", "1 2"):
        assert read(fields["weight"], nonsense) == Wrong("change.no_number")
    for edge in ("nan", "inf", "-inf", "1e400"):
        assert read(fields["goal"], edge) == Wrong("change.out_of_range", "0", "1e+07")
    assert read(fields["mode"], "preview") == "preview"
    assert read(fields["mode"], "loud") == Wrong("change.no_choice")
    assert shown(None) == "–"
    assert value_of(SETTINGS, "limits.calls_per_s") == 5.0
    assert value_of(SETTINGS, "mode.deep") is None
    assert patch({"limits.calls": 5, "limits.per_day": 2, "goal": 9}) == {
        "limits": {"calls": 5, "per_day": 2},
        "goal": 9,
    }


def test_campaigns_that_run_stand_first_and_each_has_its_keys() -> None:
    views = [campaign("b", state="draft"), campaign("a", state="finished"), campaign("c")]
    state = DeskState(campaigns={each.name: each for each in views})
    assert [each.name for each in in_order(state)] == ["c", "b", "a"]
    assert "pause_campaign" in allowed(views[2])
    assert "pause_campaign" not in allowed(views[0])
    assert "campaign_down" in allowed(views[0], 2)
    assert "campaign_down" not in allowed(views[0], 1)
    assert allowed(None) == {"help", "leave_campaigns"}


def test_the_worst_formula_of_those_held_counts() -> None:
    rates = (
        rate("us"),
        rate("uk", upper_percent=9.0),
        rate("own", upper_percent=2.9, enforced=True),
    )
    found = worst(campaign(rates=rates))
    assert found is not None
    assert found.formula == "own"
    assert worst(campaign(rates=(rate("us", percent=None, upper_percent=None),))) is None


async def test_figures_that_are_not_there_yet_are_dashes(server: FakeServer) -> None:
    nothing = rate("us", percent=None, upper_percent=None, live=0, abandoned=0)
    server.campaigns = (
        campaign(
            state="draft",
            dial_level=None,
            live_rate=None,
            agents_wait_s=None,
            enforced_percent=None,
            rates=(nothing,),
            records=CampaignListView(),
            goal=0,
            today={},
            pacing_words="",
            caller_ids=(
                CallerIdView(
                    number="+12025550100", dialled=9, answered=1, rate=0.1, usual=0.3, fallen=True
                ),
            ),
            unsettled=9,
        ),
    )
    async with board(server, WIDE) as pilot:
        await sees(pilot, "draft", "–", "perhaps it is marked as unwanted", "9 attempts are not in")


def test_a_reason_says_how_many_and_until_when() -> None:
    blocker = BlockerView(code="retry", words="7 wait.", count=7, until=2000.0)
    assert in_words(blocker, Words("en"), 1000.0).startswith("7 wait. (7 records) · until ")
    assert in_words(blocker, Words("en"), 3000.0) == "7 wait. (7 records)"
    assert in_words(blocker, Words("zh"), 3000.0) == "等待重拨 (7 条)"
    unknown = BlockerView(code="of-tomorrow", words="Something new.")
    assert in_words(unknown, Words("zh"), 0.0) == "Something new."


async def test_what_ought_to_be_better_is_told_apart_from_what_is_in_the_way(
    server: FakeServer,
) -> None:
    generic = BlockerView(code="generic-message", words="The message says not who called.")
    server.campaigns = (campaign(warnings=(generic,)),)
    async with board(server, WIDE) as pilot:
        await sees(pilot, "Nothing is in the way.", "To mend: The message says not who called.")
    async with board(server, WIDE, "zh") as pilot:
        await sees(pilot, "待改进:")


async def test_a_campaign_that_is_deleted_leaves_the_wallboard(server: FakeServer) -> None:
    async with board(server) as pilot:
        await pilot.press("down")
        await sees(pilot, "▸ Autumn")
        await server.send(EventType.CAMPAIGN_REMOVED, CampaignRemoved(name="autumn", by="super"))
        await until(pilot, lambda: "Autumn" not in screen_text(pilot.app), "it is gone")
        await sees(pilot, "▸ Spring offer")


async def test_a_wallboard_says_that_there_may_be_others_until_all_are_known(
    server: FakeServer,
) -> None:
    spring, server.campaigns, server.campaigns_loading = server.campaigns[0], (), True
    async with board(server, WIDE, shows="campaigns are being loaded") as pilot:
        await server.send(EventType.CAMPAIGN_CHANGED, spring)
        await sees(pilot, "▸ Spring offer", "campaigns are being loaded")
        await server.send(EventType.CAMPAIGNS_LOADED, CampaignsLoaded(count=1))
        await until(pilot, lambda: "being loaded" not in screen_text(pilot.app), "all are known")
        await sees(pilot, "▸ Spring offer")


async def test_one_that_does_not_run_shows_no_figures_that_nobody_brings_up_to_date(
    server: FakeServer,
) -> None:
    async with board(server, WIDE) as pilot:
        await sees(pilot, "2/14", "2 to dial for", "3 dials: 2 agents free")
        await server.send(EventType.CAMPAIGN_CHANGED, campaign(state="paused"))
        await until(pilot, lambda: "running" not in screen_text(pilot.app), "it is paused")
        shown = screen_text(pilot.app)
        assert not [each for each in ("2/14", "to dial for", "3 dials") if each in shown]


async def test_what_is_in_the_way_is_read_to_its_end_and_names_are_shown(
    server: FakeServer,
) -> None:
    long = "People hear a message that says neither who called nor a number: " + "bad " * 30
    blocked = (
        BlockerView(code="x", words=f"{long}; record one."),
        BlockerView(code="y", words="Y"),
    )
    server.campaigns = (campaign(blockers=blocked),)
    async with board(server, WIDE) as pilot:
        await sees(pilot, "● People hear", "; record one.", "● Y", "Spring offer  spring")
    async with board(server, SMALL) as pilot:
        await sees(pilot, "● People hear", "● Y")


def test_the_log_tells_what_was_done_in_words() -> None:
    def told(what: str, words: str) -> tuple[str, str]:
        entry = AuditView(at=0.0, campaign="spring", by="super", what=what, words=words)
        return log_words(entry, Words("en"))

    assert told("change", "created") == ("created it", "")
    assert told("change", "draft -> running") == ("moved it", "draft → running")
    assert told("change", "ring_s: 20 -> 25") == ("changed it", "ring_s: 20 -> 25")
    long = "windows: " + "x" * 1500
    assert told("change", long) == ("changed it", long)


async def test_records_with_the_dialer_are_no_reason(server: FakeServer) -> None:
    steps = (FunnelStepView(code="claimed", words="4 with the dialer", takes=4, leaves=0),)
    why = replace(WHY, total=4, callable=0, steps=steps, blockers=())
    server.answers["campaigns/spring/why"] = why
    async with board(server) as pilot:
        await pilot.press("f5")
        await sees(pilot, "4 with the dialer", "(4)")
        assert "−4" not in screen_text(pilot.app)
