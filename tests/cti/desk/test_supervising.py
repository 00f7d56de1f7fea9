"""What a supervisor is asked before listening in: the dialogs of the wallboard, by its keys."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from cti.desk.supervisor.app import WallboardApp, WallboardOptions
from cti.schema import Problem, Role
from tests.cti.desk.fake_server import FakeServer, interaction
from tests.cti.desk.screens import sees, types, until


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
        await pilot.press("f5")
        await sees(pilot, "Which call?", "Anna Lindqvist")
        await pilot.press("2")
        assert app.screen is not screen, "there is no second one"
        await pilot.press("1")
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
        await pilot.press("f5")
        await until(pilot, lambda: app.screen is not screen, "the window")
        await sees(pilot, "Nobody talks at the moment.")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen, "the wallboard again")
        assert not server.posts
