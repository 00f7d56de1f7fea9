"""Looking a customer up without a contact, and calling from there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cti.desk.agent.find_dialog import FindDialog
from tests.cti.desk.fake_server import NUMBER, FakeServer
from tests.cti.desk.screens import screen_text, sees, types, until
from tests.cti.desk.test_desk import LARGE, SMALL, desk, ring, talk


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_customer_is_found_by_name_read_about_and_called(
    server: FakeServer, size: tuple[int, int]
) -> None:
    async with desk(server, size=size) as pilot:
        await server.agent_is("available")
        await sees(pilot, "^F Find")
        await pilot.press("ctrl+f")
        await sees(pilot, "Find a customer")
        await types(pilot, "lind")
        await sees(pilot, "Anna Lindqvist", "Nordwind Kaffee", "+1 202 555 0123")
        await pilot.press("down", "enter")
        await sees(pilot, "anna@example.com", "Prefers to be called in the morning.")
        await sees(pilot, "Last contacts", "Ordered two machines", "Enter calls the number")
        await pilot.press("enter")
        assert await server.wait_for("agents/me/dial") == {"number": NUMBER}


async def test_enter_opens_the_only_one_with_a_number_and_esc_goes_back_to_the_search(
    server: FakeServer,
) -> None:
    async with desk(server) as pilot:
        await pilot.press("ctrl+f")
        await sees(pilot, "Find a customer")
        await types(pilot, "+1 202 555 0123")
        await pilot.press("enter")
        await sees(pilot, "Last contacts")
        await pilot.press("escape")
        await sees(pilot, "Find a customer", "+1 202 555 0123", "Nordwind Kaffee")
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is pilot.app.desk, "the desk")  # type: ignore[attr-defined]


async def test_nobody_is_found_by_half_a_number(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await pilot.press("ctrl+f")
        await types(pilot, "202555")
        await sees(pilot, "Nobody found")


async def test_in_wrap_up_there_is_the_card_and_no_number_to_call(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await talk(server, pilot)
        assert "^F Find" not in screen_text(pilot.app)
        await server.agent_is("wrap-up", interaction_id="i-7")
        await sees(pilot, "^F Find")
        await pilot.press("ctrl+f")
        await types(pilot, "anna")
        await pilot.press("enter")
        await sees(pilot, "Last contacts", "Esc goes back")
        assert "Enter calls the number" not in screen_text(pilot.app)


async def test_a_contact_that_comes_is_not_covered(server: FakeServer) -> None:
    async with desk(server) as pilot:
        await server.agent_is("available")
        await sees(pilot, "^F Find")
        await pilot.press("ctrl+f")
        await until(pilot, lambda: isinstance(pilot.app.screen, FindDialog), "the search")
        await ring(server, pilot)
        await until(pilot, lambda: pilot.app.screen is pilot.app.desk, "the desk")  # type: ignore[attr-defined]
        await sees(pilot, "Anna Lindqvist", "Answer on your phone")
