"""`switchroom cdr`: call detail records, listed, shown and exported from the store."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from cti.cli.db import add_database_options, database_url, existing
from cti.cli.exports import add_force, is_in_the_way
from cti.cli.options import site_from

if TYPE_CHECKING:
    from crm_store.facts import CallLegFilter, InteractionFacts
    from crm_store.rows import CallLegRow
    from crm_store.store import Store

_EPILOG = """examples:
  switchroom cdr list --limit 20
  switchroom cdr list --number +12025550109 --since 2026-03-01
  switchroom cdr show call-4711
  switchroom cdr export march.csv --since 2026-03-01 --until 2026-04-01
  switchroom cdr export failed.json --result failed --trunk carrier

One row a leg: the legs of one call have the same call_id, which stands last in a line of the list.
`show` has what was kept of the call's interactions as well: who had it, and which supervisor listened,
whispered or barged in. Times of an export are UTC (ISO 8601); in JSON each line is one leg.
"""
_PAGE: Final = 1000
_LONGEST: Final = 40
"""Characters of a value that stands in a line."""
_MOMENTS: Final = frozenset(
    {"at", "since", "until", "waiting_since", "started", "answered", "ended"}
)
"""What events have as seconds since the epoch."""
_AS_USUAL: Final = {"was_dialled": True}
"""What a yes or no mostly is, where that is not no."""
_ERROR: Final = "error"
"""Why something failed: told however long it is, since it has a path mostly."""
_TIMES: Final = ("started", "rang", "answered", "ended")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "cdr",
        help="list, show and export call detail records",
        description="List, show and export call detail records.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the newest legs")
    listing.add_argument("--limit", type=int, default=50, help="at most so many (default: 50)")
    showing = actions.add_parser(
        "show", help="the legs of one call, and the course of its interactions"
    )
    showing.add_argument("call", help="the id of a call")
    add_database_options(showing)
    exporting = actions.add_parser("export", help="write all of them to a file, .csv or .json")
    exporting.add_argument("file", type=Path, help="its name ends in .csv or .json; - for CSV here")
    add_force(exporting)
    for action in (listing, exporting):
        action.add_argument("--since", type=_moment, metavar="TIME", help="begun then or later")
        action.add_argument("--until", type=_moment, metavar="TIME", help="begun before")
        action.add_argument("--number", default="", help="caller, called or phone")
        action.add_argument("--call", default="", help="the legs of one call")
        action.add_argument("--trunk", default="")
        action.add_argument("--phone", default="")
        action.add_argument("--result", default="", help="completed, busy, rejected, failed, ...")
        action.add_argument("--direction", default="", choices=("in", "out"))
        add_database_options(action)


def run(args: argparse.Namespace) -> int:
    """Run the command. 0: done; 1: not possible."""
    from crm_store.errors import StoreUnavailable
    from crm_store.store import Store
    from cti.settings import SettingsError

    async def work() -> int:
        settings = site_from(args)
        store = await Store.open(existing(args.database or database_url(settings)), data_dir=None)
        try:
            return await _ACTIONS[args.action](store, args)
        finally:
            await store.close()

    try:
        return asyncio.run(work())
    except (SettingsError, StoreUnavailable, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _moment(text: str) -> float:
    """Seconds since the epoch of `2026-03-01` or `2026-03-01T12:00`, local unless a zone is given."""
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        words = f"{text!r} is no time; write 2026-03-01 or 2026-03-01T12:30"
        raise argparse.ArgumentTypeError(words) from None


def _wanted(args: argparse.Namespace) -> CallLegFilter:
    from crm_store.facts import CallLegFilter

    return CallLegFilter(
        since=args.since,
        until=args.until,
        number=args.number,
        call_id=args.call,
        trunk=args.trunk,
        phone=args.phone,
        result=args.result,
        direction=args.direction,
    )


async def _pages(store: Store, wanted: CallLegFilter) -> AsyncIterator[list[CallLegRow]]:
    after = None
    while page := await store.call_legs(wanted, limit=_PAGE, after=after):
        yield page
        after = (page[-1].started, page[-1].leg_id)


async def _list(store: Store, args: argparse.Namespace) -> int:
    from crm_store.facts import CallLegFilter

    wanted = _wanted(args)
    found = await store.call_legs(wanted, limit=max(1, args.limit))
    if not found:
        is_any = wanted == CallLegFilter()
        print("There are no calls yet." if is_any else "There are no such calls.")
    for leg in found:
        print(f"{_line(leg)}  {leg.call_id}")
    return 0


def _line(leg: CallLegRow) -> str:
    """One leg in words."""
    at = datetime.fromtimestamp(leg.started).astimezone()
    talked = leg.ended - leg.answered if leg.answered is not None else 0.0
    door = leg.trunk or leg.phone or "-"
    mos = "" if leg.mos is None else f"  MOS {leg.mos:.1f}"
    status = f" ({leg.status})" if leg.status else ""
    attended = "" if leg.attended is None else f"  [{leg.attended}]"
    return (
        f"{at:%Y-%m-%d %H:%M:%S}  {leg.direction:3} {leg.caller or '-':>16} > {leg.called or '-':16}"
        f" {door:10} {talked:7.1f} s  {leg.result}: {leg.reason}{status}{mos}{attended}"
    )


async def _show(store: Store, args: argparse.Namespace) -> int:
    from crm_store.facts import CallLegFilter

    legs = await store.call_legs(CallLegFilter(call_id=args.call), limit=_PAGE)
    if not legs:
        print(
            f"There is no call {args.call}; `switchroom cdr list` has their ids.", file=sys.stderr
        )
        return 1
    for leg in reversed(legs):  # as they began
        print(_line(leg))
    for interaction in dict.fromkeys(leg.interaction_id for leg in reversed(legs)):
        found = None if interaction is None else await store.get_interaction(interaction)
        if found is not None:
            _print_course(found)
    return 0


def _print_course(interaction: InteractionFacts) -> None:
    """What happened in an interaction, a line each, with what is short enough to be read in one."""
    print(f"\n{interaction.interaction_id}: {interaction.result or 'not over'}")
    for line in interaction.timeline:
        at = datetime.fromtimestamp(line.at).astimezone()
        told = (_told(key, value) for key, value in line.data.items() if _is_told(key, value))
        print(f"  {at:%H:%M:%S}  {line.type:20} {'  '.join(told)}".rstrip())


def _is_told(key: str, value: object) -> bool:
    """What is empty or as usual says nothing, and the interaction stands above."""
    if key == _ERROR:
        return bool(value)
    return _is_short(value) and value is not _AS_USUAL.get(key, False) and key != "interaction_id"


def _told(key: str, value: object) -> str:
    """`since=2026-11-23 12:00:00`, `waited=7.5 s`, `recorded`: for people, as the list above it."""
    if isinstance(value, bool):
        return key if value else f"not {key}"
    if isinstance(value, int | float) and key in _MOMENTS:
        return f"{key}={datetime.fromtimestamp(value).astimezone():%Y-%m-%d %H:%M:%S}"
    name, _, unit = key.rpartition("_")
    if isinstance(value, int | float) and unit in ("s", "ms"):
        return f"{name}={value:.1f} {unit}"
    return f"{key}={value:.2f}" if isinstance(value, float) else f"{key}={value}"


def _is_short(value: object) -> bool:
    return isinstance(value, str | int | float) and value != "" and len(str(value)) <= _LONGEST


async def _export(store: Store, args: argparse.Namespace) -> int:
    to_here = str(args.file) == "-"
    kind = ".csv" if to_here else args.file.suffix.lower()
    if kind not in (".csv", ".json"):
        print(f"{args.file}: the name must end in .csv or .json", file=sys.stderr)
        return 1
    if not to_here and is_in_the_way(args.file, force=args.force):
        return 1
    wanted = _wanted(args)
    total = await store.count_call_legs(wanted)
    if to_here:
        await _write(store, wanted, _csv_writer(sys.stdout), _quiet)
        return 0
    with args.file.open("w", encoding="utf-8", newline="") as file:
        writer = _csv_writer(file) if kind == ".csv" else _json_writer(file)
        written = await _write(store, wanted, writer, _progress(total))
    print(f"{args.file}: {written} legs written.")
    return 0


async def _write(
    store: Store,
    wanted: CallLegFilter,
    writer: Callable[[CallLegRow], None],
    tell: Callable[[int], None],
) -> int:
    written = 0
    async for page in _pages(store, wanted):
        for leg in page:
            writer(leg)
        written += len(page)
        tell(written)
    return written


def _csv_writer(file: IO[str]) -> Callable[[CallLegRow], None]:
    import csv

    from crm_store.rows import CallLegRow

    names = CallLegRow.__struct_fields__
    writer = csv.DictWriter(file, names)
    writer.writeheader()
    return lambda leg: writer.writerow({k: _cell(v) for k, v in _written(leg).items()})


def _json_writer(file: IO[str]) -> Callable[[CallLegRow], None]:
    import json

    return lambda leg: print(json.dumps(_written(leg), ensure_ascii=False), file=file)


def _written(leg: CallLegRow) -> dict[str, Any]:
    values = {name: getattr(leg, name) for name in leg.__struct_fields__}
    for name in _TIMES:
        if values[name] is not None:
            values[name] = datetime.fromtimestamp(values[name], UTC).isoformat()
    return values


def _cell(value: object) -> object:
    """A number that a caller chose must not become a formula of a spreadsheet."""
    if not isinstance(value, str) or not value:
        return value
    is_number = value[0] == "+" and value[1:].isdigit()
    return value if is_number or value[0] not in "=+-@\t\r" else f"'{value}"


def _progress(total: int) -> Callable[[int], None]:
    if not sys.stderr.isatty():
        return _quiet

    def tell(written: int) -> None:
        end = "\n" if written >= total else ""
        print(f"\r{written} of {total} legs", end=end, file=sys.stderr, flush=True)

    return tell


def _quiet(written: int) -> None:
    """Nobody looks on."""


_ACTIONS: Final[dict[str, Callable[[Store, argparse.Namespace], Awaitable[int]]]] = {
    "list": _list,
    "show": _show,
    "export": _export,
}
