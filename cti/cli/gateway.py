"""`switchroom gateway`: the media gateways of a running server, or one of them as a process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cti.schema import GatewayStatus

_EPILOG = """examples:
  switchroom gateway list --login super
  switchroom gateway drain local-2 --login admin
  switchroom gateway undrain local-2 --login admin
  switchroom gateway --listen tcp://192.0.2.7:7000 --secret-file gateway.secret \\
      --rtp-address 192.0.2.7 --recordings /var/lib/switchroom/recordings
"""
_ACTIONS = {
    "list": "how the gateways of a running server stand: state, legs, figures",
    "drain": "give one no new calls; those that run finish there",
    "undrain": "give it new calls again",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "gateway",
        help="list and drain media gateways, or run one (the server starts its own)",
        description=(
            "With an action: the media gateways of a running server; supervisors may list them, "
            "administrators drain them. Without one: run a media gateway until it is told to stop."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    for name, words in _ACTIONS.items():
        action = actions.add_parser(name, help=words)
        if name != "list":
            action.add_argument("name", help="as `list` shows it")
        action.add_argument("--server", default="http://127.0.0.1:8080", help="where the API is")
        action.add_argument("--login", default="super" if name == "list" else "admin")
        action.add_argument(
            "--password-file",
            type=Path,
            help="file whose first line is the password, - for input; asked for without it",
        )
    _add_process(parser)


def _add_process(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--socket", default="", help="Unix socket of the control protocol")
    parser.add_argument(
        "--listen",
        default="",
        metavar="tcp://HOST:PORT",
        help="for a server on another machine, instead of --socket; not for the open internet",
    )
    parser.add_argument("--secret-file", default="", metavar="FILE", help="what both ends know")
    parser.add_argument(
        "--recordings", default="", metavar="FOLDER", help="where to record, with --listen"
    )
    parser.add_argument(
        "--advertise",
        default="",
        metavar="ADDRESS",
        help="what a NAT forwards to --rtp-address, with --listen",
    )
    parser.add_argument("--rtp-address", default="127.0.0.1")
    parser.add_argument("--rtp-ports", default="16000-31999", metavar="LOW-HIGH")
    parser.add_argument("--prompts", action="append", default=[], metavar="FOLDER")
    parser.add_argument(
        "--dtls-certificate",
        default="",
        metavar="FILE",
        help="PEM, certificate and key, for DTLS-SRTP",
    )
    parser.add_argument("--rtp-timeout", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument(
        "--linger",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long sound goes on without a call agent",
    )


def run(args: argparse.Namespace) -> int:
    """Run the action, or a gateway until it is told to stop or no call agent has come back in time."""
    return _act(args) if args.action else _run_process(args)


def _run_process(args: argparse.Namespace) -> int:
    from cti.gateway_process import run_from_options
    from cti.settings import SettingsError

    try:
        return run_from_options(args)
    except (SettingsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _act(args: argparse.Namespace) -> int:
    import asyncio

    from cti.cli.desk import password_of
    from cti.client_requests import ApiError, ServerUnreachableError

    try:
        return asyncio.run(_ask(args, password_of(args.password_file)))
    except (ApiError, ServerUnreachableError) as error:
        print(error, file=sys.stderr)
        return 1


async def _ask(args: argparse.Namespace, password: str) -> int:
    from cti.client import ApiClient

    async with ApiClient(args.server) as api:
        await api.sign_on(args.login, password)
        if args.action == "list":
            print("\n".join(line for each in await api.gateways() for line in told(each)))
            return 0
        view = await api.drain_gateway(args.name, on=args.action == "drain")
        all_ = await api.gateways()
    print(drained(view, all_) if args.action == "drain" else f"{view.name} takes new calls again.")
    return 0


def told(view: GatewayStatus) -> list[str]:
    """A gateway in words: one line, and one with its figures while it has any."""
    head = f"gateway {view.name:16} {view.state:9} {view.legs} legs"
    if view.control:
        head += f", at {view.control}"
    if view.address:
        head += f", RTP at {view.address}"
    if view.pid is not None:
        head += f", pid {view.pid}"
    lines = [head]
    figures = view.figures
    if figures:
        lines.append(
            f"    {figures.get('ports_free', 0):.0f} ports free, "
            f"{figures.get('ticks_late', 0):.0f} of {figures.get('ticks', 0):.0f} ticks late, "
            f"p99 {figures.get('lateness_p99_ms', 0):.1f} ms"
        )
    if view.lacks:
        lines.append(f"    takes no calls: it lacks prompts, such as {', '.join(view.lacks)}")
    return lines


def drained(view: GatewayStatus, all_: Sequence[GatewayStatus]) -> str:
    """What draining leaves to be waited for, and whether it leaves anything for new calls."""
    said = f"{view.name} takes no new calls and has none; it may be stopped."
    if view.legs:
        said = f"{view.name} takes no new calls; {view.legs} legs are left, see `gateway list`."
    if not any(each.state == "up" for each in all_):
        said += "\nNo gateway is left for new calls: they are refused until one is undrained."
    return said
