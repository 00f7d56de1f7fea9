"""Names looked up with a DNS server of the test, over real datagrams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from switch.sip.flow import Transport
from switch.transport.locating import Target, Wanted
from switch.transport.resolver import DnsResolver
from tests.kit.dns_server import DnsServer, dns_server
from tests.kit.patience import PATIENCE_S

TRUNK = Wanted("sip.example.com")


class Watched:
    """A resolver, and a way to wait for its news."""

    def __init__(self, server: DnsServer) -> None:
        self.news: asyncio.Queue[Wanted] = asyncio.Queue()
        self.resolver = DnsResolver(
            servers=[server.address],
            changed=self.news.put_nowait,
            least_s=0.01,
            chance=lambda: 0.0,
        )

    async def next(self) -> list[Target]:
        async with asyncio.timeout(PATIENCE_S):
            return self.resolver.targets(await self.news.get())


@asynccontextmanager
async def watching(server: DnsServer) -> AsyncIterator[Watched]:
    watched = Watched(server)
    task = asyncio.create_task(watched.resolver.run())
    try:
        yield watched
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_name_is_known_soon_after_it_was_asked_for_and_not_asked_again() -> None:
    async with dns_server() as server, watching(server) as watched:
        server.zone = {
            ("sip.example.com", "NAPTR"): ['10 10 "s" "SIP+D2T" "" _sip._tcp.sip.example.com.'],
            ("_sip._tcp.sip.example.com", "SRV"): ["0 5 5080 a.example.com."],
            ("a.example.com", "A"): ["192.0.2.5"],
        }
        assert watched.resolver.targets(TRUNK) == []
        watched.resolver.watch(TRUNK)
        watched.resolver.watch(TRUNK)
        assert await watched.next() == [Target(Transport.TCP, ("192.0.2.5", 5080))]
        assert watched.resolver.missing == []
        assert set(server.asked.values()) == {1}


async def test_an_answer_that_is_too_old_is_asked_for_again() -> None:
    async with dns_server() as server, watching(server) as watched:
        server.ttl = 0
        server.zone = {("sip.example.com", "A"): ["192.0.2.5"]}
        watched.resolver.watch(TRUNK)
        assert await watched.next() == [Target(Transport.UDP, ("192.0.2.5", 5060))]
        server.zone = {("sip.example.com", "A"): ["192.0.2.6"]}
        assert await watched.next() == [Target(Transport.UDP, ("192.0.2.6", 5060))]


async def test_what_was_known_stays_while_the_name_is_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with dns_server() as server, watching(server) as watched:
        server.ttl = 0
        server.zone = {("sip.example.com", "A"): ["192.0.2.5"]}
        watched.resolver.watch(TRUNK)
        known = await watched.next()
        server.zone = {}
        async with asyncio.timeout(PATIENCE_S):
            while not watched.resolver.missing:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        assert watched.resolver.targets(TRUNK) == known
        assert "the last addresses stay" in caplog.text


async def test_an_address_is_known_at_once_and_asks_nobody() -> None:
    async with dns_server() as server:
        resolver = DnsResolver(servers=[server.address])
        wanted = Wanted("192.0.2.7", port=5090, transport=Transport.TLS)
        resolver.watch(wanted)
        assert resolver.targets(wanted) == [Target(Transport.TLS, ("192.0.2.7", 5090))]
        assert not server.asked


async def test_one_that_never_answers_keeps_no_other_waiting() -> None:
    async with dns_server() as server, watching(server) as watched:
        server.is_silent = True
        watched.resolver.watch(TRUNK)
        async with asyncio.timeout(PATIENCE_S):
            while not server.asked:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        server.is_silent = False
        server.zone = {("other.example.com", "A"): ["192.0.2.8"]}
        other = Wanted("other.example.com", port=5060)
        watched.resolver.watch(other)
        async with asyncio.timeout(PATIENCE_S):
            while not watched.resolver.targets(other):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "host",
    ["a" * 64 + ".example.com", "x..example.com", "\udce4.example"],
    ids=["a label too long", "an empty label", "no text"],
)
async def test_a_name_that_cannot_be_one_is_told_and_harms_nobody(host: str) -> None:
    async with dns_server() as server, watching(server) as watched:
        server.zone = {("sip.example.com", "A"): ["192.0.2.5"]}
        watched.resolver.watch(Wanted(host))
        watched.resolver.watch(TRUNK)
        assert await watched.next() == [Target(Transport.UDP, ("192.0.2.5", 5060))]
        assert watched.resolver.missing == [host]
