"""The command `switchroom`: one module a subcommand, each with `add_parser` and `run`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

COMMANDS = (
    "serve",
    "demo",
    "desk",
    "wallboard",
    "doctor",
    "config",
    "db",
    "users",
    "customers",
    "recordings",
    "prompts",
    "bench",
    "gateway",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code.

    0 is success, 1 a failure that was explained, 2 wrong usage, 130 an interrupt.
    """
    parser = argparse.ArgumentParser(
        prog="switchroom",
        description="A SIP softswitch and contact centre in one.",
        epilog="Try `switchroom demo`: the whole product in this terminal.",
    )
    parser.add_argument("--version", action="version", version=f"switchroom {_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    modules = {}
    for name in COMMANDS:
        module = importlib.import_module(f"cti.cli.{name}")
        module.add_parser(commands)
        modules[name] = module
    args = parser.parse_args(argv)
    try:
        code: int = modules[args.command].run(args)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    return code


def _version() -> str:
    try:
        return version("switchroom")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
