"""Where a gateway on another host records: in a folder of its own, at the place the call agent names.

The call agent says paths below its folder of recordings; here they lie below ours, and are reported as
the call agent knows them. So its index is right as soon as both see one folder, or files were moved.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from switch.media.errors import MediaCommandError


class RecordingFolder:
    """Translates paths; without a folder of our own they are the same on both sides."""

    def __init__(self, own: Path | None) -> None:
        self._own = own
        self._theirs = PurePosixPath("/")

    def agent_says(self, folder: str) -> None:
        """The call agent's folder, of its `Hello`."""
        self._theirs = PurePosixPath(folder or "/")

    def here(self, path: str) -> str:
        """Where to write what the call agent calls `path`.

        Raises:
            MediaCommandError: it lies outside of its folder.
        """
        if self._own is None:
            return path
        given = PurePosixPath(path)
        if not given.is_relative_to(self._theirs) or ".." in given.parts:
            raise MediaCommandError(f"recording path {path!r} is not below {self._theirs}")
        return str(self._own / given.relative_to(self._theirs))

    def there(self, path: str) -> str:
        """What the call agent calls a path of ours."""
        if self._own is None or not Path(path).is_relative_to(self._own):
            return path
        return str(self._theirs / Path(path).relative_to(self._own))
