"""`switchroom config`: check a configuration, or begin one of one's own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cti.paths import shipped
from cti.settings import SettingsError, expand, load


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "config",
        help="check a configuration, or begin one of your own",
        epilog="Example: switchroom config new my-site.toml && switchroom config check my-site.toml",
    )
    what = parser.add_subparsers(dest="what", required=True)
    check = what.add_parser("check", help="read a file and say what is wrong, or what it sets up")
    check.add_argument("file", type=Path)
    new = what.add_parser("new", help="write a small configuration with comments to begin with")
    new.add_argument("file", type=Path)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from cti.flows import flows_of
    from cti.site import site_of
    from ivr.errors import FlowError

    if args.what == "new":
        return _new(args.file)
    try:
        settings = load(args.file)
        phones = sum(len(expand(p.numbers, "phones")) for p in settings.phones)
        agents = sum(len(expand(a.numbers, "agents")) for a in settings.agents)
        site_of(settings)
        flows_of(settings)
    except SettingsError as error:
        # Faults of a flow name the flow's own file and line.
        named = str(error).startswith(str(args.file)) or isinstance(error.__cause__, FlowError)
        print(error if named else f"{args.file}: {error}", file=sys.stderr)
        return 1
    counts = (
        (phones, "phone", "phones"),
        (agents, "agent", "agents"),
        (len(settings.queues), "queue", "queues"),
        (len(settings.trunks), "trunk", "trunks"),
        (len(settings.entries), "entry", "entries"),
    )
    words = ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts)
    print(f"{args.file}: good. {words}.")
    return 0


def _new(file: Path) -> int:
    if file.exists():
        print(f"{file} exists already; choose another name", file=sys.stderr)
        return 1
    try:
        file.write_text(shipped("example.toml").read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        print(f"{file}: cannot be written: {error}", file=sys.stderr)
        return 1
    print(f"{file} written. Read it, change it, then: switchroom serve --config {file}")
    return 0
