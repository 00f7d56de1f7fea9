"""The server is stopping, and customers are called back: said on desk and wallboard."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from cti.desk.agent.app import DeskApp
from cti.desk.agent.options import DeskOptions
from cti.desk.supervisor.app import WallboardApp, WallboardOptions
from cti.schema import CallBackView, EventType, Role, ServerView
from tests.cti.desk.fake_server import NUMBER, FakeServer, anna, pop
from tests.cti.desk.screens import sees


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    await server.start()
    yield server
    await server.stop()


def stopping() -> ServerView:
    return ServerView(stopping=True, stops_at=time.time() + 60, calls_left=3)


async def test_the_desk_says_that_the_server_is_stopping(server: FakeServer) -> None:
    app = DeskApp(
        DeskOptions(server=server.url, login="1001", password="desk-1001", phone="external")
    )
    async with app.run_test(size=(120, 30)) as pilot:
        await server.wait_connected()
        await sees(pilot, "Mia Berg")
        await server.send(EventType.SERVER_CHANGED, stopping())
        await sees(pilot, "The server is stopping: no new calls; 3 still run, for")
        card = pop(anna(), call_back_of="i-6")
        await server.agent_is("reserved", interaction_id="i-7")
        await server.send(EventType.SCREEN_POP, card, agent_id="1001", interaction_id="i-7")
        await server.agent_is("ringing", interaction_id="i-7")
        await sees(pilot, "call-back: the call was cut off")


async def test_the_wallboard_says_so_too_and_whom_we_call_back(server: FakeServer) -> None:
    server.role = Role.SUPERVISOR
    server.language = "zh"
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=(160, 40)) as pilot:
        await server.wait_connected()
        await server.send(EventType.SERVER_CHANGED, stopping())
        await sees(pilot, "服务器即将停止:不再接受新呼叫;剩余通话 3 路", "剩余 3 路通话")
        view = CallBackView(state="dialled", number=NUMBER, attempt=1)
        await server.send(EventType.CALL_BACK, view, interaction_id="i-6")
        await sees(pilot, "回拨", "拨打中")
