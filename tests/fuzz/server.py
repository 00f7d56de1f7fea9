"""Damage sent to a running server and its gateway over sockets, while a call goes on.

The noise comes from 127.0.0.1, which is exempt from bans: all of it is looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections import Counter
from random import Random

from switch.gateway.framing import FramingError, decode_command
from switch.gateway.protocol import Hello
from tests.fuzz.gateway_targets import FRAMES, rtcp_packet, rtp_packet
from tests.fuzz.mutations import BINARY, GENTLE, mutate, renew
from tests.fuzz.sip_targets import SIP_CORPUS
from tests.kit.lab import Lab
from tests.kit.raw_sip import RawSip, sdp, status

DATAGRAMS = 400
STREAMS = 15
PACKETS = 150
CONNECTIONS = 15
_ECHO = "4002"
_HONEST = bytes([0x9A]) * 160


class Assault:
    """Rounds of noise of every kind; `verify` looks whether anything was harmed."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self._lab = lab
        self._rng = Random(seed)
        self.rounds = 0
        self.sent: Counter[str] = Counter()

    def told(self) -> str:
        """What was sent, in words."""
        return ", ".join(f"{number} {what}" for what, number in self.sent.items())

    async def round(self) -> None:
        """One call that must come through, with noise around it and at its own ports."""
        self.rounds += 1
        lab = self._lab
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.bind((lab.host, 0))
            own.setblocking(False)
            async with RawSip(lab.host, lab.sip_port) as peer:
                peer.send(peer.invite(_ECHO, sdp(lab.host, own.getsockname()[1])))
                answer = await peer.final()
                assert status(answer) == 200, answer
                peer.acknowledge(_ECHO, answer)
                found, tag = (
                    re.search(r"m=audio (\d+)", answer),
                    re.search(r"\nTo:.*;tag=([^\r;]+)", answer),
                )
                assert found is not None
                assert tag is not None
                target = (lab.host, int(found[1]))
                await self._datagrams()
                await self._streams()
                await self._packets(own, target)
                await self._control()
                await self._is_heard(own, target)
                peer.send(peer.request("BYE", _ECHO, to_tag=tag[1]))
                while " BYE\r" not in (answer := await peer.final()):
                    pass  # an answer to the noise, which named this peer in its Via
                assert status(answer) == 200, answer

    async def verify(self) -> None:
        """No exception was caught, the gateway is the same, calls of the noise end in their time."""
        told = await self._lab.status()
        assert told["faults"] == 0, told
        assert told["gateway"]["legs"] <= told["legs"] + 1, told

    async def _datagrams(self) -> None:
        rng = self._rng
        lab = self._lab
        async with RawSip(lab.host, lab.sip_port) as caller:
            for number in range(DATAGRAMS):
                if rng.random() < 0.7:
                    data = mutate(SIP_CORPUS, rng)
                else:
                    invite = caller.invite("4000", sdp(lab.host, 40_000))
                    data = rng.choice(GENTLE)(renew(invite, rng), rng)
                with contextlib.suppress(BlockingIOError):
                    caller.send(data[:65_000])
                    self.sent["datagrams"] += 1
                if number % 25 == 24:
                    await asyncio.sleep(
                        0.005
                    )  # the server shall read them, not its kernel drop them

    async def _streams(self) -> None:
        rng = self._rng
        for _ in range(STREAMS):
            _, writer = await asyncio.open_connection(self._lab.host, self._lab.sip_port)
            with contextlib.suppress(OSError):
                for _ in range(rng.randint(1, 4)):
                    writer.write(mutate(SIP_CORPUS, rng))
                    await writer.drain()
                self.sent["connections"] += 1
            writer.close()

    async def _packets(self, own: socket.socket, target: tuple[str, int]) -> None:
        """RTP and RTCP, damaged, from the peer itself and from a stranger, to RTP and RTCP port."""
        rng = self._rng
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for number in range(PACKETS):
                packet = rng.choice((rtp_packet, rtcp_packet))(rng)
                if rng.random() < 0.5:
                    packet = mutate([packet], rng, BINARY)[:1400]
                sender = own if rng.random() < 0.6 else stranger
                port = target[1] + rng.choice((0, 0, 0, 1))
                with contextlib.suppress(OSError):  # nobody need listen at the RTCP port
                    sender.sendto(packet, (target[0], port))
                    self.sent["packets"] += 1
                if number % 10 == 9:
                    await asyncio.sleep(0.01)

    async def _control(self) -> None:
        """Frames at the gateway's own socket; none says hello, for that would take its agent away."""
        rng = self._rng
        path = str(self._lab.data / "gateway.sock")
        for _ in range(CONNECTIONS):
            data = b"".join(mutate(FRAMES[1:], rng, BINARY) for _ in range(rng.randint(1, 5)))
            if b"hello" in data or _greets(data):
                continue
            reader, writer = await asyncio.open_unix_connection(path)
            with contextlib.suppress(OSError):
                writer.write(data)
                await writer.drain()
                self.sent["frames"] += 1
            writer.close()
            del reader

    async def _is_heard(self, own: socket.socket, target: tuple[str, int]) -> None:
        """The echo of an honest packet comes back after all that, when the announcement is over."""
        loop = asyncio.get_running_loop()
        until = loop.time() + 20.0
        sequence, heard = 1000, 0
        while heard < 5:
            assert loop.time() < until, "the call of this round is not heard any more"
            sequence += 1
            head = struct.pack("!BBHII", 0x80, 0, sequence, sequence * 160, 4711)
            with contextlib.suppress(OSError):
                own.sendto(head + _HONEST, target)
            await asyncio.sleep(0.02)
            with contextlib.suppress(OSError):
                while True:
                    heard += own.recv(2000)[12:].count(_HONEST[:1]) > 100


def _greets(data: bytes) -> bool:
    try:
        return isinstance(decode_command(data[4:]), Hello)
    except FramingError:
        return False
