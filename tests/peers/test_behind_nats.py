"""A server that a NAT forwards to, and a phone behind another: what each says of itself leads nowhere."""

from __future__ import annotations

import re
import socket

import pytest

from tests.kit.hearing import says_something
from tests.kit.lab import Lab
from tests.kit.raw_sip import RawSip, sdp, status

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SIGNALLING, SOUND = "203.0.113.5", "203.0.113.6"
PRIVATE = "10.0.0.9"
EDITED = {
    "realm": f'"switchroom"\nadvertise = "{SIGNALLING}"',
    "ports": f'"16000-31999"\nadvertise = "{SOUND}"',
}


async def test_each_is_reached_where_it_really_is(lab: Lab) -> None:
    """4003 plays something and hangs up: answer, sound and BYE come to where the caller sent from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
        rtp.bind((lab.host, 0))
        rtp.setblocking(False)
        async with RawSip(lab.host, lab.sip_port) as phone:
            own = f"{phone.host}:{phone.port}".encode()
            invite = phone.invite("4003", sdp(PRIVATE, 40_000))
            assert invite.count(own) == 2, "Via and Contact"
            phone.send(invite.replace(own, f"{PRIVATE}:5060".encode()))
            answer = await phone.final()
            assert status(answer) == 200
            assert re.search(rf"\nVia: .*{PRIVATE}:5060.*;rport={phone.port}", answer)
            assert re.search(rf"\nVia: .*;received={phone.host}", answer)
            assert re.search(rf"\nContact: <sip:[^>]*@{SIGNALLING}:{lab.sip_port}>", answer)
            assert f"c=IN IP4 {SOUND}\r\n" in answer
            phone.acknowledge("4003", answer)
            port = re.search(r"m=audio (\d+) ", answer)
            assert port is not None
            await says_something(rtp, (lab.host, int(port[1])))
            bye = await phone.receive()
            assert bye.startswith(f"BYE sip:{phone.user}@{PRIVATE}:5060 SIP/2.0\r\n")
            kept = ("Via", "From", "To", "Call-ID", "CSeq")
            lines = [line for line in bye.split("\r\n") if line.partition(":")[0] in kept]
            phone.send("\r\n".join(["SIP/2.0 200 OK", *lines, "", ""]).encode())
    await lab.is_quiet()
