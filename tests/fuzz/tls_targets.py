"""TLS sessions that must survive whatever comes, in the handshake and after it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

from switch.transport.tls import TlsContexts, TlsError, TlsPeer, TlsSession
from tests.fuzz.campaign import Item, promise
from tests.fuzz.mutations import BINARY, mutate
from tests.kit.certificates import contexts

_HOST = "127.0.0.1"
_THERE = (_HOST, 5061)


@cache
def both_sides() -> tuple[TlsContexts, TlsContexts]:
    """A server's contexts and those of a client that trusts it."""
    with tempfile.TemporaryDirectory() as folder:
        server, client = contexts(Path(folder), _HOST), TlsContexts()
        client.expect(_THERE, TlsPeer(server_name=_HOST, ca_file=f"{folder}/ca.pem"))
    return server, client


class TlsRecords:
    """A client whose records are damaged from one of them on: nothing but TlsError gets out."""

    name = "tls"

    def make(self, rng: Random) -> list[Item]:
        """When the damage begins, and the seed of its kind."""
        return [rng.randrange(5), rng.getrandbits(32)]

    def play(self, case: Sequence[Item]) -> None:
        """Plain octets come only out of a session that is open, and they are those that were sent."""
        begins, seed, *_ = *(item for item in case if isinstance(item, int)), 9, 0
        rng = Random(seed)
        server, client = both_sides()
        ours, theirs = server.accept(), client.connect(_THERE)
        assert theirs is not None
        plain, was_open = b"", False
        for step in range(6):
            said = theirs.take_output()
            if theirs.is_open and not said:
                said = theirs.wrap(b"OPTIONS sip:a SIP/2.0\r\n\r\n")
            if step >= begins:
                said = mutate([said], rng, BINARY) + rng.randbytes(rng.choice((0, 3, 40)))
            if not self._go_on(ours, theirs, said):
                break
            plain += self._plain
            was_open |= ours.is_open
        promise(not plain or was_open, "octets before the handshake is done")
        promise(not plain.replace(b"OPTIONS sip:a SIP/2.0\r\n\r\n", b""), "octets nobody sent")
        promise(len(ours.goodbye()) < 1000, "a long goodbye")

    def _go_on(self, ours: TlsSession, theirs: TlsSession, said: bytes) -> bool:
        self._plain = b""
        try:
            self._plain = ours.feed(said)
            theirs.feed(ours.take_output())
        except TlsError:
            ours.take_output()  # perhaps an alert, for whom it concerns
            return False
        return True
