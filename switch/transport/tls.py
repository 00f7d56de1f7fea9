"""TLS over memory: octets of the wire on one side, plain ones on the other. No socket, no waiting.

A connection feeds it what came and sends what it says; so a handshake is bounded, counted and timed like
everything else a peer does, and costs no task.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from switch.errors import RemoteProtocolError
from switch.transport.certificate_files import load_authorities, load_own
from switch.transport.identity import PeerIdentity, identity_of

_RECORD: Final = 16_384
"""The most plain octets of one record (RFC 8446 section 5.1)."""
_MOST_ADDRESSES: Final = 4096
"""Of servers that we connect to; the one that was told of first goes first."""
_STRANGE: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST"})
"""What OpenSSL says of who does not speak TLS at all."""


class TlsError(RemoteProtocolError):
    """The peer and we cannot talk; the connection is to be closed after what is still to be sent.

    `is_strange`: what came is no TLS, or damaged. Otherwise it is TLS that we or the peer cannot agree to.
    """

    def __init__(self, message: str, *, is_strange: bool) -> None:
        super().__init__(message)
        self.is_strange = is_strange


class TlsPeer(Struct, frozen=True, kw_only=True):
    """How we connect to a TLS server, and how it must prove who it is."""

    server_name: str
    """Domain name or address that must stand in its certificate."""
    ca_file: str = ""
    """PEM of the authorities that may have signed it; empty: those that this system trusts."""
    pins: tuple[str, ...] = ()
    """SHA-256 of certificates, 64 hex digits; one of them must be the server's, whoever signed it."""
    certificate: str = ""
    """PEM of our own certificate with its chain, where the server asks for one."""
    key: str = ""
    """PEM of its key; empty: it is in `certificate`."""


class TlsSession:
    """One session, of either side."""

    __slots__ = ("_also", "_in", "_out", "_pins", "_ssl", "_unnamed", "is_open", "is_over")

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        server_name: str | None = None,
        pins: tuple[str, ...] = (),
        also: tuple[str, ...] = (),
        unnamed: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        """We are the server unless `server_name` names the one we speak to.

        `also` are other names that its certificate must have, where names are checked at all; `unnamed`
        is told those that it has not, before the session fails.
        """
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(
            self._in,
            self._out,
            server_side=server_name is None,
            server_hostname=server_name,
        )
        self._pins = pins
        self._also = also
        self._unnamed = unnamed
        self.is_open = False
        """The handshake is done and nothing broke since: plain octets can be sent."""
        self.is_over = False
        """The peer said that nothing more comes."""

    def begin(self) -> None:
        """As the client: speak first."""
        self._shake_hands()

    def feed(self, data: bytes) -> bytes:
        """Take octets of the wire; return the plain ones. Raises TlsError, and is not fed any more then."""
        self._in.write(data)
        if not self.is_open and not self._shake_hands():
            return b""
        plain = []
        try:
            while chunk := self._ssl.read(_RECORD):
                plain.append(chunk)
            self.is_over = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.is_over = True
        except ssl.SSLError as error:
            self.is_open = False
            raise _told(error) from None
        return plain[0] if len(plain) == 1 else b"".join(plain)

    def take_output(self) -> bytes:
        """What is to be sent as it is."""
        return self._out.read() if self._out.pending else b""

    def wrap(self, data: bytes) -> bytes:
        """The octets of the wire for plain ones; what was to be sent before them included.

        Raises TlsError where nothing can be said any more, as after `goodbye`.
        """
        try:
            self._ssl.write(data)
        except ssl.SSLError as error:
            self.is_open = False
            raise _told(error) from None
        return self._out.read()

    def goodbye(self) -> bytes:
        """Say that nothing more comes, and give the octets of it."""
        if self.is_open:
            with suppress(ssl.SSLError):  # it waits for the peer's, and we do not
                self._ssl.unwrap()
        return self.take_output()

    @property
    def identity(self) -> PeerIdentity | None:
        """Who the peer is: None where it showed no certificate, or none that proves anything."""
        certificate = self._ssl.getpeercert()
        if not certificate and not self._pins:
            return None
        return identity_of(certificate, self._ssl.getpeercert(binary_form=True))

    def _shake_hands(self) -> bool:
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise _told(error) from None
        if self._pins:
            found = identity_of({}, self._ssl.getpeercert(binary_form=True))
            if found is None or found.fingerprint not in self._pins:
                words = f"its certificate is not pinned: {found.fingerprint if found else 'none'}"
                raise TlsError(words, is_strange=False)
        if self._also and self._ssl.context.check_hostname:
            shown = self.identity
            missing = [name for name in self._also if shown is None or not shown.covers(name)]
            if missing:
                if self._unnamed is not None:
                    self._unnamed(missing)
                words = f"its certificate does not name {missing[0]}, which has the same address"
                raise TlsError(words, is_strange=False)
        self.is_open = True
        return True


