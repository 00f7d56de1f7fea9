"""What a soak leaves on the disk: whole recordings, and nothing else that grows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cti.bench.soak_report import Files
from cti.journal_records import Kind
from cti.takeover import FILE
from recordings.errors import NotARecordingError
from recordings.sidecar import read_sidecar
from recordings.wave_header import MAX_HEADER_OCTETS, parse
from switch.journal.format import read

_OF_CALLS: Final = frozenset({Kind.LEG, Kind.INVITE, Kind.CONTACT, Kind.CAPTURE})
_EXPECTED: Final = ("switchroom.db", FILE, "token-secret", "gateway.sock", "tls")
"""How the names of all files begin that may lie beside the recordings."""
_MOST_NAMED: Final = 10


def files_at_end(data: Path) -> Files:
    """Look at everything in a server's data folder."""
    bad = list(_unexpected(data))
    recordings = 0
    for path in (data / "recordings").rglob("*"):
        if path.suffix == ".wav":
            wrong = _wrong(path)
            recordings += not wrong
            bad += [wrong] if wrong else []
        elif path.is_file() and not path.with_suffix(".wav").exists():
            bad.append(f"recording {path.name} is not finished")
    kept = sum(kind in _OF_CALLS for kind, _ in read(data / FILE).entries)
    if len(bad) > _MOST_NAMED:
        bad[_MOST_NAMED:] = [f"and {len(bad) - _MOST_NAMED} more files"]
    return Files(recordings=recordings, bad=bad, journal_records=kept)


def _unexpected(data: Path) -> Iterator[str]:
    for path in data.iterdir():
        if path.name != "recordings" and not path.name.startswith(_EXPECTED):
            yield f"file {path.name}"


def _wrong(path: Path) -> str:
    """What is wrong with a recording, in words; empty: nothing."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            header, begin = parse(file.read(MAX_HEADER_OCTETS), str(path))
        said = read_sidecar(path)
    except (OSError, NotARecordingError) as error:
        return f"recording {path.name}: {error}"
    if header.sound_octets is None or begin + header.sound_octets != size:
        return f"recording {path.name}: {size} octets, the header says {header.sound_octets}"
    if said.octets != size or said.error:
        return f"recording {path.name}: {said.octets} octets of {size}; {said.error or 'no error'}"
    return ""
