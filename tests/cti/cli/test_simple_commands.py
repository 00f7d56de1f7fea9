"""Commands that need no server: configurations, hashes, recordings."""

from __future__ import annotations

import asyncio
import hashlib
import io
import wave
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from crm_store.rows import InteractionRow, RecordingRow
from crm_store.store import Store
from cti.cli.main import main
from cti.schema import Role
from cti.settings import load
from recordings.wave_header import Header
from switch.ids import RecordingId
from switch.sip.digest import ha1


def test_a_new_configuration_is_written_once_and_is_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "site.toml"
    assert main(["config", "new", str(file)]) == 0
    assert main(["config", "check", str(file)]) == 0
    assert "2 phones, 2 agents, 1 queue, 1 trunk, 1 entry." in capsys.readouterr().out
    assert main(["config", "new", str(file)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main(["config", "new", str(tmp_path / "no" / "folder.toml")]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[sip]\nport = 5070\n"])
def test_a_configuration_that_sets_nothing_up_is_not_called_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = tmp_path / "empty.toml"
    file.write_text(text)
    assert main(["config", "check", str(file)]) == 1
    told = capsys.readouterr()
    assert "good" not in told.out
    assert "nothing is set up" in told.err
    assert "config new" in told.err


def test_a_new_site_has_somebody_for_every_role(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    assert main(["config", "new", str(file)]) == 0
    assert {user.role for user in load(file).users} == {role.value for role in Role}


def test_a_password_from_standard_input_becomes_a_hash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("secret word\r\n"))
    assert main(["users", "hash"]) == 0
    hash_ = capsys.readouterr().out.split('"')[1]
    assert PasswordHasher().verify(hash_, "secret word")


def test_a_dash_reads_the_password_from_standard_input_also_from_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = io.StringIO("secret word\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert main(["users", "hash", "-"]) == 0
    assert PasswordHasher().verify(capsys.readouterr().out.split('"')[1], "secret word")


def test_a_phones_digests_are_those_that_the_registrar_compares(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("word\n"))
    assert main(["users", "ha1", "1001", "--realm", "here"]) == 0
    told = capsys.readouterr().out
    for name, algorithm in (("ha1_sha256", "SHA-256"), ("ha1_md5", "MD5")):
        assert f'{name} = "{ha1("1001", "here", "word", algorithm)}"' in told


def test_no_password_is_no_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert main(["users", "hash"]) == 1
    assert "empty" in capsys.readouterr().err


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with one recording that is whole, one that is not there, and one that broke."""
    header = Header(
        recording=RecordingId("r-whole"), started_at=1e9, owner="1-1", sound_octets=16_000
    )
    octets = header.pack() + b"\xff" * 16_000
    whole = tmp_path / "whole.wav"
    whole.write_bytes(octets)
    url = f"sqlite:///{tmp_path}/switchroom.db"

    async def fill() -> None:
        store = await Store.open(url, data_dir=tmp_path)
        store.history.append(InteractionRow(interaction_id="i-1", started=1e9, revision=1))
        for name, path, error in (
            ("r-whole", whole, None),
            ("r-gone", tmp_path / "gone.wav", None),
            ("r-broken", tmp_path / "broken.wav", "disk full"),
        ):
            store.history.append(
                RecordingRow(
                    recording_id=name,
                    interaction_id="i-1",
                    started=1e9,
                    path=str(path),
                    duration_s=1.0,
                    octets=len(octets),
                    sha256=hashlib.sha256(octets).hexdigest(),
                    error=error,
                )
            )
        await store.close()

    asyncio.run(fill())
    return url


def test_recordings_are_listed_with_what_became_of_them(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recordings", "list", "--database", store]) == 0
    told = capsys.readouterr().out
    assert len(told.splitlines()) == 3
    assert "disk full" in told


def test_recordings_that_are_gone_are_found_and_broken_ones_are_not_called_whole(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recordings", "verify", "--database", store]) == 1
    told = capsys.readouterr().out
    assert "r-gone: " in told
    assert "1 of 2 recordings are as they were written." in told
    assert "1 more ended with an error" in told


def test_a_recording_is_exported_as_plain_sound(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "talk.wav"
    export = ["recordings", "export"]
    database = ["--database", store]
    channel = ["--channel", "customer"]
    assert main([*export, "r-whole", str(target), *channel, *database]) == 0
    with wave.open(str(target)) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getnframes()) == (1, 8000, 8000)
    capsys.readouterr()
    for name, words in (("r-none", "There is no recording"), ("r-gone", "cannot be exported")):
        assert main([*export, name, str(tmp_path / "other.wav"), *database]) == 1
        assert words in capsys.readouterr().err


def test_an_export_into_a_folder_that_is_not_there_says_so(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "none" / "talk.wav"
    assert main(["recordings", "export", "r-whole", str(target), "--database", store]) == 1
    told = capsys.readouterr().err
    assert f"{target}: there is no folder {target.parent}; make it first" in told
    assert "Errno" not in told


def test_an_export_overwrites_nothing_unasked_and_never_the_recording(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "mine.wav"
    target.write_bytes(b"mine")
    export = ["recordings", "export", "r-whole", "--database", store]
    assert main([*export, str(target)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert target.read_bytes() == b"mine"
    assert main([*export, str(target), "--force"]) == 0
    assert target.read_bytes()[:4] == b"RIFF"
    (itself,) = [path for path in tmp_path.rglob("*.wav") if path.name == "whole.wav"]
    before = itself.read_bytes()
    assert main([*export, str(itself), "--force"]) == 1
    assert "is what is to be exported" in capsys.readouterr().err
    assert itself.read_bytes() == before


def test_a_file_that_is_no_recording_is_not_exported(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.wav").write_bytes(b"not a recording")
    target = str(tmp_path / "talk.wav")
    assert main(["recordings", "export", "r-broken", target, "--database", store]) == 1
    assert "cannot be exported" in capsys.readouterr().err
