"""Phones over TLS and WebSocket: registered, called, heard, hung up, and gone with their connection."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl

import pytest

from tests.kit.certificates import trusting
from tests.kit.hearing import says_something
from tests.kit.lab import Lab
from tests.kit.phone import Phone
from tests.kit.raw_sip import sdp, status
from tests.kit.secure_talk import SecureTalk, port_of, srtp_of
from tests.kit.web_sip import WebSip

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

LAB = {"secure": True}


@pytest.mark.parametrize(
    ("backend", "transport"),
    [("baresip", "tls"), ("pjsua2", "tls"), ("baresip", "wss")],
)
async def test_a_phone_that_trusts_our_authority_calls_and_is_called(
    lab: Lab, backend: str, transport: str
) -> None:
    trusted = lab.data / "tls" / "ca.pem"
    async with Phone("baresip", number="+12025550118") as caller:
        agent = Phone(backend, ca_file=trusted, srtp=srtp_of(transport))
        await agent.__aenter__()
        try:
            talk = SecureTalk(lab, caller, agent, transport)
            await talk.begin(expires_s=600)
            await talk.end()
            own = await agent.call("4003")
            await agent.established(own)
            await agent.hang_up(own)
            await lab.agent_is(
                "1003", "available"
            )  # the BYE came: a phone forgets before it is out
        finally:
            os.kill(agent.process.pid, signal.SIGKILL)  # its own child; the connection just ends
            await agent.__aexit__(None, None, None)
        await lab.agent_is("1003", "logged-out")


@pytest.mark.parametrize("transport", ["ws", "wss"])
async def test_a_page_registers_and_calls_over_websocket_and_is_spoken_to(
    lab: Lab, transport: str
) -> None:
    tls = trusting(lab.data / "tls") if transport == "wss" else None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
        rtp.bind((lab.host, 0))
        rtp.setblocking(False)
        page = WebSip(lab.host, port_of(lab, transport), "1004", "lab-1004", tls)
        async with page:
            registered = await page.register()
            assert f"Via: SIP/2.0/{transport.upper()} " in registered
            assert ";transport=ws>" in registered
            answer = await page.call("4002", sdp(lab.host, rtp.getsockname()[1]))
            assert page.contact_uri == (
                f"sip:switchroom@{lab.host}:{port_of(lab, transport)};transport=ws"
            )
            port = re.search(r"m=audio (\d+) ", answer)
            assert port is not None
            await says_something(rtp, (lab.host, int(port[1])))
            assert status(await page.hang_up()) == 200


async def test_a_certificate_that_is_gone_is_made_anew_after_sighup(lab: Lab) -> None:
    shown = ssl.get_server_certificate((lab.host, lab.tls_port))
    folder = lab.data / "tls"
    for name, mode in (("ca.pem", 0o644), ("server.pem", 0o644), ("ca.key", 0o600)):
        assert (folder / name).stat().st_mode & 0o777 == mode
    assert (folder / "server.key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "server.pem").unlink()
    os.kill(lab.pid, signal.SIGHUP)

    async def is_another() -> bool:
        return ssl.get_server_certificate((lab.host, lab.tls_port)) != shown

    await lab.until(is_another, message="the certificate stayed")
    async with WebSip(lab.host, lab.wss_port, "1004", "lab-1004", trusting(folder)) as page:
        await page.register()
