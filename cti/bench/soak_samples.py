"""What a soak looks at every few seconds, and what must be as before at its end."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Final

from cti.metrics.reading import Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look at the server."""

    seconds: float
    """Since the load began."""
    calls: int
    """Begun so far."""
    failed: int
    call_agent_rss: float
    """Octets."""
    gateway_rss: float
    call_agent_files: float
    gateway_files: float
    live_calls: float
    legs: float
    gateway_legs: float
    players: float
    recordings: float
    ports_free: float
    contacts: float
    sessions: float
    transactions: float
    timers: float
    tasks: float
    history_pending: float
    loop_lag_max_s: float
    ticks_late: float
    shed: float
    faults: float


_FIGURES: Final = {
    "call_agent_rss": "process_resident_memory_bytes",
    "gateway_rss": "gateway_process_resident_memory_bytes",
    "call_agent_files": "process_open_fds",
    "gateway_files": "gateway_process_open_fds",
    "live_calls": "calls",
    "legs": "legs",
    "gateway_legs": "gateway_legs",
    "players": "gateway_players",
    "recordings": "gateway_recordings",
    "ports_free": "gateway_ports_free",
    "contacts": "contacts",
    "sessions": "sip_sessions",
    "transactions": "sip_transactions",
    "timers": "sip_timers",
    "tasks": "asyncio_tasks",
    "history_pending": "history_pending_rows",
    "loop_lag_max_s": "event_loop_lag_max_seconds",
    "ticks_late": "gateway_ticks_late_total",
    "shed": "calls_shed_total",
    "faults": "call_faults_total",
}
_NO_MORE: Final = (
    "call_agent_files",
    "live_calls",
    "legs",
    "gateway_legs",
    "players",
    "recordings",
    "contacts",
    "sessions",
    "transactions",
    "timers",
    "tasks",
    "history_pending",
)
"""Must be at the end what it was before the load, or less."""
_LINGERING: Final = frozenset({"transactions", "timers"})
"""Live on for 32 s after their call (RFC 3261 timers H, J, K)."""
_FILES_KEPT: Final = 30
"""The database's pools grow to some ten connections of three files; a leaked file would be one a call."""


def sample_of(figures: Figures, *, seconds: float, calls: int, failed: int) -> Sample:
    """One row from one scrape."""
    found = {field: figures.get(name) for field, name in _FIGURES.items()}
    return Sample(seconds=round(seconds, 1), calls=calls, failed=failed, **found)


def left_over(before: Sample, after: Sample, *, linger: bool = True) -> list[str]:
    """What the server holds at the end that it did not hold before, in words; empty: nothing.

    Without `linger` what lives on for a while by design is not asked for.
    """
    found = []
    for name in _NO_MORE:
        if name in _LINGERING and not linger:
            continue
        allowed = getattr(before, name) + (_FILES_KEPT if name == "call_agent_files" else 0)
        if getattr(after, name) > allowed:
            found.append(f"{name}: {getattr(after, name):.0f}, {getattr(before, name):.0f} before")
    if after.ports_free < before.ports_free:
        found.append(f"ports_free: {after.ports_free:.0f}, {before.ports_free:.0f} before")
    return found


def write_csv(path: Path, samples: Sequence[Sample]) -> None:
    """All samples, one a line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(Sample)])
        writer.writerows(astuple(sample) for sample in samples)
