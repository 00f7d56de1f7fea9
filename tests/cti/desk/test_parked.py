"""Parked calls on the screens, and what the card says of a caller's number."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from cti.desk.agent.app import DeskApp
from cti.desk.agent.customer_form import CustomerForm
from cti.desk.phone_state import PhoneStage, PhoneView
from cti.desk.state import DeskState, allowed_actions
from cti.desk.supervisor.app import WallboardApp, WallboardOptions
from cti.schema import EventType, ParkedView, Problem, Role, TransferView
from tests.cti.desk.fake_server import FakeServer, anna, interaction, pop
from tests.cti.desk.screens import sees, types, until
from tests.cti.desk.test_desk import LARGE, desk, ring, talk
from tests.cti.desk.test_parties import ANN, talking, told


def place(state: str = "parked", **changes: str) -> ParkedView:
    given = {"by": "1001", "by_name": "Mia Berg", "number": "", **changes}
    return ParkedView(
        slot="701",
        state=state,
        since=time.time() - 20,
        interaction_id="i-9",
        caller_number="+12025550109",
        customer_name="Grace Mbeki",
        **given,
    )


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    await server.start()
    yield server
    await server.stop()


def test_who_parks_is_told_the_place_and_what_becomes_of_it() -> None:
    transfer = TransferView(kind="parked", former_id="1001", number="701", queue="sales")
    state = told(talking(), EventType.TRANSFERRED, transfer)
    assert [(notice.key, notice.values["slot"]) for notice in state.notices] == [
        ("notice.parked", "701")
    ]
    for news, notice in (("fetched", "notice.fetched"), ("gone", "notice.parked_gone")):
        state = told(DeskState(me="1001"), EventType.PARKED, place())
        assert set(state.parked) == {"701"}
        state = told(state, EventType.PARKED, place(news, number="1002"))
        assert [each.key for each in state.notices] == [notice]
        values = state.notices[0].values
        assert (values["caller"], values["slot"]) == ("Grace Mbeki", "701")
        assert not state.parked


def fetching(phone: PhoneView) -> DeskState:
    """Agent 1001 has asked for the call in 701: its phone is called."""
    agents = {"1001": replace(ANN, state="engaged", interaction_id="i-9")}
    state = DeskState(me="1001", agents=agents, phone=phone)
    return told(state, EventType.PARKED, place("fetching", number="1001"))


def test_a_parked_call_that_rings_here_is_answered_or_refused() -> None:
    state = fetching(PhoneView(stage=PhoneStage.REGISTERED, ringing="call-1"))
    assert state.shown_mode == "ringing"
    allowed = allowed_actions(state)
    assert {"answer", "refuse"} <= allowed
    assert not {"hang_up", "hold", "mute", "digits"} & allowed
    state = fetching(PhoneView(stage=PhoneStage.REGISTERED, talking="call-1"))
    assert state.shown_mode == "engaged", "it has answered by itself"


def test_a_fetched_call_that_the_phone_did_not_take_is_told() -> None:
    state = fetching(PhoneView(stage=PhoneStage.REGISTERED))
    state = told(state, EventType.PARKED, place())
    assert [notice.key for notice in state.notices] == ["notice.not_fetched"]
    assert dict(state.notices[0].values) == {"caller": "Grace Mbeki", "slot": "701"}
    state = told(DeskState(me="1002"), EventType.PARKED, place("fetching", number="1001"))
    state = told(state, EventType.PARKED, place())
    assert not state.notices, "it was somebody else's phone"


def test_a_wallboard_shows_a_parked_contact_as_parked() -> None:
    view = interaction(interaction_id="i-9", answered=1.0)
    state = DeskState(interactions={"i-9": view})
    parked = place()
    state = told(state, EventType.PARKED, parked)
    (view,) = state.interactions.values()
    assert (view.stage, view.since, view.agent_id) == ("parked", parked.since, None)


@pytest.mark.parametrize(
    ("phone", "words"),
    [
        (PhoneView(stage=PhoneStage.REGISTERED, ringing="call-1"), "F5 takes the parked call"),
        (PhoneView(stage=PhoneStage.EXTERNAL), "Answer on your phone: the parked call"),
    ],
)
async def test_the_card_says_how_to_take_the_parked_call(
    server: FakeServer, phone: PhoneView, words: str
) -> None:
    async with desk(server, size=LARGE) as pilot:
        assert isinstance(pilot.app, DeskApp)
        screen = pilot.app.desk
        assert screen is not None
        screen.state = replace(screen.state, phone=phone)
        await server.agent_is("engaged", interaction_id="i-9")
        card = pop(interaction_id="i-9", customer=anna())
        await server.send(EventType.SCREEN_POP, card, agent_id="1001", interaction_id="i-9")
        await server.send(EventType.PARKED, place("fetching", number="1001"))
        await sees(pilot, "Ringing", words)


async def test_one_key_parks_a_talk_and_fetches_from_the_list(server: FakeServer) -> None:
    async with desk(server, size=LARGE) as pilot:
        await talk(server, pilot)
        answered = interaction(answered=time.time())
        await server.send(EventType.RETRIEVED, answered, interaction_id="i-7", agent_id="1001")
        await sees(pilot, "^P Park")
        await pilot.press("ctrl+p")
        assert await server.wait_for("interactions/i-7/park") == {"slot": ""}
        await server.agent_is("available")
        await server.send(EventType.PARKED, place())
        await sees(pilot, "1 parked")
        await pilot.press("ctrl+p", "ctrl+p")
        await sees(pilot, "701  Grace Mbeki", "parked by Mia Berg")
        await pilot.press("1")
        assert await server.wait_for("parked/701/fetch") == {"phone": ""}


async def test_a_key_pressed_twice_opens_one_form_which_closes_when_saved(
    server: FakeServer,
) -> None:
    async with desk(server, size=LARGE) as pilot:
        await talk(server, pilot, customer=None, new_customer_number="+12025550123")
        screen = pilot.app.screen
        await pilot.press("ctrl+k", "ctrl+k")
        await until(pilot, lambda: isinstance(pilot.app.screen, CustomerForm), "the form")
        await types(pilot, "Ada")
        await pilot.press("ctrl+s")
        assert (await server.wait_for("interactions/i-7/customer"))["name"] == "Ada"
        await until(pilot, lambda: pilot.app.screen is screen, "the desk again")


@pytest.mark.parametrize(
    ("verstat", "words"),
    [
        ("TN-Validation-Passed", "number verified (A)"),
        ("TN-Validation-Failed", "number may be forged"),
        ("No-TN-Validation", "number not verified"),
    ],
)
async def test_the_card_says_whether_the_number_is_the_callers_own(
    server: FakeServer, verstat: str, words: str
) -> None:
    async with desk(server, size=LARGE) as pilot:
        await ring(server, pilot)
        level = "A" if verstat == "TN-Validation-Passed" else ""
        view = interaction("offered", verstat=verstat, attestation=level)
        await server.send(EventType.DELIVERED, view, interaction_id="i-7", agent_id="1001")
        await sees(pilot, words)


async def test_a_supervisor_fetches_to_a_phone_of_its_own(server: FakeServer) -> None:
    server.role = Role.SUPERVISOR
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Wallboard")
        await server.wait_connected()
        await server.send(EventType.PARKED, place())
        await sees(pilot, "Grace Mbeki is parked in 701")
        assert app.screen.query_one("#floor").region.width == 120, "as wide as what is above it"
        await pilot.press("f6")
        await sees(pilot, "701  Grace Mbeki")
        await pilot.press("1")
        await sees(pilot, "The number of your phone")
        await types(pilot, "1050")
        await pilot.press("enter")
        assert await server.wait_for("parked/701/fetch") == {"phone": "1050"}


async def test_a_phone_that_a_fetched_call_cannot_ring_at_is_asked_for_anew(
    server: FakeServer,
) -> None:
    server.role = Role.SUPERVISOR
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    path, refused = "parked/701/fetch", "Your phone is not registered"
    server.refuse[path] = Problem(
        error_id="cannot-reach", message=refused, details={"number": "1050"}
    )
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await sees(pilot, "Wallboard")
        await server.wait_connected()
        await server.send(EventType.PARKED, place())
        await sees(pilot, "Grace Mbeki is parked in 701")
        await pilot.press("f6")
        await sees(pilot, "701  Grace Mbeki")
        await pilot.press("1")
        await sees(pilot, "The number of your phone")
        await types(pilot, "1050")
        await pilot.press("enter")
        await sees(pilot, refused)
        del server.refuse[path]
        await pilot.press("f6")
        await sees(pilot, "701  Grace Mbeki")
        await pilot.press("1")
        await sees(pilot, "The number of your phone")
        await types(pilot, "1051")
        await pilot.press("enter")
        assert await server.wait_for(path) == {"phone": "1051"}
