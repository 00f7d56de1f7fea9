"""What the doctor finds, and the remedy it names."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest

from cti.cli.main import main
from cti.data_folder import claim
from cti.doctor import Finding, Severity, _port_remedy, examine
from cti.doctor_drops import DROPS, Drop
from cti.doctor_live import examine_figures, examine_running
from cti.metrics.reading import Figures
from cti.settings import (
    ApiSection,
    CaptureSection,
    DataSection,
    MediaSection,
    PhoneSection,
    Settings,
    SipSection,
    TrunkSection,
    UserSection,
)
from tests.kit.ports import free_port


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


def test_a_folder_that_takes_no_recordings_is_a_fault(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "recordings").touch()
    found = about(
        examine(settings(tmp_path)), f"cannot write below {data}/recordings", Severity.FAULT
    )
    assert "--data-dir" in found.remedy


def test_a_folder_that_another_server_uses_is_a_fault_as_it_is_at_the_start(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    give_back = claim(Path(ours.data.folder))
    found = about(examine(ours), "another server uses", Severity.FAULT)
    assert ours.data.folder in found.what
    assert "--data-dir" in found.remedy
    assert not [each for each in examine(ours, running=True) if "another server" in each.what]
    give_back()
    assert not [each for each in examine(ours) if "another server" in each.what]


def test_passwords_in_clear_matter_where_others_can_reach_us(tmp_path: Path) -> None:
    users = (UserSection(logins="boss", role="supervisor", password="x"),)
    local = examine(settings(tmp_path, users=users))
    assert not [each for each in local if "in clear" in each.what]
    open_host = SipSection(host="192.0.2.1", port=0)
    findings = examine(settings(tmp_path, users=users, sip=open_host))
    about(findings, "users boss", Severity.WARNING)


def test_an_ha1_without_a_realm_is_pointed_at(tmp_path: Path) -> None:
    phones = (PhoneSection(numbers="1001", ha1_md5="0" * 32),)
    found = about(examine(settings(tmp_path, phones=phones)), "phones 1001", Severity.WARNING)
    assert "--realm switchroom" in found.remedy
    named = SipSection(port=0, realm="example.com")
    findings = examine(settings(tmp_path, phones=phones, sip=named))
    assert not [each for each in findings if "phones 1001" in each.what]


@pytest.mark.parametrize(
    ("proxy", "realm", "is_told"),
    [
        ("sip:192.0.2.9", "", True),
        ("sip:192.0.2.9", "carrier.example.com", False),
        ("sips:sip.example.com", "", False),
    ],
)
def test_a_trunk_that_proves_its_password_to_anybody_is_pointed_at(
    tmp_path: Path, proxy: str, realm: str, is_told: bool
) -> None:
    trunk = TrunkSection(name="pstn", proxy=proxy, username="u", password="secret", realm=realm)
    findings = examine(settings(tmp_path, trunks=(trunk,)))
    assert [each.what for each in findings if "any realm" in each.what] == (
        ["trunks pstn answer challenges of any realm, over connections that prove nobody"]
        if is_told
        else []
    )
    assert "secret" not in repr(findings)


def test_no_password_comes_onto_a_screen_with_the_settings() -> None:
    told = repr(
        Settings(
            data=DataSection(database="postgresql://ann:SECRET@db.example.com/calls"),
            capture=CaptureSection(hep_password="SECRET"),
            users=(UserSection(logins="boss", role="supervisor", password_hash="SECRET"),),
            phones=(PhoneSection(numbers="1001", password="SECRET", ha1_md5="SECRET"),),
            trunks=(TrunkSection(name="pstn", proxy="sip:u:SECRET@192.0.2.9", password="SECRET"),),
        )
    )
    assert "SECRET" not in told
    assert "db.example.com/calls" in told
    assert "192.0.2.9" in told


def test_the_command_names_a_configuration_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--config", str(tmp_path / "none.toml")]) == 1
    assert "cannot be used" in capsys.readouterr().out


# --- a server that runs -----------------------------------------------------------------------

WELL = """
switchroom_uptime_seconds 93784
switchroom_gateway_up 1
switchroom_store_up 1
switchroom_limit{limit="calls"} 100
switchroom_limit_used{limit="calls"} 12
switchroom_gateway_ticks_total 50000
"""
ILL = """
switchroom_uptime_seconds 61
switchroom_gateway_up 1
switchroom_store_up 0
switchroom_journal_whole 0
switchroom_history_pending_rows 412
switchroom_limit{limit="calls"} 100
switchroom_limit{limit="trunk out"} 10
switchroom_limit{limit="event_loop_lag_seconds"} 0.5
switchroom_limit{limit="something new"} 8
switchroom_limit_used{limit="calls"} 100
switchroom_limit_used{limit="trunk out"} 9
switchroom_limit_used{limit="event_loop_lag_seconds"} 0.75
switchroom_limit_used{limit="something new"} 1
switchroom_calls_shed_total 7
switchroom_sip_dropped_total 18
switchroom_calls_refused_total{reason="unknown-number"} 3
switchroom_call_faults_total 2
switchroom_gateway_ticks_total 1000
switchroom_gateway_ticks_late_total 40
switchroom_gateway_ticks_dropped_total 5
switchroom_gateway_packets_dropped_total 6
switchroom_guard_banned 1
switchroom_guard_bans_total 4
switchroom_guard_dropped_total{reason="banned"} 800
switchroom_guard_passwords_put_off_total 12
switchroom_tcp_events_total{event="refused_full"} 13
switchroom_tcp_events_total{event="waiting_dropped"} 14
switchroom_streams_cut_total 15
switchroom_api_sign_ons_total{outcome="signed-on"} 16
switchroom_api_sign_ons_total{outcome="too-many-sign-ons"} 17
switchroom_sip_malformed_total{answer="400"} 9
switchroom_sip_messages_sent_total 2000
switchroom_sip_retransmissions_total{direction="sent"} 200
switchroom_udp_dropped_total 11
switchroom_udp_missed_total 18
switchroom_history_rows_total{outcome="dropped"} 1
"""


def test_the_command_counts_one_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.toml"
    file.write_text('[sip]\nport = 0\nclient_ca = "gone.pem"\n[api]\nport = 0\n')
    assert main(["doctor", "--config", str(file), "--data-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 fault"


@pytest.mark.parametrize(
    ("running", "warnings", "last"),
    [
        (False, 0, "Ready to serve."),
        (False, 1, "Ready to serve, with 1 warning."),
        (True, 0, "The server runs well."),
        (True, 1, "The server runs, with 1 warning."),
        (True, 2, "The server runs, with 2 warnings."),
    ],
)
def test_the_last_line_of_the_command_counts_warnings(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    running: bool,
    warnings: int,
    last: str,
) -> None:
    found = [Finding(Severity.GOOD, "a limit"), *[Finding(Severity.WARNING, "a loss")] * warnings]

    async def of_the_server(settings: Settings) -> list[Finding]:
        return found if running else []

    def of_the_installation(settings: Settings, *, running: bool) -> list[Finding]:
        return [] if running else found

    monkeypatch.setattr("cti.doctor_live.examine_running", of_the_server)
    monkeypatch.setattr("cti.doctor.examine", of_the_installation)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_a_server_that_runs_well_has_no_warnings() -> None:
    findings = examine_figures(Figures(WELL))
    assert {each.severity for each in findings} == {Severity.GOOD}
    about(findings, "limit: 12 of 100 calls at a time (12%)", Severity.GOOD)


def test_what_is_near_its_limit_dropped_or_shed_is_said_with_what_to_do() -> None:
    findings = examine_figures(Figures(ILL))
    assert "sip.max_calls" in about(findings, "100 of 100 calls", Severity.FAULT).remedy
    assert "carrier" in about(findings, "9 of 10 calls on the trunk out", Severity.WARNING).remedy
    assert "CPU" in about(findings, "0.75 of 0.50 seconds of lag", Severity.WARNING).remedy
    about(findings, "1 of 8 something new", Severity.GOOD)
    for words in (
        "shed: 7 calls",
        "18 messages were dropped unread",
        "2 calls ended by a fault",
        "40 of 1000 ticks late, 5 dropped",
        "6 RTP packets dropped",
        "1 address is banned now, 4 bans",
        "800 banned",
        "12 of phones not looked at",
        "13 refused for want of room",
        "14 messages dropped",
        "15 desks or wallboards cut",
        "17 too-many-sign-ons",
        "200 of 2000 messages had to be sent again",
        "11 datagrams were not sent",
        "18 datagrams were lost unread",
        "412 rows wait",
        "journal: it cannot be written",
        "1 row was lost",
    ):
        assert about(findings, words, Severity.WARNING).remedy
    about(findings, "3 calls, unknown-number", Severity.GOOD)


@pytest.mark.parametrize("drop", DROPS, ids=lambda each: each.what)
def test_all_that_is_dropped_is_told_with_what_to_do(drop: Drop) -> None:
    labels = ",".join(f'{name}="{value}"' for name, value in drop.labels.items())
    figures = f"{WELL}switchroom_{drop.name}{{{labels}}} 2\n"
    what = drop.what.format(f"2 {drop.things}")
    (found,) = [each for each in examine_figures(Figures(figures)) if each.what == what]
    assert (found.severity, found.remedy) == (drop.severity, drop.remedy)
    assert drop.remedy or drop.severity is Severity.GOOD


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("sip_sessions", Severity.FAULT),
        ("gateway_files rome", Severity.FAULT),
        ("calls_per_second out", Severity.WARNING),  # over within a second
        ("watcher_subscriptions", Severity.WARNING),  # the oldest gives way
        ("stranger_transactions", Severity.WARNING),  # one of many
    ],
)
def test_a_limit_that_is_reached_is_a_fault_unless_it_passes_or_is_of_one_peer(
    name: str, severity: Severity
) -> None:
    figures = WELL + "".join(
        f'switchroom_{family}{{limit="{name}"}} 10\n' for family in ("limit", "limit_used")
    )
    (found,) = [each for each in examine_figures(Figures(figures)) if "10 of 10" in each.what]
    assert found.severity is severity
    assert found.remedy
    assert name.partition(" ")[2] in found.what


def test_slow_writes_of_the_journal_matter_when_they_are_many() -> None:
    for slow, severity in ((3, Severity.GOOD), (300, Severity.WARNING)):
        figures = f"{WELL}switchroom_journal_slow_writes_total {slow}\n"
        figures += "switchroom_journal_records_total 20000\n"
        about(examine_figures(Figures(figures)), f"{slow} writes took longer", severity)


def test_without_a_gateway_that_is_the_fault() -> None:
    findings = examine_figures(Figures(WELL.replace("gateway_up 1", "gateway_up 0")))
    about(findings, "no media gateway is connected", Severity.FAULT)


async def test_where_no_server_runs_there_is_nothing_to_say(tmp_path: Path) -> None:
    silent = settings(tmp_path, api=ApiSection(port=free_port()))
    assert await examine_running(silent) == []
    assert await examine_running(settings(tmp_path)) == []
