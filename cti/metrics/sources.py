"""Whom the collector asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crm_store.history import HistoryWriter
from cti.api.counters import ApiCounters
from cti.bus import Bus
from cti.call_records import CallRecords
from cti.centre import Centre
from cti.journal import CallJournal
from cti.loop_lag import LoopLag
from cti.settings import Settings
from cti.status import StatusBoard
from cti.switching import Switching
from switch.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Every part of the node that counts something."""

    settings: Settings
    clock: Clock
    switching: Switching
    centre: Centre
    history: HistoryWriter
    bus: Bus
    board: StatusBoard
    journal: CallJournal
    records: CallRecords
    lag: LoopLag
    waits: LoopLag
    """How long new requests had to wait for the loop's attention."""
    api: ApiCounters
    tasks: Callable[[], int]
    """Live asyncio tasks."""
