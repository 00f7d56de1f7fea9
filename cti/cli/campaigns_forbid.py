"""`switchroom campaigns forbid|allow`: whom nobody calls."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cti.cli.campaigns_lists import add_region, followed, sent
from cti.cli.campaigns_server import add_action, at, print_json
from cti.counted import counted

if TYPE_CHECKING:
    from cti.client import ApiClient
    from cti.schema_campaign_requests import ForbiddenView

_PAGE = 500
"""Entries that the API gives at once."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommands."""
    forbidding = add_action(
        subparsers,
        "forbid",
        "never call these numbers; or list, with none, who must not be called",
        forbid,
        example="forbid +12025550123 --campaign spring",
        more="--national alone lists the national list; with --file the file takes its place.",
    )
    forbidding.add_argument("--reason", default="", help="kept with it")
    forbidding.add_argument("--file", type=Path, help="CSV, XLSX, or one number a line")
    forbidding.add_argument("--national", action="store_true", help="it is about the national list")
    forbidding.add_argument(
        "--may-shrink",
        action="store_true",
        help="the national list may lose more than a tenth of its numbers",
    )
    forbidding.add_argument("--json", action="store_true", help="for programs")
    add_region(forbidding)
    allowing = add_action(
        subparsers,
        "allow",
        "take numbers off a do-not-call list",
        _allow,
        example="allow +12025550123 --campaign spring",
    )
    for parser in (forbidding, allowing):
        parser.add_argument("numbers", nargs="*", metavar="NUMBER", help="in any notation")
        parser.add_argument("--campaign", default="", help="for this one alone (default: for all)")


async def forbid(api: ApiClient, args: argparse.Namespace) -> int:
    """Put numbers or a file on a list, or show one."""
    from cti.schema_campaign_requests import ForbidRequest

    if args.file is not None:
        if args.campaign or args.numbers:
            raise SystemExit(
                "A file of numbers is for the centre and comes alone: leave the rest out"
            )
        request = await sent(api, args.file, region=args.region, may_shrink=args.may_shrink)
        return await followed(api, await api.forbid_file(request, national=args.national), "")
    if not args.numbers:
        return await _show(api, args)
    if args.national:
        raise SystemExit("The national list comes as a file: give --file, or leave --national out")
    added = await api.forbid(
        ForbidRequest(numbers=tuple(args.numbers), campaign=args.campaign, reason=args.reason)
    )
    print(f"New on the list: {added} of {counted(len(args.numbers), 'number')}.")
    return 0


async def _show(api: ApiClient, args: argparse.Namespace) -> int:
    """One list, page by page: the national one may have very many."""
    query = {"campaign": args.campaign} if args.campaign else {}
    if args.national:
        query = {"national": "true"}
        await _tell_national(api)
    after, found = "", 0
    gathered: list[ForbiddenView] = []
    while page := await api.forbidden({**query, "after": after} if after else query):
        found, after = found + len(page), page[-1].number
        if args.json:
            gathered += page
        else:
            for each in page:
                print(told_entry(each))
        if len(page) < _PAGE:
            break
    if args.json:
        print_json(gathered)
    elif not found:
        print("Nobody is on this list.")
    else:
        print(f"On this list: {counted(found, 'number')}.", file=sys.stderr)
    return 0


async def _tell_national(api: ApiClient) -> None:
    """Which file it is, for whoever has to show that it is not too old."""
    for each in await api.imports(""):
        if not each.national:
            continue
        note = f"; {each.note}" if each.note else ""
        print(
            f"Import {each.import_id}, {at(each.at)}: {each.file}, {each.state}{note}",
            file=sys.stderr,
        )


def told_entry(entry: ForbiddenView) -> str:
    """One number of a list."""
    until = "" if entry.until is None else f"  until {at(entry.until)}"
    when = f"{entry.scope:9} {at(entry.added_at)}{until}"
    return f"{entry.number:17} {when}  {entry.source}  {entry.reason}".rstrip()


async def _allow(api: ApiClient, args: argparse.Namespace) -> int:
    from cti.schema_campaign_requests import ForbidRequest

    if not args.numbers:
        raise SystemExit("Which numbers? Give one at least")
    gone = await api.allow(ForbidRequest(numbers=tuple(args.numbers), campaign=args.campaign))
    print(f"Taken off the list: {gone} of {counted(len(args.numbers), 'number')}.")
    return 0 if gone else 1
