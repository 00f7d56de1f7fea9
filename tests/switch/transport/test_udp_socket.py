from __future__ import annotations

import asyncio
import socket
import tracemalloc

from switch.transport.limits import TransportLimits
from switch.transport.udp import Address, UdpHandlers, UdpSocket


async def test_a_datagram_takes_no_more_memory_than_it_is_long() -> None:
    """A string for the longest one, cut afterwards, is what lets the heap grow with every call."""
    came: asyncio.Future[list[tuple[bytes, Address]]] = asyncio.get_running_loop().create_future()
    handlers = UdpHandlers(
        received=lambda sock, batch: came.set_result(batch),
        refused=lambda sock, remote, why: came.set_exception(OSError(why)),
    )
    sock = UdpSocket("127.0.0.1", 0, handlers, TransportLimits())
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"x" * 700, sock.local)
            tracemalloc.start()
            try:
                batch = await came
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
    finally:
        sock.close()
    assert [data for data, _ in batch] == [b"x" * 700]
    assert peak < 32_000
