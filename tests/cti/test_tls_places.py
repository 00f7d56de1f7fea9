"""Names of carriers that come to one address, whenever the DNS says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from cti.carriers import CarrierAddresses
from cti.tls_places import places_of
from switch.guard.guard import Guard
from switch.guard.settings import GuardSettings
from switch.sip.events import EndpointEvent, ResponseReceived, TransportFailed
from switch.sip.flow import Flow, Transport
from switch.transport.tls import TlsContexts, TlsPeer
from switch.trunks.settings import TrunkSettings, TrunkTls
from switch.trunks.targets import Server
from tests.kit.certificates import certificate, contexts
from tests.kit.dns_server import dns_server
from tests.kit.patience import PATIENCE_S
from tests.kit.virtual_clock import VirtualClock
from tests.switch.transport.node import Node, options, running_node

HOST = "127.0.0.1"

A, B = Server("a.example.com"), Server("b.example.com")
ONE, TWO = ("192.0.2.1", 5061), ("192.0.2.2", 5061)


def test_who_is_configured_first_has_the_address() -> None:
    a = TlsPeer(server_name=A.host, ca_file="a.pem")
    b = TlsPeer(server_name=B.host, ca_file="b.pem")
    places = places_of([(A, a, [ONE]), (B, b, [ONE, TWO])])
    assert places.peers == {ONE: (a, ()), TWO: (b, ())}
    assert places.taken == {(B, ONE): A}


def test_who_left_it_leaves_it_to_the_next() -> None:
    a = TlsPeer(server_name=A.host, ca_file="a.pem")
    b = TlsPeer(server_name=B.host, ca_file="b.pem")
    places = places_of([(A, a, [TWO]), (B, b, [ONE])])
    assert places.peers == {TWO: (a, ()), ONE: (b, ())}
    assert not places.taken


def test_names_that_are_connected_to_alike_share_it_if_the_certificate_has_both() -> None:
    a, b = TlsPeer(server_name=A.host), TlsPeer(server_name=B.host)
    places = places_of([(A, a, [ONE]), (B, b, [ONE]), (B, b, [ONE])])
    assert places.peers == {ONE: (a, (B.host,))}
    assert not places.taken


def test_whom_the_certificate_there_does_not_name_does_without() -> None:
    a, b = TlsPeer(server_name=A.host), TlsPeer(server_name=B.host)
    unnamed = {(B.host, ONE)}
    places = places_of([(A, a, [ONE]), (B, b, [ONE, TWO])], unnamed)
    assert places.peers == {ONE: (a, ()), TWO: (b, ())}
    assert places.taken == {(B, ONE): A}
    assert not places_of([(B, b, [ONE])], unnamed).taken, "nobody else is there any more"


class Noticing(TlsContexts):
    """Tells when it was told where servers are."""

    def __init__(self) -> None:
        super().__init__()
        self.news = asyncio.Event()

    def expect(self, remote: tuple[str, int], peer: TlsPeer, *, also: tuple[str, ...] = ()) -> None:
        super().expect(remote, peer, also=also)
        self.news.set()


def of(server: Server, authorities: Path, port: int = 5061) -> TrunkSettings:
    return TrunkSettings(
        name=server.host.partition(".")[0],
        proxy_host=server.host,
        proxy_port=port,
        transport=Transport.TLS,
        tls=TrunkTls(authorities=str(authorities)),
    )


@asynccontextmanager
async def looked_up(
    tls: Noticing, trunks: Sequence[TrunkSettings], zone: dict[tuple[str, str], list[str]]
) -> AsyncIterator[CarrierAddresses]:
    """The addresses of the trunks, once the DNS has said all."""
    async with dns_server() as names:
        names.zone = zone
        addresses = CarrierAddresses(
            {each.name: each for each in trunks},
            tls=tls,
            guard=Guard(GuardSettings()),
            clock=VirtualClock(),
            dns=[names.address],
        )
        addresses.watch()
        looking = asyncio.create_task(addresses.run())
        try:
            async with asyncio.timeout(30):
                while not all(hosts(addresses, each) for each in trunks):
                    await tls.news.wait()
                    tls.news.clear()
            yield addresses
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking


def hosts(addresses: CarrierAddresses, trunk: TrunkSettings) -> set[str]:
    assert trunk.server is not None
    return {target.host for target in addresses.targets(trunk.server)}


async def test_names_that_meet_in_the_dns_do_not_take_each_others_calls(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b"):
        certificate(tmp_path / name)
    a, b = of(A, tmp_path / "a" / "ca.pem"), of(B, tmp_path / "b" / "ca.pem")
    zone = {(A.host, "A"): [HOST], (B.host, "A"): [HOST, "127.0.0.2"]}
    async with looked_up(Noticing(), (a, b), zone) as addresses:
        assert hosts(addresses, a) == {HOST}
        assert hosts(addresses, b) == {"127.0.0.2"}
    assert "b.example.com" in caplog.text


async def test_a_name_that_comes_to_anothers_server_does_without_it_once_that_is_seen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls = Noticing()
    async with (
        running_node(tls=contexts(tmp_path, A.host)) as carrier,
        running_node(tls=tls) as ours,
    ):
        remote = await carrier.pump.listen(Transport.TLS, HOST, 0)
        a, b = (of(each, tmp_path / "ca.pem", remote[1]) for each in (A, B))
        zone = {(each.host, "A"): [HOST] for each in (A, B)}
        async with looked_up(tls, (a, b), zone) as addresses:
            for _ in range(2):
                flow = Flow(Transport.TLS, remote, (HOST, 5061))
                ours.endpoint.send_request(options(), flow, ours.clock.now())
                ours.pump.schedule_flush()
                await ours.wait_for(len(ours.events) + 1)
            assert hosts(addresses, a) == {HOST}
            assert hosts(addresses, b) == set()
    failed, answered = ours.events
    assert isinstance(failed, TransportFailed)
    assert isinstance(answered, ResponseReceived), "nothing of the other's fails a second time"
    assert "has not both names" in caplog.text


async def asks(node: Node, remote: tuple[str, int]) -> EndpointEvent:
    """Send an OPTIONS there; what came of it."""
    flow = Flow(Transport.TLS, remote, (HOST, 5061))
    node.endpoint.send_request(options(), flow, node.clock.now())
    node.pump.schedule_flush()
    return (await node.wait_for(len(node.events) + 1))[-1]


async def look_up_again(addresses: CarrierAddresses, tls: Noticing, *servers: Server) -> None:
    """As when their answers are too old; returns when something has changed."""
    tls.news.clear()
    for wanted in addresses.resolver._due:
        if wanted.host in [server.host for server in servers]:
            addresses.resolver._due[wanted] = 0.0
    addresses.resolver._news.set()
    async with asyncio.timeout(PATIENCE_S):
        await tls.news.wait()


async def test_a_name_that_comes_where_a_connection_is_open_must_stand_in_its_certificate(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The other name is not called over it, and the calls of the first notice nothing."""
    tls = Noticing()
    async with (
        running_node(tls=contexts(tmp_path, A.host)) as carrier,
        running_node(tls=tls) as ours,
    ):
        remote = await carrier.pump.listen(Transport.TLS, HOST, 0)
        a, b = (of(each, tmp_path / "ca.pem", remote[1]) for each in (A, B))
        zone = {(A.host, "A"): [HOST], (B.host, "A"): ["127.0.0.2"]}
        async with looked_up(tls, (a, b), zone) as addresses:
            assert isinstance(await asks(ours, remote), ResponseReceived)
            zone[B.host, "A"] = [HOST]
            await look_up_again(addresses, tls, B)
            assert hosts(addresses, b) == set()
            assert hosts(addresses, a) == {HOST}
            assert isinstance(await asks(ours, remote), ResponseReceived)
    assert "has not both names" in caplog.text


async def test_a_server_that_has_anothers_address_now_proves_itself_by_a_connection_of_its_own(
    tmp_path: Path,
) -> None:
    tls = Noticing()
    async with (
        running_node(tls=contexts(tmp_path, A.host)) as carrier,
        running_node(tls=tls) as ours,
    ):
        remote = await carrier.pump.listen(Transport.TLS, HOST, 0)
        a, b = (of(each, tmp_path / "ca.pem", remote[1]) for each in (A, B))
        zone = {(A.host, "A"): [HOST], (B.host, "A"): ["127.0.0.2"]}
        async with looked_up(tls, (a, b), zone) as addresses:
            assert isinstance(await asks(ours, remote), ResponseReceived)
            zone[A.host, "A"] = ["127.0.0.3"]
            await look_up_again(addresses, tls, A)
            zone[B.host, "A"] = [HOST]
            await look_up_again(addresses, tls, B)
            assert hosts(addresses, b) == {HOST}
            assert isinstance(await asks(ours, remote), TransportFailed), "it is not b.example.com"
