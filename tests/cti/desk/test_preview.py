"""Records of campaigns at the agent's desk, worked by keyboard, against real HTTP and WebSocket."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from textual.pilot import Pilot

from cti.desk.agent.call_back_time import read_moment
from cti.desk.widgets.picker import Picker
from cti.schema import EventType
from cti.schema_outbound import OutboundCard, PastAttempt
from tests.cti.desk.campaigns_kit import campaign, preview, record
from tests.cti.desk.fake_server import FakeServer, anna, interaction, pop
from tests.cti.desk.screens import screen_text, sees, types, until
from tests.cti.desk.test_desk import LARGE, SMALL, desk


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    await server.start()
    yield server
    await server.stop()


async def show(server: FakeServer, step: str = "reading", **changes: object) -> None:
    """The server's word on the record before the agent."""
    await server.send(EventType.PREVIEW_OFFERED, preview(step, **changes), agent_id="1001")


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_next_contact_is_seen_whole_before_it_is_dialled(
    server: FakeServer, size: tuple[int, int], language: str
) -> None:
    server.language = language
    async with desk(server, size=size) as pilot:
        await server.agent_is("reserved")
        await show(server, customer=anna())
        await sees(pilot, "Anna Lindqvist", "Nordwind Kaffee GmbH", "Spring offer", "Boston")
        await sees(pilot, "+1 202 555 0123", "attempt 3 of 6; rules 1")
        if language == "en":
            await sees(pilot, "Preview", "F5 or Enter dials", "attempt 3", " there", "F8 Skip")
            await sees(pilot, "then it goes back", "Order placed", "0:2")
        else:
            await sees(
                pilot, "预览中", "按 F5 或回车拨打", "第 3 次拨打", "当地", "跳过", "到时退回"
            )
        if size == LARGE:
            await sees(pilot, "Your plan is M")
        else:
            assert "Your plan is" not in screen_text(pilot.app), "it has a window of its own"


async def test_a_record_is_dialled_and_its_way_is_shown(server: FakeServer) -> None:
    async with desk(server, size=LARGE) as pilot:
        await server.agent_is("reserved")
        await show(server, until=None, needs_click=True)
        await sees(pilot, "your click is kept", "take your time", "F5 Dial now")
        await pilot.press("enter")
        assert await server.wait_for("agents/me/preview/dial") is None
        await show(server, "calling-agent")
        await sees(pilot, "Take your phone", "Your phone")
        await show(server, "dialling")
        await sees(pilot, "Dialling +1 202 555 0123")
        await show(server, "ringing")
        await sees(pilot, "It rings at the customer", "F8 Hang up")
        await pilot.press("f8")
        assert await server.wait_for("agents/me/preview/skip") == {"reason": "given-up"}
        await show(server, "over", outcome="cancelled")
        await server.agent_is("available")
        await sees(pilot, "given up", "Waiting for a contact")


