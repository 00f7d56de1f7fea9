"""STUN questions on the SIP port: answered with where they came from, and no offence."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from switch.guard.guard import Guard
from switch.guard.settings import GuardSettings
from switch.transport.stun_keepalive import binding_answer
from tests.kit.patience import PATIENCE_S
from tests.switch.transport.node import raw_options, running_node

ID = bytes(range(12))
REQUEST = struct.pack("!HHI12s", 1, 0, 0x2112A442, ID)


def test_the_answer_of_the_rfcs_vectors() -> None:
    """RFC 5769 sections 2.2 and 2.3, their address attributes."""
    transaction = bytes.fromhex("b7e7a701bc34d686fa87dfae")
    request = struct.pack("!HHI12s", 1, 0, 0x2112A442, transaction)
    v4 = binding_answer(request, ("192.0.2.1", 32853))
    assert v4 is not None
    assert v4[20:] == bytes.fromhex("002000080001a147e112a643")
    v6 = binding_answer(request, ("2001:db8:1234:5678:11:2233:4455:6677", 32853))
    assert v6 is not None
    assert v6[20:] == bytes.fromhex("002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9")
    assert v6[:20] == struct.pack("!HHI12s", 0x0101, 24, 0x2112A442, transaction)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\0" * 20,
        REQUEST[:-1],
        REQUEST + b"\0",
        REQUEST.replace(b"\0\1\0\0", b"\0\1\0\2") + b"\0\0",
        b"\1\1" + REQUEST[2:],
        REQUEST[:4] + b"abcd" + REQUEST[8:],
        struct.pack("!HHI12s", 1, 600, 0x2112A442, ID) + b"\0" * 600,
    ],
)
def test_what_is_no_question_is_not_answered(data: bytes) -> None:
    assert binding_answer(data, ("192.0.2.1", 1)) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_phone_learns_its_address_and_does_nothing_wrong(host: str) -> None:
    watched = Guard(GuardSettings())
    async with running_node(guard=watched) as node:
        address = await node.pump.listen_udp(host, 0)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as phone:
            phone.bind((host, 0))
            phone.setblocking(False)
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(PATIENCE_S):
                phone.sendto(REQUEST, address)
                told = await loop.sock_recv(phone, 2000)
                phone.sendto(raw_options(1), address)
                assert (await loop.sock_recv(phone, 2000)).startswith(b"SIP/2.0 200")
            assert told == binding_answer(REQUEST, phone.getsockname()[:2])
        assert node.endpoint.counters.keepalives == 1
        assert watched.counters(node.clock.now()).offences == {}
