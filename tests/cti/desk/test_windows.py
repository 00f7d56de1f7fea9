"""Windows of the agent's desk close with what they are about, and no other screen with them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen

from cti.desk.agent.app import DeskApp
from cti.desk.agent.customer_form import CustomerForm
from cti.desk.agent.dial_dialog import DialDialog
from cti.desk.agent.note_editor import NoteEditor
from cti.desk.agent.screen import DeskScreen
from cti.desk.agent.script_panel import ScriptScreen
from cti.desk.agent.target_dialog import TargetDialog
from cti.desk.widgets.help_screen import HelpScreen
from cti.desk.widgets.picker import Picker
from cti.schema import DirectoryEntry, EventType, PartyView
from tests.cti.desk.campaigns_kit import preview, record
from tests.cti.desk.fake_server import FakeServer, anna, interaction, pop
from tests.cti.desk.screens import sees, types, until
from tests.cti.desk.test_desk import desk, talk
from tests.cti.desk.test_parties import EVERYBODY

BOB = PartyView(number="1002", state="talking", name="Bob")
CY = PartyView(number="1003", state="joined", name="Cy")


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    server.answers["agents/directory"] = EVERYBODY
    await server.start()
    yield server
    await server.stop()


def desk_of(pilot: Pilot[None]) -> DeskScreen:
    assert isinstance(pilot.app, DeskApp)
    assert pilot.app.desk is not None
    return pilot.app.desk


async def shows(pilot: Pilot[None], window: type[Screen[Any]]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, window), window.__name__)


async def closes(pilot: Pilot[None]) -> None:
    await until(pilot, lambda: pilot.app.screen is desk_of(pilot), "nothing but the desk")


async def in_mode(pilot: Pilot[None], mode: str) -> None:
    await until(pilot, lambda: desk_of(pilot).state.mode == mode, mode)


async def talk_with(server: FakeServer, pilot: Pilot[None], *parties: PartyView) -> None:
    """A talk in which others take part."""
    await talk(server, pilot)
    await joined_by(server, pilot, *parties)


async def joined_by(server: FakeServer, pilot: Pilot[None], *parties: PartyView) -> None:
    view = interaction(answered=time.time(), parties=parties)
    await server.send(EventType.RETRIEVED, view, interaction_id="i-7", agent_id="1001")
    await until(pilot, lambda: desk_of(pilot).state.interactions["i-7"] == view, "the parties")


async def next_one_rings(server: FakeServer, pilot: Pilot[None]) -> None:
    await server.agent_is("reserved", interaction_id="i-8")
    card = pop(anna(), interaction_id="i-8")
    await server.send(EventType.SCREEN_POP, card, agent_id="1001", interaction_id="i-8")
    await server.agent_is("ringing", interaction_id="i-8")
    await in_mode(pilot, "ringing")


async def test_the_list_of_a_consultation_closes_with_the_call_and_the_note_is_kept(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        await talk_with(server, pilot, BOB)
        await types(pilot, "wants blue")
        await pilot.press("ctrl+x")
        await sees(pilot, "The consultation")
        await server.agent_is("wrap-up", interaction_id="i-7")
        await closes(pilot)
        assert desk_of(pilot).query_one(NoteEditor).text == "wants blue"


async def test_the_list_of_a_consultation_closes_with_it_while_the_talk_goes_on(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        await talk_with(server, pilot, BOB, CY)
        await pilot.press("ctrl+x")
        await sees(pilot, "The consultation")
        await joined_by(server, pilot, CY)
        await closes(pilot)
        await pilot.press("ctrl+x")
        await sees(pilot, "The consultation")
        await joined_by(server, pilot)
        await closes(pilot)


async def test_a_consulted_colleague_who_is_put_on_hold_leaves_the_list_open(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        await talk_with(server, pilot, PartyView(number="1002", state="ringing"))
        await pilot.press("ctrl+x")
        await sees(pilot, "The consultation")
        await joined_by(server, pilot, BOB)
        assert isinstance(pilot.app.screen, Picker)


@pytest.mark.parametrize("chosen", [False, True])
async def test_whom_and_how_to_transfer_is_asked_only_until_the_talk_is_over(
    server: FakeServer, chosen: bool
) -> None:
    async with desk(server) as pilot:
        await talk_with(server, pilot)
        await pilot.press("ctrl+x")
        await sees(pilot, "To whom?")
        if chosen:
            await pilot.press("enter")
            await sees(pilot, "How?")
        await server.agent_is("wrap-up", interaction_id="i-7")
        await closes(pilot)
        await next_one_rings(server, pilot)
        await sees(pilot, "Answer on your phone")


async def test_a_list_that_is_fetched_while_the_caller_hangs_up_does_not_come(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def directory() -> list[DirectoryEntry]:
        asked.set()
        await answer.wait()
        return list(EVERYBODY)

    async with desk(server) as pilot:
        await talk_with(server, pilot)
        monkeypatch.setattr(pilot.app.api, "directory", directory)  # type: ignore[attr-defined]
        await pilot.press("ctrl+x")
        await asked.wait()
        await server.agent_is("available")
        await in_mode(pilot, "available")
        answer.set()
        await until(pilot, lambda: not desk_of(pilot)._is_asking, "the end of the question")
        assert pilot.app.screen is desk_of(pilot)


async def test_a_window_under_the_question_whether_to_leave_closes_after_it(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        await talk_with(server, pilot)
        await pilot.press("ctrl+x")
        await shows(pilot, TargetDialog)
        await pilot.press("ctrl+q")
        await sees(pilot, "Leave the desk?")
        await server.agent_is("available")
        await in_mode(pilot, "available")
        assert isinstance(pilot.app.screen, Picker), "it is about no call"
        await pilot.press("escape")
        await closes(pilot)


async def test_help_stays_when_a_call_ends_and_the_next_rings(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot)
        await pilot.press("f1")
        await shows(pilot, HelpScreen)
        await server.agent_is("available")
        await next_one_rings(server, pilot)
        assert isinstance(pilot.app.screen, HelpScreen)


async def test_who_the_customer_is_and_the_script_are_of_no_use_without_the_contact(
    server: FakeServer,
) -> None:
    for key, window in (("ctrl+k", CustomerForm), ("ctrl+g", ScriptScreen)):
        async with desk(server) as pilot:
            changes = {"customer": None, "new_customer_number": "+12025550123"}
            await talk(server, pilot, outbound=record(), **changes)
            await pilot.press(key)
            await shows(pilot, window)
            await server.agent_is("wrap-up", interaction_id="i-7")
            await in_mode(pilot, "wrap-up")
            assert isinstance(pilot.app.screen, window)
            await server.agent_is("available")
            await closes(pilot)


async def test_the_reason_to_skip_is_not_taken_for_the_next_record(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await server.agent_is("reserved")
        await server.send(EventType.PREVIEW_OFFERED, preview(), agent_id="1001")
        await sees(pilot, "F8 Skip")
        await pilot.press("f8")
        await shows(pilot, Picker)
        following = preview(attempt_id="i-8", card=record(name="Hana Human"))
        await server.send(EventType.PREVIEW_OFFERED, following, agent_id="1001")
        await closes(pilot)


async def test_in_wrap_up_it_can_be_said_where_a_call_rings_that_is_to_be_picked_up(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot)
        await server.agent_is("wrap-up", interaction_id="i-7")
        await sees(pilot, "^P")
        await pilot.press("ctrl+p", "2")
        await shows(pilot, DialDialog)
        await server.agent_is("wrap-up", reason="extended", interaction_id="i-7")
        await until(pilot, lambda: desk_of(pilot).state.agent.reason == "extended", "news")  # type: ignore[union-attr]
        assert isinstance(pilot.app.screen, DialDialog)


async def test_a_key_pressed_twice_closes_the_window_and_not_the_desk(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await pilot.press("f3")
        await shows(pilot, Picker)
        driver = pilot.app._driver
        assert driver is not None
        for _ in range(3):
            driver.send_message(events.Key("enter", None))
        await server.wait_for("agents/me/state")
        await closes(pilot)
