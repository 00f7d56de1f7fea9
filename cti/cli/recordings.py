"""`switchroom recordings`: list, verify and export recorded calls."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cti.cli.db import add_database_options, database_url, existing
from cti.cli.exports import add_force, is_in_the_way
from cti.cli.options import site_from

if TYPE_CHECKING:
    from crm_store.facts import RecordingFacts
    from crm_store.store import Store

_EPILOG = """examples:
  switchroom recordings list
  switchroom recordings verify
  switchroom recordings export recording-abc-1 talk.wav --channel customer
  switchroom recordings export recording-abc-1 talk.flac --stereo
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "recordings",
        help="list, verify and export recorded calls",
        description="List, verify and export recorded calls.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the newest recordings")
    listing.add_argument("--limit", type=int, default=50)
    verifying = actions.add_parser("verify", help="compare every file with its checksum")
    verifying.add_argument("--limit", type=int, default=10_000)
    exporting = actions.add_parser(
        "export", help="write one as WAV, FLAC or OGG: both sides mixed, one of them, or stereo"
    )
    exporting.add_argument("recording")
    exporting.add_argument("file", type=Path)
    exporting.add_argument(
        "--format",
        choices=("wav", "flac", "ogg"),
        default=None,
        help="default: what the file's name says, else wav",
    )
    sides = exporting.add_mutually_exclusive_group()
    sides.add_argument("--mono", action="store_true", help="one channel, as without it")
    sides.add_argument("--stereo", action="store_true", help="the customer left, all others right")
    exporting.add_argument("--channel", choices=("both", "customer", "agent"), default="both")
    add_force(exporting)
    for action in (listing, verifying, exporting):
        add_database_options(action)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from crm_store.errors import StoreUnavailable
    from crm_store.store import Store
    from cti.settings import SettingsError

    async def work() -> int:
        settings = site_from(args)
        store = await Store.open(existing(args.database or database_url(settings)), data_dir=None)
        try:
            return await _act(store, args)
        finally:
            await store.close()

    try:
        return asyncio.run(work())
    except (SettingsError, StoreUnavailable) as error:
        print(error, file=sys.stderr)
        return 1


async def _act(store: Store, args: argparse.Namespace) -> int:
    if args.action == "export":
        return await _export(store, args)
    rows = await store.newest_recordings(limit=args.limit)
    if args.action == "verify":
        return _verify(rows)
    if not rows:
        print("There are no recordings yet.")
    for row in rows:
        at = datetime.fromtimestamp(row.started).astimezone()
        state = row.error or f"{row.octets / 1e6:.1f} MB"
        print(
            f"{at:%Y-%m-%d %H:%M}  {row.recording_id}  {row.duration_s:7.1f} s  "
            f"{row.queue or '-':10} {row.agent_id or '-':6} {row.caller_number or '-':16} {state}"
        )
    return 0


def _verify(rows: list[RecordingFacts]) -> int:
    from recordings.finish import verify

    wrong = broken = 0
    for row in rows:
        if row.error is not None:
            broken += 1
            continue
        try:
            whole = verify(Path(row.path), row.sha256)
        except OSError:
            whole = False
        if not whole:
            wrong += 1
            print(f"{row.recording_id}: {row.path} is missing or was changed")
    looked_at = len(rows) - broken
    print(f"{looked_at - wrong} of {looked_at} recordings are as they were written.")
    if broken:
        print(f"{broken} more ended with an error when they were made; `list` says which.")
    return 1 if wrong else 0


async def _export(store: Store, args: argparse.Namespace) -> int:
    from recordings.errors import NotARecordingError
    from recordings.playback import Channel, Format, export

    row = await store.get_recording(args.recording)
    if row is None:
        print(
            f"There is no recording {args.recording}; see `switchroom recordings list`.",
            file=sys.stderr,
        )
        return 1
    if is_in_the_way(args.file, force=args.force, source=Path(row.path)):
        return 1
    try:
        named = args.file.suffix.lstrip(".").lower()
        known = {each.value for each in Format}
        format = Format(args.format or (named if named in known else "wav"))
        channel = Channel[args.channel.upper()]
        export(Path(row.path), args.file, channel, format, stereo=args.stereo)
    except (OSError, NotARecordingError) as error:
        print(f"{args.recording} cannot be exported: {error}", file=sys.stderr)
        return 1
    print(f"{args.file} written: {row.duration_s:.1f} s")
    return 0
