"""The agent's desk, worked by keyboard, against real HTTP and WebSocket."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input

from cti.client import ApiClient
from cti.desk.agent.app import DeskApp
from cti.desk.agent.dial_dialog import clean_number
from cti.desk.agent.note_editor import NoteEditor
from cti.desk.agent.options import DeskOptions
from cti.schema import (
    Cleared,
    CustomerLinked,
    DispositionSet,
    Diverted,
    EventType,
    GatewayView,
    NoteAdded,
    PhoneCredentials,
    Problem,
    RecordingView,
    Role,
)
from tests.cti.desk.fake_server import NUMBER, FakeServer, anna, interaction, pop
from tests.cti.desk.screens import screen_text, sees, types, until
from tests.cti.phone.registrar import TestRegistrar
from tests.kit.phone import Phone

SMALL, LARGE = (80, 24), (160, 50)


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def registrar() -> AsyncIterator[TestRegistrar]:
    registrar = TestRegistrar("1001", "one-time")
    await registrar.start()
    yield registrar
    registrar.stop()


@asynccontextmanager
async def desk(
    server: FakeServer, size: tuple[int, int] = SMALL, **options: Any
) -> AsyncIterator[Pilot[None]]:
    given = {"login": "1001", "password": "desk-1001", "phone": "external"} | options
    app = DeskApp(DeskOptions(server=server.url, **given))
    async with app.run_test(size=size, notifications=True) as pilot:
        await server.wait_connected()
        await sees(pilot, "Mia Berg")
        yield pilot


def _credentials(registrar: TestRegistrar) -> PhoneCredentials:
    return PhoneCredentials(
        number="1001",
        sip_host="127.0.0.1",
        sip_port=registrar.port,
        transport="udp",
        realm="switchroom",
        one_time_secret="one-time",
    )


def _contact(registrar: TestRegistrar) -> str:
    """Where the desk's phone is reached."""
    return registrar.bindings[-1][0].strip("<").partition(">")[0].partition(";")[0]


def _kill_phone(pilot: Pilot[None]) -> None:
    assert isinstance(pilot.app, DeskApp)
    assert pilot.app.desk is not None
    keeper = pilot.app.desk._keeper
    assert keeper is not None
    assert keeper._process is not None
    keeper._process._process.kill()


async def ring(server: FakeServer, pilot: Pilot[None], **changes: Any) -> int:
    """A contact is offered to the agent and rings; returns the pop's seq."""
    card = pop(**({"customer": anna()} | changes))
    await server.agent_is("reserved", interaction_id="i-7")
    seq = await server.send(EventType.SCREEN_POP, card, agent_id="1001", interaction_id="i-7")
    await server.agent_is("ringing", interaction_id="i-7")
    await sees(pilot, "Ringing")
    return seq


async def talk(server: FakeServer, pilot: Pilot[None], **changes: Any) -> None:
    """A contact rang and was answered."""
    await ring(server, pilot, **changes)
    await server.agent_is("talking", interaction_id="i-7")
    await server.send(EventType.ESTABLISHED, interaction(), interaction_id="i-7")
    await sees(pilot, "recorded")


async def test_the_card_says_that_a_talk_is_not_recorded_also_to_who_signs_on_later(
    server: FakeServer,
) -> None:
    failed = RecordingView(recording_id="r", error="Not a directory: /recordings/2026")
    async with desk(server) as pilot:
        await talk(server, pilot)
        await server.send(EventType.RECORDING_FINISHED, failed, interaction_id="i-7")
        await sees(pilot, "✗ NOT RECORDED", "Recording failed: Not a directory")
        assert "● recorded" not in screen_text(pilot.app)
    server.pop = pop(anna())
    server.interactions = (interaction(recorded=False, recording_failed=True),)
    async with desk(server) as pilot:
        await sees(pilot, "✗ NOT RECORDED")
        assert "● recorded" not in screen_text(pilot.app)