async def test_a_record_is_skipped_with_a_reason(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await server.agent_is("reserved")
        await show(server)
        await sees(pilot, "F8 Skip")
        await pilot.press("f8", "f8")
        await sees(pilot, "Why skip it?", "1  Not a good moment")
        await pilot.press("2")
        assert await server.wait_for("agents/me/preview/skip") == {"reason": "spoken-to"}


async def test_the_question_goes_with_the_record(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await server.agent_is("reserved")
        await show(server)
        await sees(pilot, "F8 Skip")
        await pilot.press("f8")
        await until(pilot, lambda: isinstance(pilot.app.screen, Picker), "the question")
        await show(server, "over", outcome="agent-gone", reason="not-dialled")
        await until(pilot, lambda: not isinstance(pilot.app.screen, Picker), "no question")
        await sees(pilot, "Anna Lindqvist: the record went back", "the time to read")


async def talk_of_campaign(server: FakeServer, pilot: Pilot[None]) -> None:
    await server.agent_is("reserved", interaction_id="i-7")
    await show(server, "talking")
    card = pop(None, outbound=record(), caller_name="Anna Lindqvist", queue_title="Sales", facts={})
    await server.send(EventType.SCREEN_POP, card, agent_id="1001", interaction_id="i-7")
    await server.agent_is("talking", interaction_id="i-7")
    view = replace(interaction(), campaign="spring")
    await server.send(EventType.ESTABLISHED, view, interaction_id="i-7")
    await sees(pilot, "recorded")


async def test_a_talk_has_its_script_its_outcomes_and_call_backs(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk_of_campaign(server, pilot)
        await sees(pilot, "Outbound · Spring offer", "Boston", "^L Call back", "^G Script")
        await pilot.press("ctrl+g")
        await sees(pilot, "Your plan is M", "the meter")
        await pilot.press("escape", "ctrl+o")
        await sees(pilot, "1  Order placed", "2  refused")
        assert "Call back later" not in screen_text(pilot.app)
        await pilot.press("1")
        assert await server.wait_for("interactions/i-7/disposition") == {"code": "order"}


async def test_a_call_back_is_arranged_in_the_customers_own_time(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk_of_campaign(server, pilot)
        await sees(pilot, "^L Call back")
        await pilot.press("ctrl+l")
        await sees(pilot, "(America/New_York)", "I call")
        await types(pilot, "+1")
        await pilot.press("enter")
        await types(pilot, "9h")
        await sees(pilot, "A time is written 14:30.")
        await pilot.press("ctrl+s")
        await pilot.press("backspace")
        await types(pilot, ":30")
        await sees(pilot, "09:30 there is")
        await pilot.press("enter", "space", "enter")
        body = await server.wait_for("interactions/i-7/call-back")
        wanted = read_moment("+1", "9:30", ZoneInfo("America/New_York"), time.time())
        assert (body["at"], body["mine"]) == (wanted, True)
        await sees(pilot, "Anna Lindqvist is called back at", "09:30 there")


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_call_back_window_fits_a_small_terminal(
    server: FakeServer, language: str
) -> None:
    server.language = language
    async with desk(server) as pilot:
        await talk_of_campaign_in(server, pilot, language)
        await pilot.press("ctrl+l")
        await sees(pilot, "America/New_York")
        await sees(pilot, "I call" if language == "en" else "由我回拨")
        await sees(pilot, "Ctrl+S arranges" if language == "en" else "Ctrl+S 确定")


async def talk_of_campaign_in(server: FakeServer, pilot: Pilot[None], language: str) -> None:
    if language == "en":
        await talk_of_campaign(server, pilot)
        return
    await server.agent_is("talking", interaction_id="i-7")
    card = pop(None, outbound=record(), caller_name="Anna Lindqvist")
    await server.send(EventType.SCREEN_POP, card, agent_id="1001", interaction_id="i-7")
    await sees(pilot, "预约回拨")


async def test_records_are_taken_and_clicks_given(server: FakeServer) -> None:
    server.campaigns = (campaign("by-hand", mode="manual", title="By hand"),)
    async with desk(server) as pilot:
        await server.agent_is("available")
        await sees(pilot, "^N Next record")
        await pilot.press("ctrl+n")
        await server.wait_for("campaigns/by-hand/take")
        clicked = [campaign(name, human_initiated=True, title=name) for name in ("one", "two")]
        for each in clicked:
            await server.send(EventType.CAMPAIGN_CHANGED, each)
        await sees(pilot, "^N Click to dial")
        await pilot.press("ctrl+n")
        await sees(pilot, "Of which campaign?", "1  one", "2  two", "40 at hand")
        await pilot.press("2")
        await server.wait_for("campaigns/two/click")
        await sees(pilot, "two: one is dialled by your click")


async def test_what_is_arranged_is_for_whom_it_was_asked_when_the_next_card_comes(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        await talk_of_campaign(server, pilot)
        await sees(pilot, "^L Call back")
        await pilot.press("ctrl+l")
        await sees(pilot, "Call Anna Lindqvist back")
        await server.agent_is("available")
        await server.agent_is("reserved", interaction_id="i-8")
        hana = record(name="Hana Human", number="+12025550124", record_id="r-2")
        await show(server, attempt_id="i-8", card=hana)
        await sees(pilot, "Hana Human", "Call Anna Lindqvist back")
        await types(pilot, "+1")
        await pilot.press("enter")
        await types(pilot, "9:30")
        await pilot.press("ctrl+s")
        assert await server.wait_for("interactions/i-7/call-back")
        await sees(pilot, "Anna Lindqvist is called back at")
        assert not [path for path, _ in server.posts if "i-8" in path]


async def test_an_outcome_is_noted_for_whom_it_was_asked_when_the_next_card_comes(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        await talk_of_campaign(server, pilot)
        await pilot.press("ctrl+o")
        await sees(pilot, "Anna Lindqvist · How did it end?")
        await server.agent_is("available")
        await server.agent_is("reserved", interaction_id="i-8")
        await show(server, attempt_id="i-8", card=record(name="Hana Human"))
        await sees(pilot, "Hana Human", "Anna Lindqvist · How did it end?")
        await pilot.press("1")
        assert await server.wait_for("interactions/i-7/disposition") == {"code": "order"}


def called_before() -> OutboundCard:
    now = time.time()
    return record(
        call_back_of=now - 60.0,
        call_back_by="Bo Chen",
        recent=(
            PastAttempt(
                attempt_id="i-2",
                at=now - 90_000.0,
                outcome="connected",
                disposition="order",
                agent_name="Bo Chen",
                note="he will think",
                talked_s=65.0,
            ),
            PastAttempt(attempt_id="i-1", at=now - 180_000.0, outcome="no-answer"),
        ),
    )


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_who_is_no_customer_yet_has_a_past_on_the_card(
    server: FakeServer, size: tuple[int, int]
) -> None:
    async with desk(server, size=size) as pilot:
        await server.agent_is("reserved")
        await show(server, card=called_before())
        await sees(pilot, "Promised", ", by Bo Chen", "Called before", "he will think")
        await sees(pilot, "Order placed", "nobody answered")
        await show(server, card=called_before(), customer=anna())
        await sees(pilot, "Ordered two machines")
        assert "Called before" not in screen_text(pilot.app), "the customer's own history has them"
