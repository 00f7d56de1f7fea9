"""Certificates that calls need are fetched for the next call; only good ones are kept."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cti.stir import Stir
from cti.trunk_settings import StirSection
from switch.stir.errors import StirError
from tests.kit.stir import NOW, holder, provider_code


@asynccontextmanager
async def serving(pem: bytes) -> AsyncIterator[str]:
    """The address of a certificate."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(pem)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + pem)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/provider.pem"


@pytest.mark.parametrize("is_good", [True, False])
async def test_a_fetched_certificate_is_judged_before_it_is_kept(
    tmp_path: Path, is_good: bool
) -> None:
    root = holder("Authority", is_authority=True)
    provider = holder("Provider", by=root, numbers=provider_code())
    (tmp_path / "ca.pem").write_bytes(root.pem)
    pem = provider.pem
    if not is_good:  # of a version that there is not
        der = provider.certificate.public_bytes(Encoding.DER)
        damaged = der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020101"))
        pem = ssl.DER_cert_to_PEM_cert(damaged).encode()
    folder = tmp_path / "kept"
    settings = StirSection(
        authorities=str(tmp_path / "ca.pem"),
        certificates=str(folder),
        fetch=True,
        fetch_inside=("127.0.0.0/8",),
    )
    fetches: list[Coroutine[Any, Any, None]] = []
    stir = Stir(settings, spawn=fetches.append, now=lambda: 0.0)
    async with serving(pem) as x5u:
        assert stir._store is not None
        with pytest.raises(StirError, match="not at hand"):
            stir._store.find(x5u, NOW)
        async with asyncio.timeout(30):
            await fetches.pop()
    if is_good:
        assert stir._store.find(x5u, NOW)
        assert [path.read_bytes() for path in folder.glob("*.pem")] == [pem]
    else:
        with pytest.raises(StirError, match="cannot be read"):
            stir._store.find(x5u, NOW)
        assert not folder.exists()
