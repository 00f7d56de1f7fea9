"""A page in headless Chromium: SIP over a secure WebSocket, sound by WebRTC, its tone measured both ways."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import urlencode

from tests.interop.outcome import Scenario
from tests.kit.lab import Lab
from tests.kit.phone import Phone, loudest_tone

_PAGE: Final = Path(__file__).with_name("page.html")
_PITCH, _OTHER_PITCH = 520.0, 1000.0
_PATIENCE_S: Final = 60.0
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--ignore-certificate-errors",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
)


class Page:
    """The page in a browser, and what it tells."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def until(self, event: str) -> dict[str, Any]:
        """Wait for an event; what else is told is passed over."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                said = await self.told.get()
                assert said["event"] != "failed", said["why"]
                if said["event"] == event:
                    return said

    async def until_heard(self, pitch: float) -> dict[str, Any]:
        """Wait until the loudest pitch that it hears is this one."""
        last: dict[str, Any] = {}
        with contextlib.suppress(TimeoutError):
            while True:
                last = await self.until("heard")
                if abs(last["hz"] - pitch) < 10 and last["db"] > -60:
                    return last
        raise AssertionError(f"{pitch:.0f} Hz was never heard: {last}")


@asynccontextmanager
async def page(lab: Lab, user: str, calls: str = "") -> AsyncIterator[Page]:
    """Open the page as a phone of the lab."""
    found, loop = Page(), asyncio.get_running_loop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(_PAGE.read_bytes())

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            loop.call_soon_threadsafe(found.told.put_nowait, said)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        asked = urlencode(
            {
                "server": f"wss://{lab.host}:{lab.wss_port}",
                "domain": lab.host,
                "user": user,
                "password": f"lab-{user}",
                "pitch": _PITCH,
                "calls": calls,
            }
        )
        address = f"http://127.0.0.1:{server.server_address[1]}/?{asked}"
        with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
            browser = await asyncio.create_subprocess_exec(
                "chromium", *_FLAGS, f"--user-data-dir={profile}", address,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            try:
                yield found
            finally:
                browser.terminate()
                await browser.wait()
                server.shutdown()


async def _hears_itself(lab: Lab) -> str:
    async with page(lab, "1003", calls="4002") as browser:
        assert (await browser.until("registered"))["status"] == 200
        assert (await browser.until("answered"))["status"] == 200
        heard = await browser.until_heard(_PITCH)
        assert (await browser.until("ended"))["status"] == 200
    return f"{heard['hz']:.0f} Hz came back by {heard['codec']}"


async def _talks_with_a_phone(lab: Lab) -> str:
    async with page(lab, "1003") as browser, Phone("baresip") as phone:
        assert (await browser.until("registered"))["status"] == 200
        await phone.register_to(lab.host, lab.sip_port, "1001", "lab-1001", timeout_s=15.0)
        call = await phone.call(f"sip:1003@{lab.host}:{lab.sip_port}")
        phone.hum(_OTHER_PITCH)
        await phone.established(call, 20.0)
        heard = await browser.until_heard(_OTHER_PITCH)
        there = loudest_tone(await phone.hear(call, 1.0)) or 0.0
        assert abs(there - _PITCH) < 10, f"the phone hears {there:.0f} Hz"
        await phone.hang_up(call)
        assert (await browser.until("ended"))["status"] == 200
    return f"{heard['hz']:.0f} Hz there by {heard['codec']}, {there:.0f} Hz back"


SCENARIOS: Final = (
    Scenario("a page calls the echo test", "chromium", "chromium", _hears_itself),
    Scenario("a phone calls a page", "chromium", "chromium", _talks_with_a_phone),
)
