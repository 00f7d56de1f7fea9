"""`switchroom bench`: measure this machine, from outside, in the terms of `docs/performance.md`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "bench",
        help="measure what calls and sound cost on this machine",
        description=(
            "Starts servers of its own on loopback and loads them: bridged and recorded sound, calls "
            "set up and torn down, screen pops. Takes about three minutes; every load is bounded."
        ),
        epilog="Example: switchroom bench --only media --calls 500",
    )
    parser.add_argument(
        "--only", action="append", choices=("media", "calls", "pops"), help="may be given again"
    )
    parser.add_argument(
        "--calls", type=int, default=1000, help="bridged calls for the sound (default: 1000)"
    )
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="how long sound is measured (default: 10)"
    )
    parser.add_argument(
        "--rate", type=float, default=100.0, help="calls a second to set up (default: 100)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")


def run(args: argparse.Namespace) -> int:
    """Run the measurements and print them."""
    import uvloop

    from cti.bench.report import Bench

    if args.calls < 1 or args.seconds <= 0 or args.rate <= 0:
        print("--calls, --seconds and --rate must be above zero", file=sys.stderr)
        return 2
    wanted = tuple(args.only or ("media", "calls", "pops"))
    bench = Bench(calls=args.calls, seconds=args.seconds, rate=args.rate)
    return uvloop.run(bench.run(wanted, args.json))