async def test_sign_on_by_hand_with_a_wrong_password_first(server: FakeServer) -> None:
    app = DeskApp(DeskOptions(server=server.url, phone="external"))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await sees(pilot, "Login", "Password", server.url)
        await types(pilot, "1001")
        await pilot.press("enter")
        await types(pilot, "wrong")
        await pilot.press("enter")
        await sees(pilot, "Login or password is wrong.")
        await types(pilot, "desk-1001")
        await pilot.press("enter")
        await sees(pilot, "Mia Berg", "Not ready", "just signed on")


@pytest.mark.parametrize("between", ["tab", "enter"])
async def test_what_is_typed_ahead_at_sign_on_lands_in_its_own_field(
    server: FakeServer, between: str
) -> None:
    app = DeskApp(DeskOptions(server=server.url, phone="external"))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await sees(pilot, "Login", "Password", server.url)
        for key in (*"1001", between, *"desk-1001", "enter"):
            app.post_message(Key({"-": "minus"}.get(key, key), key if len(key) == 1 else None))
        await sees(pilot, "Mia Berg", "Not ready", "just signed on")


async def test_a_server_that_is_not_there_is_named() -> None:
    app = DeskApp(DeskOptions(server="http://127.0.0.1:9", login="1001", password="x"))
    app.api = ApiClient(app.api.base_url, attempt_delays_s=(0.02, 0.02))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await sees(pilot, "The server does not answer")


