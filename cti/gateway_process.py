"""The composition root of the media gateway process: the engine of `switch`, the recorder of `recordings`."""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path
from typing import Final

from cti.paths import shipped
from cti.serving_limits import raise_open_files
from cti.settings import SettingsError, port_range
from cti.shared_secret import read_secret
from recordings.capture import SegmentedRecorder
from switch.gateway.place import TcpPlace, read_tcp
from switch.gateway.server import run_gateway
from switch.gateway.settings import GatewaySettings
from switch.srtp.certificate import own_dtls_certificate

MIN_FREE_OCTETS: Final = 256 << 20
"""With less room on the disk no recording begins: the database and the logs need it more."""
_LAST_S: Final = 1.0
"""The gateway has waited for its recordings already."""


def run_from_options(args: argparse.Namespace) -> int:
    """Run the gateway until told to stop.

    Raises:
        SettingsError: the port range, the secret or another option cannot be used.
        OSError: the control socket cannot be made.
    """
    settings = settings_of_remote(args) if args.listen else settings_of_child(args)
    raise_open_files()
    recorder = SegmentedRecorder(min_free_octets=MIN_FREE_OCTETS)
    status = run_gateway(settings, recorder)
    if status == 0:  # else recordings run that nobody has closed, and recovery has more of them
        recorder.stop(_LAST_S)
    return status


def settings_of_child(args: argparse.Namespace) -> GatewaySettings:
    """A gateway that a call agent on this machine starts. Raises SettingsError."""
    if not args.socket:
        raise SettingsError("give --socket, or --listen with --secret-file and --recordings")
    low, high = port_range(args.rtp_ports, "--rtp-ports")
    return GatewaySettings(
        place=Path(args.socket),
        rtp_address=args.rtp_address,
        rtp_port_low=low,
        rtp_port_high=high,
        prompt_folders=tuple(Path(folder) for folder in args.prompts),
        dtls_certificate=Path(args.dtls_certificate) if args.dtls_certificate else None,
        rtp_timeout_s=args.rtp_timeout,
        linger_s=args.linger,
    )


def settings_of_remote(args: argparse.Namespace) -> GatewaySettings:
    """A gateway that call agents on other machines connect to. Raises SettingsError, OSError."""
    if not (args.secret_file and args.recordings):
        raise SettingsError("--listen needs --secret-file and --recordings")
    try:
        host, port = read_tcp(args.listen)
    except ValueError as error:
        raise SettingsError(f"--listen: {error}") from None
    secret = read_secret(Path(args.secret_file), "--secret-file")
    low, high = port_range(args.rtp_ports, "--rtp-ports")
    logging.basicConfig(
        level="INFO", format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True
    )
    certificate = Path(args.dtls_certificate) if args.dtls_certificate else None
    fingerprint = "" if certificate is None else own_dtls_certificate(certificate, time.time())
    recordings = Path(args.recordings).absolute()
    recordings.mkdir(mode=0o750, parents=True, exist_ok=True)
    return GatewaySettings(
        place=TcpPlace(host, port, secret),
        rtp_address=args.rtp_address,
        rtp_port_low=low,
        rtp_port_high=high,
        prompt_folders=(*(Path(folder) for folder in args.prompts), shipped("prompts")),
        dtls_certificate=certificate,
        dtls_fingerprint=fingerprint,
        rtp_timeout_s=args.rtp_timeout,
        linger_s=args.linger,
        recordings=recordings,
        advertise=args.advertise,
    )
