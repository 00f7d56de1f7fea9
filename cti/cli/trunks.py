"""`switchroom trunks`: how the carriers of a running server stand, and where numbers leave."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cti.counted import counted

if TYPE_CHECKING:
    from cti.schema import RouteView, TrunkView

_EPILOG = """examples:
  switchroom trunks --login super --password-file ~/.switchroom-password
  switchroom trunks route +12025550123 --from 1001 --login super
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "trunks",
        help="how trunks stand, and why a number leaves where it leaves",
        description=(
            "Lists trunks and groups of a running server: registered until when, addresses up or "
            "down, calls. `route` tells step by step where a number leads that a phone dials now, "
            "and what it costs; nothing is called. For supervisors and administrators."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_server(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    route = actions.add_parser("route", help="where a number leads, step by step")
    route.add_argument("number", help="as it is dialled")
    route.add_argument("--from", dest="by", default="", metavar="PHONE", help="who dials it")
    _add_server(route)


def _add_server(parser: argparse.ArgumentParser) -> None:
    same = argparse.SUPPRESS  # what stands before the action holds, unless it is said again
    is_main = parser.prog.endswith("trunks")
    server = "http://127.0.0.1:8080" if is_main else same
    parser.add_argument("--server", default=server, help="where the API is")
    parser.add_argument("--login", default="super" if is_main else same)
    parser.add_argument(
        "--password-file",
        type=Path,
        default=None if is_main else same,
        help="file whose first line is the password, - for input; asked for without it",
    )


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    import asyncio

    from cti.cli.desk import password_of
    from cti.client_requests import ApiError, ServerUnreachableError

    try:
        return asyncio.run(_act(args, password_of(args.password_file)))
    except (ApiError, ServerUnreachableError) as error:
        print(error, file=sys.stderr)
        return 1


async def _act(args: argparse.Namespace, password: str) -> int:
    from cti.client import ApiClient

    async with ApiClient(args.server) as api:
        await api.sign_on(args.login, password)
        if args.action == "route":
            print("\n".join(told_route(await api.route(args.number, args.by))))
        else:
            lines = [line for trunk in await api.trunks() for line in told_trunk(trunk)]
            print("\n".join(lines) if lines else "There are no trunks.")
    return 0


def told_trunk(trunk: TrunkView) -> list[str]:
    """A trunk or group in words: one line, and one for each registration and address."""
    kind = "group" if trunk.is_group else "trunk"
    calls = counted(trunk.max_calls or trunk.calls, "call")
    if trunk.max_calls:
        calls = f"{trunk.calls} of {calls}"
    head = f"{kind} {trunk.name:20} {'up' if trunk.up else 'DOWN':5} {calls}"
    if trunk.max_calls_per_second:
        head += f", {trunk.calls_per_second} of {trunk.max_calls_per_second} a second"
    if trunk.is_group:
        head += f", of {', '.join(trunk.members)}"
    lines = [head]
    for each in trunk.registrations:
        if each.registered:
            words = f"registered until {_at(each.until)}"
        else:
            words = f"NOT REGISTERED, tried again at {_at(each.next_at)}"
        failed = f"; {each.failures} failures, {each.last_failure}" if each.failures else ""
        lines.append(f"    {each.registrar}  {words}{failed}")
    for address in trunk.addresses:
        failed = ""
        if address.last_failure:
            failed = f"; last failure {_at(address.last_failure_at)}: {address.last_failure}"
        lines.append(f"    {address.address}  {address.state}{failed}")
    return lines


def told_route(route: RouteView) -> list[str]:
    """The way to a decision, one step a line."""
    lines = [f"{number:3}. {step.words}" for number, step in enumerate(route.steps, 1)]
    lines.append(f"{route.words}.")
    if len(route.attempts) > 1:
        lines.append("Tried one after the other until one takes it:")
    for number, each in enumerate(route.attempts, 1):
        cost = f", {each.cost} a minute" if each.cost else ""
        caller = each.caller or "withheld"
        lines.append(
            f"  {number}. {each.trunk} at {each.address}: the number sent is {each.number}, "
            f"the caller shown {caller}{cost}"
        )
    return lines


def _at(moment: float | None) -> str:
    if moment is None:
        return "-"
    return f"{datetime.fromtimestamp(moment).astimezone():%Y-%m-%d %H:%M:%S}"
