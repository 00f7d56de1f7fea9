"""A TLS client that decides which octets leave in one piece, damaged ones too."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.kit.patience import PATIENCE_S


class RawTls:
    """Plain octets gather in records until `send`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext
    ) -> None:
        self._reader, self._writer = reader, writer
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._in, self._out, server_hostname="127.0.0.1")

    async def shake_hands(self, first: bytes = b"") -> None:
        """`first` is sent in one piece with the end of the handshake."""
        while True:
            try:
                self._ssl.do_handshake()
            except ssl.SSLWantReadError:
                self.send()
                self._in.write(await self._reader.read(65536))
            else:
                if first:
                    self.put(first)
                self.send()
                return

    def put(self, plain: bytes) -> None:
        self._ssl.write(plain)

    def put_end(self) -> None:
        """A close_notify."""
        with suppress(ssl.SSLWantReadError):
            self._ssl.unwrap()

    def send(self, damage: bytes = b"") -> None:
        """All that was put, and `damage` after it as it is, in one piece."""
        self._writer.write(self._out.read() + damage)

    async def receive(self) -> bytes:
        """Plain octets, at least one; b"" at the end. Raises ssl.SSLError at an alert."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with suppress(ssl.SSLWantReadError):
                    return self._ssl.read(65536)
                data = await self._reader.read(65536)
                if not data:
                    return b""
                self._in.write(data)


@asynccontextmanager
async def raw_tls(remote: tuple[str, int], context: ssl.SSLContext) -> AsyncIterator[RawTls]:
    """A client whose handshake is done."""
    reader, writer = await asyncio.open_connection(*remote)
    try:
        client = RawTls(reader, writer, context)
        async with asyncio.timeout(PATIENCE_S):
            await client.shake_hands()
        yield client
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