async def test_a_supervisor_is_sent_to_the_wallboard(server: FakeServer) -> None:
    server.role = Role.SUPERVISOR
    app = DeskApp(DeskOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await sees(pilot, "switchroom wallboard")


async def test_states_are_changed_by_key_and_not_ready_asks_why(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await sees(pilot, "F2 Available", "F2 makes you available")
        await pilot.press("f2")
        assert await server.wait_for("agents/me/state") == {"state": "available", "reason": ""}
        await server.agent_is("available")
        await sees(pilot, "Waiting for a contact")
        await pilot.press("f3")
        await sees(pilot, "Why not ready?", "1  break", "2  lunch")
        await pilot.press("2")
        body = await server.wait_for("agents/me/state")
        assert body == {"state": "not-ready", "reason": "lunch"}


async def test_the_card_is_on_the_screen_and_acknowledged_before_the_answer(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        seq = await ring(server, pilot)
        await sees(
            pilot,
            "Anna Lindqvist",
            "Nordwind Kaffee GmbH",
            "gold",
            "+1 202 555 0123",
            "anna@example.com",
            "Prefers to be called in the morning.",
            "choice: 1 Sales",
            "Longest idle of 2 free agents in Sales (3:12)",
            "Order placed",
            "hung up after waiting 0:35",
            "Answer on your phone",
        )
        await server.wait_until(lambda: seq in server.acks)


async def test_a_call_is_worked_by_keyboard(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot)
        await sees(pilot, "F6 Hold", "F7 Mute", "F8 Hang up", "no outcome yet")
        await pilot.press("f6")
        await server.wait_for("interactions/i-7/hold")
        await server.agent_is("held", interaction_id="i-7")
        await server.send(EventType.HELD, interaction("held"), interaction_id="i-7")
        await sees(pilot, "F6 Resume", "on hold")
        await pilot.press("f6")
        await server.wait_for("interactions/i-7/resume")
        await server.agent_is("talking", interaction_id="i-7")
        await server.send(EventType.RETRIEVED, interaction(), interaction_id="i-7")
        await sees(pilot, "F7 Mute")
        await pilot.press("f7")
        assert await server.wait_for("interactions/i-7/mute") == {"muted": True}
        muted = interaction(muted=True)
        await server.send(EventType.MICROPHONE_MUTE, muted, interaction_id="i-7")
        await sees(pilot, "● muted", "F7 Unmute")
        poor = interaction(muted=True, mos=2.9)
        await server.send(EventType.QUALITY_CHANGED, poor, interaction_id="i-7")
        await sees(pilot, "sound 2.9")
        await pilot.press("f9")
        await sees(pilot, "Each key is sent at once")
        await pilot.press("4", "#", "x", "escape")
        assert await server.wait_for("interactions/i-7/digits") == {"digits": "4"}
        assert await server.wait_for("interactions/i-7/digits") == {"digits": "#"}
        await pilot.press("f8")
        await server.wait_for("interactions/i-7/hang-up")


async def test_note_and_outcome(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot)
        await types(pilot, "Wants two")
        await pilot.press("enter")
        await types(pilot, "machines")
        await pilot.press("ctrl+s")
        body = await server.wait_for("interactions/i-7/notes")
        assert body == {"text": "Wants two\nmachines"}
        note = NoteAdded(text="Wants two machines", author="1001")
        await server.send(EventType.NOTE_ADDED, note, interaction_id="i-7")
        await sees(pilot, "Notes", "Wants two machines", "Note saved")
        await pilot.press("ctrl+o")
        await sees(pilot, "How did it end?")
        await pilot.press("down", "enter")
        assert await server.wait_for("interactions/i-7/disposition") == {"code": "callback"}
        chosen = DispositionSet(code="callback", author="1001")
        await server.send(EventType.DISPOSITION_SET, chosen, interaction_id="i-7")
        await sees(pilot, "Outcome: Call back later")


async def test_wrap_up_counts_down_and_can_be_stretched_or_finished(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot)
        await server.agent_is("wrap-up", interaction_id="i-7")
        await sees(pilot, "wrap-up without limit", "F2 Finish")
        server.agent = replace(server.agent, until=time.time() + 30)
        await server.send(EventType.AGENT_STATE_CHANGED, server.agent)
        await sees(pilot, "wrap-up ends in 0:30", "^T More time")
        await sees(pilot, "wrap-up ends in 0:29")
        await pilot.press("ctrl+t")
        await server.wait_for("agents/me/wrap-up/extend")
        await pilot.press("f2")
        await server.wait_for("agents/me/wrap-up/finish")


async def test_what_is_written_is_saved_when_the_contact_leaves(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot)
        await types(pilot, "Half a sentence")
        await server.agent_is("available")
        body = await server.wait_for("interactions/i-7/notes")
        assert body == {"text": "Half a sentence"}
        await sees(pilot, "Waiting for a contact")
        assert pilot.app.screen.query_one(NoteEditor).text == ""


async def test_a_note_that_cannot_be_saved_comes_back(server: FakeServer) -> None:
    server.refuse["interactions/i-7/notes"] = Problem(error_id="x", message="Not yours.")
    async with desk(server) as pilot:
        await talk(server, pilot)
        await types(pilot, "Important")
        await pilot.press("ctrl+s")
        await sees(pilot, "Not yours.", "Important")


async def test_one_of_several_customers_is_picked(server: FakeServer) -> None:
    others = (anna(), replace(anna(), customer_id="c-2", name="Otto Brandt", company=""))
    async with desk(server) as pilot:
        await ring(server, pilot, customer=None, candidates=others)
        await sees(pilot, "2 customers share this number", "Otto Brandt", "^K Customer")
        await pilot.press("ctrl+k")
        await sees(pilot, "Who is calling?", "New customer")
        await pilot.press("2")
        body = await server.wait_for("interactions/i-7/customer")
        assert body["customer_id"] == "c-2"
        linked = CustomerLinked(customer=others[1], how="picked")
        await server.send(EventType.CUSTOMER_LINKED, linked, interaction_id="i-7")
        await sees(pilot, "Customer: Otto Brandt", "Last contacts")


async def test_a_new_customer_is_created(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot, customer=None, new_customer_number=NUMBER)
        await sees(pilot, "Unknown customer")
        await pilot.press("ctrl+k")
        await sees(pilot, "New customer · +1 202 555 0123")
        await pilot.press("ctrl+s")
        await sees(pilot, "A customer needs a name.")
        await types(pilot, "Eva Holm")
        await pilot.press("enter")
        await types(pilot, "Holm AB")
        await pilot.press("ctrl+s")
        body = await server.wait_for("interactions/i-7/customer")
        assert (body["name"], body["company"]) == ("Eva Holm", "Holm AB")


async def test_dialling_takes_numbers_as_people_write_them(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await pilot.press("f4")
        await sees(pilot, "Call a number")
        await types(pilot, "call me")
        await pilot.press("enter")
        await sees(pilot, "A number has digits only")
        pilot.app.screen.query_one(Input).value = "+1 (202) 555-0188"
        await pilot.press("enter")
        assert await server.wait_for("agents/me/dial") == {"number": "+12025550188"}
        await sees(pilot, "Calling +1 202 555 0188")


async def test_a_call_outside_the_queues_has_its_keys(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await server.agent_is("engaged", interaction_id="i-7")
        direct = interaction("direct", queue=None, caller_number="1001", called="1002")
        await server.send(EventType.ESTABLISHED, direct, interaction_id="i-7")
        await sees(pilot, "Call with 1002", "Call outside the queues", "F6 Hold", "F8 Hang up")
        await pilot.press("f8")
        await server.wait_for("interactions/i-7/hang-up")


def test_numbers_are_cleaned() -> None:
    assert clean_number(" 10 02 ") == "1002"
    assert clean_number("1;rm") is None
    assert clean_number("") is None


async def test_a_refused_command_is_told_in_the_servers_words(server: FakeServer) -> None:
    server.refuse["agents/me/state"] = Problem(error_id="no", message="Your phone is not there.")
    async with desk(server) as pilot:
        await pilot.press("f2")
        await sees(pilot, "Your phone is not there.")


async def test_a_lost_connection_is_told_and_comes_back_by_itself(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot)
        await server.stop()
        await sees(pilot, "Connection lost, trying again")
        await sees(pilot, "Anna Lindqvist", "Not connected · Talking")
        await server.start()
        await server.wait_connected()
        await until(pilot, lambda: "Connection lost" not in screen_text(pilot.app))
        await server.agent_is("held", interaction_id="i-7")
        await sees(pilot, "On hold")


async def test_being_signed_off_elsewhere_is_told(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await server.say_bye("signed-off")
        await sees(pilot, "you signed on elsewhere or were signed off")


async def test_a_lost_media_gateway_is_told(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await server.send(EventType.GATEWAY_CHANGED, GatewayView(available=False))
        await sees(pilot, "The media gateway is down")
        await server.send(EventType.GATEWAY_CHANGED, GatewayView(available=True))
        await until(pilot, lambda: "media gateway" not in screen_text(pilot.app))


async def test_help_names_all_keys_and_quitting_signs_off(server: FakeServer) -> None:
    async with desk(server, LARGE) as pilot:
        await pilot.press("f1")
        await sees(pilot, "Ctrl+O", "Choose how the contact ended", "Notes are saved by themselves")
        await pilot.press("escape")
        await until(pilot, lambda: "Ctrl+O" not in screen_text(pilot.app))
        await pilot.press("ctrl+q", "ctrl+q")
        await sees(pilot, "Leave the desk?")
        await pilot.press("2")  # asked once, however often the key is pressed
        await until(pilot, lambda: "Leave the desk?" not in screen_text(pilot.app))
        await pilot.press("ctrl+q")
        await sees(pilot, "Leave the desk?")
        await pilot.press("1")
        await server.wait_for("sign-off")


async def test_a_hostile_caller_name_cannot_draw_on_the_screen(server: FakeServer) -> None:
    async with desk(server) as pilot:
        name = "\x1b[2J[bold]Mallory[/bold]\n\r\x07"
        await ring(server, pilot, customer=None, caller_name=name, caller_number="")
        await sees(pilot, "number withheld", "[bold]Mallory[/bold]")
        assert "\x1b" not in screen_text(pilot.app)


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_nothing_important_is_cut(
    server: FakeServer, size: tuple[int, int], language: str
) -> None:
    server.language = language
    english = language == "en"
    async with desk(server, size) as pilot:
        await sees(pilot, *(("F2 Available", "Sales", "Today") if english else ("F2 置闲", "今日")))
        await sees(pilot, "83 %")
        await server.agent_is("talking", interaction_id="i-7")
        await server.send(EventType.SCREEN_POP, pop(anna()), interaction_id="i-7")
        await server.send(EventType.ESTABLISHED, interaction(), interaction_id="i-7")
        words = (
            ("Talking", "F3 Not ready", "F6 Hold", "F8 Hang up", "F9 Digits", "^O Outcome")
            if english
            else ("通话中", "F3 示忙", "F6 保持", "F8 挂断", "F9 按键", "^O 结果")
        )
        await sees(pilot, *words, *(("^S Save", "F1 Help", "^Q Quit") if english else ("^Q 退出",)))
        await sees(
            pilot, "Anna Lindqvist", "+1 202 555 0123", "Prefers to be called in the morning."
        )
        await sees(pilot, "Order placed" if english else "已下单", "Longest idle of 2 free agents")
        await pilot.press("ctrl+o")
        await sees(pilot, *(("Complaint", "Esc closes") if english else ("投诉", "Esc 关闭")))


@pytest.mark.peer
@pytest.mark.parametrize("backend", ["baresip", "pjsua2"])
async def test_the_desks_own_phone_registers_rings_and_answers(
    server: FakeServer, registrar: TestRegistrar, backend: str
) -> None:
    server.phone = _credentials(registrar)
    async with Phone("baresip") as caller:
        async with desk(server, phone=backend, audio=False, ready=True) as pilot:
            await sees(pilot, "phone ready")
            body = await server.wait_for("agents/me/state")  # --ready
            assert body["state"] == "available"
            contact = _contact(registrar)
            call = await caller.call(contact)
            await ring(server, pilot)
            await sees(pilot, "F5 or Enter answers", "F5 Answer", "F8 Refuse")
            await pilot.press("enter")
            await caller.established(call)
            await talk(server, pilot)
            assert (await caller.hang_up(call)).status == 200
            await pilot.press("ctrl+q")
            await sees(pilot, "Leave the desk?")
            await pilot.press("1")
            await server.wait_for("sign-off")  # or the end of the test cuts the farewell short
        assert registrar.bindings[-1][1] == 0  # unregistered


@pytest.mark.peer
async def test_a_phone_that_dies_is_told_and_started_again(
    server: FakeServer, registrar: TestRegistrar
) -> None:
    server.phone = _credentials(registrar)
    async with desk(server, phone="baresip", audio=False, auto_answer=True) as pilot:
        await sees(pilot, "phone ready")
        _kill_phone(pilot)
        await sees(pilot, "phone lost, starting it again")
        await sees(pilot, "phone ready")
        async with Phone("pjsua2") as caller:  # --auto-answer
            contact = _contact(registrar)
            await caller.established(await caller.call(contact))
        await pilot.press("ctrl+q")
        await sees(pilot, "Leave the desk?")
        await pilot.press("1")
        await server.wait_for("sign-off")


async def test_a_number_that_was_not_reached_is_told_in_words(server: FakeServer) -> None:
    async with desk(server) as pilot:
        for result, reason, words in (
            ("no-answer", "ring-timeout", "Nobody answered"),
            ("busy", "busy", "The number is busy"),
            ("rejected", "declined", "The call was declined"),
            ("unreachable", "no-binding", "That phone is not registered"),
            ("unreachable", "odd-thing", "The number cannot be reached"),
            ("cancelled", "agent-hung-up", "You gave the call up"),
            ("failed", "odd-thing", "The call failed: odd thing"),
        ):
            cleared = Cleared(result=result, reason=reason)
            await server.send(
                EventType.CONNECTION_CLEARED, cleared, agent_id="1001", interaction_id="i-9"
            )
            await sees(pilot, words)


async def test_a_refused_offer_is_not_called_a_missed_one(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await ring(server, pilot)
        diverted = Diverted(failure="busy", rang_s=3)
        await server.send(EventType.DIVERTED, diverted, agent_id="1001", interaction_id="i-7")
        await server.agent_is("not-ready", "phone-busy")
        await sees(pilot, "You refused; not ready now", "Not ready · refused")


async def test_a_store_that_is_away_is_not_called_an_unknown_customer(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await ring(server, pilot, customer=None, lookup_failed=True)
        await sees(pilot, "The customer store does not answer; the card may follow")
        assert "Unknown customer" not in screen_text(pilot.app)
        assert "^K" not in screen_text(pilot.app)


async def test_after_a_restart_a_desk_that_was_available_is_available_again(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        await server.agent_is("available")
        await sees(pilot, "Waiting for a contact")
        server.resumes = False
        server.agent = replace(server.agent, state="not-ready", reason="signed-on")
        await server.drop_streams()
        body = await server.wait_for("agents/me/state")
        assert body["state"] == "available"


async def test_after_a_restart_a_desk_that_paused_stays_so(server: FakeServer) -> None:
    async with desk(server) as pilot:
        server.resumes = False
        await server.drop_streams()
        await server.wait_until(lambda: len(server.queries) >= 3)
        await sees(pilot, "just signed on")
        assert server.posts == []


@pytest.mark.peer
async def test_a_direct_call_rings_and_ends_with_the_phone_or_the_servers_memory(
    server: FakeServer, registrar: TestRegistrar
) -> None:
    server.phone = _credentials(registrar)
    async with Phone("baresip") as caller, desk(server, phone="baresip", audio=False) as pilot:
        await sees(pilot, "phone ready")
        contact = _contact(registrar)
        call = await caller.call(contact)
        await server.agent_is("engaged")
        await sees(pilot, "calls you", "F5 answers, F8 refuses", "Ringing", "F8 Refuse")
        assert "On a call" not in screen_text(pilot.app)
        await pilot.press("f8")
        assert (await caller.closed(call)).status == 486
        await server.agent_is("not-ready", "break")
        call = await caller.call(contact)
        await server.agent_is("engaged")
        await sees(pilot, "F5 answers")
        await pilot.press("f5")
        await caller.established(call)
        await sees(pilot, "Call with", "Call outside the queues", "F6 Hold", "F8 Hang up")
        await pilot.press("f6")
        await sees(pilot, "F6 Resume")
        await pilot.press("f6")
        await sees(pilot, "F6 Hold")
        # A server that was restarted knows nothing of this call.
        server.resumes = False
        server.agent = replace(server.agent, state="not-ready", reason="signed-on")
        await server.drop_streams()
        assert (await caller.closed(call)).status == 200


@pytest.mark.peer
async def test_a_phone_that_dies_in_a_call_is_told_to_the_server(
    server: FakeServer, registrar: TestRegistrar
) -> None:
    server.phone = _credentials(registrar)
    async with Phone("baresip") as caller, desk(server, phone="baresip", audio=False) as pilot:
        await sees(pilot, "phone ready")
        call = await caller.call(_contact(registrar))
        await ring(server, pilot)
        await sees(pilot, "F5 or Enter answers")
        await pilot.press("f5")
        await caller.established(call)
        await talk(server, pilot)
        _kill_phone(pilot)
        await server.wait_for("interactions/i-7/phone-lost")
        await sees(pilot, "Your phone lost this call")
        await server.agent_is("wrap-up", interaction_id="i-7")
        await until(pilot, lambda: "lost this call" not in screen_text(pilot.app))
