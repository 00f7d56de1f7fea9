"""`switchroom demo`: the whole product in one terminal."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "demo",
        help="the whole product in this terminal: server, customers, callers and the desk",
        description=(
            "Starts a server on ports of its own with a filled customer store, lets simulated callers "
            "dial in over SIP, and opens the desk of agent 1001. Nothing has to be configured; "
            "leaving the desk ends everything."
        ),
        epilog="Examples: switchroom demo --language zh\n          switchroom demo --people 5090",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--check", action="store_true", help="no terminal: one call, each step proved; exit 0 or 1"
    )
    parser.add_argument(
        "--phone", choices=("auto", "pjsua2", "baresip"), default="auto", help="the desk's phone"
    )
    parser.add_argument(
        "--audio", action="store_true", help="talk through this machine's sound devices"
    )
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    parser.add_argument(
        "--people",
        type=int,
        metavar="PORT",
        help="only be a carrier with simulated people behind it, for campaigns to call; the lab's "
        "trunk `out` leads to UDP port 5090 of this machine",
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep data and logs there")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    if args.people is not None:
        return _people(args.people)
    from cti.demo.run import run_check, run_demo

    if args.check:
        return asyncio.run(run_check())
    if not sys.stdout.isatty():
        print("switchroom demo needs a terminal; try `switchroom demo --check`", file=sys.stderr)
        return 2
    return asyncio.run(
        run_demo(phone=args.phone, audio=args.audio, language=args.language, keep=args.keep)
    )


def _people(port: int) -> int:
    """Be called until interrupted."""
    from cti.demo.people import People

    async def run() -> None:
        people = People(tell=lambda line: print(line, flush=True))
        await people.open(port)
        print(f"People are at 127.0.0.1:{people.port}. Ctrl-C ends it.", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await people.close()

    try:
        asyncio.run(run())
    except OSError as error:
        print(f"UDP port {port} cannot be had: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0
