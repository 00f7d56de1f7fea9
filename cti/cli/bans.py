"""`switchroom bans`: who is shut out of a running server, and letting them in again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cti.schema_bans import BanView

_EPILOG = """examples:
  switchroom bans list --login super --password-file ~/.switchroom-password
  switchroom bans lift 198.51.100.7 --login admin
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "bans",
        help="list the addresses that are shut out, and let them in",
        description=(
            "Addresses that guess passwords, flood or scan are shut out for a while; bans end by "
            "themselves. Supervisors may list them, administrators lift them."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="who is banned, until when, and why")
    lifting = actions.add_parser("lift", help="end a ban now")
    lifting.add_argument("source", help="the address or network, as `list` shows it")
    for action in (listing, lifting):
        action.add_argument("--server", default="http://127.0.0.1:8080", help="where the API is")
        action.add_argument("--login", required=True)
        action.add_argument(
            "--password-file",
            type=Path,
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
        if args.action == "lift":
            await api.lift_ban(args.source)
            print(f"{args.source} may come in again.")
            return 0
        bans = await api.bans()
    for line in listed(bans):
        print(line)
    return 0


def listed(bans: Sequence[BanView]) -> Iterator[str]:
    """The bans as a table, and what its words mean."""
    if not bans:
        yield "Nobody is banned."
        return
    yield f"{'SOURCE':24} {'SHUT OUT UNTIL':20} {'BANS':>4} {'DROPPED':>8}  WHY"
    for ban in bans:
        until = datetime.fromtimestamp(ban.until).astimezone()
        source = f"{ban.source} (UDP)" if ban.datagrams_only else ban.source
        yield f"{source:24} {until:%Y-%m-%d %H:%M:%S}  {ban.times:4} {ban.dropped:8}  {ban.words}"
    yield ""
    yield "BANS: how often it was banned, this time included; each ban is twice as long as the last."
    yield "DROPPED: its messages and connections that were thrown away unread during this ban."
    if any(ban.datagrams_only for ban in bans):
        yield "(UDP): only its datagrams, which others may have sent in its name; it may use TCP."
