"""Certificates and keys that a configuration names: told with key, files and remedy, by whoever looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from cti.app import Node
from cti.cli.main import main
from cti.doctor import Severity
from cti.doctor_tls import examine_certificates
from cti.settings import SettingsError, load
from tests.kit.stir import holder

SIP = '[sip]\nhost = "127.0.0.1"\n{}'
TRUNK = '[[trunks]]\nname = "out"\nproxy = "sips:192.0.2.1"\n{}'
STIR = '[stir]\ncertificate_url = "https://certificates.example.com/ours.pem"\n{}'
BAD = {
    "sip-unfit": (
        SIP.format('certificate = "ours.pem"\ncertificate_key = "other.key"\n'),
        "4: sip.certificate_key: {}/other.key is not the key of {}/ours.pem; give the two",
    ),
    "sip-unfit-of-another-kind": (
        SIP.format('certificate = "ours.pem"\ncertificate_key = "rsa.key"\n'),
        "4: sip.certificate_key: {}/rsa.key is not the key of {}/ours.pem; give the two",
    ),
    "sip-no-certificate": (
        SIP.format('certificate = "gone.pem"\ncertificate_key = "ours.key"\n'),
        "3: sip.certificate: {}/gone.pem: cannot be read: No such file or directory; give a file",
    ),
    "sip-no-key": (
        SIP.format('certificate = "ours.pem"\ncertificate_key = "gone.key"\n'),
        "4: sip.certificate_key: {}/gone.key: cannot be read: No such file or directory; give a file",
    ),
    "sip-a-certificate-for-a-key": (
        SIP.format('certificate = "ours.pem"\ncertificate_key = "ours.pem"\n'),
        "4: sip.certificate_key: {}/ours.pem: no private key in PEM form; give the key of {}/ours.pem",
    ),
    "sip-encrypted": (
        SIP.format('certificate = "ours.pem"\ncertificate_key = "locked.key"\n'),
        "4: sip.certificate_key: {}/locked.key is encrypted; write it without a passphrase",
    ),
    "sip-client-ca": (
        SIP.format('client_ca = "ours.key"\n'),
        "3: sip.client_ca: {}/ours.key: no certificate in PEM form; it begins with -----BEGIN",
    ),
    "sip-trusted-ca": (
        SIP.format('trusted_ca = "gone.pem"\n'),
        "3: sip.trusted_ca: {}/gone.pem: cannot be read: No such file or directory; give a file",
    ),
    "trunk-unfit": (
        TRUNK.format('tls_certificate = "ours.pem"\ntls_key = "other.key"\n'),
        "5: trunks[0].tls_key: {}/other.key is not the key of {}/ours.pem; give the two",
    ),
    "trunk-key-not-in-the-file": (
        TRUNK.format('tls_certificate = "ours.pem"\n'),
        "4: trunks[0].tls_certificate: {}/ours.pem: no private key in PEM form; give the key of",
    ),
    "trunk-key-of-nothing": (
        TRUNK.format('tls_key = "ours.key"\n'),
        "4: trunks[0].tls_key: whose key is {}/ours.key? Give tls_certificate",
    ),
    "trunk-ca": (
        TRUNK.format('tls_ca = "gone.pem"\n'),
        "4: trunks[0].tls_ca: {}/gone.pem: cannot be read: No such file or directory; give a file",
    ),
    "stir-unfit": (
        STIR.format('certificate = "ours.pem"\nkey = "other.key"\n'),
        "4: stir.key: {}/other.key: the key is not that of the certificate; give the key of the "
        "certificate {}/ours.pem",
    ),
    "stir-a-key-for-a-certificate": (
        STIR.format('certificate = "ours.key"\nkey = "ours.key"\n'),
        "3: stir.certificate: {}/ours.key: no certificate in PEM form; it begins with -----BEGIN",
    ),
    "stir-authorities": (
        STIR.format('authorities = "gone.pem"\n'),
        "3: stir.authorities: {}/gone.pem: cannot be read: No such file or directory; give a file",
    ),
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a configuration that is good as it stands, and files for certificates."""
    ours, other = holder("Ours"), holder("Other")
    (tmp_path / "ours.pem").write_bytes(ours.pem)
    (tmp_path / "ours.key").write_bytes(ours.key_pem)
    (tmp_path / "other.key").write_bytes(other.key_pem)
    (tmp_path / "both.pem").write_bytes(ours.pem + ours.key_pem)
    (tmp_path / "locked.key").write_bytes(
        ours.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
        )
    )
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (tmp_path / "rsa.key").write_bytes(
        rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return tmp_path


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD)
async def test_what_cannot_be_used_is_told_alike_by_check_doctor_and_server(
    site: Path, text: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = site / "site.toml"
    file.write_text(f'{text}[[entries]]\nnumber = "4000"\nflow = "echo"\n')
    expected = expected.replace("{}", str(site))
    words = expected.partition(": ")[2]
    assert main(["config", "check", str(file)]) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"{file}:{expected}"), told
    assert "ssl.c" not in told
    settings = load(file)
    with pytest.raises(SettingsError) as refused:
        Node(settings)
    assert str(refused.value).startswith(words)
    (finding,) = examine_certificates(settings)
    assert finding.severity is Severity.FAULT
    assert f"{finding.what}; {finding.remedy}".lower().startswith(words.lower())


def test_what_fits_is_good(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = site / "site.toml"
    sip = 'certificate = "ours.pem"\ncertificate_key = "ours.key"\nclient_ca = "ours.pem"\n'
    stir = 'certificate = "ours.pem"\nkey = "ours.key"\nauthorities = "ours.pem"\n'
    file.write_text(
        SIP.format(sip)
        + TRUNK.format('tls_certificate = "both.pem"\n')
        + STIR.format(stir)
        + '[[entries]]\nnumber = "4000"\nflow = "echo"\n'
    )
    assert main(["config", "check", str(file)]) == 0, capsys.readouterr().err


def test_all_that_is_wrong_is_told_at_once(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = site / "site.toml"
    file.write_text("".join(BAD[name][0] for name in ("sip-unfit", "trunk-unfit", "stir-unfit")))
    assert main(["config", "check", str(file)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 3
