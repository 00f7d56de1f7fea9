"""Which certificate a server shows, and what becomes of one that changed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cti.certificates import Certificates
from cti.doctor import Severity
from cti.doctor_live import examine_figures
from cti.doctor_tls import ending, examine_certificates
from cti.metrics.reading import Figures
from cti.settings import DataSection, Settings, SipSection
from switch.transport.certificates import CertificateFiles, facts_of
from switch.transport.tls import TlsContexts
from tests.kit.certificates import certificate

DAY = 86_400.0


class Server:
    """The part of a server that has a certificate."""

    def __init__(self, data: Path, **values: object) -> None:
        self.now = time.time()
        self.sip = SipSection(tls_port=5061, **values)  # type: ignore[arg-type]
        self.contexts = TlsContexts()
        self.certificates = Certificates(self.sip, data, self.contexts, lambda: self.now)

    @property
    def names(self) -> tuple[str, ...]:
        assert self.certificates.facts is not None
        return self.certificates.facts.names


def given(folder: Path, *names: str) -> tuple[CertificateFiles, dict[str, str]]:
    files = certificate(folder, *names)
    return files, {"certificate": str(files.certificate), "certificate_key": str(files.key)}


def test_without_tls_nothing_is_read_and_nothing_made(tmp_path: Path) -> None:
    contexts = TlsContexts()
    ours = Certificates(SipSection(ws_port=5066), tmp_path, contexts, time.time)
    ours.load()
    assert ours.reload()
    assert list(tmp_path.iterdir()) == []
    assert not contexts.is_server


def test_its_own_is_for_whatever_phones_may_know_it_by(tmp_path: Path) -> None:
    names = {"advertise": "203.0.113.5", "more_hosts": ("::1",), "domains": ("example.com", "ü")}
    server = Server(tmp_path, **names)
    server.certificates.load()
    assert sorted(server.names) == ["127.0.0.1", "203.0.113.5", "::1", "example.com"]
    assert server.contexts.is_server
    server.now += 380 * DAY  # as at midnight, a year later
    assert server.certificates.reload(is_asked=False)
    assert facts_of(tmp_path / "tls/server.pem").not_after > server.now + 300 * DAY
    assert server.certificates.facts == facts_of(tmp_path / "tls/server.pem")


def test_a_given_one_that_changed_is_taken_and_one_that_fits_nothing_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files, keys = given(tmp_path / "given", "a.example.com")
    server = Server(tmp_path / "data", **keys)
    server.certificates.load()
    assert server.names == ("a.example.com",)
    other = certificate(tmp_path / "other", "b.example.com")
    files.certificate.write_bytes(other.certificate.read_bytes())
    assert not server.certificates.reload(), "the key is not there yet"
    assert "stays as it was" in caplog.text
    assert server.names == ("a.example.com",)
    files.key.write_bytes(other.key.read_bytes())
    assert server.certificates.reload(is_asked=False)
    assert server.names == ("b.example.com",)


def test_what_cannot_be_used_keeps_the_server_from_starting_and_names_the_key(
    tmp_path: Path,
) -> None:
    files, keys = given(tmp_path / "given")
    for wrong, value in (
        ("certificate", "/nowhere.pem"),
        ("certificate_key", str(files.certificate)),
        ("client_ca", str(files.key)),
        ("client_ca", "/nowhere.pem"),
    ):
        server = Server(tmp_path / "data", **(keys | {wrong: value}))
        with pytest.raises(OSError, match=rf"sip\.{wrong}: {value}: "):
            server.certificates.load()


def findings(tmp_path: Path, **values: object) -> list[tuple[Severity, str]]:
    sip = SipSection(tls_port=5061, **values)  # type: ignore[arg-type]
    settings = Settings(sip=sip, data=DataSection(folder=str(tmp_path)))
    return [(each.severity, each.what) for each in examine_certificates(settings)]


def test_the_doctor_reads_certificates_before_the_server_does(tmp_path: Path) -> None:
    assert findings(tmp_path) == [(Severity.GOOD, "certificate: the first start makes one")]
    Server(tmp_path).certificates.load()
    ((severity, what),) = findings(tmp_path)
    assert severity is Severity.GOOD
    assert "for 127.0.0.1" in what
    files, keys = given(tmp_path / "given")
    files.key.chmod(0o644)
    (first, lasts) = findings(tmp_path, **keys)
    assert first == (
        Severity.WARNING,
        f"certificate: other users of this machine may read its key {files.key}",
    )
    assert lasts[0] is Severity.GOOD
    files.key.write_bytes(b"no key")
    ((severity, what),) = findings(tmp_path, **keys)
    assert severity is Severity.FAULT


def test_thirty_days_before_its_end_a_certificate_is_worth_a_warning() -> None:
    now = time.time()
    assert ending("x", now + 31 * DAY, now, "").severity is Severity.GOOD
    assert ending("x", now + 29 * DAY, now, "").severity is Severity.WARNING
    assert ending("x", now - DAY, now, "").severity is Severity.FAULT


def test_the_doctor_tells_who_is_connected_how_and_when_the_certificate_ends() -> None:
    soon = time.time() + 10 * DAY
    figures = Figures(
        "switchroom_uptime_seconds 61\n"
        'switchroom_sip_connections{transport="tls"} 7\n'
        'switchroom_sip_listener_port{transport="tls"} 5061\n'
        'switchroom_tcp_events_total{event="handshakes_failed"} 3\n'
        f"switchroom_tls_certificate_not_after_seconds {soon}\n"
        "switchroom_names_missing 1\n"
    )
    found = {each.what: each.severity for each in examine_figures(figures)}
    assert found["connections: 7 over TLS at port 5061"] is Severity.GOOD
    assert found["connections: 3 TLS handshakes that failed"] is Severity.GOOD
    (ends,) = [severity for what, severity in found.items() if "lasts until" in what]
    assert ends is Severity.WARNING
    assert any("1 name of a server" in what for what in found)
