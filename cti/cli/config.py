"""`switchroom config`: check a configuration, or begin one of one's own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cti.paths import shipped
from cti.settings import Settings, SettingsError, examine, expand
from cti.settings_faults import Lines


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
    if args.what == "new":
        return _new(args.file)
    try:
        settings, problems = examine(args.file)
        problems += _in_flows(args.file, settings)
        if settings is not None and not problems:
            problems += _of_the_site(args.file, settings)
    except SettingsError as error:
        settings, problems = None, str(error).splitlines()
    if settings is None or problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    phones = sum(len(expand(p.numbers, "phones")) for p in settings.phones)
    agents = sum(len(expand(a.numbers, "agents")) for a in settings.agents)
    counts = (
        (phones, "phone", "phones"),
        (agents, "agent", "agents"),
        (len(settings.queues), "queue", "queues"),
        (len(settings.trunks), "trunk", "trunks"),
        (len(settings.entries), "entry", "entries"),
    )
    if not any(count for count, _, _ in counts):
        words = (
            "nothing is set up: no phones, agents, queues, trunks or entries, so nobody can call"
        )
        print(f"{args.file}: {words}; begin with `switchroom config new FILE`", file=sys.stderr)
        return 1
    words = ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts)
    print(f"{args.file}: good. {words}.")
    return 0


def _in_flows(file: Path, settings: Settings | None) -> list[str]:
    """What is wrong in the flows that entries name, whatever else is wrong."""
    from cti.flows import flows_of

    if settings is None:
        return []
    try:
        flows_of(settings)
    except SettingsError as error:
        lines = Lines(file.read_text(encoding="utf-8"))
        return [_placed(file, lines, problem) for problem in str(error).splitlines()]
    return []


def _of_the_site(file: Path, settings: Settings) -> list[str]:
    """What shows only when all is put together: files that cannot be read, rules that make no sense."""
    from cti.certificate_check import certificate_problems
    from cti.media_gateways import remote_places
    from cti.site import site_of

    problems = []
    try:
        site_of(settings)
        remote_places(settings)
    except SettingsError as error:
        problems += str(error).splitlines()
    problems += certificate_problems(settings)
    lines = Lines(file.read_text(encoding="utf-8"))
    places = [(lines.of(problem), problem) for problem in problems]
    return [f"{file}: {p}" if line is None else f"{file}:{line}: {p}" for line, p in places]


def _placed(file: Path, lines: Lines, problem: str) -> str:
    """Faults of a flow name the flow's own file and line."""
    line = lines.of(problem) if problem.startswith("entries[") else None
    return problem if line is None else f"{file}:{line}: {problem}"


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
