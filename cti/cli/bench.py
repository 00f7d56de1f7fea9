"""`switchroom bench`: measure this machine, from outside, in the terms of `docs/performance.md`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

_GROUPS: Final = (
    "media",
    "mixed",
    "rooms",
    "delay",
    "codecs",
    "srtp",
    "gateways",
    "calls",
    "capacity",
    "menu",
    "memory",
    "pops",
    "dials",
)
"""As in `cti.bench.report`, which is not imported for a help text."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "bench",
        help="measure what calls and sound cost on this machine",
        description=(
            "Starts servers of its own on loopback and loads them: sound that is relayed, recorded and "
            "mixed, conferences, prompts, delay, codecs, encryption, several gateways; calls set up and "
            "torn down, the highest rate and what happens above it, menus, memory, screen pops, "
            "campaigns. Takes some 25 minutes; every load is bounded. Figures of other switches stand "
            "beside ours as given references."
        ),
        epilog="Example: switchroom bench --only media --calls 500",
    )
    parser.add_argument("--only", action="append", choices=_GROUPS, help="may be given again")
    parser.add_argument(
        "--calls", type=int, default=1000, help="bridged calls for the sound (default: 1000)"
    )
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="how long each is measured (default: 10)"
    )
    parser.add_argument(
        "--rate", type=float, default=100.0, help="calls a second to set up (default: 100)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")


def run(args: argparse.Namespace) -> int:
    """Run the measurements and print them."""
    import uvloop

    from cti.bench.report import Bench
    from cti.bench.rows import Options
    from cti.serving_limits import raise_open_files

    if args.calls < 1 or args.seconds <= 0 or args.rate <= 0:
        print("--calls, --seconds and --rate must be above zero", file=sys.stderr)
        return 2
    raise_open_files()
    bench = Bench(Options(calls=args.calls, seconds=args.seconds, rate=args.rate))
    return uvloop.run(bench.run(tuple(args.only or _GROUPS), args.json))
