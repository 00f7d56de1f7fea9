"""After a crash: finish what was left behind, so that every frame that was recorded can be played."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recordings.errors import NotARecordingError
from recordings.finish import finish_file
from recordings.outcome import Outcome
from recordings.owner import is_alive
from recordings.tails import append_tail, sweep
from recordings.wave_header import MAX_HEADER_OCTETS, Header, parse
from switch.ids import RecordingId

_log = logging.getLogger(__name__)

QUIET_S: Final = 10.0
"""A file of an unknown owner (another host, an earlier boot) is left alone while younger than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What became of one file that was left behind."""

    outcome: Outcome
    """`recording` is empty where not even the head was written."""
    started_at: float
    """Seconds since the epoch."""


def recover(folder: Path) -> list[Recovered]:
    """Finish all `.part` files below `folder` whose writer is dead, and report each.

    Blocks for the disk: about as long as reading the files takes. A file that cannot be finished is
    kept and reported with its reason. A folder that does not exist holds nothing.
    """
    return list(recover_each(folder))


def recover_each(folder: Path) -> Iterator[Recovered]:
    """As `recover`, one after the other."""
    for part in sorted(folder.rglob("*.part")):
        try:
            found = recover_file(part)
        except OSError as error:
            found = _failed(part, f"{error.strerror or error}: {part}")
        if found is not None:
            _log.info("recovered %s: %s", part, found.outcome.error or "whole")
            yield found
    sweep()


def recover_file(part: Path) -> Recovered | None:
    """Finish one `.part` file; None when somebody still writes it. Raises OSError."""
    age_s = time.time() - part.stat().st_mtime
    with part.open("rb") as file:
        head = file.read(MAX_HEADER_OCTETS)
    try:
        header, begin = parse(head, str(part))
    except NotARecordingError as error:
        # The head goes to the disk in one write: a file without one is a second old or not ours.
        return _failed(part, str(error)) if age_s > QUIET_S else None
    alive = is_alive(header.owner)
    if alive or (alive is None and age_s <= QUIET_S):
        return None
    try:
        lost = append_tail(part, header.owner, begin)
        outcome = finish_file(part, recovered=True, error=lost)
    except (OSError, NotARecordingError) as error:
        return _failed(part, f"cannot be finished: {error}", header)
    return Recovered(outcome=outcome, started_at=header.started_at)


def _failed(part: Path, reason: str, header: Header | None = None) -> Recovered:
    return Recovered(
        outcome=Outcome(
            recording=header.recording if header else RecordingId(""),
            path=str(part),
            duration_ms=0,
            octets=0,
            sha256="",
            error=reason,
        ),
        started_at=header.started_at if header else 0.0,
    )
