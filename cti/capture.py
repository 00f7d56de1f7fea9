"""Who looks at signalling in a running server: the capture server, the trace of calls, the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import msgspec

from cti.call_records import CallRecords
from cti.leg_notes import LegNotes
from cti.settings import CaptureSection
from cti.settings_check import HOST_PORT
from switch.capture.hep import Encoder
from switch.capture.homer import Homer
from switch.capture.trace import Trace
from switch.capture.wire_log import log_message, wire
from switch.clock import Clock
from switch.gateway.protocol import LegStats
from switch.sdp.codecs import KNOWN
from switch.sip.flow import Flow

_G711: Final = KNOWN["PCMU"]

Observer = Callable[[bytes, Flow, bool], None]


class Capture:
    """What the section `[capture]` asks for."""

    def __init__(self, section: CaptureSection, clock: Clock) -> None:
        self.homer: Homer | None = None
        self.trace: Trace | None = None
        if section.hep:
            found = HOST_PORT.match(section.hep)
            if found is None:
                raise ValueError(f"capture.hep: write host:port, not {section.hep!r}")
            target = (found["host"].strip("[]"), int(found["port"]))
            encoder = Encoder(section.hep_id, section.hep_password)
            self.homer = Homer(target, encoder, clock.wall)
        if section.trace_megabytes:
            self.trace = Trace(clock.now, section.trace_megabytes << 20)

    @property
    def observers(self) -> tuple[Observer, ...]:
        """Those who are shown every message; none costs nothing."""
        found: list[Observer] = [
            each.message for each in (self.homer, self.trace) if each is not None
        ]
        if wire.isEnabledFor(logging.DEBUG):  # `serve --trace-sip`
            found.append(log_message)
        return tuple(found)

    def follow(self, records: CallRecords) -> None:
        """Hear from the records which dialogs live, and how legs sounded."""
        records.on_figures = self.figures
        records.on_dialog = self.dialog

    def dialog(self, call_id: str, lives: bool) -> None:
        """A dialog of a call begins to live, or is over."""
        if self.trace is None:
            return
        if lives:
            self.trace.begin(call_id)
        else:
            self.trace.end(call_id)

    def figures(self, notes: LegNotes, stats: LegStats) -> None:
        """Report how a leg sounded, as the receiver report that its RTCP would have been."""
        if self.homer is None or notes.flow is None or not notes.call_ids:
            return
        ticks_a_ms = KNOWN.get(notes.codec, _G711).clock_rate / 1000
        lost = stats.packets_lost
        expected = stats.packets_received + lost
        report = {
            "type": 201,
            "report_count": 1,
            "report_blocks": [
                {
                    "fraction_lost": int(256 * lost / expected) if expected else 0,
                    "packets_lost": lost,
                    "ia_jitter": round(stats.jitter_ms * ticks_a_ms),
                }
            ],
            "packets_received": stats.packets_received,
            "packets_sent": stats.packets_sent,
            "remote_lost": stats.remote_lost,
            "rtt_ms": stats.rtt_ms,
            "mos": stats.mos,
        }
        self.homer.report(
            msgspec.json.encode(report), notes.flow, is_out=True, correlation=notes.call_ids[-1]
        )

    def close(self) -> None:
        """Report no more."""
        if self.homer is not None:
            self.homer.close()
