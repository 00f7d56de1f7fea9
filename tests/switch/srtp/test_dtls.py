"""Two ends of a handshake, with loss and with impostors between them."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from switch.srtp.certificate import fingerprint_of, own_dtls_certificate
from switch.srtp.dtls import MAX_DATAGRAM, DtlsError, DtlsSession, make_context

WALL = 1_800_000_000.0


class Ends:
    """A client and a server."""

    def __init__(self, folder: Path, *, client_expects: str = "", server_expects: str = "") -> None:
        one, other = folder / "one.pem", folder / "other.pem"
        of_client, of_server = own_dtls_certificate(one, WALL), own_dtls_certificate(other, WALL)
        self.client = DtlsSession(
            make_context(one), is_client=True, fingerprint=client_expects or of_server
        )
        self.server = DtlsSession(
            make_context(other), is_client=False, fingerprint=server_expects or of_client
        )

    def talk(self, datagrams: list[bytes], *, lose: int = -1) -> int:
        """Carry to and fro what the client begins with, but not datagram `lose`; how many."""
        ends: list[tuple[Any, bytes]] = [(self.server, data) for data in datagrams]
        carried = 0
        while ends:
            end, data = ends.pop(0)
            assert len(data) <= MAX_DATAGRAM
            carried += 1
            if carried - 1 == lose:
                continue
            other = self.client if end is self.server else self.server
            ends += [(other, answer) for answer in end.receive(data)]
        return carried


def test_both_ends_have_the_same_keys(tmp_path: Path) -> None:
    ends = Ends(tmp_path)
    ends.talk(ends.client.start())
    one, other = ends.client.keys, ends.server.keys
    assert one is not None
    assert other is not None
    assert one.suite == other.suite == "AEAD_AES_128_GCM"
    assert (one.send, one.receive) == (other.receive, other.send)
    assert one.send != one.receive
    assert len(one.send) == 28


@pytest.mark.parametrize("lose", range(4))
def test_what_is_lost_is_sent_again(tmp_path: Path, lose: int) -> None:
    """The timer says when; here it is not waited for."""
    ends = Ends(tmp_path)
    ends.talk(ends.client.start(), lose=lose)
    for _ in range(3):
        if ends.client.keys and ends.server.keys:
            break
        _wait(ends)
    assert ends.client.keys is not None
    assert ends.server.keys is not None


def _wait(ends: Ends) -> None:
    waits = [end.wait_s for end in (ends.client, ends.server)]
    time.sleep(max(0.0, min(w for w in waits if w is not None)) + 0.02)
    for end, other in ((ends.client, ends.server), (ends.server, ends.client)):
        if (wait := end.wait_s) is not None and wait <= 0:
            pending = [(other, data) for data in end.handle_timer()]
            while pending:
                to, data = pending.pop(0)
                back = ends.client if to is ends.server else ends.server
                pending += [(back, answer) for answer in to.receive(data)]


@pytest.mark.parametrize("end", ["client_expects", "server_expects"])
def test_another_certificate_than_was_signalled_gives_no_keys(tmp_path: Path, end: str) -> None:
    ends = Ends(tmp_path, **{end: ":".join(["AB"] * 32)})
    with pytest.raises(DtlsError, match="fingerprint"):
        ends.talk(ends.client.start())
    impostor_sees = ends.client if end == "client_expects" else ends.server
    assert impostor_sees.keys is None


def test_a_certificate_of_an_unknown_version_counts_by_its_octets(tmp_path: Path) -> None:
    """OpenSSL takes what stricter readers of X.509 do not."""
    odd, other = tmp_path / "odd.pem", tmp_path / "other.pem"
    own_dtls_certificate(odd, WALL)
    of_server = own_dtls_certificate(other, WALL)
    make_version_6(odd)
    client = DtlsSession(make_context(odd), is_client=True, fingerprint=of_server)
    server = DtlsSession(make_context(other), is_client=False, fingerprint=fingerprint_of(odd))
    ends = Ends(tmp_path)
    ends.client, ends.server = client, server
    ends.talk(client.start())
    assert server.keys is not None


def make_version_6(path: Path) -> None:
    """Let a certificate name a version that does not exist; nobody checks its signature."""
    key, begin, text = path.read_text().partition("-----BEGIN CERTIFICATE-----")
    octets = ssl.PEM_cert_to_DER_cert((begin + text).strip())
    version_3 = bytes.fromhex("a003020102")
    assert octets.count(version_3) == 1
    changed = octets.replace(version_3, bytes.fromhex("a003020105"))
    path.write_text(key + ssl.DER_cert_to_PEM_cert(changed))


@pytest.mark.parametrize(
    "rubbish", [b"\x16", b"\x16\xfe\xfd" + bytes(60), b"\x17" * 200, bytes(1200)]
)
def test_rubbish_disturbs_nobody(tmp_path: Path, rubbish: bytes) -> None:
    ends = Ends(tmp_path)
    hello = ends.client.start()
    for end in (ends.client, ends.server):
        end.receive(rubbish)
    ends.talk(hello)
    assert ends.server.keys is not None
    ends.server.receive(rubbish)


def test_the_certificate_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "tls" / "dtls.pem"
    shown = own_dtls_certificate(path, WALL)
    assert own_dtls_certificate(path, WALL) == shown == fingerprint_of(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(shown.split(":")) == 32
    path.write_text("spoiled")
    assert own_dtls_certificate(path, WALL) != shown
