"""`switchroom demo`: server, customers, callers and the desk in one terminal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

from cti.client import ApiClient
from cti.demo.callers import PERSONAS, Caller, Callers
from cti.demo.campaign import NAME as CAMPAIGN
from cti.demo.campaign import make_campaign, people_at
from cti.demo.check import check
from cti.demo.colleague import NUMBER, colleague
from cti.demo.server import DemoFailedError, demo_server
from cti.desk.agent.app import DeskApp
from cti.desk.agent.options import DeskOptions
from cti.free_ports import free_port
from cti.local_server import LocalServer, ServerFailedError
from cti.schema import Event

_AGENT = "1001"
_FIRST_CALL_S = 4.0
_PAUSE_S = 6.0
_READ_S = 20.0


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


async def run_check() -> int:
    """One proved call without a terminal; 0 when every step happened."""
    with tempfile.TemporaryDirectory(prefix="switchroom-demo-") as folder:
        _log_to(Path(folder) / "demo.log")
        try:
            async with demo_server(Path(folder), tell=_say) as server:
                _say("the server accepts calls")
                count = await make_campaign(server.url)
                _say(f"a campaign is there: {count} of its people may be called")
                await check(server, _say)
        except* (DemoFailedError, ServerFailedError) as group:
            for error in group.exceptions:
                _say(f"FAILED: {error}")
            return_code = 1
        else:
            return_code = 0
    if return_code == 0:
        _say("the demo works")
    return return_code


async def run_demo(*, phone: str, audio: bool, language: str, keep: Path | None) -> int:
    """The desk in this terminal, with callers who ring it, until the agent leaves."""
    with contextlib.ExitStack() as stack:
        folder = keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="switchroom-demo-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        _log_to(folder / "demo.log")
        _say("starting the server and filling the customer store ...")
        try:
            out_port = free_port()
            options = ("--out-port", str(out_port))
            async with (
                demo_server(folder, *options, tell=_say) as server,
                colleague(server),
                people_at(server.host, out_port),
            ):
                await make_campaign(server.url)
                _say("For the wallboard, in another terminal:")
                _say(f"    {_command()} wallboard --server {server.url}")
                _say("    login super, password desk-super")
                _say(f"A colleague, {NUMBER}, answers when you consult (^X).")
                _say(f"A campaign, {CAMPAIGN}, waits to be started: F7 of the wallboard.")
                _say(f"The desk covers this. Press Enter to open it; it opens in {_READ_S:.0f} s.")
                await _enter(_READ_S)
                desk = DeskApp(
                    DeskOptions(
                        server=server.url,
                        login=_AGENT,
                        password=f"desk-{_AGENT}",
                        phone=phone,
                        audio=audio,
                        language=language,
                        ready=True,
                    )
                )
                async with asyncio.TaskGroup() as tasks:
                    callers = tasks.create_task(_callers(server))
                    await desk.run_async()
                    callers.cancel()
        except (DemoFailedError, ServerFailedError) as error:
            _say(str(error))
            return 1
        if keep is not None:
            _say(f"everything is kept in {folder}")
    return 0


def _command() -> str:
    """How this program is called: it need not be on the path."""
    program = Path(sys.argv[0])
    if program.suffix == ".py":
        return f"{sys.executable} -m cti.cli.main"
    return program.name if shutil.which(program.name) else os.path.relpath(program)


async def _enter(within_s: float) -> None:
    """Wait for a line from the terminal, so long at the most."""
    pressed = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, pressed.set)
    try:
        async with asyncio.timeout(within_s):
            await pressed.wait()
        sys.stdin.readline()
    except TimeoutError:
        pass
    finally:
        loop.remove_reader(sys.stdin)


async def _callers(server: LocalServer) -> None:
    tell = logging.getLogger(__name__).info
    call = Caller(server.host, server.sip_port, tell).call
    callers = Callers(call, PERSONAS, agent=_AGENT, pause_s=_PAUSE_S, tell=tell)
    async with ApiClient(server.url) as watcher, asyncio.TaskGroup() as tasks:
        await watcher.sign_on("super", "desk-super")
        tasks.create_task(_watch(watcher, callers))
        await asyncio.sleep(_FIRST_CALL_S)
        await callers.run()


async def _watch(watcher: ApiClient, callers: Callers) -> None:
    async for item in watcher.stream(is_desk=False):
        if isinstance(item, Event):
            callers.heard(item)


def _log_to(path: Path) -> None:
    """Nothing may be written over the desk."""
    logging.basicConfig(
        level=logging.INFO,
        filename=path,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        force=True,
    )
