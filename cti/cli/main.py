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
    "campaigns",
    "recordings",
    "cdr",
    "trace",
    "bans",
    "trunks",
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
    wanted = _wanted(sys.argv[1:] if argv is None else argv)
    for name in wanted:
        importlib.import_module(f"cti.cli.{name}").add_parser(commands)
    args, rest = parser.parse_known_args(argv)
    if rest and not _are_settings(args, rest):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        code: int = importlib.import_module(f"cti.cli.{args.command}").run(args)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    return code


def _are_settings(args: argparse.Namespace, rest: list[str]) -> bool:
    """Take KEY=VALUE that stand behind an option, where a command takes them."""
    settings = getattr(args, "settings", None)
    if not isinstance(settings, list) or any(w.startswith("-") or "=" not in w for w in rest):
        return False
    settings += rest
    return True


def _wanted(argv: Sequence[str]) -> Sequence[str]:
    """The commands whose modules are needed: the one that is named, else all, for the overview."""
    return argv[:1] if argv and argv[0] in COMMANDS else COMMANDS


def _version() -> str:
    try:
        return version("switchroom")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
