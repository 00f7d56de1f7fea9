"""Compiled loops: the few functions that touch every packet or every sample, as machine code.

`numba` compiles a function of plain arithmetic on arrays when its module is imported, for the types
that are named at it, and keeps the result on disk. An entry point is called from Python and runs
without the interpreter's lock, so that threads which write files go on meanwhile; an inner function
is called by entry points only, and becomes part of them.

    @entry(TABLE, INTS, INT)              @inner
    def take(legs, rows, count): ...      def step_of(later, earlier): ...

The kept machine code lies in a folder whose name is a digest of all sources that may be compiled:
numba itself asks only whether the file of the entry point has changed, not those that it calls.
Compiling all takes about half a minute, once a version; see `python -m switch.compiled`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from numba import types

_log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])

INT: Final = types.int64
REAL: Final = types.float64
BOOL: Final = types.boolean
INTS: Final = types.int64[::1]
REALS: Final = types.float32[::1]
FDS: Final = types.int32[::1]
FLAGS: Final = types.boolean[::1]
FLAG_ROWS: Final = types.boolean[:, ::1]
OCTETS: Final = types.uint8[::1]
OCTET_ROWS: Final = types.uint8[:, ::1]
"""Packets or frames, one a row."""
OCTET_BLOCKS: Final = types.uint8[:, :, ::1]
REAL_ROWS: Final = types.float32[:, ::1]
OCTET_TABLE: Final = types.Array(types.uint8, 2, "C", readonly=True)
OCTET_LIST: Final = types.Array(types.uint8, 1, "C", readonly=True)
SAMPLE_TABLE: Final = types.Array(types.int16, 2, "C", readonly=True)

_SOURCES: Final = ("compiled.py", "libc.py", "rtp", "srtp", "media", "gateway")
"""Below `switch`: what holds compiled functions, and what they use."""
_MODULES: Final = ("switch.gateway.server",)
"""Importing these imports every module that has entry points."""

_SAY_EVERY_S: Final = 3.0


def table_of(record: np.dtype[Any]) -> Any:
    """The type of a table: a one-dimensional array of `record`s."""
    return numba.from_dtype(record)[::1]


def tuple_of(kind: type[tuple[Any, ...]], *fields: object) -> Any:
    """The type of a NamedTuple whose fields have these types, in its order."""
    named: Any = types.NamedTuple
    return named(fields, kind)


def entry(*arguments: object) -> Callable[[F], F]:
    """Compile a function that Python calls with arguments of these types, now or from the kept code."""

    def decorate(function: F) -> F:
        compiled = numba.njit(arguments, nogil=True, cache=_keeps, error_model="numpy")(function)
        _progress.one_more()
        return cast("F", compiled)

    return decorate


def inner(function: F) -> F:
    """Compile a function into the entry points that call it."""
    return cast("F", numba.njit(nogil=True, error_model="numpy")(function))


def external(name: str, returns: Any, *arguments: object) -> Any:
    """A function of the C library, for use inside compiled ones."""
    return types.ExternalFunction(name, returns(*arguments))


def _keep() -> bool:
    """Choose the folder of the kept code; False where none can be written: then it is compiled each time."""
    here = Path(__file__).parent
    digest = hashlib.sha256(numba.__version__.encode())
    for name in _SOURCES:
        path = here / name
        for source in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(source.read_bytes())
    name = f"switchroom-{digest.hexdigest()[:16]}"
    in_tree = here / "__pycache__"
    for parent in (in_tree, *_caches()):
        folder = parent / name
        try:
            is_new = not folder.exists()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # What is there will be run: nobody else may have put it there.
            is_ours = folder.stat().st_uid == os.geteuid()
        except OSError:
            continue
        if not is_ours or not os.access(folder, os.W_OK):
            continue
        if parent == in_tree:
            for other in parent.glob("switchroom-*"):
                if other != folder:
                    shutil.rmtree(other, ignore_errors=True)
        if is_new:
            _log.warning("compiling the sound engine, once a version: about half a minute")
        vars(numba.config)["CACHE_DIR"] = str(folder)
        return True
    return False


def _caches() -> list[Path]:
    """Where else code may be kept, when the installation is another user's or cannot be written."""
    given = os.environ.get("XDG_CACHE_HOME")
    caches = [Path(given)] if given else []
    with contextlib.suppress(RuntimeError):  # a service's user may have no home
        caches.append(Path.home() / ".cache")
    return [*caches, Path(tempfile.gettempdir())]


class Progress:
    """Says how far the compiling is while it takes long, as at the first start of a version."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._done = 0
        self._began = self._said_at = clock()
        self._has_said = False

    def one_more(self) -> None:
        """A function is compiled, or was taken from the kept code."""
        self._done += 1
        now = self._clock()
        if self._done == self._total and self._has_said:
            _log.warning("the sound engine is compiled (%.0f s)", now - self._began)
        elif now - self._said_at >= _SAY_EVERY_S and self._done < self._total:
            self._said_at, self._has_said = now, True
            _log.warning(
                "compiling the sound engine, once a version: %d of %d functions, %.0f s",
                self._done,
                self._total,
                now - self._began,
            )


def count_entries() -> int:
    """How many functions `entry` will be asked to compile."""
    here = Path(__file__).parent
    paths = [here / name for name in _SOURCES]
    sources = (each for path in paths for each in (path.glob("*.py") if path.is_dir() else [path]))
    return sum(
        line.startswith("@entry(")
        for source in sources
        for line in source.read_text(encoding="utf-8").splitlines()
    )


_keeps: Final = _keep()
_progress: Final = Progress(count_entries())


def main() -> int:
    """Compile everything that is not compiled yet."""
    began = time.monotonic()
    for module in _MODULES:
        importlib.import_module(module)
    sys.stdout.write(f"the sound engine is compiled ({time.monotonic() - began:.1f} s)\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
