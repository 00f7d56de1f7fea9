"""What the subcommands of `switchroom campaigns` share that speak to a running server."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from cti.client import ApiClient
    from cti.schema import Problem


def add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    words: str,
    work: Callable[[ApiClient, argparse.Namespace], Awaitable[int]],
    *,
    example: str,
    more: str = "",
) -> argparse.ArgumentParser:
    """A subcommand that `work` carries out, with what every one of them takes."""
    parser = actions.add_parser(
        name,
        help=words,
        description=f"{words[:1].upper()}{words[1:]}. {more}".strip(),
        epilog=f"example:\n  switchroom campaigns {example}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--server", default="http://127.0.0.1:8080", help="where the API is")
    parser.add_argument("--login", default="super", help="a supervisor (default: super)")
    parser.add_argument(
        "--password-file",
        type=Path,
        help="file whose first line is the password, - for input; asked for without it",
    )
    parser.set_defaults(act=lambda args: run(args, work))
    return parser


def add_name(parser: argparse.ArgumentParser) -> None:
    """The campaign that it is about."""
    parser.add_argument("name", metavar="NAME", help="the campaign")


def run(
    args: argparse.Namespace, work: Callable[[ApiClient, argparse.Namespace], Awaitable[int]]
) -> int:
    """Sign on, and carry it out. 0: done; 1: refused, or the server cannot be reached."""
    import asyncio

    from cti.cli.desk import password_of
    from cti.client_requests import ApiError, ServerUnreachableError

    async def signed_on() -> int:
        from cti.client import ApiClient

        async with ApiClient(args.server) as api:
            await api.sign_on(args.login, password_of(args.password_file))
            return await work(api, args)

    try:
        return asyncio.run(signed_on())
    except ApiError as error:
        for line in told_problem(error.problem):
            print(line, file=sys.stderr)
        return 1
    except (ServerUnreachableError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def told_problem(problem: Problem) -> list[str]:
    """What the server refused, each thing once: its sentence has the settings already."""
    if problem.error_id == "bad-settings" and problem.details:
        return [f"{key}: {words}" for key, words in problem.details.items()]
    return [problem.message, *(f"  {key}: {words}" for key, words in problem.details.items())]


def print_json(value: Any) -> None:
    """One line of JSON."""
    import msgspec

    print(msgspec.json.encode(value).decode())


def console(*, stderr: bool = False) -> Console:
    """A screen; a file or a pipe has no width that lines would have to fit in."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, width=160, highlight=False)


def at(moment: float | None) -> str:
    """A moment as people here write it, with the zone of their clocks."""
    from datetime import datetime

    if moment is None:
        return "-"
    return f"{datetime.fromtimestamp(moment).astimezone():%Y-%m-%d %H:%M:%S %Z}"
