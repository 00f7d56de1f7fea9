"""Transfer, consultation and supervision on the screens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.app import App
from textual.widgets import Input

from cti.desk.agent.notices import in_words
from cti.desk.agent.target_dialog import TargetDialog, matching
from cti.desk.reduce import reduce
from cti.desk.state import DeskState, allowed_actions
from cti.desk.text import Words, name_and_number
from cti.schema import (
    AgentView,
    DirectoryEntry,
    Event,
    EventData,
    EventType,
    InteractionView,
    PartyView,
    TransferView,
)

ANN = AgentView(agent_id="1001", name="Ann", state="talking", reason="", since=0.0, queues=())
TALK = InteractionView(
    interaction_id="i-1",
    channel="voice",
    stage="talking",
    since=1.0,
    started=0.0,
    caller_number="+12025550101",
    caller_name="",
    called="4001",
    queue="sales",
    agent_id="1001",
    answered=1.0,
)
EVERYBODY = (
    DirectoryEntry(kind="queue", id="sales", name="Sales", waiting=2, available=1),
    DirectoryEntry(kind="agent", id="1002", name="Bob", state="talking"),
    DirectoryEntry(kind="agent", id="1003", name="Cy", state="available"),
)


def talking() -> DeskState:
    agents = {"1001": replace(ANN, interaction_id="i-1")}
    return DeskState(me="1001", agents=agents, interactions={"i-1": TALK})


def told(state: DeskState, type: EventType, data: EventData) -> DeskState:
    event = Event(
        seq=1, id="e", at=2.0, type=type, data=data, interaction_id="i-1", agent_id="1001"
    )
    return reduce(state, event, 2.0)


def test_the_key_begins_a_consultation_and_then_goes_on_with_it() -> None:
    state = talking()
    assert "consult" in allowed_actions(state)
    state = told(state, EventType.PARTY_CHANGED, PartyView(number="1002", state="calling"))
    assert "consult_step" in allowed_actions(state)
    assert "consult" not in allowed_actions(state)
    state = told(state, EventType.PARTY_CHANGED, PartyView(number="1002", state="talking"))
    interaction = state.interaction
    assert interaction is not None
    assert [party.state for party in interaction.parties] == ["talking"]


def test_a_party_that_fails_is_told_with_the_reason() -> None:
    state = told(talking(), EventType.PARTY_CHANGED, PartyView(number="1002", state="calling"))
    failed = PartyView(number="1002", state="failed", reason="busy")
    state = told(state, EventType.PARTY_CHANGED, failed)
    assert [notice.key for notice in state.notices] == ["notice.party_failed"]
    assert "consult" in allowed_actions(state)


def test_a_party_is_called_by_its_name_and_why_it_failed_is_said_in_words() -> None:
    state = told(
        talking(), EventType.PARTY_CHANGED, PartyView(number="1002", state="calling", name="Bob")
    )
    failed = PartyView(number="1002", state="failed", reason="no-binding", name="Bob")
    (notice,) = told(state, EventType.PARTY_CHANGED, failed).notices
    said = in_words(notice, Words("en"), ())
    assert said == "Bob · 1002 could not be reached: the phone is not registered"
    assert name_and_number("Agent 1026", "1026") == "Agent 1026"


def test_a_call_that_was_handed_over_leaves_the_desk() -> None:
    transfer = TransferView(kind="attended", former_id="1001", agent_id="1002", number="1002")
    state = told(talking(), EventType.TRANSFERRED, transfer)
    assert state.interactions == {}
    assert [notice.key for notice in state.notices] == ["notice.transferred"]


def test_who_is_free_stands_first_and_names_and_numbers_are_found() -> None:
    assert [entry.id for entry in matching(EVERYBODY, "")] == ["1003", "sales", "1002"]
    assert [entry.id for entry in matching(EVERYBODY, "bo")] == ["1002"]
    assert [entry.id for entry in matching(EVERYBODY, "100")] == ["1003", "1002"]


async def chosen(*keys: str, language: str = "en") -> DirectoryEntry | None:
    """What the window gives for these keys."""
    found: list[DirectoryEntry | None] = []
    app: App[Any] = App()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(TargetDialog(Words(language), EVERYBODY), found.append)
        await pilot.pause()
        assert app.screen.query_one(Input).has_focus
        await pilot.press(*keys)
        await pilot.pause()
    return found[0] if found else None


async def test_enter_takes_the_first_who_fits() -> None:
    assert await chosen("b", "o", "enter") == EVERYBODY[1]
    assert await chosen("down", "down", "enter") in EVERYBODY


async def test_a_number_that_is_nobodys_is_called() -> None:
    found = await chosen(*"+12025550199", "enter")
    assert found == DirectoryEntry(kind="number", id="+12025550199")


async def test_escape_chooses_nobody_and_nonsense_is_told() -> None:
    assert await chosen("escape", language="zh") is None
    assert await chosen(*"zzz", "enter") is None
