"""The composition root of the media gateway process: the engine of `switch`, the recorder of `recordings`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from cti.serving_limits import raise_open_files
from cti.settings import port_range
from recordings.capture import SegmentedRecorder
from switch.gateway.server import run_gateway
from switch.gateway.settings import GatewaySettings

MIN_FREE_OCTETS: Final = 256 << 20
"""With less room on the disk no recording begins: the database and the logs need it more."""


def run_from_options(args: argparse.Namespace) -> int:
    """Run the gateway until told to stop.

    Raises:
        SettingsError: the port range cannot be used.
    """
    low, high = port_range(args.rtp_ports, "--rtp-ports")
    raise_open_files()
    settings = GatewaySettings(
        socket_path=Path(args.socket),
        rtp_address=args.rtp_address,
        rtp_port_low=low,
        rtp_port_high=high,
        prompt_folders=tuple(Path(folder) for folder in args.prompts),
        dtls_certificate=Path(args.dtls_certificate) if args.dtls_certificate else None,
        rtp_timeout_s=args.rtp_timeout,
        linger_s=args.linger,
    )
    return run_gateway(settings, SegmentedRecorder(min_free_octets=MIN_FREE_OCTETS))
