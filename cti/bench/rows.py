"""One line of the report, and the figures of other switches that stand beside ours.

The references were not measured by us here: they are given, from a machine of the same kind (two shared
cores, G.711 of 20 ms, loopback, CPU of the whole server), so that ours can be read in the same terms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What others need for the same work."""

    asterisk: str = ""
    freeswitch: str = ""
    rtpengine: str = ""


NO_REFERENCE: Final = Reference()
REFERENCES: Final = {
    "bridged": Reference(
        asterisk="2.5 ms", freeswitch="3.0–3.4 ms", rtpengine="0.61–0.90 ms, relay only"
    ),
    "mixed": Reference(asterisk="3.8 ms"),
    "recorded": Reference(asterisk="5.3–6.0 ms", freeswitch="4.6–5.1 ms"),
    "set-up": Reference(asterisk="4.6 ms", freeswitch="14–16 ms"),
    "rate": Reference(asterisk="300/s on two cores, collapses at 400", freeswitch="130–160/s"),
    "menu": Reference(asterisk="54–77 ms", freeswitch="61 ms"),
    "digit": Reference(asterisk="p50 4–5, p95 7–8 ms", freeswitch="p50 79 ms"),
    "invite": Reference(asterisk="p50 1.5, p95 2.6 ms"),
    "memory": Reference(asterisk="0.45 MiB", freeswitch="0.75 MiB", rtpengine="0.08 MiB"),
    "burst": Reference(asterisk="0.6–1.5 GiB left"),
    "delay": Reference(asterisk="about 0.1 ms"),
}
"""Asterisk 23.4.1, FreeSWITCH 1.11.2 (with mod_callcenter), rtpengine 10.5 in user space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the report."""

    what: str
    measured: str
    reach: str = ""
    """What is to be reached; empty: only shown."""
    reached: bool = True
    reference: Reference = NO_REFERENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How much is measured."""

    calls: int = 1000
    """Bridged calls for the sound."""
    seconds: float = 10.0
    """How long each is measured."""
    rate: float = 100.0
    """Calls a second to set up."""


@dataclass(slots=True)
class Outcome:
    """Rows for people, raw figures for programs."""

    rows: list[Row] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)

    def add(
        self, what: str, measured: str, reach: str = "", reached: bool = True, like: str = ""
    ) -> None:
        """Add a row; `like` names the reference."""
        reference = REFERENCES[like] if like else NO_REFERENCE
        self.rows.append(
            Row(what=what, measured=measured, reach=reach, reached=reached, reference=reference)
        )


Say = Callable[[str], None]
"""Tells who waits what is being measured now."""
