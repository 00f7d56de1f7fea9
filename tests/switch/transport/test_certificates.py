"""The certificates that are made: who trusts them, when they are made anew, who may read them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from switch.transport.certificates import (
    RENEW_DAYS,
    CertificateFiles,
    facts_of,
    own_certificate,
)
from switch.transport.tls import TlsContexts

NOW = time.time()
DAY = 86_400.0
NAMES = ("192.0.2.1", "[2001:DB8::1]", "SIP.example.com.")


def made(folder: Path, *, now: float = NOW, names: tuple[str, ...] = NAMES) -> CertificateFiles:
    return own_certificate(folder / "tls", names, now)


def test_it_is_for_all_names_lasts_a_year_and_its_keys_are_for_nobody_else(tmp_path: Path) -> None:
    files = made(tmp_path)
    facts = facts_of(files.certificate)
    assert sorted(facts.names) == ["192.0.2.1", "2001:db8::1", "sip.example.com"]
    assert facts.not_after == pytest.approx(NOW + 397 * DAY, abs=DAY)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "tls").iterdir()}
    assert modes == {"ca.pem": 0o644, "ca.key": 0o600, "server.pem": 0o644, "server.key": 0o600}
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
    TlsContexts().use(files.certificate, files.key)


def test_it_stays_until_it_ends_soon_and_the_authority_stays_much_longer(tmp_path: Path) -> None:
    files = made(tmp_path)
    first, authority = files.certificate.read_bytes(), (tmp_path / "tls/ca.pem").read_bytes()
    assert made(tmp_path, now=NOW + 300 * DAY) == files
    assert files.certificate.read_bytes() == first
    late = NOW + (397 - RENEW_DAYS + 1) * DAY
    made(tmp_path, now=late)
    assert files.certificate.read_bytes() != first
    assert facts_of(files.certificate).not_after == pytest.approx(late + 397 * DAY, abs=DAY)
    assert (tmp_path / "tls/ca.pem").read_bytes() == authority


def test_other_names_make_another_one(tmp_path: Path) -> None:
    first = made(tmp_path).certificate.read_bytes()
    same = ("sip.example.com", "2001:db8:0::1", "192.0.2.1")
    assert made(tmp_path, names=same).certificate.read_bytes() == first
    files = made(tmp_path, names=("192.0.2.9",))
    assert facts_of(files.certificate).names == ("192.0.2.9",)


@pytest.mark.parametrize("lost", ["ca.pem", "ca.key", "server.pem", "server.key"])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut"])
def test_what_is_lost_or_damaged_is_made_anew(tmp_path: Path, lost: str, damage: str) -> None:
    files = made(tmp_path)
    path = tmp_path / "tls" / lost
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(b"" if damage == "empty" else path.read_bytes()[:60])
    assert made(tmp_path) == files
    TlsContexts().use(files.certificate, files.key)


def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.pem"
    path.write_bytes(b"\xff\xfe no certificate")
    with pytest.raises(OSError, match="no certificate in PEM form"):
        facts_of(path)
