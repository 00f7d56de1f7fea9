"""What hands do by habit: Enter while typing, keys of the call over an open window, a glance at the time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from cti.desk.agent.app import DeskApp
from cti.desk.agent.customer_form import CustomerForm
from cti.desk.agent.digits_dialog import DigitsDialog
from cti.desk.agent.note_editor import NoteEditor
from cti.desk.agent.notices import in_words
from cti.desk.agent.screen import DeskScreen
from cti.desk.state import Notice
from cti.desk.text import Words
from cti.desk.widgets.picker import Picker
from cti.phone import protocol as phone
from cti.schema import CustomerCard, EventType, PastInteraction, WhyView
from tests.cti.desk.fake_server import FakeServer, anna, interaction, pop
from tests.cti.desk.screens import screen_text, sees, types, until
from tests.cti.desk.test_desk import LARGE, SMALL, desk, ring, talk


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    await server.start()
    yield server
    await server.stop()


class Keeper:
    """A phone that notes what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def answer(self) -> None:
        self.told.append("answer")

    def refuse(self) -> None:
        self.told.append("refuse")

    async def stop(self) -> None:
        pass


def with_phone(pilot: Pilot[None]) -> tuple[DeskScreen, Keeper]:
    """The desk gets a registered phone that rings when the test says so."""
    assert isinstance(pilot.app, DeskApp)
    screen = pilot.app.desk
    assert screen is not None
    keeper = Keeper()
    screen._keeper = keeper  # type: ignore[assignment]  # as much of a phone as these tests need
    screen.take(phone.Ready(backend="baresip", version="", audio="none", port=5060))
    screen.take(phone.Registered(expires_s=60))
    return screen, keeper


RINGS = phone.Incoming(call="p-1", from_number="+12025550199", from_name="")


