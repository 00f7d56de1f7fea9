"""Options that several commands share: the configuration and what may override it."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from cti.paths import shipped
from cti.settings import Settings, SettingsError, load, port_range


def add_site(parser: argparse.ArgumentParser) -> None:
    """Add `--config` and `--data-dir`, the same for every command that asks what a server would use."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="configuration file (default: switchroom.toml here, else the shipped lab)",
    )
    parser.add_argument(
        "--data-dir",
        metavar="FOLDER",
        help="where database and recordings are (default: what the configuration says)",
    )


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config` and the overrides of a running server."""
    add_site(parser)
    parser.add_argument("--sip-port", type=int, metavar="PORT", help="SIP over UDP and TCP")
    for kind in ("TLS", "WS", "WSS"):
        parser.add_argument(
            f"--{kind.lower()}-port", type=int, metavar="PORT", help=f"SIP over {kind}; 0: none"
        )
    parser.add_argument("--http-port", type=int, metavar="PORT", help="HTTP and WebSocket API")
    parser.add_argument("--rtp-ports", metavar="LOW-HIGH", help="RTP port range")
    parser.add_argument(
        "--load-agent-port", type=int, metavar="PORT", help="where static phones are (lab: 6000)"
    )
    parser.add_argument(
        "--out-port", type=int, metavar="PORT", help="where trunk `out` leads (lab: 5090)"
    )


def site_from(args: argparse.Namespace) -> Settings:
    """Load the configuration that the options of `add_site` name.

    Raises:
        SettingsError: the file cannot be used.
    """
    settings = load(args.config or _default())
    if args.data_dir is None:
        return settings
    replace = msgspec.structs.replace
    return replace(settings, data=replace(settings.data, folder=args.data_dir))


def settings_from(args: argparse.Namespace) -> Settings:
    """Load the configuration that the options name and apply the overrides.

    Raises:
        SettingsError: the file or an option cannot be used.
    """
    settings = site_from(args)
    replace = msgspec.structs.replace
    if args.sip_port is not None:
        settings = replace(
            settings, sip=replace(settings.sip, port=_port(args.sip_port, "--sip-port"))
        )
    for name in ("tls_port", "ws_port", "wss_port"):
        if (port := getattr(args, name)) is not None:
            port = _port(port, f"--{name.replace('_', '-')}")
            settings = replace(settings, sip=replace(settings.sip, **{name: port}))
    if args.http_port is not None:
        settings = replace(
            settings, api=replace(settings.api, port=_port(args.http_port, "--http-port"))
        )
    if args.rtp_ports is not None:
        port_range(args.rtp_ports, "--rtp-ports")
        settings = replace(settings, media=replace(settings.media, ports=args.rtp_ports))
    if args.load_agent_port is not None:
        phones = tuple(
            replace(
                phone, binding=_with_port(phone.binding, args.load_agent_port, "--load-agent-port")
            )
            if phone.binding
            else phone
            for phone in settings.phones
        )
        settings = replace(settings, phones=phones)
    if args.out_port is not None:
        trunks = tuple(
            replace(trunk, proxy=_with_port(trunk.proxy, args.out_port, "--out-port"))
            if trunk.proxy
            else trunk
            for trunk in settings.trunks
        )
        settings = replace(settings, trunks=trunks)
    return settings


def _default() -> Path:
    here = Path("switchroom.toml")
    return here if here.exists() else shipped("lab.toml")


def _port(port: int, option: str) -> int:
    if not 0 <= port <= 65535:
        raise SettingsError(f"{option}: {port} is no port; give one from 0 (any free) to 65535")
    return port


def _with_port(uri: str, port: int, option: str) -> str:
    """The URI with another port; its parameters stay."""
    address, semicolon, parameters = uri.partition(";")
    base, separator, last = address.rpartition(":")
    host = base if separator and last.isdigit() else address
    return f"{host}:{_port(port, option)}{semicolon}{parameters}"
