"""The torture messages of RFC 4475 and RFC 5118, octet by octet, to the running server over UDP and TCP."""

from __future__ import annotations

import asyncio
import re
import socket
from asyncio import StreamReader, StreamWriter

import pytest

from tests.fuzz.server import Assault
from tests.kit.lab import Lab
from tests.kit.patience import PATIENCE_S
from tests.kit.raw_sip import RawSip, status
from tests.torture.cases import CASES, SILENCE, Case

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SHED = 503
_NAMES = re.compile(rb"(\r\n(?:call-id|i)[ \t]*:[ \t]*|branch=)(z9hG4bK)?+(?=\S)", re.IGNORECASE)
"""In front of what names a call; not of a value that is folded, or nothing but the cookie."""


def listener(number: int) -> socket.socket:
    """Each message of RFC 4475 comes from an address of its own: none is banned for those before it.

    Those of RFC 5118 share one, for they share branches: one is a retransmission of the other to us.
    Port 5060: the messages do not ask for `rport`, their answers go where their Via says.
    """
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.setblocking(False)
    own.bind((f"127.0.40.{number}", 5060))
    return own


async def final_status(own: socket.socket) -> int:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            code = int((await loop.sock_recv(own, 65_536)).split(b" ", 2)[1])
            if code >= 200:
                return code


def as_another(data: bytes, number: int) -> bytes:
    """The same message as another call: with a Call-ID and branch of its own."""
    return _NAMES.sub(rb"\1\2again%d" % number, data)


def answered(own: socket.socket) -> bool:
    try:
        return bool(own.recv(65_536))
    except BlockingIOError:
        return False


async def test_every_message_gets_its_answer_from_the_server(lab: Lab) -> None:
    shared = listener(100)
    sockets = [
        (case, listener(number) if case.rfc == "rfc4475" else shared)
        for number, case in enumerate(CASES, 1)
    ]
    silent: list[tuple[Case, socket.socket]] = []
    try:
        for case, own in sockets:
            own.sendto(case.data, (lab.host, lab.sip_port))
            if case.status == SILENCE:
                silent.append((case, own))
                continue
            got = await final_status(own)
            for again in range(20):  # a server on a machine that has no time for it sheds calls
                if got != SHED:
                    break
                await asyncio.sleep(0.5)
                own.sendto(as_another(case.data, again), (lab.host, lab.sip_port))
                got = await final_status(own)
            assert got == (case.of_server or case.status_for_strangers), case.name
        async with RawSip(lab.host, lab.sip_port) as peer:
            peer.send(peer.request("OPTIONS"))
            assert status(await peer.final()) == 200
        for case, own in silent:  # an answer would have come before that to the OPTIONS
            assert not answered(own), case.name
    finally:
        for _, own in sockets:
            own.close()
    counters = await lab.status()
    assert counters["sip"]["malformed"] == sum(case.malformed for case in CASES)
    assert (counters["faults"], counters["legs"]) == (0, 0)
    await lab.is_quiet()


async def over_tcp(lab: Lab, data: bytes, number: int) -> tuple[StreamReader, StreamWriter]:
    """A connection from an address of its own, as over UDP, by which this was sent."""
    reader, writer = await asyncio.open_connection(
        lab.host, lab.sip_port, local_addr=(f"127.0.41.{number}", 0)
    )
    writer.write(data)
    return reader, writer


async def over_tcp_until(reader: StreamReader, expected: int) -> int:
    """That answer, or that the server sheds; `dblreq` is two requests, whose answers come in any order."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            code = int((await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1])
            if code in (expected, SHED):
                return code


async def test_every_message_gets_its_answer_over_tcp(lab: Lab) -> None:
    writers: list[StreamWriter] = []
    silent: list[tuple[Case, StreamReader]] = []
    try:
        for number, case in enumerate(CASES, 1):
            expected = case.of_server or case.status_over_tcp
            expected = 401 if expected == 404 else expected  # as `status_for_strangers`
            reader, writer = await over_tcp(lab, as_another(case.data, 100 + number), number)
            writers.append(writer)
            if expected == SILENCE:
                silent.append((case, reader))
                continue
            got = await over_tcp_until(reader, expected)
            for again in range(20):
                if got != SHED:
                    break
                await asyncio.sleep(0.5)
                reader, writer = await over_tcp(lab, as_another(case.data, 200 + again), number)
                writers.append(writer)
                got = await over_tcp_until(reader, expected)
            assert got == expected, case.name
        async with RawSip(lab.host, lab.sip_port) as peer:
            peer.send(peer.request("OPTIONS"))
            assert status(await peer.final()) == 200
        for case, reader in silent:
            with pytest.raises(TimeoutError):
                pytest.fail(f"{case.name}: {await asyncio.wait_for(reader.read(100), 0.02)!r}")
    finally:
        for writer in writers:
            writer.close()
    counters = await lab.status()
    assert (counters["faults"], counters["legs"]) == (0, 0)
    await lab.is_quiet()


async def test_noise_of_every_kind_does_not_disturb_a_call(lab: Lab) -> None:
    """Damaged SIP over UDP and TCP, RTP, RTCP and control frames; `python -m tests.fuzz --server`."""
    assault = Assault(lab, seed=1)
    await assault.round()
    await assault.verify()
    assert assault.sent.total() > 300, assault.told()
