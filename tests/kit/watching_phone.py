"""PJSIP as a phone that watches, publishes and writes, in a process of its own.

    async with WatchingPhone("127.0.0.1", port, "1001", "lab-1001") as phone:
        await phone.watch("1002")
        seen = await phone.until("buddy", activity="away")

Started as a module it is that process: commands as JSON lines on its input, what happens as JSON lines
on its output.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from types import TracebackType
from typing import Any, Self

from tests.kit.patience import PATIENCE_S


class WatchingPhone:
    """One registered phone."""

    def __init__(self, host: str, port: int, number: str, password: str) -> None:
        self._arguments = (host, str(port), number, password)
        self._server = f"{host}:{port}"
        self._process: asyncio.subprocess.Process | None = None
        self.seen: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.kit.watching_phone",
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.getcwd()},
        )
        try:
            await self.until("registered", status=200)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        process = self._process
        assert process is not None
        if process.returncode is None:
            self._tell(do="quit")
            try:
                async with asyncio.timeout(10):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    def _tell(self, **command: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    def watch(self, number: str) -> None:
        """Subscribe to the presence of a phone."""
        self._tell(do="watch", uri=f"sip:{number}@{self._server}")

    def publish(self, activity: str, note: str) -> None:
        """Publish its own: `away` or `busy`."""
        self._tell(do="publish", activity=activity, note=note)

    def write(self, number: str, text: str) -> None:
        """Send a message."""
        self._tell(do="write", uri=f"sip:{number}@{self._server}", text=text)

    async def until(
        self, kind: str, timeout_s: float = PATIENCE_S, **values: Any
    ) -> dict[str, Any]:
        """The next event of this kind with these values; others are passed over."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(timeout_s):
                while line := await self._process.stdout.readline():
                    event: dict[str, Any] = json.loads(line)
                    self.seen.append(event)
                    if {"kind": kind, **values}.items() <= event.items():
                        return event
        except TimeoutError:
            pass
        raise AssertionError(f"no {kind} with {values}; seen: {self.seen}")


def main(host: str, port: str, number: str, password: str) -> None:
    """The process."""
    import select

    import pjsua2 as pj

    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # PJSIP greets on its standard output

    def emit(**event: Any) -> None:
        os.write(output, json.dumps(event).encode() + b"\n")

    class Account(pj.Account):  # type: ignore[misc]
        def onRegState(self, prm: Any) -> None:  # noqa: N802 - PJSIP's names
            emit(kind="registered", status=prm.code)

        def onMwiInfo(self, prm: Any) -> None:  # noqa: N802
            emit(kind="mwi", text=prm.rdata.wholeMsg.partition("\r\n\r\n")[2])

        def onInstantMessage(self, prm: Any) -> None:  # noqa: N802
            emit(kind="text", sender=prm.fromUri, text=prm.msgBody, type=prm.contentType)

        def onInstantMessageStatus(self, prm: Any) -> None:  # noqa: N802
            emit(kind="sent", status=prm.code, text=prm.msgBody)

    class Buddy(pj.Buddy):  # type: ignore[misc]
        def onBuddyState(self) -> None:  # noqa: N802
            info = self.getInfo()
            names = {pj.PJRPID_ACTIVITY_AWAY: "away", pj.PJRPID_ACTIVITY_BUSY: "busy"}
            emit(
                kind="buddy",
                online=info.presStatus.status == pj.PJSUA_BUDDY_STATUS_ONLINE,
                activity=names.get(info.presStatus.activity, ""),
                note=info.presStatus.note,
                state=info.subStateName,
            )

    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.logConfig.level = config.logConfig.consoleLevel = 0
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    settings = pj.AccountConfig()
    settings.idUri = f"sip:{number}@{host}:{port}"
    settings.regConfig.registrarUri = f"sip:{host}:{port}"
    settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", number, 0, password))
    settings.mwiConfig.enabled = True
    settings.presConfig.publishEnabled = True
    account = Account()
    account.create(settings)
    buddies: dict[str, Any] = {}

    def buddy(uri: str) -> Any:
        if uri not in buddies:
            wanted = pj.BuddyConfig()
            wanted.uri = uri
            wanted.subscribe = False
            buddies[uri] = Buddy()
            buddies[uri].create(account, wanted)
        return buddies[uri]

    pending = b""
    os.set_blocking(0, False)
    while True:
        endpoint.libHandleEvents(20)
        if not select.select([0], [], [], 0)[0]:
            continue
        data = os.read(0, 65536)
        if not data:
            break
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            command = json.loads(line)
            match command["do"]:
                case "watch":
                    buddy(command["uri"]).subscribePresence(True)
                case "publish":
                    status = pj.PresenceStatus()
                    status.status = pj.PJSUA_BUDDY_STATUS_ONLINE
                    known = {"away": pj.PJRPID_ACTIVITY_AWAY, "busy": pj.PJRPID_ACTIVITY_BUSY}
                    status.activity = known[command["activity"]]
                    status.note = command["note"]
                    account.setOnlineStatus(status)
                case "write":
                    message = pj.SendInstantMessageParam()
                    message.content = command["text"]
                    message.contentType = "text/plain"
                    buddy(command["uri"]).sendInstantMessage(message)
                case _:
                    os._exit(0)  # PJSIP would wait for the answers to its last requests


if __name__ == "__main__":
    main(*sys.argv[1:])
