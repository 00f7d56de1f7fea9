"""The data folder belongs to one server at a time.

Two on one folder would take the calls and the media gateway from each other: both take up what the
journal of calls holds.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)


def claim(folder: Path) -> Callable[[], None]:
    """Make the folder if it is missing, and keep other servers out until the result is called.

    A new one is closed to other users of the machine; the rights of an existing one stay.
    The kernel gives it back when this process ends, in whatever way. Raises OSError.
    """
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OSError(error.errno, f"data.folder: {folder}: {error.strerror}") from error
    try:
        _lock(fd)
    except BlockingIOError:
        os.close(fd)
        text = (
            f"data.folder: {folder}: another server uses it; stop that one, or name another folder"
        )
        raise OSError(errno.EBUSY, text) from None
    except OSError as error:  # some network file systems know no locks
        log.warning("data.folder: %s cannot be locked: %s", folder, error.strerror)
    return lambda: os.close(fd)


def is_in_use(folder: Path) -> bool:
    """Whether a server has claimed the folder. Makes nothing; raises OSError where it cannot be read."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        _lock(fd)
    except BlockingIOError:
        return True
    except OSError:  # some network file systems know no locks
        return False
    finally:
        os.close(fd)
    return False


def _lock(fd: int) -> None:
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def token_secret(folder: Path) -> bytes:
    """What API tokens are signed with; kept over restarts, so that nobody has to sign on anew."""
    path = folder / "token-secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


def why_not_writable(folder: Path) -> str:
    """Why no file can be made in `folder`, or in the one that it would be made in; empty: it can."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=existing):
            return ""
    except OSError as error:
        return f"cannot write below {existing}: {error.strerror}"