async def test_enter_in_the_note_is_a_new_line_while_somebody_else_rings(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        screen, keeper = with_phone(pilot)
        await talk(server, pilot)
        note = screen.query_one(NoteEditor)
        screen.take(RINGS)
        await sees(pilot, "+1 202 555 0199 calls you")
        await types(pilot, "first")
        await pilot.press("enter")
        await types(pilot, "second")
        await until(pilot, lambda: note.text == "first\nsecond", "two lines")
        assert keeper.told == []
        await pilot.press("f5")
        assert keeper.told == ["answer"]


async def test_enter_meant_for_the_note_does_not_answer_what_came_in_between(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("cti.desk.agent.note_editor.monotonic", lambda: now)
    async with desk(server) as pilot:
        screen, keeper = with_phone(pilot)
        await talk(server, pilot)
        await types(pilot, "rather")
        await server.agent_is("available")
        await ring(server, pilot)
        screen.take(RINGS)
        await sees(pilot, "F5 or Enter answers")
        await pilot.press("enter")
        assert keeper.told == []
        now += 2.0  # seen by now
        await pilot.press("enter")
        assert keeper.told == ["answer"]


async def test_a_key_of_the_desk_that_means_nothing_now_changes_no_note(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot)
        note = pilot.app.screen.query_one(NoteEditor)
        await types(pilot, "wants blue")
        await pilot.press("home")
        await pilot.press("ctrl+k")  # the customer is known
        await server.agent_is("wrap-up", interaction_id="i-7")
        await sees(pilot, "wrap-up without limit", "F2 Finish")
        await pilot.press("ctrl+x")
        assert note.text == "wants blue"
        await pilot.press("end", "ctrl+w")
        assert note.text == "wants ", "keys of texts are left as they are"


async def test_keys_of_the_call_work_while_a_window_is_open(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot)
        await pilot.press("f9")
        await sees(pilot, "Each key is sent at once")
        await pilot.press("f6")
        await server.wait_for("interactions/i-7/hold")
        assert isinstance(pilot.app.screen, DigitsDialog)
        await pilot.press("f8")
        await server.wait_for("interactions/i-7/hang-up")
        await server.agent_is("wrap-up", interaction_id="i-7")
        await until(pilot, lambda: pilot.app.screen is pilot.app.desk, "the keypad closes")  # type: ignore[attr-defined]


async def test_an_offer_closes_the_window_to_dial_and_is_answered_over_others(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        screen, keeper = with_phone(pilot)
        await server.agent_is("available")
        await sees(pilot, "Available")
        await pilot.press("f4")
        await sees(pilot, "Enter calls")
        await ring(server, pilot)
        await until(pilot, lambda: pilot.app.screen is screen, "the window closes")
        await pilot.press("f1")
        await sees(pilot, "Answer the ringing contact")
        screen.take(RINGS)
        await pilot.press("f5")
        assert keeper.told == ["answer"]


async def test_the_time_of_a_talk_counts_from_the_answer_whatever_was_held(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot)
        answered = time.time() - 600
        held = interaction("held", since=time.time() - 61, answered=answered)
        await server.agent_is("held", interaction_id="i-7")
        await server.send(EventType.HELD, held, interaction_id="i-7")
        await sees(pilot, "on hold 1:0", "talk 10:0")
        again = interaction("talking", answered=answered)
        await server.agent_is("talking", interaction_id="i-7")
        await server.send(EventType.RETRIEVED, again, interaction_id="i-7")
        await sees(pilot, "Talking  10:0", "talking 10:0")


async def test_why_and_what_happened_are_told_in_the_language_of_the_screen(
    server: FakeServer,
) -> None:
    def past(result: str, **more: object) -> PastInteraction:
        given: dict[str, object] = {
            "interaction_id": result,
            "at": time.time() - 86_400,
            "channel": "voice",
            "queue": "sales",
            "agent_name": None,
            "disposition": None,
            "summary": "in English",
            "talked_s": 0.0,
            "recorded": False,
            "result": result,
        }
        return PastInteraction(**(given | more))  # type: ignore[arg-type]

    customer = anna()
    recent = (past("abandoned", waited_s=95.0), past("busy"), past(""), past("of-tomorrow"))
    customer = type(customer)(customer_id="c-1", name="Anna Lindqvist", recent=recent)
    chosen = WhyView(rule="longest-idle", idle_s=192, skills={"german": 3})
    async with desk(server, LARGE, language="zh") as pilot:
        await server.agent_is("reserved", interaction_id="i-7")
        await _pop(server, customer, chosen)
        await sees(
            pilot,
            "空闲最久:距上次联系或示忙 3:12;german 3 级",
            "等待 1:35 后放弃",
            "呼出:对方忙",
            "尚未结束",
        )
        await sees(pilot, "in English")  # no words for this one: those of the server
        assert "Longest idle of 2" not in screen_text(pilot.app)
        await _pop(server, customer, WhyView(rule="of-tomorrow"))
        await sees(pilot, "Longest idle of 2 free agents in Sales")


async def _pop(server: FakeServer, customer: CustomerCard, chosen: WhyView) -> None:
    card = pop(customer=customer, chosen=chosen)
    await server.send(EventType.SCREEN_POP, card, agent_id="1001", interaction_id="i-7")


async def test_notices_leave_windows_and_the_first_line_of_the_card_readable(
    server: FakeServer,
) -> None:
    async with desk(server, SMALL) as pilot:
        await talk(server, pilot)
        await pilot.press("ctrl+o")
        await sees(pilot, "How did it end?")
        for text in ("first thing", "second thing"):
            pilot.app.notify(text, timeout=60)
        await sees(pilot, "first thing", "second thing", "How did it end?", "Complaint")
        await pilot.press("escape")
        await pilot.press("f1")
        pilot.app.notify("third thing", timeout=60)
        await sees(pilot, "third thing", "Keys", "Answer the ringing contact")


def test_what_is_not_known_in_words_is_shown_as_it_is() -> None:
    notice = Notice(key="notice.cleared", values={"reason": "flow-gone"})
    assert in_words(notice, Words("zh"), ()) == "通话结束:flow gone"
    assert in_words(Notice(key="", text="as the server says"), Words("en"), ()) == (
        "as the server says"
    )


async def test_notices_leave_the_tall_bar_at_the_top_readable(server: FakeServer) -> None:
    async with desk(server, LARGE) as pilot:
        pilot.app.notify("n" * 60, timeout=60)
        await sees(pilot, "n" * 40)
        lines = screen_text(pilot.app).splitlines()
        assert all("nnn" not in line for line in lines[:3])
        assert "desk phone" in lines[1]


async def test_who_calls_is_seen_on_the_smallest_screen(server: FakeServer) -> None:
    async with desk(server, SMALL) as pilot:
        await talk(server, pilot)
        await pilot.resize_terminal(50, 12)
        await sees(pilot, "Anna Lindqvist", "+1 202 555 0123", "talking 0:0")
        await types(pilot, "a note")
        await sees(pilot, "a note")


@pytest.mark.parametrize("key", ["ctrl+o", "f3"])
async def test_a_window_outlives_the_wrap_up_in_which_it_was_opened(
    server: FakeServer, key: str
) -> None:
    async with desk(server, SMALL) as pilot:
        await talk(server, pilot)
        await server.agent_is("wrap-up", interaction_id="i-7")
        await sees(pilot, "wrap-up without limit")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, Picker), "the window")
        window = pilot.app.screen
        await server.agent_is("available")
        await until(pilot, lambda: with_mode(pilot, "available"), "the wrap-up is over")
        assert pilot.app.screen is window
        await ring(server, pilot)
        assert pilot.app.screen is window


@pytest.mark.parametrize("opened_in", ["talk", "wrap-up"])
async def test_a_wrap_up_waits_for_who_types_a_new_customer(
    server: FakeServer, opened_in: str
) -> None:
    async with desk(server, SMALL) as pilot:
        await talk(server, pilot, customer=None, new_customer_number="+12025550123")
        if opened_in == "talk":
            await pilot.press("ctrl+k")
            await until(pilot, lambda: isinstance(pilot.app.screen, CustomerForm), "the form")
        server.agent = replace(server.agent, state="wrap-up", until=time.time() + 5.0)
        await server.send(EventType.AGENT_STATE_CHANGED, server.agent, agent_id="1001")
        if opened_in == "wrap-up":
            await sees(pilot, "wrap-up ends in")
            assert not [path for path, _ in server.posts if path.endswith("extend")]
            await pilot.press("ctrl+k")
        await server.wait_for("agents/me/wrap-up/extend")
        await server.send(EventType.AGENT_STATE_CHANGED, server.agent, agent_id="1001")
        await types(pilot, "Ada")
        await pilot.press("ctrl+s")
        assert (await server.wait_for("interactions/i-7/customer"))["name"] == "Ada"
        assert not [path for path, _ in server.posts if path.endswith("extend")], "asked once"


def with_mode(pilot: Pilot[None], mode: str) -> bool:
    assert isinstance(pilot.app, DeskApp)
    assert pilot.app.desk is not None
    return pilot.app.desk.state.mode == mode
