"""Configurations with one fault each, overrides, and what follows from a good one."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from acd.model import AgentId
from acd.ports import NoRoute, ToPhone, ToTrunk
from cti.accounts import PhoneCredentials, accounts
from cti.cli.main import main
from cti.cli.options import add_config, settings_from
from cti.flows import flows_of, prompt_folders
from cti.free_ports import free_port
from cti.park_settings import ParkSection
from cti.schema import Role
from cti.settings import PhoneSection, Settings, SettingsError, expand, load
from cti.site import Routes, site_of
from switch.sip.digest import ha1
from switch.sip.flow import Transport
from switch.trunks.number_plan import NumberPlan, ToEntry
from switch.trunks.source import Source

ROOT = Path(__file__).parents[2]
BAD = sorted((ROOT / "tests" / "data" / "config").glob("*.toml"))


# --- faults -----------------------------------------------------------------------------------


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_fault_is_told_with_file_key_and_what_to_do(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = file.read_text().partition("\n")[0].removeprefix("# expects: ")
    assert main(["config", "check", str(file)]) == 1
    told = capsys.readouterr().err
    place = r"(:\d+)?"  # what is not valid TOML tells its line in the words of the reader
    assert re.match(re.escape(str(file)) + place + ": " + re.escape(expected), told), told
    assert len(told.splitlines()) == 1, f"one fault, one line: {told}"


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text('[sip]\nhost = "0.0.0.0"\n[[trunks]]\nname = "out"\n')
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert len(str(caught.value).splitlines()) == 2


def test_faults_of_every_kind_are_told_together_with_their_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "mine.yaml").write_text(
        "flow: mine\nlanguage: en\nstart: a\nnodes:\n  a:\n    verb: queue\n    queue: nowhere\n"
    )
    file = tmp_path / "many.toml"
    file.write_text(
        """\
[site]
flows = "flows"
flavour = "sweet"
region = "usa"

[sip]
port = 99999
host = "0.0.0.0"  # not to be told

[[queues]]
name = "sales"
service_level_s = "long"
[queues.skills]
german = 9

[[queues]]
name = "sales"

[[entries]]
number = "4000"
flow = "mine"

[[entries]]
number = "4001"
flow = "theirs"

[[entries]]
number = "4002"
queue = "nobody"

