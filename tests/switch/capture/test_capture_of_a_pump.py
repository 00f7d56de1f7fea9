"""Two nodes over real sockets, and a capture server that reads what one of them reports."""

from __future__ import annotations

import socket

from switch.capture.hep import Encoder
from switch.capture.homer import Homer
from switch.sip.flow import Flow, Transport
from tests.switch.capture.test_hep import decode
from tests.switch.transport.node import options, raw_options, running_node

WALL = 1_700_000_000.5


async def test_every_message_in_and_out_is_reported_as_it_was_on_the_wire() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        homer = Homer(server.getsockname(), Encoder(9, "pass"), lambda: WALL)
        shown: list[tuple[bytes, Flow, bool]] = []
        async with running_node() as alice, running_node() as bob:
            alice.pump.observers = (
                homer.message,
                lambda data, flow, is_out: shown.append((data, flow, is_out)),
            )
            local = await alice.pump.listen_udp("127.0.0.1", 0)
            remote = await bob.pump.listen_udp("127.0.0.1", 0)
            request = options()
            alice.endpoint.send_request(
                request, Flow(Transport.UDP, remote, local), alice.clock.now()
            )
            alice.pump.schedule_flush()
            await alice.wait_for(1)
        homer.close()
        out, back = decode(server.recv(65536)), decode(server.recv(65536))
    assert [chunks[15].split(b" ")[0] for chunks in (out, back)] == [b"OPTIONS", b"SIP/2.0"]
    assert [data for data, _, _ in shown] == [out[15], back[15]]
    assert [is_out for _, _, is_out in shown] == [True, False]
    for chunks, source, target in ((out, local, remote), (back, remote, local)):
        assert chunks[3] == chunks[4] == socket.inet_aton("127.0.0.1")
        assert int.from_bytes(chunks[7], "big") == source[1]
        assert int.from_bytes(chunks[8], "big") == target[1]
        assert int.from_bytes(chunks[9], "big") == int(WALL)
        assert int.from_bytes(chunks[10], "big") == 500_000
        assert chunks[14] == b"pass"
        assert chunks[17].decode() == request.call_id
    assert (homer.sent, homer.dropped) == (2, 0)


async def test_what_only_keeps_a_way_open_is_no_message() -> None:
    """Each phone behind a NAT sends it twice a minute: it would push the messages out of the trace."""
    shown: list[bytes] = []
    async with running_node() as alice:
        alice.pump.observers = (lambda data, flow, is_out: shown.append(data),)
        local = await alice.pump.listen_udp("127.0.0.1", 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            for data in (b"\r\n\r\n", b"\r\n", b"\0\0\0\0", b"", raw_options()):
                phone.sendto(data, local)
            await alice.wait_for(1)
        assert alice.endpoint.counters.keepalives == 4
    assert [data.split(b" ")[0] for data in shown] == [b"OPTIONS", b"SIP/2.0"]
