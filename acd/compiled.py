"""Compiled arithmetic of pacing and rehearsal: as `switch.compiled`, with kept code of its own.

The kept machine code lies in a folder below the one of the switch's loops, named by a digest of the
sources here, so that a change of either has it compiled anew; `python -m acd.compiled` does it ahead.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

from switch.compiled import inner

__all__ = ["entry", "inner"]

F = TypeVar("F", bound=Callable[..., Any])

_SOURCES: Final = ("compiled.py", "dialer/wilson.py", "dialer/pacing", "simulation")
"""Below `acd`: what holds compiled functions, and what they use."""
_MODULES: Final = ("acd.dialer.pacing.rule", "acd.simulation.day")


def entry(*arguments: object) -> Callable[[F], F]:
    """Compile a function that Python calls with arguments of these types, now or from the kept code."""

    def decorate(function: F) -> F:
        config = vars(numba.config)
        before = config["CACHE_DIR"]
        config["CACHE_DIR"] = _folder or before
        try:
            compiled = numba.njit(
                arguments, nogil=True, cache=_folder is not None, error_model="numpy"
            )(function)
        finally:
            config["CACHE_DIR"] = before
        return cast("F", compiled)

    return decorate


def _keep() -> str | None:
    """Make the folder of the kept code; None where none can be written."""
    below = vars(numba.config)["CACHE_DIR"]  # chosen by `switch.compiled`; empty: nowhere
    if not below:
        return None
    kept = Path(below)
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for name in _SOURCES:
        path = here / name
        for source in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(source.read_bytes())
    folder = kept / f"acd-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        is_ours = folder.stat().st_uid == os.geteuid()
    except OSError:
        return None
    if not is_ours:
        return None
    for other in kept.glob("acd-*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return str(folder)


_folder: Final = _keep()


def main() -> int:
    """Compile everything that is not compiled yet."""
    for module in _MODULES:
        importlib.import_module(module)
    sys.stdout.write("pacing and rehearsal are compiled\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