class TlsContexts:
    """What sessions are made with: our certificate for whoever connects, and one for each server we use.

    A certificate that changed is taken by `use`; sessions that run keep theirs.
    """

    def __init__(self, trusted: str = "") -> None:
        """`trusted` is a PEM file of authorities for servers without one of their own."""
        self._trusted = trusted
        self._server: ssl.SSLContext | None = None
        self._clients: dict[TlsPeer, ssl.SSLContext] = {}
        self._peers: dict[tuple[str, int], tuple[TlsPeer, tuple[str, ...]]] = {}
        self.unnamed: Callable[[tuple[str, int], Sequence[str]], None] | None = None
        """Told which names of `also` a certificate has not; `expect` without them lets the others go on."""
        self.shown_at: Callable[[tuple[str, int]], PeerIdentity | None] = lambda remote: None
        """Who is at the other end of the connection that is used for this address; None: there is none."""
        self.moved: Callable[[tuple[str, int]], None] = lambda remote: None
        """Told that another server is at this address: the connection that there is, is not to it."""

    @property
    def is_server(self) -> bool:
        """True once there is a certificate for who connects."""
        return self._server is not None

    def use(self, certificate: Path, key: Path, client_ca: str = "") -> None:
        """Show this certificate (PEM with chain) from now on; read anew what other servers must show.

        With `client_ca`, a PEM file, peers are asked for a certificate; one that they show must be signed
        by an authority in it. Raises CertificateFileError: then all stays as it was.
        """
        context = _bare(ssl.PROTOCOL_TLS_SERVER)
        load_own(context, certificate, key)
        if client_ca:
            context.verify_mode = ssl.CERT_OPTIONAL
            load_authorities(context, client_ca)
        self._server = context
        for peer in self._clients:
            with suppress(OSError):  # a file that is gone: what it said still holds
                self._clients[peer] = self._made_for(peer)

    def expect(self, remote: tuple[str, int], peer: TlsPeer, *, also: tuple[str, ...] = ()) -> None:
        """Connections to this address go to that server, and to those of the names of `also`.

        Raises CertificateFileError where its files cannot be used.
        """
        self._client(peer)
        before = self._peers.pop(remote, None)
        self._peers[remote] = (peer, also)
        if before is not None and before[0] != peer:
            self.moved(remote)
        if len(self._peers) > _MOST_ADDRESSES:  # names whose addresses change all the time
            del self._peers[next(iter(self._peers))]

    def unnamed_at(self, remote: tuple[str, int], peer: TlsPeer, names: Sequence[str]) -> list[str]:
        """Those of these names that do not stand in the certificate of the connection that there is.

        Empty where there is no connection: the next one is proved as it is made.
        """
        context, shown = self._clients.get(peer), self.shown_at(remote)
        if context is None or shown is None or not context.check_hostname:
            return []
        return [name for name in names if not shown.covers(name)]

    def accept(self) -> TlsSession:
        """A session with somebody who connected; there must be a certificate."""
        assert self._server is not None
        return TlsSession(self._server)

    def connect(self, remote: tuple[str, int]) -> TlsSession | None:
        """A session with the server at this address; None where `expect` was told of none.

        Raises CertificateFileError where a file cannot be used any more.
        """
        expected = self._peers.get(remote)
        if expected is None:
            return None
        peer, also = expected
        session = TlsSession(
            self._client(peer),
            server_name=peer.server_name,
            pins=peer.pins,
            also=also,
            unnamed=self.unnamed and partial(self.unnamed, remote),
        )
        session.begin()
        return session

    def _client(self, peer: TlsPeer) -> ssl.SSLContext:
        context = self._clients.get(peer)
        if context is None:
            context = self._clients[peer] = self._made_for(peer)
        return context

    def _made_for(self, peer: TlsPeer) -> ssl.SSLContext:
        context = _bare(ssl.PROTOCOL_TLS_CLIENT)
        authorities = peer.ca_file or self._trusted
        if peer.pins and not peer.ca_file:
            context.check_hostname = False  # the pin says more than any name
            context.verify_mode = ssl.CERT_NONE
        elif authorities:
            load_authorities(context, authorities)
        else:
            context.load_default_certs()
        if peer.certificate:
            load_own(context, peer.certificate, peer.key or peer.certificate)
        return context


def _bare(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    return context


def _told(error: ssl.SSLError) -> TlsError:
    reason = error.reason or str(error)
    words = reason.lower().replace("_", " ")
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"certificate refused: {error.verify_message}"
    return TlsError(words, is_strange=reason in _STRANGE or not error.reason)
