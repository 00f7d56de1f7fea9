"""Files that people sent and that wait to be imported: in a folder of their own, for a day."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path
from typing import Final

from cti.errors import Invalid, NotFound
from cti.schema_campaign_requests import UploadView

_KEEP_S: Final = 86400.0
_MOST: Final = 100
"""Files that wait; the oldest go."""
_ID: Final = re.compile(r"[0-9a-f]{16}\.(csv|txt|tsv|xlsx)")
_KINDS: Final = frozenset({"csv", "txt", "tsv", "xlsx"})


class Uploads:
    """The folder. An id is the name of the file in it, so that a restart forgets nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, str] = {}

    def new(self, name: str) -> tuple[str, Path]:
        """An id, and where the file goes. Raises `Invalid` for a kind that cannot be read."""
        name = Path(name.replace("\\", "/")).name[:200]
        kind = name.rpartition(".")[2].lower()
        if kind not in _KINDS:
            raise Invalid("bad-file", f"{name[:80]!r} is none of csv, tsv, txt and xlsx.")
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._tidy()
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

    def drop(self, upload: str) -> None:
        """It is imported."""
        if _ID.fullmatch(upload):
            (self._folder / upload).unlink(missing_ok=True)
        self._names.pop(upload, None)

    def _tidy(self) -> None:
        files = sorted(self._folder.iterdir(), key=lambda each: each.stat().st_mtime)
        old = [each for each in files if each.stat().st_mtime < time.time() - _KEEP_S]
        for each in {*old, *files[: max(0, len(files) - _MOST)]}:
            if _ID.fullmatch(each.name):
                self.drop(each.name)
