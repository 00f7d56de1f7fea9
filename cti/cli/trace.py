"""`switchroom trace`: the signalling of a call of a running server, drawn as a ladder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_EPILOG = """examples:
  switchroom trace call-abc-7 --login super --password-file ~/.switchroom-password
  switchroom trace --number +12025550109 --login super
  switchroom trace call-abc-7 --login admin --messages > call.txt
  switchroom trace call-abc-7 --login super --mermaid

Kept are calls that run and the last ones that are over. Supervisors see who sent what and when,
administrators the messages too; passwords, keys and keyed digits are blanked.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "trace",
        help="draw the SIP messages of a call",
        description="Draw the SIP messages of a call of a running server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("call", nargs="?", help="id of a call, a leg or an interaction")
    what.add_argument("--number", help="calls from or to this number, the newest first")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--messages", action="store_true", help="the messages too (administrators)")
    how.add_argument("--mermaid", action="store_true", help="as a sequence diagram of Mermaid")
    parser.add_argument("--server", default="http://127.0.0.1:8080", help="where the API is")
    parser.add_argument("--login", required=True)
    parser.add_argument(
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
        return asyncio.run(_show(args, password_of(args.password_file)))
    except (ApiError, ServerUnreachableError) as error:
        print(error, file=sys.stderr)
        return 1


async def _show(args: argparse.Namespace, password: str) -> int:
    from datetime import datetime

    from cti.client import ApiClient

    async with ApiClient(args.server) as api:
        await api.sign_on(args.login, password)
        traces = await api.traces(args.number or args.call)
    for trace in traces:
        if args.mermaid:
            print(trace.mermaid)
            continue
        at = datetime.fromtimestamp(trace.started).astimezone()
        state = "runs" if trace.live else "is over"
        print(f"{trace.call_id}, {at:%Y-%m-%d %H:%M:%S}, {state}")
        print(trace.ladder)
        if args.messages:
            _print_messages(trace.messages)
    return 0


def _print_messages(messages: tuple[object, ...]) -> None:
    from cti.schema_calls import MessageView

    for message in messages:
        assert isinstance(message, MessageView)
        way = "to" if message.is_out else "from"
        print(f"--- {message.after_s:.3f} s {way} {message.peer}, {message.octets} octets")
        if not message.text:
            print("(only administrators see the messages)")
        print(message.text)
