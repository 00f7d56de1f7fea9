"""Headless Chromium with our page in it, steered over a WebSocket; it reaches nothing but this machine.

async with page(lab, "1003", hum_hz=520.0) as phone:
    assert await phone.do("register") == 200
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.interop.programs import running
from tests.kit.lab import Lab

_FOLDER: Final = Path(__file__).with_name("page")
_TYPES: Final = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_START_S: Final = 60.0
_PATIENCE_S: Final = 30.0
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",  # as root there is none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--autoplay-policy=no-user-gesture-required",
    # WebRTC names no address of loopback otherwise, and hides the others behind names of mDNS.
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns,MediaRouter,OptimizationHints,Translate",
    # Nothing but this machine: no name is looked up, nobody is called in the background.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--no-pings",
    "--metrics-recording-only",
)


class Page:
    """The page, which does one thing after the other."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def do(self, what: str, *how: str, within_s: float = _PATIENCE_S) -> Any:
        """Have an action of `page/phone.js` done; gives what it gave. AssertionError if it failed."""
        await self._connection.send(json.dumps({"what": what, "how": how}))
        try:
            async with asyncio.timeout(within_s):
                told = json.loads(await self._connection.recv())
        except TimeoutError:
            raise TimeoutError(f"the page did not {what} within {within_s:.0f} s") from None
        assert "failed" not in told, f"{what}: {told['failed']}"
        return told["done"]


@asynccontextmanager
async def page(lab: Lab, user: str, *, hum_hz: float) -> AsyncIterator[Page]:
    """Open the page as a phone of the lab. Only the lab's own certificate is accepted."""
    opened: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()

    async def steer(connection: ServerConnection) -> None:
        opened.set_result(connection)
        await connection.wait_closed()

    async with serve(steer, "127.0.0.1", 0, process_request=_file) as server:
        asked = {
            "server": f"wss://{lab.host}:{lab.wss_port}",
            "domain": lab.host,
            "user": user,
            "password": f"lab-{user}",
            "pitch": hum_hz,
        }
        port = next(iter(server.sockets)).getsockname()[1]
        address = f"http://127.0.0.1:{port}/index.html?{urlencode(asked)}"
        with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            trust = f"--ignore-certificate-errors-spki-list={_key_of(lab)}"
            profile = f"--user-data-dir={folder / 'profile'}"
            async with running("chromium", *_FLAGS, trust, profile, address, folder=folder):
                try:
                    async with asyncio.timeout(_START_S):
                        connection = await opened
                except TimeoutError:
                    said = (folder / "chromium.log").read_text(errors="replace")[-2000:]
                    raise TimeoutError(f"Chromium did not open the page:\n{said}") from None
                yield Page(connection)


async def _file(connection: ServerConnection, request: Request) -> Response | None:
    """A file of the page; None where a WebSocket is asked for."""
    name = request.path.split("?")[0].removeprefix("/")
    if name == "steer":
        return None
    path = _FOLDER / name
    if path.parent != _FOLDER or not path.is_file():
        return connection.respond(HTTPStatus.NOT_FOUND, "no such file\n")
    body = path.read_bytes()
    headers = Headers({"Content-Type": _TYPES[path.suffix], "Content-Length": str(len(body))})
    return Response(200, "OK", headers, body)


def _key_of(lab: Lab) -> str:
    """What Chromium knows the server's key by."""
    certificate = x509.load_pem_x509_certificate((lab.data / "tls" / "server.pem").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