[sound]
loud = true
"""
    )
    assert main(["config", "check", str(file)]) == 1
    told = [line.removeprefix(str(tmp_path) + "/") for line in capsys.readouterr().err.splitlines()]
    begins = [
        "many.toml:3: site: object contains unknown field `flavour` (misspelt?",
        "many.toml:4: site.region: expected `str` matching regex",
        "many.toml:7: sip.port: expected `int` <= 65535",
        "many.toml:12: queues[0].service_level_s: expected `float`, got `str`",
        "many.toml:13: queues[0].skills[...]: expected `int` <= 5",
        "many.toml:31: the file: object contains unknown field `sound` (misspelt?",
        "many.toml:8: sip.host: 0.0.0.0 cannot be told to phones",
        "many.toml:17: queues[1].name: sales is there already",
        "many.toml:29: entries[2].queue: no queue is named nobody",
        "many.toml:25: entries[1].flow: there is no flow theirs.yaml",
        "flows/mine.yaml:7: ",
    ]
    for line, begin in zip(told, begins, strict=True):
        assert line.startswith(begin), line


def test_a_section_that_is_lost_makes_no_faults_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "lost.toml"
    file.write_text(
        '[[queues]]\nname = 7\n[[queues]]\n[[entries]]\nnumber = "1"\nqueue = "sales"\n[[trunks]]\n'
        '[[trunks]]\nname = "out"\n'
    )
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert [line.partition("lost.toml:")[2] for line in str(caught.value).splitlines()] == [
        "2: queues[0].name: expected `str`, got `int`",
        "3: queues[1]: object missing required field `name`",
        "7: trunks[0]: object missing required field `name`",
        "8: trunks[1]: give from_addresses (calls in), a proxy (calls out), or both",
    ]


@pytest.mark.parametrize("text", ["queues = 3", "sip = 3", "queues = [3]", "[queues]\nname = 'x'"])
def test_things_that_are_no_sections_are_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "odd.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"odd.toml:1: (queues|sip)(\[0\])?: expected"):
        load(file)


@pytest.mark.parametrize(("octets", "words"), [(None, "no such file"), (b"\xff", "cannot be read")])
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, octets: bytes | None, words: str
) -> None:
    file = tmp_path / "some.toml"
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(SettingsError, match=f"some.toml: {words}"):
        load(file)


def test_ranges_keep_their_zeros() -> None:
    assert expand("008-011", "key") == ["008", "009", "010", "011"]
    assert expand("ann", "key") == ["ann"]


# --- overrides --------------------------------------------------------------------------------


def overridden(*options: str) -> Settings:
    parser = argparse.ArgumentParser()
    add_config(parser)
    return settings_from(
        parser.parse_args(["--config", str(ROOT / "config" / "lab.toml"), *options])
    )


def test_options_go_before_the_file() -> None:
    settings = overridden(
        *("--data-dir", "elsewhere", "--sip-port", "0", "--http-port", "8081"),
        *("--rtp-ports", "20000-20099", "--load-agent-port", "6001", "--out-port", "5091"),
    )
    assert settings.data.folder == "elsewhere"
    assert (settings.sip.port, settings.api.port) == (0, 8081)
    assert settings.media.ports == "20000-20099"
    bindings = {phone.binding for phone in settings.phones if phone.binding}
    assert bindings
    assert all(binding.endswith(":6001") for binding in bindings)
    assert [trunk.proxy for trunk in settings.trunks if trunk.proxy] == ["sip:127.0.0.1:5091"]


def test_the_lab_listens_where_its_page_says_unless_it_is_told_otherwise() -> None:
    sip = overridden().sip
    assert (sip.port, sip.tls_port, sip.ws_port, sip.wss_port) == (5060, 5061, 5066, 5067)
    sip = overridden("--tls-port", "7061", "--ws-port", "7066", "--wss-port", "0").sip
    assert (sip.port, sip.tls_port, sip.ws_port, sip.wss_port) == (5060, 7061, 7066, 0)


@pytest.mark.parametrize("option", ["--sip-port", "--http-port", "--load-agent-port", "--out-port"])
def test_an_option_that_is_no_port_is_named(option: str) -> None:
    with pytest.raises(SettingsError, match=f"{option}: 70000 is no port"):
        overridden(option, "70000")


def test_rtp_ports_that_are_no_range_are_named() -> None:
    with pytest.raises(SettingsError, match="--rtp-ports: write a range"):
        overridden("--rtp-ports", "many")


@pytest.mark.parametrize(
    ("proxy", "moved"),
    [
        ("sip:192.0.2.1", "sip:192.0.2.1:5091"),
        ("sip:192.0.2.1:5060", "sip:192.0.2.1:5091"),
        ("sip:192.0.2.1:5060;transport=tcp", "sip:192.0.2.1:5091;transport=tcp"),
        ("sip:192.0.2.1;transport=tcp", "sip:192.0.2.1:5091;transport=tcp"),
    ],
)
def test_a_proxy_keeps_all_but_its_port(tmp_path: Path, proxy: str, moved: str) -> None:
    file = tmp_path / "out.toml"
    file.write_text(f'[[trunks]]\nname = "out"\nproxy = "{proxy}"\n')
    parser = argparse.ArgumentParser()
    add_config(parser)
    settings = settings_from(parser.parse_args(["--config", str(file), "--out-port", "5091"]))
    assert settings.trunks[0].proxy == moved
    assert site_of(settings).trunks["out"].proxy_port == 5091


# --- what follows from a good one -------------------------------------------------------------


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    file = tmp_path_factory.mktemp("site") / "site.toml"
    file.write_text(
        """
