"""When the compiled part of pacing is loaded: at the first pacer, or in the background of a server.

Loading takes half a second, and some ten once for each version, in which nothing else should have to
wait. A server calls `defer` before it makes pacers and `load` in a thread; until then its pacers
keep their news and dial one for each free agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from acd.dialer.pacing.engine import Engine


class _Loader:
    def __init__(self) -> None:
        self.is_deferred = False
        self.engine: type[Engine] | None = None


_loader = _Loader()


def defer() -> None:
    """From now on nothing is loaded unless `load` is called."""
    _loader.is_deferred = True


def is_missing() -> bool:
    """Whether it is not loaded, and will not be unless `load` is called."""
    return _loader.is_deferred and _loader.engine is None


def load() -> None:
    """Load it, if it is not loaded yet. May be called in any thread."""
    from acd.dialer.pacing.engine import Engine

    _loader.engine = Engine


def engine() -> type[Engine] | None:
    """The compiled part; None while it is not there yet."""
    if _loader.engine is None and not _loader.is_deferred:
        load()
    return _loader.engine
