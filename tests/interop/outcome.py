"""What a run with somebody else's software showed."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.kit.lab import Lab


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that must work between us and a program of others."""

    name: str
    program: str
    """What must be on the path."""
    package: str
    """Debian's package with it."""
    run: Callable[[Lab], Awaitable[str]]
    """Gives what was seen in a few words; raises AssertionError or TimeoutError where it does not work."""

    sip: str = ""
    """Lines of the server's section `[sip]`."""

    @property
    def is_installed(self) -> bool:
        """Whether it can be run here."""
        return shutil.which(self.program) is not None
