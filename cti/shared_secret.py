"""The secret that a call agent shares with a gateway on another host: a file, for its owner alone."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from cti.ranges import SettingsError

LEAST_OCTETS: Final = 32
"""What is guessed offline must be long; 32 hexadecimal digits are 128 bits."""
MOST_OCTETS: Final = 4096
_REMEDY: Final = "`(umask 077; openssl rand -hex 32 > FILE)` makes one"


def read_secret(path: Path, key: str) -> bytes:
    """Read it, without white space around it.

    Raises:
        SettingsError: it cannot be read, others can read it, or it is too short.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            secret = file.read(MOST_OCTETS + 1).strip()
    except OSError as error:
        raise SettingsError(f"{key}: {path}: {error.strerror}; {_REMEDY}") from None
    if mode & 0o077:
        raise SettingsError(f"{key}: others may read {path}; `chmod 600 {path}`")
    if not LEAST_OCTETS <= len(secret) <= MOST_OCTETS:
        words = f"has {len(secret)} characters; a secret has at least {LEAST_OCTETS}"
        raise SettingsError(f"{key}: {path} {words}, {_REMEDY}")
    return secret
