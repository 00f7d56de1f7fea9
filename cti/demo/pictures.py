"""Pictures of desk and wallboard for the README, taken from the running product.

    python -m cti.demo.pictures docs/pictures

Starts the demo's server, lets simulated callers dial, runs both screens without a terminal, and
writes what they show as SVG: the desk while a known customer rings and talks, and the wallboard.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from textual.app import App
from textual.pilot import Pilot

from cti.demo.callers import Caller, Persona
from cti.demo.server import demo_server
from cti.desk.agent.app import DeskApp
from cti.desk.agent.options import DeskOptions
from cti.desk.supervisor.app import WallboardApp, WallboardOptions
from cti.phone.client import PhoneProcess
from cti.phone.protocol import Incoming

_FONT_FACE: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""The exported SVG names a font on a web server; pictures must not fetch anything."""

_OTHERS: Final = tuple(
    Persona(number=number, dials=dials, digits=digits, stays_s=60.0)
    for number, dials, digits in (
        ("+12025550103", "4001", ""),
        ("+441632960121", "4000", "2"),
        ("+12025550105", "4001", ""),
    )
)
_SIZE: Final = (120, 36)
_NOTE: Final = tuple("space" if key == " " else key for key in "asks for the invoice of may")
_CALLER: Final = Persona(number="+12025550109", dials="4000", digits="1", stays_s=60.0)


class _Shoot:
    """One session: server, screens, callers, pictures."""

    def __init__(self, folder: Path, url: str, host: str, port: int) -> None:
        self._folder = folder
        self._caller = Caller(host, port)
        self._host = host
        self._port = port
        self._desk = DeskApp(
            DeskOptions(server=url, login="1001", password="desk-1001", audio=False, ready=True)
        )
        self._wallboard = WallboardApp(
            WallboardOptions(server=url, login="super", password="desk-super")
        )

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            wallboard = tasks.create_task(self._wallboard.run_async(headless=True, size=_SIZE))
            others: list[PhoneProcess] = []
            calls: list[asyncio.Task[str]] = []

            async def play(pilot: Pilot[Any]) -> None:
                await self._until(lambda: self._mode() == "available")
                calls.append(tasks.create_task(self._caller.call(_CALLER)))
                await self._until(lambda: self._mode() == "ringing")
                await asyncio.sleep(1.5)
                save(self._desk, self._folder, "desk-ringing")
                await pilot.press("f5")
                await self._until(lambda: self._mode() == "talking")
                others.extend([await self._agent(number) for number in ("1026", "1002")])
                calls.extend(tasks.create_task(self._caller.call(each)) for each in _OTHERS)
                await asyncio.sleep(2.0)
                await pilot.press(*_NOTE)
                await asyncio.sleep(8.0)
                save(self._desk, self._folder, "desk")
                save(self._wallboard, self._folder, "wallboard")
                self._desk.exit()

            await self._desk.run_async(headless=True, size=_SIZE, auto_pilot=play)
            self._wallboard.exit()
            await wallboard
            for call in calls:
                call.cancel()
            for phone in others:
                await phone.stop()

    def _mode(self) -> str:
        return "" if self._desk.desk is None else self._desk.desk.state.mode

    async def _agent(self, number: str) -> PhoneProcess:
        """Another agent at a plain phone, who answers by itself."""
        phone = await PhoneProcess.start("baresip", bind="127.0.0.1")
        phone.listen(
            lambda event: phone.answer(event.call) if isinstance(event, Incoming) else None
        )
        phone.register(number, f"lab-{number}", self._host, self._port)
        return phone

    @staticmethod
    async def _until(test: Callable[[], bool]) -> None:
        async with asyncio.timeout(30.0):
            while not test():  # noqa: ASYNC110 - screens have nothing to wait on
                await asyncio.sleep(0.1)


def save(app: App[Any], folder: Path, name: str) -> None:
    """Write what stands on the screen of a program as SVG."""
    picture = _FONT_FACE.sub("", app.export_screenshot(title=""))
    picture = picture.replace("Fira Code", "monospace")
    (folder / f"{name}.svg").write_text(picture, encoding="utf-8")


async def main(folder: Path) -> None:
    """Write all pictures into `folder`, which must exist."""
    with tempfile.TemporaryDirectory(prefix="switchroom-pictures-") as temporary:
        async with demo_server(Path(temporary)) as server:
            await _Shoot(folder, server.url, server.host, server.sip_port).run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
