"""The wire trace: every message as text in the log, one entry each, for whoever looks for a fault.

What it shows is what the ladders of single calls show: no keys, no proofs of passwords, no keyed digits,
and nothing that moves the cursor of a terminal. Whoever may read a log need not be able to hear calls.
"""

from __future__ import annotations

import logging

from switch.capture.masking import readable
from switch.sip.flow import Flow

wire = logging.getLogger("switch.wire")
"""At DEBUG."""


def log_message(data: bytes, flow: Flow, is_out: bool) -> None:
    """An observer of the pump: write one message down."""
    wire.debug(
        "%s %s %s:\n%s", "to" if is_out else "from", flow.transport, flow.remote, readable(data)
    )
