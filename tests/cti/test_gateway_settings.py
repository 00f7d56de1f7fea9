"""`[media] gateways` and `[[gateways]]`: what is wrong there is told with its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti.media_gateways import local_count, local_shares, remote_places
from cti.settings import GatewaySection, MediaSection, Settings, SettingsError, load
from cti.shared_secret import read_secret

HALL = """
[[gateways]]
name = "{name}"
address = "{address}"
secret_file = "hall.secret"
"""


def written(folder: Path, *, name: str = "hall", address: str = "tcp://192.0.2.7:7000") -> Path:
    path = folder / "site.toml"
    path.write_text(HALL.format(name=name, address=address))
    secret = folder / "hall.secret"
    secret.touch(mode=0o600)
    secret.write_text("5" * 64 + "\n")
    return path


def test_a_gateway_elsewhere_is_read_with_its_secret(tmp_path: Path) -> None:
    (place,) = remote_places(load(written(tmp_path))).values()
    assert (str(place), place.secret) == ("tcp://192.0.2.7:7000", b"5" * 64)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            HALL.format(name="local-7", address="tcp://a:1"),
            r"gateways\[0\].name: local-7 is a name",
        ),
        (HALL.format(name="hall", address="192.0.2.7"), r"gateways\[0\].address: write tcp://"),
        (2 * HALL.format(name="hall", address="tcp://a:1"), r"gateways\[1\].name: hall is there"),
        (
            HALL.format(name="a", address="tcp://a:1") + HALL.format(name="b", address="tcp://a:1"),
            r"gateways\[1\].address: tcp://a:1 is there already",
        ),
        ("[media]\ngateways = 0\n", "media.gateways: 0 leaves nobody"),
        ('[media]\ngateways = 4\nports = "16000-16020"\n', "media.ports: 16000-16020 is too small"),
        ('[media]\ngateways = "many"\n', "media.gateways"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=words):
        load(path)


def test_secrets_are_long_and_for_their_owner_alone_and_never_said(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    with pytest.raises(SettingsError, match="No such file"):
        read_secret(path, "key")
    path.touch(mode=0o600)
    path.write_text("too short")
    with pytest.raises(SettingsError, match="has 9 characters") as short:
        read_secret(path, "key")
    assert "too short" not in str(short.value)
    path.write_text("5" * 64)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="others may read"):
        read_secret(path, "key")
    path.chmod(0o600)
    assert read_secret(path, "key") == b"5" * 64


def test_one_process_or_several_share_the_ports() -> None:
    assert local_shares(MediaSection()) == [(16000, 31999)]
    assert local_shares(MediaSection(gateways=2)) == [(16000, 23999), (24000, 31999)]
    assert local_shares(MediaSection(gateways=0)) == []
    assert local_count(MediaSection(gateways="auto")) >= 1
    elsewhere = GatewaySection(name="hall", address="tcp://192.0.2.7:7000", secret_file="none")
    with pytest.raises(SettingsError, match=r"gateways\[0\].secret_file"):
        remote_places(Settings(gateways=(elsewhere,)))
