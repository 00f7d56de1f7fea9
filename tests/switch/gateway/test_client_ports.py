"""Which of the reserved ports the client gives away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from switch.errors import MediaUnavailableError
from switch.gateway.client import GatewayClient
from switch.gateway.framing import FrameSplitter, decode_command, encode_frame
from switch.gateway.protocol import PortsReserved, ReservePorts, Welcome


async def test_a_port_that_is_claimed_is_given_to_nobody(tmp_path: Path) -> None:
    """Whether its offer is there already or still on its way."""
    asked = asyncio.Semaphore(0)
    writers: list[asyncio.StreamWriter] = []

    async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        welcome = Welcome(version=1, gateway="g", pid=1, rtp_address="127.0.0.1")
        writer.write(encode_frame(welcome))
        splitter = FrameSplitter()
        while data := await reader.read(4096):
            for body in splitter.feed(data):
                if isinstance(decode_command(body), ReservePorts):
                    asked.release()

    def offer(*ports: int) -> None:
        writers[-1].write(encode_frame(PortsReserved(ports=ports)))

    came: asyncio.Queue[object] = asyncio.Queue()
    client = GatewayClient(
        on_event=came.put_nowait, on_lost=lambda why: None, ports_ahead=4, patience_s=30.0
    )
    path = tmp_path / "g.sock"
    async with await asyncio.start_unix_server(gateway, path):
        connecting = asyncio.create_task(client.connect(path))
        await asked.acquire()
        offer(4000, 4002, 4004, 4006)
        await connecting
        client.claim_port(4004)
        assert [client.take_port() for _ in range(2)] == [4000, 4002]
        await asked.acquire()
        client.claim_port(4010)
        await came.get()
        offer(4008, 4010, 4012)
        await came.get()
        assert [client.take_port() for _ in range(3)] == [4006, 4008, 4012]
        with pytest.raises(MediaUnavailableError):
            client.take_port()
        await asked.acquire()
        client.claim_port(4014)
        client.close()
        connecting = asyncio.create_task(client.connect(path))
        await asked.acquire()
        offer(4014)
        await connecting
        assert client.take_port() == 4014, "another gateway's is claimed by nobody"
        client.close()
        for writer in writers:
            writer.close()


async def test_the_first_ports_are_not_waited_for_with_all_the_others(tmp_path: Path) -> None:
    wanted: asyncio.Queue[int] = asyncio.Queue()

    async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        welcome = Welcome(version=1, gateway="g", pid=1, rtp_address="127.0.0.1")
        writer.write(encode_frame(welcome))
        splitter = FrameSplitter()
        port = 4000
        while data := await reader.read(4096):
            for body in splitter.feed(data):
                command = decode_command(body)
                if isinstance(command, ReservePorts):
                    wanted.put_nowait(command.count)
                    if wanted.qsize() == 1:  # the second answer never comes
                        ports = tuple(range(port, port + 2 * command.count, 2))
                        writer.write(encode_frame(PortsReserved(ports=ports)))
        writer.close()

    client = GatewayClient(
        on_event=lambda event: None, on_lost=lambda why: None, ports_ahead=512, patience_s=30.0
    )
    path = tmp_path / "g.sock"
    async with await asyncio.start_unix_server(gateway, path):
        await client.connect(path)
        assert client.take_port() == 4000
        first, rest = await wanted.get(), await wanted.get()
        client.close()
    assert first < 100
    assert first + rest == 512
