"""What a soak looks at every few seconds, and what must be as before at its end."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Final

from cti.metrics.reading import Figures, Name


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
    call_agent_file_backed: float
    """Octets of it that are pages of files, and not the process's own."""
    gateway_file_backed: float
    call_agent_cpu_s: float
    """CPU time so far."""
    gateway_cpu_s: float
    call_agent_files: float
    gateway_files: float
    call_agent_threads: float
    gateway_threads: float
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
    streams: float
    """Desks and wallboards that are connected."""
    registrations: float
    remembered_sources: float
    """Addresses that the guard remembers."""
    journal_octets: float
    tcp_connections: float
    blocks: float
    """Of memory, that small objects of the call agent take: at most 512 octets each."""


_FIGURES: Final[dict[str, Name]] = {
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
    "streams": "streams",
    "registrations": "registrations",
    "remembered_sources": "guard_sources",
    "journal_octets": "journal_bytes",
    "tcp_connections": "tcp_connections",
    "blocks": "python_blocks",
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
    "streams",
    "registrations",
    "tcp_connections",
    "call_agent_threads",
    "gateway_threads",
)
"""Must be at the end what it was before the load, or less."""
_LINGERING: Final = frozenset({"transactions", "timers"})
"""Live on for 32 s after their call (RFC 3261 timers H, J, K)."""
_KEPT: Final = {"call_agent_files": 30, "call_agent_threads": 40, "players": 1}
"""The database's pools grow to some ten connections of three files and a thread each, and the pools of
threads to their limits; a leaked one would be one a call. Music is one player for all that plays on."""
_FILES_GROWTH: Final = 1.25
_LEAST_SAMPLES: Final = 50
_JOURNAL_OCTETS: Final = 16 * 2**20
"""The file is written anew when it has become so long."""


def sample_of(
    figures: Figures,
    *,
    seconds: float,
    calls: int,
    failed: int,
    threads: tuple[int, int],
    file_backed: tuple[int, int],
    cpu_s: tuple[float, float],
) -> Sample:
    """One row from one scrape; the pairs are those of call agent and gateway."""
    found = {field: figures.get(name) for field, name in _FIGURES.items()}
    return Sample(
        seconds=round(seconds, 1),
        calls=calls,
        failed=failed,
        call_agent_threads=threads[0],
        gateway_threads=threads[1],
        call_agent_file_backed=file_backed[0],
        gateway_file_backed=file_backed[1],
        call_agent_cpu_s=round(cpu_s[0], 2),
        gateway_cpu_s=round(cpu_s[1], 2),
        **found,
    )


def left_over(
    before: Sample, after: Sample, between: Sequence[Sample] = (), *, linger: bool = True
) -> list[str]:
    """What the server holds at the end that it did not hold before, in words; empty: nothing.

    Without `linger` what lives on for a while by design is not asked for. The gateway keeps the
    sockets that it needed at its busiest, so its files are compared with those of the first half.
    """
    found = []
    for name in _NO_MORE:
        if name in _LINGERING and not linger:
            continue
        allowed = getattr(before, name) + _KEPT.get(name, 0)
        if getattr(after, name) > allowed:
            found.append(f"{name}: {getattr(after, name):.0f}, {getattr(before, name):.0f} before")
    if after.ports_free < before.ports_free:
        found.append(f"ports_free: {after.ports_free:.0f}, {before.ports_free:.0f} before")
    if after.journal_octets > _JOURNAL_OCTETS:
        found.append(f"journal: {after.journal_octets:.0f} octets")
    early = max((sample.gateway_files for sample in between[: len(between) // 2]), default=0.0)
    if len(between) >= _LEAST_SAMPLES and after.gateway_files > _FILES_GROWTH * early:
        found.append(
            f"gateway_files: {after.gateway_files:.0f}, at most {early:.0f} in the first half"
        )
    return found


def write_csv(path: Path, samples: Sequence[Sample]) -> None:
    """All samples, one a line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(Sample)])
        writer.writerows(astuple(sample) for sample in samples)
