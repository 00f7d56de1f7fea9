"""The journal's file: what is written is read again, and damage costs only what it hit."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.journal import writer
from switch.journal.format import MAGIC, Header, Reading, make_frames, make_header, parse, read
from switch.journal.times import Times, boot_id
from switch.journal.writer import Journal

HEADER = Header(1, "boot", 1000.0)


def journal(folder: Path, **options: Any) -> Journal:
    made = Journal(folder / "calls.journal", HEADER, **options)
    made.begin({})
    return made


def values(found: Reading, kind: str) -> dict[str, Any]:
    return {key: msgspec.msgpack.decode(value) for key, value in found.values(kind).items()}


def test_the_last_value_of_each_record_is_read(tmp_path: Path) -> None:
    kept = journal(tmp_path)
    kept.put("leg", "a", {"port": 1})
    kept.put("leg", "b", {"port": 2})
    kept.put("call", "a", "other kind, same key")
    kept.commit()
    kept.put("leg", "a", {"port": 3})
    kept.delete("leg", "b")
    kept.delete("leg", "never there")
    kept.commit()
    found = read(tmp_path / "calls.journal")
    assert found.header == HEADER
    assert values(found, "leg") == {"a": {"port": 3}}
    assert values(found, "call") == {"a": "other kind, same key"}
    assert found.faults == []


def test_nothing_is_written_before_the_end_of_the_turn_nor_for_what_did_not_change(
    tmp_path: Path,
) -> None:
    kept = journal(tmp_path)
    before = kept.octets
    kept.put("leg", "a", 1)
    assert (tmp_path / "calls.journal").stat().st_size == before
    kept.commit()
    grown = kept.octets
    assert (tmp_path / "calls.journal").stat().st_size == grown > before
    kept.put("leg", "a", 1)
    kept.commit()
    assert kept.octets == grown


def test_no_journal_is_an_empty_journal(tmp_path: Path) -> None:
    assert read(tmp_path / "nowhere") == Reading()


def test_what_is_no_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / "calls.journal").write_bytes(b"SWROOMJ9 something of another format")
    found = read(tmp_path / "calls.journal")
    assert found.header is None
    assert "format" in found.faults[0]


@given(st.integers(min_value=len(MAGIC), max_value=400), st.binary(max_size=40))
def test_a_torn_end_costs_the_torn_record_alone(cut: int, rubbish: bytes) -> None:
    data = sample()
    cut = min(cut, len(data))
    found = parse(data[:cut] + rubbish)
    whole = parse(data)
    for key, value in values(found, "leg").items():
        assert int(value) <= int(values(whole, "leg")[key])
    if cut == len(data) and not rubbish:
        assert found.faults == []


@given(st.binary(max_size=300))
def test_no_octets_make_it_raise(data: bytes) -> None:
    parse(data)
    parse(MAGIC + data)


def sample() -> bytes:
    encode = msgspec.msgpack.encode
    frames = [make_frames([encode(("leg", str(n % 5), n))]) for n in range(20)]
    return b"".join([make_header(HEADER), *frames])


def test_an_earlier_journal_is_carried_over(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.put("leg", "a", 1)
    first.commit()
    second = Journal(tmp_path / "calls.journal", HEADER)
    second.begin(read(tmp_path / "calls.journal").entries)
    second.put("leg", "b", 2)
    second.commit()
    assert values(read(tmp_path / "calls.journal"), "leg") == {"a": 1, "b": 2}
    assert os.stat(tmp_path / "calls.journal").st_mode & 0o777 == 0o600, "it holds secrets"


def test_a_long_file_is_shortened_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SMALLEST_REWRITE", 4000)
    monkeypatch.setattr(writer, "_PIECE_OCTETS", 300)
    kept = journal(tmp_path)
    expected: dict[str, Any] = {}
    for n in range(2000):
        key = str(n % 37)
        if n % 11 == 0:
            kept.delete("leg", key)
            expected.pop(key, None)
        else:
            kept.put("leg", key, [n, "x" * 20])
            expected[key] = [n, "x" * 20]
        kept.commit()
        if n % 100 == 0:  # killed here, in the middle of a rewriting or not
            assert values(read(tmp_path / "calls.journal"), "leg") == expected
    assert kept.rewrites > 3
    assert kept.octets < 20_000
    assert values(read(tmp_path / "calls.journal"), "leg") == expected
    kept.close()
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".new") == [
        "calls.journal"
    ]


def test_a_full_disk_is_told_once_and_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    kept = journal(tmp_path, monotonic=lambda: now[0])
    kept.put("leg", "a", 1)
    kept.commit()
    real_write = os.write

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.write", full)
    for n in range(5):
        kept.put("leg", "b", n)
        kept.commit()
    assert kept.failures == 5
    assert not kept.is_whole
    assert caplog.text.count("cannot be written") == 1
    assert values(read(tmp_path / "calls.journal"), "leg") == {"a": 1}
    monkeypatch.setattr("os.write", real_write)
    now[0] += 10.0
    kept.delete("leg", "a")
    kept.commit()
    assert kept.is_whole
    assert values(read(tmp_path / "calls.journal"), "leg") == {"b": 4}


def test_a_record_cut_by_a_full_disk_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = journal(tmp_path)
    kept.put("leg", "a", 1)
    kept.commit()
    whole = (tmp_path / "calls.journal").read_bytes()
    real_write, calls = os.write, [0]

    def half(fd: int, data: bytes) -> int:
        calls[0] += 1
        if calls[0] == 1:
            return real_write(fd, bytes(data[:5]))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.write", half)
    kept.put("leg", "b", 2)
    kept.commit()
    assert (tmp_path / "calls.journal").read_bytes() == whole


def test_moments_are_exact_within_a_boot_whatever_the_wall_clock_does() -> None:
    before = Times(now=100.0, wall=5100.0, boot="b", before=None)
    after = Times(now=160.0, wall=9999.0, boot="b", before=Header(1, "b", before.offset))
    assert after.mono(before.wall(130.0)) == 130.0


def test_after_another_boot_moments_go_by_the_wall_clock() -> None:
    before = Times(now=100.0, wall=5100.0, boot="b", before=None)
    after = Times(now=7.0, wall=5200.0, boot="c", before=Header(1, "b", before.offset))
    assert after.mono(before.wall(100.0)) == pytest.approx(-93.0)


def test_the_kernel_says_which_boot_this_is() -> None:
    assert boot_id() == boot_id()


@pytest.mark.parametrize(
    "payload",
    [b"\x91" * 5000 + b"\x00", b"\x92\xa2\xff\xff\xa1a", b"\x93\xa1k\xa1a" + b"\x91" * 5000],
)
def test_a_record_that_is_whole_but_no_record_costs_itself_alone(payload: bytes) -> None:
    good = make_frames([msgspec.msgpack.encode(("leg", "a", 1))])
    found = parse(make_header(HEADER) + make_frames([payload]) + good)
    assert values(found, "leg") == {"a": 1}
    assert len(found.faults) == 1


def test_what_cannot_be_understood_in_a_turn_costs_itself_alone() -> None:
    encode = msgspec.msgpack.encode
    turn = [encode(("leg", "a", 1)), encode(["leg"]), encode("text"), encode(("leg", "b", 2))]
    found = parse(make_header(HEADER) + make_frames(turn))
    assert values(found, "leg") == {"a": 1, "b": 2}
    assert len(found.faults) == 2


def test_a_turn_that_changes_thousands_is_read_again(tmp_path: Path) -> None:
    kept = journal(tmp_path)
    for number in range(1000):
        kept.put("leg", str(number), number)
    kept.commit()
    found = values(read(tmp_path / "calls.journal"), "leg")
    assert found == {str(number): number for number in range(1000)}


def test_a_file_that_cannot_be_shortened_goes_on_and_is_not_tried_at_every_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer, "SMALLEST_REWRITE", 0)
    now = 0.0
    kept = journal(tmp_path, monotonic=lambda: now)
    (tmp_path / "calls.journal.new").mkdir()  # nothing can be made there
    for number in range(40):
        kept.put("leg", "a", number)
        kept.commit()
    assert caplog.text.count("could not be shortened") == 1
    (tmp_path / "calls.journal.new").rmdir()
    now = 60.0
    kept.put("leg", "a", "the last")
    kept.commit()
    kept.put("leg", "a", "the very last")
    kept.commit()
    assert (kept.rewrites, kept.failures) == (1, 0)
    assert values(read(tmp_path / "calls.journal"), "leg") == {"a": "the very last"}
    kept.close()
