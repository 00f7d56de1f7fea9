"""Files that people sent and that wait to be imported: in a folder of their own, for a day.

Together they have a bound, since recordings and the journal are on the same disk.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cti.errors import Invalid, NotFound, TooMany
from cti.schema_campaign_requests import UploadView

_KEEP_S: Final = 86400.0
_MOST: Final = 100
"""Files that wait; the oldest go."""
_MOST_OCTETS: Final = 4 << 30
"""Of all of them, before another is taken; the oldest go."""
_ID: Final = re.compile(r"[0-9a-f]{16}\.(csv|txt|tsv|xlsx)")
_KINDS: Final = frozenset({"csv", "txt", "tsv", "xlsx"})


class Uploads:
    """The folder. An id is the name of the file in it, so that a restart forgets nothing."""

    def __init__(self, folder: Path, *, most_octets: int = _MOST_OCTETS) -> None:
        self._folder = folder
        self._most_octets = most_octets
        self._names: dict[str, str] = {}
        self._held: set[str] = set()

    def new(self, name: str) -> tuple[str, Path]:
        """An id, and where the file goes.

        Raises `Invalid` for a kind that cannot be read, and `TooMany` while imports wait for so many
        files that there is no room for another.
        """
        name = Path(name.replace("\\", "/")).name[:200]
        kind = name.rpartition(".")[2].lower()
        if kind not in _KINDS:
            raise Invalid("bad-file", f"{name[:80]!r} is none of csv, tsv, txt and xlsx.")
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        if not self._has_room():
            words = "Imports wait for the files that are here; send it when some of them are done."
            raise TooMany("too-many-files", words, 60.0)
        upload = f"{secrets.token_hex(8)}.{kind}"
        self._names[upload] = name
        path = self._folder / upload
        path.touch(mode=0o600)
        return upload, path

    def view(self, upload: str, size: int) -> UploadView:
        """It is there."""
        return UploadView(upload_id=upload, name=self.name(upload), size=size)

    def path(self, upload: str) -> Path:
        """Where a file is. `NotFound`."""
        if not _ID.fullmatch(upload) or not (path := self._folder / upload).is_file():
            raise NotFound("no-such-upload", "There is no such file; send it again.")
        return path

    def name(self, upload: str) -> str:
        """As people know it."""
        return self._names.get(upload, upload)

    def hold(self, upload: str) -> None:
        """An import waits for it: it stays until it is dropped, or `release` says otherwise."""
        self._held.add(upload)

    def release(self, upload: str) -> None:
        """No import waits for it any more."""
        self._held.discard(upload)

    def drop(self, upload: str) -> None:
        """It is imported."""
        if _ID.fullmatch(upload):
            (self._folder / upload).unlink(missing_ok=True)
        self._names.pop(upload, None)

    def _has_room(self) -> bool:
        """Let go of what is too old or too much; False: what is left is too much for another one."""
        found = sorted(self._waiting(), reverse=True)
        there = {upload for _, _, upload in found}
        self._names = {upload: name for upload, name in self._names.items() if upload in there}
        latest, octets, count = time.time() - _KEEP_S, 0, 0
        for at, size, upload in found:
            octets, count = octets + size, count + 1
            is_too_much = count >= _MOST or octets >= self._most_octets
            if upload not in self._held and (is_too_much or at < latest):
                self.drop(upload)
                octets, count = octets - size, count - 1
        return count < _MOST and octets < self._most_octets

    def _waiting(self) -> Iterator[tuple[float, int, str]]:
        """Of each file when it was written last, its octets, and its id."""
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # it is being deleted
                stat = path.stat()
                if _ID.fullmatch(path.name):
                    yield stat.st_mtime, stat.st_size, path.name
