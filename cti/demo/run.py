"""`switchroom demo`: server, customers, callers and the desk in one terminal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import tempfile
from pathlib import Path

from cti.demo.callers import PERSONAS, keep_calling
from cti.demo.check import check
from cti.demo.server import DemoFailedError, demo_server
from cti.desk.agent.app import DeskApp
from cti.desk.agent.options import DeskOptions
from cti.local_server import ServerFailedError

_FIRST_CALL_S = 4.0
_PAUSE_S = 6.0


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


async def run_check() -> int:
    """One proved call without a terminal; 0 when every step happened."""
    with tempfile.TemporaryDirectory(prefix="switchroom-demo-") as folder:
        _log_to(Path(folder) / "demo.log")
        try:
            async with demo_server(Path(folder)) as server:
                _say("the server accepts calls")
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
            async with demo_server(folder) as server:
                _say(f"wallboard, in another terminal: switchroom wallboard --server {server.url}")
                _say("  (login super, password desk-super)")
                await asyncio.sleep(1.0)  # time to read the lines before the desk covers them
                desk = DeskApp(
                    DeskOptions(
                        server=server.url,
                        login="1001",
                        password="desk-1001",
                        phone=phone,
                        audio=audio,
                        language=language,
                        ready=True,
                    )
                )
                async with asyncio.TaskGroup() as tasks:
                    callers = tasks.create_task(_callers(server.host, server.sip_port))
                    await desk.run_async()
                    callers.cancel()
        except ServerFailedError as error:
            _say(str(error))
            return 1
        if keep is not None:
            _say(f"everything is kept in {folder}")
    return 0


async def _callers(host: str, port: int) -> None:
    await asyncio.sleep(_FIRST_CALL_S)
    await keep_calling(
        host, port, PERSONAS, pause_s=_PAUSE_S, tell=logging.getLogger(__name__).info
    )


def _log_to(path: Path) -> None:
    """Nothing may be written over the desk."""
    logging.basicConfig(
        level=logging.INFO,
        filename=path,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        force=True,
    )
