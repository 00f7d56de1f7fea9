"""Reading what stands on a screen, as a person would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual import events
from textual.app import App
from textual.keys import _character_to_key
from textual.pilot import Pilot

from tests.kit.patience import PATIENCE_S


def screen_text(app: App[None]) -> str:
    """All lines of the screen on top, with those beneath where they show."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def until(
    pilot: Pilot[None], test: Callable[[], bool], what: str = "", timeout_s: float = PATIENCE_S
) -> None:
    """Let the program run until something holds."""
    try:
        async with asyncio.timeout(timeout_s):
            while not test():
                await pilot.pause(0.01)
    except TimeoutError:
        raise AssertionError(
            f"{what} did not happen; the screen:\n{screen_text(pilot.app)}"
        ) from None


async def sees(pilot: Pilot[None], *texts: str) -> None:
    """Wait until all texts stand on the screen."""
    for text in texts:
        await until(pilot, lambda text=text: text in screen_text(pilot.app), repr(text))  # type: ignore[misc]


async def types(pilot: Pilot[None], text: str) -> None:
    """Type text as fast as a keyboard can: the desk need not be idle between two keys."""
    driver = pilot.app._driver
    assert driver is not None
    for character in text:
        driver.send_message(events.Key(_character_to_key(character), character))
    await pilot.pause()
