"""The other end of `/metrics`: figures of a running server, read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import httpx
from prometheus_client.parser import text_string_to_metric_families

_PATIENCE_S = 5.0

Name = Literal[
    "api_displaced_total",
    "api_sign_ons_total",
    "api_slow_cut_total",
    "asyncio_tasks",
    "attempts_refused_total",
    "attempts_unsettled",
    "call_faults_total",
    "call_records_left_out_total",
    "calls",
    "calls_refused_total",
    "calls_shed_total",
    "campaign_abandon_cap_ratio",
    "campaign_abandon_enforced_ratio",
    "campaign_abandon_held_ratio",
    "campaign_blocked",
    "campaign_decisions_dropped_total",
    "campaign_running",
    "campaigns_unusable",
    "capture_packets_total",
    "contacts",
    "contacts_displaced_total",
    "digits_dropped_total",
    "event_loop_lag_max_seconds",
    "event_loop_late_total",
    "gateway_digits_dropped_total",
    "gateway_events_lost_total",
    "gateway_handshakes_dropped_total",
    "gateway_handshakes_refused_total",
    "gateway_legs",
    "gateway_packets_dropped_total",
    "gateway_packets_stray_total",
    "gateway_players",
    "gateway_ports_free",
    "gateway_process_open_fds",
    "gateway_process_resident_memory_bytes",
    "gateway_recordings",
    "gateway_tick_lateness_p99_seconds",
    "gateway_ticks_dropped_total",
    "gateway_ticks_late_total",
    "gateway_ticks_total",
    "gateway_up",
    "gateways_legs",
    "gateways_taking",
    "gateways_up",
    "guard_banned",
    "guard_bans_total",
    "guard_dropped_total",
    "guard_passwords_put_off_total",
    "guard_sources",
    "guard_sources_forgotten_total",
    "history_pending_rows",
    "history_rows_total",
    "journal_bytes",
    "journal_failures_total",
    "journal_records_total",
    "journal_slow_writes_total",
    "journal_whole",
    "legs",
    "limit",
    "limit_used",
    "names_missing",
    "process_open_fds",
    "process_resident_memory_bytes",
    "python_blocks",
    "gateway_losses_total",
    "recordings_broken_total",
    "registrations",
    "sip_connections",
    "sip_dropped_total",
    "sip_held_dropped_total",
    "sip_listener_port",
    "sip_malformed_total",
    "sip_messages_sent_total",
    "sip_oddities_total",
    "sip_retransmissions_total",
    "sip_sessions",
    "sip_shed_total",
    "sip_timers",
    "sip_transactions",
    "store_up",
    "streams",
    "streams_cut_total",
    "subscribes_total",
    "subscriptions_ended_total",
    "tcp_connections",
    "tcp_events_total",
    "tls_certificate_not_after_seconds",
    "trunk_registrars",
    "trunk_registrations",
    "trunk_up",
    "udp_dropped_total",
    "udp_missed_total",
    "uptime_seconds",
]
"""What the doctor and the soak read of a server. A test looks for each in what a real one exports."""


class Figures:
    """One scrape. Names are without the prefix `switchroom_`, and those of processes as they are."""

    def __init__(self, text: str) -> None:
        """Read the text format. Raises ValueError for anything else."""
        self._samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name = sample.name.removeprefix("switchroom_")
                self._samples[name, frozenset(sample.labels.items())] = sample.value

    def get(self, name: Name, **labels: str) -> float:
        """One figure; 0.0 where the server does not have it."""
        return self._samples.get((name, frozenset(labels.items())), 0.0)

    def has(self, name: Name) -> bool:
        """Whether the server has this figure, with any labels."""
        return any(key == name for key, _ in self._samples)

    def by(self, name: Name, label: str) -> Iterator[tuple[str, float]]:
        """Every value of a label, with its figure."""
        for (key, labels), value in self._samples.items():
            if key == name:
                found = dict(labels)
                if label in found:
                    yield found[label], value

    def pairs(self, name: Name, label: str, other: str) -> Iterator[tuple[str, str]]:
        """Every pair of values of two labels whose figure is not 0."""
        for (key, labels), value in self._samples.items():
            found = dict(labels)
            if key == name and value and label in found and other in found:
                yield found[label], found[other]

    def sum(self, name: Name) -> float:
        """All figures of this name together."""
        return sum(value for (key, _), value in self._samples.items() if key == name)


async def read_figures(client: httpx.AsyncClient, url: str) -> Figures:
    """Scrape a server on this machine. Raises httpx.HTTPError, ValueError."""
    answer = await client.get(f"{url}/metrics", timeout=_PATIENCE_S)
    answer.raise_for_status()
    return Figures(answer.text)
