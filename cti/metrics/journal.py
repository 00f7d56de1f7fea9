"""The journal from which the next process takes the calls up."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from cti.metrics.families import counter, gauge
from cti.metrics.sources import Sources


def families(sources: Sources) -> Iterator[Metric]:
    """How long it is, and what could not be written."""
    journal = sources.journal
    file = journal.file
    whole = 1 if file.is_whole else 0
    yield gauge("journal_whole", "1 while a restart would find every call.", whole)
    yield gauge("journal_live_records", "Records that count.", file.live)
    yield gauge("journal_bytes", "Length of the file.", file.octets)
    yield counter("journal_records", "Records written.", file.records)
    yield counter("journal_failures", "Turns whose records could not be written.", file.failures)
    yield counter("journal_slow_writes", "Writes that took longer than 5 ms.", file.slow)
    yield counter("journal_rewrites", "Times the file was written anew.", file.rewrites)
    yield counter("journal_seconds", "Spent in writing.", journal.seconds)
