"""A finished file is found again as it was finished, with its sidecar or without."""

from __future__ import annotations

from pathlib import Path

import pytest

from recordings.errors import NotARecordingError
from recordings.finish import find_whole, finish_file
from recordings.outcome import Outcome
from recordings.sidecar import sidecar_path
from recordings.wave_header import Header
from switch.ids import RecordingId


def finished(folder: Path, seconds: int = 2) -> Outcome:
    part = folder / "i-1-rec-1.part"
    header = Header(recording=RecordingId("rec-1"), started_at=1e9, owner="nobody")
    part.write_bytes(header.pack() + bytes([0x7F]) * (16_000 * seconds))
    return finish_file(part)


@pytest.mark.parametrize("with_sidecar", [True, False])
def test_what_was_finished_is_found_whole(tmp_path: Path, with_sidecar: bool) -> None:
    outcome = finished(tmp_path)
    if not with_sidecar:
        sidecar_path(Path(outcome.path)).unlink()
    assert find_whole(Path(outcome.path)) == outcome
    assert (outcome.duration_ms, outcome.error) == (2000, None)


@pytest.mark.parametrize("with_sidecar", [True, False])
def test_a_file_of_another_length_is_not_whole(tmp_path: Path, with_sidecar: bool) -> None:
    path = Path(finished(tmp_path).path)
    if not with_sidecar:
        sidecar_path(path).unlink()
    path.write_bytes(path.read_bytes()[:-160])
    with pytest.raises(NotARecordingError, match="length"):
        find_whole(path)
