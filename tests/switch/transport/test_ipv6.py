"""The pump over IPv6, with every transport."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from switch.sip.events import RequestReceived, ResponseReceived, TransportFailed
from switch.sip.flow import Flow, Transport
from switch.transport.tls import TlsPeer
from tests.kit.certificates import contexts
from tests.kit.patience import PATIENCE_S
from tests.switch.transport.node import options, raw_options, running_node

HOST = "::1"


@pytest.mark.parametrize("kind", [Transport.UDP, Transport.TCP, Transport.TLS])
async def test_a_request_goes_and_its_answer_comes(tmp_path: Path, kind: Transport) -> None:
    served = contexts(tmp_path, HOST)
    async with running_node() as alice, running_node(tls=served) as bob:
        remote = await bob.pump.listen(kind, HOST, 0)
        if kind is Transport.UDP:
            await alice.pump.listen(kind, HOST, 0)
        alice.pump.streams.tls.expect(
            remote, TlsPeer(server_name=HOST, ca_file=str(tmp_path / "ca.pem"))
        )
        flow = Flow(kind, remote, (HOST, 5060))
        alice.endpoint.send_request(options(), flow, alice.clock.now())
        alice.pump.schedule_flush()
        await alice.wait_for(1)
        assert isinstance(alice.events[0], ResponseReceived)
        request = bob.events[0]
        assert isinstance(request, RequestReceived)
        assert request.flow.remote[0] == HOST
        via = request.request.top_via
        assert (via.host, via.port) == ("[::1]", 5060)
        assert via.received == HOST, "as it stands in a Via: without brackets"


async def test_both_families_side_by_side_each_answer_from_where_they_were_asked() -> None:
    async with running_node() as bob:
        for host in ("127.0.0.1", HOST):
            remote = await bob.pump.listen(Transport.TCP, host, 0)
            reader, writer = await asyncio.open_connection(*remote)
            writer.write(raw_options(1))
            assert (await reader.readline()).startswith(b"SIP/2.0 200")
            writer.close()
        flows = [each.flow for each in bob.events if isinstance(each, RequestReceived)]
        assert [flow.local[0] for flow in flows] == ["127.0.0.1", HOST]
        assert bob.pump.streams.local_of(Transport.TCP, "2001:db8::1")[0] == HOST
        assert bob.pump.streams.local_of(Transport.TCP, "192.0.2.1")[0] == "127.0.0.1"


async def test_a_flow_of_our_own_making_leaves_by_the_socket_of_its_family() -> None:
    async with running_node() as alice, running_node() as bob:
        local = await alice.pump.listen(Transport.UDP, "127.0.0.1", 0)
        remote = await bob.pump.listen(Transport.UDP, HOST, 0)
        flow = Flow(Transport.UDP, remote, local)
        alice.endpoint.send_request(options(), flow, alice.clock.now())
        alice.pump.schedule_flush()
        (failed,) = await alice.wait_for(1)
        assert isinstance(failed, TransportFailed)
        await alice.pump.listen(Transport.UDP, HOST, 0)
        alice.endpoint.send_request(options(), flow, alice.clock.now())
        alice.pump.schedule_flush()
        await alice.wait_for(2)
        assert isinstance(alice.events[1], ResponseReceived)


async def test_a_datagram_that_names_its_port_in_another_form_is_answered_there() -> None:
    async with running_node() as bob:
        remote = await bob.pump.listen(Transport.UDP, HOST, 0)
        with (
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender,
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as listener,
        ):
            listener.bind((HOST, 0))
            listener.setblocking(False)
            via = b"SIP/2.0/UDP [0:0:0:0:0:0:0:1]:%d;branch" % listener.getsockname()[1]
            request = raw_options(1).replace(b"SIP/2.0/TCP 127.0.0.1;branch", via)
            sender.sendto(request.replace(b";rport", b""), remote)
            async with asyncio.timeout(PATIENCE_S):
                answer = await asyncio.get_running_loop().sock_recv(listener, 2000)
        assert answer.startswith(b"SIP/2.0 200")
        assert b"received" not in answer
