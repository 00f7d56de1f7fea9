"""Where recordings go and what the recorder may use."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from recordings.errors import SettingsError
from switch.ids import RecordingId

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")

FIELDS = frozenset({"yyyy", "mm", "dd", "interaction", "recording"})
"""What a pattern may name in braces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSettings:
    """Folder, naming and limits of the recordings."""

    folder: Path
    """Absolute, or taken from the working directory; made when missing."""
    pattern: str = "{yyyy}/{mm}/{dd}/{interaction}-{recording}"
    """Path below `folder`, without suffix; the date is UTC, so that no file moves with summer time."""
    min_free_octets: int = 256 * 1024 * 1024
    """With less room on the disk no recording begins."""

    def __post_init__(self) -> None:
        named = set(re.findall(r"\{([^{}]*)\}", self.pattern))
        if unknown := named - FIELDS:
            raise SettingsError(
                f"recordings.pattern: {{{min(unknown)}}} is unknown; "
                f"use {', '.join(f'{{{name}}}' for name in sorted(FIELDS))}"
            )
        if "recording" not in named:
            raise SettingsError("recordings.pattern: {recording} is missing, files would collide")
        if self.pattern.startswith("/") or ".." in self.pattern.split("/"):
            raise SettingsError("recordings.pattern: must stay below the folder")
        if self.min_free_octets < 0:
            raise SettingsError("recordings.min_free_octets: must not be negative")

    def path_for(self, recording: RecordingId, interaction: str, started_at: float) -> str:
        """Return the absolute path without suffix; `started_at` is in seconds since the epoch."""
        day = time.gmtime(started_at)
        name = self.pattern.format(
            yyyy=f"{day.tm_year:04}",
            mm=f"{day.tm_mon:02}",
            dd=f"{day.tm_mday:02}",
            interaction=_safe(interaction),
            recording=_safe(recording),
        )
        return str((self.folder / name).absolute())


def _safe(name: str) -> str:
    """Keep a name from leaving its folder or hiding: only letters, digits, dot, dash, underscore."""
    return _UNSAFE.sub("_", name).lstrip(".") or "_"
