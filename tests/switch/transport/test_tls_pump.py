"""The pump over real TLS connections on the loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path

import pytest

from switch.guard.guard import Guard
from switch.guard.offences import Offence
from switch.guard.settings import GuardSettings
from switch.sip.events import RequestReceived, ResponseReceived, TransportFailed
from switch.sip.flow import Flow, Transport
from switch.transport.identity import PeerIdentity
from switch.transport.limits import TransportLimits
from switch.transport.tls import TlsContexts, TlsPeer
from tests.kit.certificates import certificate, contexts, trusting
from tests.kit.patience import PATIENCE_S
from tests.switch.transport.node import Node, options, raw_options, running_node

HOST = "127.0.0.1"
STRANGER = "127.0.0.2"


@asynccontextmanager
async def connected(
    remote: tuple[str, int], context: ssl.SSLContext | None, local: str = HOST
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(
        *remote, ssl=context, local_addr=(local, 0), server_hostname=HOST if context else None
    )
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def ended(reader: asyncio.StreamReader) -> None:
    """Wait until the other side closes or cuts the connection."""
    async with asyncio.timeout(PATIENCE_S):
        with suppress(OSError):
            while await reader.read(1000):
                pass


async def listening(node: Node) -> tuple[str, int]:
    return await node.pump.listen(Transport.TLS, HOST, 0)


def ask(node: Node, remote: tuple[str, int]) -> None:
    flow = Flow(Transport.TLS, remote, (HOST, 5061))
    node.endpoint.send_request(options(), flow, node.clock.now())
    node.pump.schedule_flush()


async def test_whoever_trusts_our_certificate_talks_to_us(tmp_path: Path) -> None:
    async with running_node(tls=contexts(tmp_path)) as bob:
        remote = await listening(bob)
        async with connected(remote, trusting(tmp_path)) as (reader, writer):
            writer.write(b"\r\n\r\n")
            assert await reader.readexactly(2) == b"\r\n"
            writer.write(raw_options(1))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"SIP/2.0 200 OK")
            assert bob.pump.streams.by_kind == {Transport.TLS: 1}
        request = bob.events[0]
        assert isinstance(request, RequestReceived)
        assert request.flow.transport is Transport.TLS
        assert request.flow.local == remote
        assert bob.pump.streams.identity_of(1) is None


async def test_a_server_that_proves_its_name_is_talked_to_over_one_connection(
    tmp_path: Path,
) -> None:
    served = contexts(tmp_path / "bob", "sip.example.com")
    async with running_node() as alice, running_node(tls=served) as bob:
        remote = await listening(bob)
        peer = TlsPeer(server_name="sip.example.com", ca_file=str(tmp_path / "bob" / "ca.pem"))
        alice.pump.streams.tls.expect(remote, peer)
        for count in (1, 2):
            ask(alice, remote)
            await alice.wait_for(count)
        assert all(isinstance(e, ResponseReceived) for e in alice.events)
        assert alice.pump.streams.counters.made == 1


@pytest.mark.parametrize("has_both", [True, False])
async def test_a_server_that_two_names_lead_to_must_prove_both(
    tmp_path: Path, has_both: bool
) -> None:
    names = ("a.example.com", "b.example.com") if has_both else ("a.example.com",)
    served = contexts(tmp_path / "bob", *names)
    async with running_node() as alice, running_node(tls=served) as bob:
        remote = await listening(bob)
        peer = TlsPeer(server_name="a.example.com", ca_file=str(tmp_path / "bob" / "ca.pem"))
        alice.pump.streams.tls.expect(remote, peer, also=("b.example.com",))
        ask(alice, remote)
        (event,) = await alice.wait_for(1)
        if has_both:
            assert isinstance(event, ResponseReceived)
        else:
            assert isinstance(event, TransportFailed)
            assert "does not name b.example.com" in event.reason


@pytest.mark.parametrize("wrong", ["name", "authority", "pin", "nothing"])
async def test_a_server_that_cannot_prove_itself_gets_nothing(tmp_path: Path, wrong: str) -> None:
    served = contexts(tmp_path / "bob", "sip.example.com")
    certificate(tmp_path / "other")
    async with running_node() as alice, running_node(tls=served) as bob:
        remote = await listening(bob)
        ca = str(tmp_path / ("other" if wrong == "authority" else "bob") / "ca.pem")
        name = "other.example.com" if wrong == "name" else "sip.example.com"
        if wrong != "nothing":
            pins = ("0" * 64,) if wrong == "pin" else ()
            peer = TlsPeer(server_name=name, ca_file="" if pins else ca, pins=pins)
            alice.pump.streams.tls.expect(remote, peer)
        ask(alice, remote)
        (event,) = await alice.wait_for(1)
        assert isinstance(event, TransportFailed)
        words = {"pin": "not pinned", "nothing": "nothing is known"}.get(wrong, "certificate")
        assert words in event.reason
        assert bob.events == []
        assert len(alice.pump.streams) == 0


async def test_a_pinned_certificate_needs_no_authority(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "sip.example.com").certificate.read_text()
    der = ssl.PEM_cert_to_DER_cert(pem[: pem.index("-----END") + len(ssl.PEM_FOOTER)])
    async with (
        running_node() as alice,
        running_node(tls=contexts(tmp_path, "sip.example.com")) as bob,
    ):
        remote = await listening(bob)
        peer = TlsPeer(server_name="10.9.8.7", pins=(sha256(der).hexdigest(),))
        alice.pump.streams.tls.expect(remote, peer)
        ask(alice, remote)
        (event,) = await alice.wait_for(1)
        assert isinstance(event, ResponseReceived)


async def test_a_client_certificate_says_who_connects_and_may_be_called_back_on_it(
    tmp_path: Path,
) -> None:
    carrier = certificate(tmp_path / "carrier", "carrier.example.com", HOST)
    ca = str(tmp_path / "carrier" / "ca.pem")
    served = contexts(tmp_path / "bob", client_ca=ca)
    async with running_node(tls=served) as bob, running_node(tls=contexts(tmp_path / "x")) as alice:
        remote, own = await listening(bob), await listening(alice)
        peer = TlsPeer(
            server_name=HOST,
            ca_file=str(tmp_path / "bob" / "ca.pem"),
            certificate=str(carrier.certificate),
            key=str(carrier.key),
        )
        alice.pump.streams.tls.expect(remote, peer)
        alice.endpoint._sent_by = lambda flow: f"{HOST}:{own[1]};alias"
        ask(alice, remote)
        await alice.wait_for(1)
        request = bob.events[0]
        assert isinstance(request, RequestReceived)
        identity = bob.pump.streams.identity_of(request.flow.connection)
        assert isinstance(identity, PeerIdentity)
        assert identity.names == (HOST, "carrier.example.com")
        assert identity.is_named("Carrier.example.com.")
        ask(bob, own)  # RFC 5923: where alice listens, over the connection that alice made
        await bob.wait_for(2)
        assert isinstance(bob.events[1], ResponseReceived)
        assert bob.pump.streams.counters.made == 0
    assert len(bob.pump.streams) == 0


async def test_a_certificate_of_an_unknown_authority_is_refused_and_no_offence(
    tmp_path: Path,
) -> None:
    ours = certificate(tmp_path / "ours")
    theirs = certificate(tmp_path / "theirs")
    watched = Guard(GuardSettings())
    served = contexts(tmp_path / "bob", client_ca=str(ours.certificate.parent / "ca.pem"))
    async with running_node(tls=served, guard=watched) as bob:
        remote = await listening(bob)
        context = trusting(tmp_path / "bob")
        context.load_cert_chain(theirs.certificate, theirs.key)
        with suppress(OSError):
            async with connected(remote, context) as (reader, writer):
                writer.write(raw_options(1))
                await ended(reader)
        with suppress(OSError):  # one who does not trust us
            async with connected(remote, trusting(tmp_path / "theirs")) as (reader, _):
                await ended(reader)
        await gone(bob)
        assert bob.pump.streams.counters.handshakes_failed == 2
        assert bob.events == []
        assert watched.counters(bob.clock.now()).offences == {}


async def gone(node: Node) -> None:
    """Wait until no connection is left."""
    async with asyncio.timeout(PATIENCE_S):
        while len(node.pump.streams):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_nonsense_and_silence_instead_of_a_handshake(tmp_path: Path) -> None:
    watched, tls = Guard(GuardSettings()), contexts(tmp_path)
    async with running_node(tls=tls, guard=watched) as bob:
        remote = await listening(bob)
        for words in (b"GET / HTTP/1.1\r\n\r\n", b"OPTIONS sip:a SIP/2.0\r\n\r\n"):
            async with connected(remote, None) as (reader, writer):
                writer.write(words)
                await ended(reader)
        await gone(bob)
        assert bob.pump.streams.counters.handshakes_failed == 2
        assert watched.counters(bob.clock.now()).offences == {Offence.NO_SIP: 2}
    async with running_node(TransportLimits(handshake_s=0.2), tls=tls, guard=watched) as bob:
        async with connected(await listening(bob), None) as (reader, writer):
            writer.write(b"\x16\x03\x01")
            await ended(reader)
        await gone(bob)
        counters = bob.pump.streams.counters
        assert (counters.handshakes_failed, counters.slow_closed) == (0, 1)
        assert watched.counters(bob.clock.now()).offences[Offence.SLOW] == 1


async def test_half_open_handshakes_give_way_like_other_strangers(tmp_path: Path) -> None:
    limits = TransportLimits(max_strangers=2)
    async with running_node(limits, tls=contexts(tmp_path), guard=Guard(GuardSettings())) as bob:
        remote = await listening(bob)
        async with (
            connected(remote, None) as (oldest, _),
            connected(remote, None),
            connected(remote, trusting(tmp_path)) as (reader, writer),
        ):
            await ended(oldest)
            writer.write(raw_options(1))
            assert (await reader.readline()).startswith(b"SIP/2.0 200")
        assert bob.pump.streams.counters.strangers_displaced == 1


async def test_handshakes_of_strangers_wait_for_their_turn_and_all_come_to_it(
    tmp_path: Path,
) -> None:
    limits = TransportLimits(strangers_handshakes_per_s=4.0)
    watched = Guard(GuardSettings(exempt=(HOST,)))
    async with running_node(limits, tls=contexts(tmp_path), guard=watched) as bob:
        remote = await listening(bob)

        async def talk(number: int) -> None:
            async with connected(remote, trusting(tmp_path), STRANGER) as (reader, writer):
                writer.write(raw_options(number))
                assert (await reader.readline()).startswith(b"SIP/2.0 200")

        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            for number in range(8):
                tasks.create_task(talk(number))
        assert bob.pump.streams.counters.paused >= 1


async def test_a_certificate_that_changed_is_shown_to_the_next_and_disturbs_nobody(
    tmp_path: Path,
) -> None:
    tls = contexts(tmp_path / "old")
    async with running_node(tls=tls) as bob:
        remote = await listening(bob)
        async with connected(remote, trusting(tmp_path / "old")) as (reader, writer):
            files = certificate(tmp_path / "new")
            tls.use(files.certificate, files.key)
            with pytest.raises(OSError, match=r"server\.key is not the key of .*server\.pem"):
                tls.use(files.certificate, certificate(tmp_path / "third").key)
            async with connected(remote, trusting(tmp_path / "new")) as (late, other):
                for number, (read, write) in enumerate(((reader, writer), (late, other))):
                    write.write(raw_options(number))
                    assert (await read.readline()).startswith(b"SIP/2.0 200")


async def test_a_silent_connection_of_ours_says_something_now_and_then(tmp_path: Path) -> None:
    limits = TransportLimits(keepalive_s=0.05)
    async with running_node(limits) as alice, running_node(tls=contexts(tmp_path)) as bob:
        remote = await listening(bob)
        ca = str(tmp_path / "ca.pem")
        alice.pump.streams.tls.expect(remote, TlsPeer(server_name=HOST, ca_file=ca))
        ask(alice, remote)
        await alice.wait_for(1)
        (connection,) = alice.pump.streams._connections.values()
        began = connection._patience.active_at
        async with asyncio.timeout(PATIENCE_S):
            while connection._patience.active_at == began:  # noqa: ASYNC110 - the pong is no event
                await asyncio.sleep(0.01)
        assert len(bob.pump.streams) == 1


async def test_the_end_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with running_node(tls=contexts(tmp_path)) as bob:
        remote = await listening(bob)
        async with connected(remote, trusting(tmp_path)) as (reader, writer):
            writer.write(raw_options(1))
            await reader.readuntil(b"\r\n\r\n")
            await bob.pump.close()
            assert await reader.read() == b"", "close_notify, no broken stream"
        async with running_node() as alice:
            alice.pump.streams.tls.expect(
                remote, TlsPeer(server_name=HOST, ca_file=str(tmp_path / "ca.pem"))
            )
            ask(alice, remote)
            await alice.pump.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}


def test_addresses_of_servers_do_not_pile_up(tmp_path: Path) -> None:
    certificate(tmp_path)
    known = TlsContexts()
    peer = TlsPeer(server_name=HOST, ca_file=str(tmp_path / "ca.pem"))
    for number in range(5000):
        known.expect((f"192.0.2.{number % 250}", 5000 + number), peer)
    assert known.connect(("192.0.2.0", 5000)) is None
    assert known.connect((f"192.0.2.{4999 % 250}", 9999)) is not None
