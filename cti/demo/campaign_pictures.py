"""Pictures of campaigns for their page, taken from the running product.

    python -m cti.demo.campaign_pictures docs/pictures

Starts the demo's server and simulated people whom it calls, runs a predictive campaign with agents at
plain phones and a preview campaign with a desk, and writes what the screens show as SVG: the campaigns on
the wallboard, and the desk with the next contact.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from textual.app import App
from textual.pilot import Pilot

from cti.client import ApiClient
from cti.demo.people import Kind, People, Person, person_of
from cti.demo.pictures import save
from cti.demo.server import demo_server
from cti.desk.agent.app import DeskApp
from cti.desk.agent.options import DeskOptions
from cti.desk.supervisor.app import WallboardApp, WallboardOptions
from cti.phone.client import PhoneProcess
from cti.phone.protocol import Incoming
from cti.schema_campaign_requests import ImportRequest

_AGENTS: Final = ("1026", "1027", "1028", "1029")
"""Of the queue `support`; at plain phones that answer by themselves."""
_SIZE: Final = (130, 36)
_RUNS_S: Final = 120.0
_SCRIPT: Final = """\
## Hello {name}

You have the plan **{plan}** since {since}. We have a better one for {city}.

1. Ask what the old one cost last month.
2. Offer the spring price.
3. Ask for a good time if there is none now: `^L`
"""
"""What the preview campaign wants said."""
_KNOWN: Final = """\
phone,name,plan,since,city
+12025550109,Grace Mbeki,M,2019,Boston
+12025550105,Peter Novak,S,2021,Chicago
+12025550103,Amelia Okafor,L,2017,Portland
"""
"""Customers of the demo's store."""


def brief(number: str, attempt: int, seed: int) -> Person:
    """Somebody of few words: a few minutes are to show what a morning would."""
    person = person_of(number, attempt, seed)
    talks = 5.0 + person.talks_s / 10 if person.kind is Kind.HUMAN else person.talks_s
    return replace(person, rings_s=person.rings_s / 2, talks_s=talks)


def people_file(count: int) -> bytes:
    """A list of so many people at numbers that are nobody's, as CSV."""
    areas = (205, 212, 303, 312, 415, 503, 617, 702, 808, 907)
    names = ("Ada", "Ben", "Cleo", "Dev", "Eva", "Finn", "Gus", "Hana", "Ivo", "June")
    families = ("Ames", "Berg", "Cole", "Diaz", "Engel", "Ford", "Gray", "Holm")
    towns = ("Boston", "Denver", "Chicago", "Portland", "Reno")
    rows = ["phone,name,plan,since,city"]
    for n in range(count):
        phone = f"+1{areas[n // 100 % len(areas)]}55501{n % 100:02}"
        name = f"{names[n % len(names)]} {families[n // 7 % len(families)]}"
        rows.append(f"{phone},{name},{'SML'[n % 3]},{2015 + n % 9},{towns[n % len(towns)]}")
    return ("\n".join(rows) + "\n").encode()


async def make(api: ApiClient, name: str, people: bytes, settings: dict[str, Any]) -> None:
    """A campaign with its list; it dials nothing yet. Raises ApiError."""

    async def pieces() -> AsyncIterator[bytes]:
        yield people

    await api.create_campaign(name, settings)
    upload = await api.upload(f"{name}.csv", pieces())
    view = await api.begin_import(name, ImportRequest(upload_id=upload.upload_id))
    while view.state == "running":
        await asyncio.sleep(0.1)
        view = next(each for each in await api.imports(name) if each.import_id == view.import_id)


async def _agent(number: str, host: str, port: int) -> PhoneProcess:
    """An agent at a plain phone, who answers by itself."""
    phone = await PhoneProcess.start("baresip", bind="127.0.0.1")
    phone.listen(lambda event: phone.answer(event.call) if isinstance(event, Incoming) else None)
    phone.register(number, f"lab-{number}", host, port)
    return phone


@contextlib.asynccontextmanager
async def shown(app: App[Any]) -> AsyncIterator[Pilot[Any]]:
    """Run a program without a terminal, to be driven and pictured."""
    pilots: asyncio.Queue[Pilot[Any]] = asyncio.Queue()
    over = asyncio.Event()

    async def play(pilot: Pilot[Any]) -> None:
        pilots.put_nowait(pilot)
        await over.wait()
        app.exit()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(app.run_async(headless=True, size=_SIZE, auto_pilot=play))
        try:
            yield await pilots.get()
        finally:
            over.set()


async def _until(test: Callable[[], bool], timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not test():  # noqa: ASYNC110 - screens have nothing to wait on
            await asyncio.sleep(0.1)


async def _campaigns(api: ApiClient) -> None:
    """A predictive campaign that runs, a preview campaign for the desk, one that waits for a day."""
    always = [{"begin": "00:00", "end": "24:00"}]
    common = {"caller_ids": ["+12025550190"], "trunk": "out", "windows": always}
    await make(
        api,
        "spring",
        people_file(600),
        common | {"title": "Spring offer", "queue": "support", "mode": "predictive", "goal": 200},
    )
    await make(
        api,
        "renewals",
        _KNOWN.encode(),
        common
        | {
            "title": "Renewals",
            "queue": "sales",
            "mode": "preview",
            "script": _SCRIPT,
            "preview_s": 120.0,
            "dispositions": ["sale", "follow-up", "wrong-number"],
        },
    )
    await make(api, "autumn", people_file(80), common | {"title": "Autumn", "queue": "sales"})


async def main(folder: Path) -> None:
    """Write all pictures into `folder`, which must exist."""
    people = People(who=brief)
    await people.open()
    with tempfile.TemporaryDirectory(prefix="switchroom-pictures-") as temporary:
        out = ("--out-port", str(people.port))
        async with demo_server(Path(temporary), *out) as server, ApiClient(server.url) as api:
            await api.sign_on("super", "desk-super")
            await _campaigns(api)
            phones = [await _agent(each, server.host, server.sip_port) for each in _AGENTS]
            try:
                await _shoot(folder, server.url, api)
            finally:
                for phone in phones:
                    await phone.stop()
    await people.close()


async def _shoot(folder: Path, url: str, api: ApiClient) -> None:
    desk = DeskApp(
        DeskOptions(server=url, login="1001", password="desk-1001", audio=False, ready=True)
    )
    board = WallboardApp(WallboardOptions(server=url, login="super", password="desk-super"))
    async with shown(board) as pilot:
        await api.start_campaign("spring")
        await api.start_campaign("renewals")
        await asyncio.sleep(5.0)
        await pilot.press("f7", "down")

        async def play(_pilot: Pilot[Any]) -> None:  # pictures are taken inside a program
            await _until(lambda: desk.desk is not None and desk.desk.state.shown_mode == "preview")
            await asyncio.sleep(4.0)
            save(desk, folder, "desk-preview")
            await asyncio.sleep(_RUNS_S)
            save(board, folder, "campaigns")
            desk.exit()

        await desk.run_async(headless=True, size=_SIZE, auto_pilot=play)
        await api.pause_campaign("spring")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
