"""Names of carriers that come to one address, whenever the DNS says so."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from cti.carriers import CarrierAddresses
from cti.tls_places import places_of
from switch.guard.guard import Guard
from switch.guard.settings import GuardSettings
from switch.sip.flow import Transport
from switch.transport.tls import TlsContexts, TlsPeer
from switch.trunks.settings import TrunkSettings, TrunkTls
from switch.trunks.targets import Server
from tests.kit.certificates import certificate
from tests.kit.dns_server import dns_server
from tests.kit.virtual_clock import VirtualClock

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


class Noticing(TlsContexts):
    """Tells when it was told where servers are."""

    def __init__(self) -> None:
        super().__init__()
        self.news = asyncio.Event()

    def expect(self, remote: tuple[str, int], peer: TlsPeer, *, also: tuple[str, ...] = ()) -> None:
        super().expect(remote, peer, also=also)
        self.news.set()


def of(server: Server, folder: Path) -> TrunkSettings:
    """A trunk to a server that its own authority has signed."""
    name = server.host.partition(".")[0]
    return TrunkSettings(
        name=name,
        proxy_host=server.host,
        proxy_port=5061,
        transport=Transport.TLS,
        tls=TrunkTls(authorities=str(folder / name / "ca.pem")),
    )


def hosts(addresses: CarrierAddresses, server: Server) -> set[str]:
    wanted = Server(server.host, 5061, Transport.TLS)
    return {target.host for target in addresses.targets(wanted)}


async def test_names_that_meet_in_the_dns_do_not_take_each_others_calls(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b"):
        certificate(tmp_path / name)
    async with dns_server() as names:
        names.zone = {
            (A.host, "A"): ["127.0.0.1"],
            (B.host, "A"): ["127.0.0.1", "127.0.0.2"],
        }
        trunks = {each.name: each for each in (of(A, tmp_path), of(B, tmp_path))}
        tls = Noticing()
        addresses = CarrierAddresses(
            trunks,
            tls=tls,
            guard=Guard(GuardSettings()),
            clock=VirtualClock(),
            dns=[names.address],
        )
        addresses.watch()
        looking = asyncio.create_task(addresses.run())
        try:
            async with asyncio.timeout(30):
                while not (hosts(addresses, A) and hosts(addresses, B)):
                    await tls.news.wait()
                    tls.news.clear()
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
    assert hosts(addresses, A) == {"127.0.0.1"}
    assert hosts(addresses, B) == {"127.0.0.2"}
    assert "b.example.com" in caplog.text
