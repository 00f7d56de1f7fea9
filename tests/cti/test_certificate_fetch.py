"""Fetching from addresses that strangers name: only from outside, little, and not for long."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import cti.certificate_fetch
from cti.certificate_fetch import CertificateFetcher
from switch.stir.certificates import LARGEST_PEM
from tests.kit.certificates import certificate, trusting
from tests.kit.dns_server import dns_server

HOST = "certificates.example.com"


class Web:
    """An HTTP server on loopback that gives one answer."""

    def __init__(self) -> None:
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nPEM"
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.answer)
            await reader.read()  # until the client goes
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def web(tls: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    found = Web()
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0, ssl=tls) as server:
        found.port = server.sockets[0].getsockname()[1]
        yield found


def no_tls() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.message for each in caplog.records if "cannot be fetched" in each.message]


def nothing_is_inside(address: str) -> bool:
    return True


async def test_a_name_is_looked_up_and_its_certificate_checked(tmp_path: Path) -> None:
    files = certificate(tmp_path, HOST)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    made_in: list[int] = []

    def make() -> ssl.SSLContext:
        made_in.append(threading.get_ident())
        return trusting(tmp_path)

    async with dns_server() as names, web(tls) as server:
        names.zone = {(HOST, "A"): ["127.0.0.1"], ("other.example.com", "A"): ["127.0.0.1"]}
        fetcher = CertificateFetcher(
            is_allowed=nothing_is_inside, dns_servers=[names.address], tls=make
        )
        url = f"https://{HOST}:{server.port}/provider.pem"
        both = await asyncio.gather(fetcher.fetch(url), fetcher.fetch(url))
        assert set(both) == {b"PEM"}
        assert await fetcher.fetch(f"https://other.example.com:{server.port}/provider.pem") is None
    (thread,) = made_in
    assert thread != threading.get_ident(), "the loop does not wait for files of authorities"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", HOST, "nowhere.example.com"])
async def test_nothing_inside_is_even_connected_to(
    host: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with dns_server() as names, web() as server:
        names.zone = {(HOST, "A"): ["127.0.0.1", "10.0.0.1"], (HOST, "AAAA"): ["::1"]}
        fetcher = CertificateFetcher(dns_servers=[names.address], tls=no_tls)
        assert await fetcher.fetch(f"http://{host}:{server.port}/provider.pem") is None
        assert server.connections == 0
    assert len(told(caplog)) == 1


async def test_the_judged_address_is_connected_to_not_a_second_answer_of_the_dns() -> None:
    judged: list[str] = []

    def judge(address: str) -> bool:
        judged.append(address)
        return address == "127.0.0.1"

    async with dns_server() as names, web() as server:
        names.zone = {(HOST, "A"): ["127.0.0.1", "127.0.0.2"]}
        fetcher = CertificateFetcher(is_allowed=judge, dns_servers=[names.address], tls=no_tls)
        assert await fetcher.fetch(f"http://{HOST}:{server.port}/") == b"PEM"
        assert names.asked[HOST, "A"] == 1
    assert sorted(judged) == ["127.0.0.1", "127.0.0.2"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/again\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGEST_PEM + 1)
        + bytes(LARGEST_PEM + 1),
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntoo little, and then nothing",
    ],
    ids=["redirected", "not-there", "too-large", "not-http", "too-slow"],
)
async def test_other_answers_are_no_certificates(
    answer: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if answer.endswith(b"nothing"):
        monkeypatch.setattr(cti.certificate_fetch, "_FETCH_S", 1.0)
    async with web() as server:
        server.answer = answer.replace(b"%d", str(server.port).encode())
        fetcher = CertificateFetcher(is_allowed=nothing_is_inside, tls=no_tls)
        assert await fetcher.fetch(f"http://127.0.0.1:{server.port}/") is None
        assert server.connections == 1
    assert len(told(caplog)) == 1