[site]
flows = "flows"
prompts = "prompts"
[[users]]
logins = "201-202"
role = "agent"
agent = "{login}"
name = "Agent {login}"
password = "desk-{login}"
[[users]]
logins = "boss"
role = "supervisor"
password_hash = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
language = "zh"
[[phones]]
numbers = "201-202"
password = "phone-{number}"
[[phones]]
numbers = "300"
binding = "sip:{number}@127.0.0.1:6000"
[[queues]]
name = "desk"
skills = { german = 3 }
[[agents]]
numbers = "201-202"
queues = ["desk"]
name = "No. {number}"
[[trunks]]
name = "out"
proxy = "sip:192.0.2.1:5070;transport=tcp"
callers = ["201"]
prefixes = ["+"]
[[entries]]
number = "100"
queue = "desk"
[[entries]]
number = "101"
flow = "main-menu"
"""
    )
    return load(file)


def test_a_site_has_agents_queues_entries_and_trunks(settings: Settings) -> None:
    site = site_of(settings)
    assert site.agent_names == {"201": "No. 201", "202": "No. 202"}
    assert site.queue_titles == {"desk": "desk"}
    assert site.queues[0].skills[0].level == 3
    assert (site.entries["100"].queue, site.entries["101"].flow) == ("desk", "main-menu")
    assert site.trunks["out"].transport is Transport.TCP
    assert site.trunks["out"].callers == {"201"}


def test_numbers_lead_where_the_plan_and_the_rights_say(settings: Settings) -> None:
    routes = Routes(NumberPlan(site_of(settings).plan))
    ann, bob = AgentId("201"), AgentId("202")
    assert routes.destination(ann, "202") == ToPhone(phone="202")
    assert routes.destination(None, "202") == ToPhone(phone="202")
    assert routes.destination(ann, "+12025550102") == ToTrunk(trunk="out", number="+12025550102")
    for dialled_by in (bob, None):
        refused = routes.destination(dialled_by, "+12025550102")
        assert refused == NoRoute(reason="You may not call that number")
    assert routes.destination(ann, "999") == NoRoute(reason="Nobody has that number")
    assert isinstance(routes.destination(ann, "100"), NoRoute)


@pytest.mark.parametrize(("whose", "taken"), [("queue", True), ("nobody", False)])
def test_where_nobody_may_pick_up_its_code_is_a_number_like_others(
    settings: Settings, whose: Literal["queue", "nobody"], taken: bool
) -> None:
    changed = msgspec.structs.replace(settings, park=ParkSection(pick_up=whose))
    found = NumberPlan(site_of(changed).plan).resolve(Source.PHONE, "201", "*8")
    assert isinstance(found, ToEntry) == taken


def test_flows_and_prompts_of_ones_own_go_before_the_shipped(
    settings: Settings,
) -> None:
    with pytest.raises(SettingsError, match=r"main-menu\.yaml:\d+: .*no queue `sales`"):
        flows_of(settings)
    own = Path(settings.site.flows)
    own.mkdir()
    (own / "main-menu.yaml").write_text("start: x\nnodes:\n  x: {verb: queue, queue: desk}\n")
    assert flows_of(settings)["main-menu"].start == "x"
    assert prompt_folders(settings)[0] == Path(settings.site.prompts)


def test_users_have_roles_names_and_languages(settings: Settings) -> None:
    found = {account.login: (account, password) for account, password, _ in accounts(settings)}
    ann, password = found["201"]
    assert (ann.role, ann.name, ann.agent_id, password) == (
        Role.AGENT,
        "Agent 201",
        "201",
        "desk-201",
    )
    boss, password = found["boss"]
    assert (boss.agent_id, boss.language, password) == (None, "zh", "")


# --- what phones prove ------------------------------------------------------------------------


def test_a_phone_proves_its_password_in_either_algorithm(settings: Settings) -> None:
    phones = PhoneCredentials(settings.phones, "here")
    for algorithm in ("SHA-256", "MD5"):
        wanted = ha1("201", "here", "phone-201", algorithm)
        assert list(phones.ha1("201", algorithm)) == [wanted] * 1
    assert phones.ha1("201", "SHA-512") == ()
    assert phones.ha1("999", "MD5") == ()
    assert list(phones.ha1("300", "MD5")) != [ha1("300", "here", "", "MD5")]
    assert phones.binding("300") == "sip:300@127.0.0.1:6000"
    assert phones.binding("201") == phones.binding("999") == ""
    assert phones.numbers() == ("201", "202", "300")
    assert phones.knows("300")
    assert not phones.knows("301")


def test_a_phone_with_one_digest_proves_that_one_alone() -> None:
    phones = PhoneCredentials([PhoneSection(numbers="201", ha1_sha256="abc")], "here")
    assert list(phones.ha1("201", "SHA-256")) == ["abc"]
    assert list(phones.ha1("201", "MD5")) == []


def test_desks_of_one_agent_have_secrets_side_by_side_until_they_are_withdrawn(
    settings: Settings,
) -> None:
    phones = PhoneCredentials(settings.phones, "here")
    secrets = [phones.issue("201") for _ in range(5)]
    assert len(set(secrets)) == 5
    valid = phones.ha1("201", "SHA-256")
    digests = [ha1("201", "here", secret, "SHA-256") for secret in secrets]
    assert digests[0] not in valid, "the oldest of five ends"
    assert set(digests[1:]) < set(valid)
    phones.issue("202")
    phones.withdraw("201")
    assert len(phones.ha1("201", "SHA-256")) == 1
    assert len(phones.ha1("202", "SHA-256")) == 2
    phones.withdraw("201")


def test_free_ports_lie_below_the_ephemeral_ones() -> None:
    assert all(5100 <= free_port() <= 9999 for _ in range(5))
