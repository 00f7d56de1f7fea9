"""What a supervisor is asked before listening in: the dialogs of the wallboard, by its keys."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from cti.desk.agent.app import DeskApp
from cti.desk.agent.options import DeskOptions
from cti.desk.supervisor.app import WallboardApp, WallboardOptions
from cti.desk.supervisor.screen import WallboardScreen
from cti.schema import EventType, Problem, Role, SupervisionView
from tests.cti.desk.fake_server import FakeServer, interaction, pop
from tests.cti.desk.screens import screen_text, sees, types, until


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    """One talk is on, of agent 1001 and Anna Lindqvist; another caller waits."""
    server = FakeServer()
    server.role = Role.SUPERVISOR
    server.interactions = (
        interaction("talking", agent_id="1001", answered=time.time() - 30),
        interaction("queued", interaction_id="i-8", customer_name="Grace Mbeki"),
    )
    await server.start()
    yield server
    await server.stop()


def board(server: FakeServer) -> WallboardApp:
    return WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))


async def acts(server: FakeServer, role: str, state: str, by: str = "super") -> None:
    """A supervisor does something on that talk."""
    act = SupervisionView(by=by, number="1002", role=role, state=state)
    await server.send(EventType.SUPERVISED, act, interaction_id="i-7")


@pytest.mark.parametrize(
    ("key", "role"), [("1", "monitor"), ("2", "whisper"), ("3", "barge"), ("4", "take-over")]
)
async def test_a_supervisor_chooses_call_role_and_phone_and_is_asked_for_the_phone_once(
    server: FakeServer, key: str, role: str
) -> None:
    app = board(server)
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Wallboard")
        await server.wait_connected()
        screen = app.screen
        assert isinstance(screen, WallboardScreen)
        await pilot.press("f5")
        await sees(pilot, "Which call?", "1  Anna Lindqvist", "Mia Berg 1001")
        await pilot.press("1")
        await sees(pilot, "In which role?  Anna Lindqvist", "Whisper to the agent")
        await pilot.press(key)
        await sees(pilot, "The number of your phone")
        await types(pilot, "1050")
        await pilot.press("enter")
        asked = await server.wait_for("interactions/i-7/supervise")
        assert asked == {"role": role, "phone": "1050"}
        await until(pilot, lambda: app.screen is screen, "the wallboard again")
        await pilot.press("f5", "1")
        await sees(pilot, "In which role?")
        await pilot.press(key)
        assert await server.wait_for("interactions/i-7/supervise") == asked


async def test_a_phone_that_cannot_be_called_is_asked_for_anew(server: FakeServer) -> None:
    app = board(server)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await sees(pilot, "Wallboard")
        await server.wait_connected()
        await pilot.press("f5", "1")
        await sees(pilot, "In which role?")
        await pilot.press("1")
        await sees(pilot, "The number of your phone")
        await types(pilot, "1050")
        await pilot.press("enter")
        await server.wait_for("interactions/i-7/supervise")
        path, refused = "interactions/i-7/supervise", "Your phone is not registered"
        server.refuse[path] = Problem(
            error_id="cannot-reach", message=refused, details={"number": "1050"}
        )
        await pilot.press("f5", "1")
        await sees(pilot, "In which role?")
        await pilot.press("1")
        await sees(pilot, refused)
        del server.refuse[path]
        await pilot.press("f5", "1")
        await sees(pilot, "In which role?")
        await pilot.press("1")
        await sees(pilot, "The number of your phone")
        await types(pilot, "1051")
        await pilot.press("enter")
        assert await server.wait_for(path) == {"role": "monitor", "phone": "1051"}


async def test_who_waits_is_no_call_to_listen_to_and_leaving_asks_for_no_phone(
    server: FakeServer,
) -> None:
    app = board(server)
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Wallboard")
        await server.wait_connected()
        screen = app.screen
        assert isinstance(screen, WallboardScreen)
        await pilot.press("f5")
        await sees(pilot, "Which call?", "Anna Lindqvist")
        await pilot.press("2")
        assert app.screen is not screen, "there is no second one"
        await pilot.press("1")
        await sees(pilot, "Take the call over")
        assert "Leave" not in screen_text(app), "it is not there"
        await pilot.press("escape")
        await acts(server, "whisper", "calling")
        await until(pilot, lambda: "i-7" in screen.state.attended, "its phone is called")
        await pilot.press("f5", "1")
        await sees(pilot, "Leave")
        await pilot.press("5")
        await server.wait_for("interactions/i-7/supervise/stop")
        await until(pilot, lambda: app.screen is screen, "the wallboard again")


async def test_without_a_talk_there_is_nothing_to_choose(server: FakeServer) -> None:
    server.interactions = ()
    app = board(server)
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Wallboard")
        await server.wait_connected()
        screen = app.screen
        assert isinstance(screen, WallboardScreen)
        await pilot.press("f5")
        await until(pilot, lambda: app.screen is not screen, "the window")
        await sees(pilot, "Nobody talks at the moment.")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen, "the wallboard again")
        assert not server.posts


async def test_the_wallboard_shows_who_attends_a_call_and_how(server: FakeServer) -> None:
    eve = SupervisionView(by="eve", number="1003", role="monitor", state="attending")
    server.supervisions = {"i-7": (eve,)}
    app = board(server)
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "◉ eve listens")
        await server.wait_connected()
        await acts(server, "whisper", "calling")
        await acts(server, "whisper", "attending")
        await sees(pilot, "◉ eve listens, super")
        await pilot.press("f5", "1")
        await sees(pilot, "In which role?", "what you do now")
        lines = screen_text(app).splitlines()
        (mark,) = (number for number, line in enumerate(lines) if "what you do now" in line)
        assert "Whisper to the agent" in lines[mark - 1]
        await pilot.press("escape")
        await acts(server, "monitor", "left", by="eve")
        await sees(pilot, "◉ super whispers")
        await acts(server, "barge", "attending")
        await sees(pilot, "◉ super talks to both")
        await acts(server, "barge", "left")
        await until(pilot, lambda: "◉" not in screen_text(app), "nobody attends")


async def test_an_agent_who_may_see_it_sees_who_attends(server: FakeServer) -> None:
    server.role = Role.AGENT
    server.interactions, server.pop = server.interactions[:1], pop()
    app = DeskApp(
        DeskOptions(server=server.url, login="1001", password="desk-1001", phone="external")
    )
    async with app.run_test(size=(100, 36), notifications=True) as pilot:
        await server.wait_connected()
        await server.agent_is("talking", interaction_id="i-7")
        await acts(server, "whisper", "calling", by="boss")
        await acts(server, "whisper", "attending", by="boss")
        await sees(pilot, "◉ boss whispers")
        await acts(server, "whisper", "joined", by="boss")
        await sees(pilot, "boss has taken the call over")
        assert "◉" not in screen_text(app)
