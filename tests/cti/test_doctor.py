"""What the doctor finds, and the remedy it names."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest

from cti.cli.main import main
from cti.doctor import Finding, Severity, _port_remedy, examine
from cti.free_ports import free_port
from cti.settings import ApiSection, DataSection, MediaSection, Settings, SipSection, UserSection


def settings(tmp_path: Path, **sections: object) -> Settings:
    whole: dict[str, object] = {
        "sip": SipSection(port=0),
        "api": ApiSection(port=0),
        "media": MediaSection(ports="16000-16099"),
        "data": DataSection(folder=str(tmp_path / "data")),
    }
    return Settings(**(whole | sections))  # type: ignore[arg-type]  # sections by name


def about(findings: list[Finding], words: str, severity: Severity) -> Finding:
    """The one finding of this severity with these words."""
    (found,) = [each for each in findings if words in each.what and each.severity is severity]
    return found


def test_a_sound_installation_has_no_faults_and_nothing_stays_behind(tmp_path: Path) -> None:
    findings = examine(settings(tmp_path))
    assert [each.what for each in findings if each.severity is Severity.FAULT] == []
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_named_with_the_option(tmp_path: Path) -> None:
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port))
        findings = examine(settings(tmp_path, sip=SipSection(port=port)))
    found = about(findings, f"SIP over UDP: cannot use 127.0.0.1:{port}", Severity.FAULT)
    assert "--sip-port" in found.remedy
    about(findings, "SIP over TCP", Severity.GOOD)


def test_an_address_that_is_not_ours_is_told_apart_from_a_taken_port(tmp_path: Path) -> None:
    findings = examine(settings(tmp_path, api=ApiSection(host="192.0.2.1", port=8080)))
    found = about(findings, "the API: cannot use 192.0.2.1:8080", Severity.FAULT)
    assert found.remedy == "Set api.host to one of `ip -brief address`."


def test_a_privileged_port_has_a_remedy_of_its_own() -> None:
    remedy = _port_remedy(OSError(errno.EACCES, "Permission denied"), "sip.host", "--sip-port")
    assert "below 1024" in remedy
    assert "--sip-port" in remedy


def test_a_name_that_nobody_knows_is_an_address_that_is_not_ours() -> None:
    error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    assert _port_remedy(error, "api.host", "--http-port").startswith("Set api.host")


def test_media_at_an_address_that_is_not_ours_is_a_fault(tmp_path: Path) -> None:
    findings = examine(settings(tmp_path, media=MediaSection(address="192.0.2.1")))
    assert "media.address" in about(findings, "192.0.2.1", Severity.FAULT).remedy


def test_rtp_ports_among_the_ephemeral_ones_are_a_warning(tmp_path: Path) -> None:
    findings = examine(settings(tmp_path, media=MediaSection(ports="40000-50000")))
    about(findings, "RTP ports 40000-50000 overlap", Severity.WARNING)


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, Path("/proc/switchroom")):
        findings = examine(settings(tmp_path, data=DataSection(folder=str(folder))))
        assert "--data-dir" in about(findings, "cannot write", Severity.FAULT).remedy


def test_passwords_in_clear_matter_where_others_can_reach_us(tmp_path: Path) -> None:
    users = (UserSection(logins="boss", role="supervisor", password="x"),)
    local = examine(settings(tmp_path, users=users))
    assert not [each for each in local if "in clear" in each.what]
    open_host = SipSection(host="192.0.2.1", port=0)
    findings = examine(settings(tmp_path, users=users, sip=open_host))
    about(findings, "users boss", Severity.WARNING)


def test_the_command_names_a_configuration_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--config", str(tmp_path / "none.toml")]) == 1
    assert "cannot be used" in capsys.readouterr().out
