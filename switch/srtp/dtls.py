"""DTLS for the keys of SRTP (RFC 5764): OpenSSL's handshake over datagrams that somebody else carries.

Importing this loads OpenSSL, a tenth of a second and some 15 MB: a gateway does it with its first DTLS leg.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from pathlib import Path
from typing import Any, Final, NamedTuple

from OpenSSL import SSL, crypto

PROFILES: Final = {
    b"SRTP_AEAD_AES_128_GCM": ("AEAD_AES_128_GCM", 16, 12),
    b"SRTP_AES128_CM_SHA1_80": ("AES_CM_128_HMAC_SHA1_80", 16, 14),
    b"SRTP_AEAD_AES_256_GCM": ("AEAD_AES_256_GCM", 32, 12),
    b"SRTP_AES128_CM_SHA1_32": ("AES_CM_128_HMAC_SHA1_32", 16, 14),
}
"""Suite, and octets of key and salt, by OpenSSL's name; in our order."""
MAX_DATAGRAM: Final = 1200
_DTLS_1_2: Final = 0xFEFD
_NO_RENEGOTIATION: Final = 1 << 30
_NO_QUERY_MTU: Final = 1 << 12
_CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20"
_EXPORTER: Final = b"EXTRACTOR-dtls_srtp"
_RECORD_HEAD: Final = 13


class Keys(NamedTuple):
    """What a handshake was made for."""

    suite: str
    send: bytes
    """Master key and salt."""
    receive: bytes


class DtlsError(Exception):
    """The handshake cannot succeed any more."""


def make_context(certificate: Path) -> Any:
    """The settings of all sessions; `certificate` is PEM, with its key. Raises OSError, SSL.Error."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    context.set_cipher_list(_CIPHERS)
    context.set_options(_NO_RENEGOTIATION | _NO_QUERY_MTU)
    # Certificates are self-signed: what counts is the fingerprint, once the handshake is over.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _accept)
    context.use_privatekey_file(str(certificate))
    context.use_certificate_file(str(certificate))
    context.set_tlsext_use_srtp(b":".join(PROFILES))
    return context


def _accept(*what: object) -> bool:
    return True


class DtlsSession:
    """One handshake, and what comes after it."""

    def __init__(self, context: Any, *, is_client: bool, fingerprint: str) -> None:
        """`fingerprint` is SHA-256 of the peer's certificate, upper-case hexadecimal with colons."""
        self._connection = SSL.Connection(context, None)
        self._connection.set_ciphertext_mtu(MAX_DATAGRAM)
        self._is_client = is_client
        self._fingerprint = fingerprint
        self.keys: Keys | None = None
        if is_client:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    def start(self) -> list[bytes]:
        """Begin; what a client has to send."""
        return self._go_on() if self._is_client else []

    def receive(self, datagram: bytes) -> list[bytes]:
        """Take one datagram; what is to be sent now. Raises DtlsError when it cannot go on."""
        try:
            self._connection.bio_write(datagram)
        except SSL.Error as error:
            raise DtlsError(_words(error)) from None
        if self.keys is None:
            return self._go_on()
        # Nothing of interest comes later, but a peer that missed our last flight must get it again.
        with contextlib.suppress(SSL.Error):
            self._connection.recv(1)
        return self._pending()

    @property
    def wait_s(self) -> float | None:
        """Seconds until `handle_timer` is due; None: nothing waits."""
        if self.keys is not None:
            return None
        left: float | None = self._connection.DTLSv1_get_timeout()
        return left

    def handle_timer(self) -> list[bytes]:
        """Send again what got no answer in time. Raises DtlsError when it was sent often enough."""
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error as error:
            raise DtlsError(_words(error)) from None
        return self._pending()

    def _go_on(self) -> list[bytes]:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return self._pending()
        except SSL.Error as error:
            raise DtlsError(_words(error)) from None
        try:
            self.keys = self._export()
        except (SSL.Error, crypto.Error) as error:
            raise DtlsError(_words(error)) from None
        return self._pending()

    def _export(self) -> Keys:
        certificate = self._connection.get_peer_certificate()
        if certificate is None:
            raise DtlsError("the peer showed no certificate")
        # Its octets alone: who takes it apart must be ready for all that OpenSSL lets pass.
        octets = crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
        shown = hashlib.sha256(octets).hexdigest().upper()
        if not hmac.compare_digest(shown, self._fingerprint.replace(":", "")):
            raise DtlsError("the peer's certificate is not the one whose fingerprint was signalled")
        profile = self._connection.get_selected_srtp_profile()
        if profile not in PROFILES:
            raise DtlsError("no SRTP profile in common")
        suite, key, salt = PROFILES[profile]
        material = self._connection.export_keying_material(_EXPORTER, 2 * (key + salt))
        # RFC 5764 section 4.2: keys of client and server, then their salts.
        of_client = material[:key] + material[2 * key : 2 * key + salt]
        of_server = material[key : 2 * key] + material[2 * key + salt :]
        if self._is_client:
            return Keys(suite, of_client, of_server)
        return Keys(suite, of_server, of_client)

    def _pending(self) -> list[bytes]:
        """What OpenSSL has written: records, put together to datagrams."""
        octets = b""
        while True:
            try:
                octets += self._connection.bio_read(65536)
            except SSL.Error:
                break
        datagrams: list[bytes] = []
        while len(octets) >= _RECORD_HEAD:
            end = _RECORD_HEAD + int.from_bytes(octets[11:13])
            record, octets = octets[:end], octets[end:]
            if datagrams and len(datagrams[-1]) + len(record) <= MAX_DATAGRAM:
                datagrams[-1] += record
            else:
                datagrams.append(record)
        return datagrams


def _words(error: Exception) -> str:
    """OpenSSL's reasons in one line."""
    reasons = error.args[0] if error.args else ()
    if not isinstance(reasons, list | tuple):  # of a SysCallError: a number, then words
        reasons = (error.args,)
    words = [str(reason[-1]) for reason in reasons if isinstance(reason, tuple) and reason]
    return "DTLS: " + (", ".join(words)[:160] or "the handshake failed")
