"""Who looks at signalling in a running server: the capture server, and the trace of calls."""

from __future__ import annotations

from collections.abc import Callable

from cti.settings import CaptureSection
from cti.settings_check import HOST_PORT
from switch.capture.hep import Encoder
from switch.capture.homer import Homer
from switch.capture.trace import Trace
from switch.clock import Clock
from switch.sip.flow import Flow

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
        return tuple(each.message for each in (self.homer, self.trace) if each is not None)

    def close(self) -> None:
        """Report no more."""
        if self.homer is not None:
            self.homer.close()
