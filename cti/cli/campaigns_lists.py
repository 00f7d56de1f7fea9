"""`switchroom campaigns import|imports|undo-import|recycle`: lists of people."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cti.cli.campaigns_server import add_action, add_name, at, console, print_json
from cti.counted import counted

if TYPE_CHECKING:
    from cti.client import ApiClient
    from cti.schema_campaign_requests import ImportPreviewView, ImportRequest, ImportView

_PIECE = 1 << 18
_LOOK_S = 0.2


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommands."""
    importing = add_action(
        subparsers,
        "import",
        "import a list of people from a CSV or XLSX file",
        _import,
        example='import spring people.csv --map "Mobile=phone" --map "Home=phone" --preview',
        more="Columns are guessed by their headers; --preview shows how, and keeps nothing. "
        "A file of refused rows is read as the list was that they are of. "
        "Ends with 0 if all rows were taken, with 1 if some were refused, or nothing was read; "
        "a preview with 1 if no column holds telephone numbers.",
    )
    add_name(importing)
    importing.add_argument("file", type=Path, help="CSV, TSV or XLSX")
    importing.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="COLUMN=WHAT",
        help="a column by header or letter: phone, name, first-name, last-name, priority, zone, "
        "region, reference, agent, fact, ignore; may be given several times",
    )
    importing.add_argument("--sheet", default="", help="of an XLSX file (default: the first)")
    importing.add_argument(
        "--preview", action="store_true", help="show the first rows, keep nothing"
    )
    add_region(importing)
    listing = add_action(
        subparsers, "imports", "list the imports of a campaign", _imports, example="imports spring"
    )
    add_name(listing)
    listing.add_argument("--json", action="store_true", help="for programs")
    undoing = add_action(
        subparsers,
        "undo-import",
        "take an import back, as far as nobody of it was dialled",
        _undo,
        example="undo-import spring 3",
    )
    add_name(undoing)
    undoing.add_argument("number", type=int, metavar="NUMBER", help="as `imports` has it")
    again = add_action(
        subparsers,
        "recycle",
        "dial records again that are done: those of an outcome, or all that were not reached",
        _recycle,
        example="recycle spring --outcome no-answer --outcome machine --fresh",
    )
    add_name(again)
    again.add_argument(
        "--outcome", action="append", default=[], help="of the last attempt, such as no-answer"
    )
    again.add_argument("--disposition", action="append", default=[], help="what the agent chose")
    again.add_argument("--fresh", action="store_true", help="their attempts count from 0 again")
    again.add_argument("--dry-run", action="store_true", help="only say how many there are")


def add_region(parser: argparse.ArgumentParser) -> None:
    """Where numbers of a file belong that say nothing of it."""
    parser.add_argument(
        "--region", default="", metavar="CC", help="country of numbers given without one: US, GB"
    )


# --- imports ------------------------------------------------------------------------------------


async def _import(api: ApiClient, args: argparse.Namespace) -> int:
    mapping = {}
    for each in args.map:
        column, equals, what = each.rpartition("=")
        if not equals:
            raise SystemExit(f"{each!r} is no COLUMN=WHAT, such as Mobile=phone")
        mapping[column] = what
    more: dict[str, Any] = {"mapping": mapping, "sheet": args.sheet, "region": args.region}
    request = await sent(api, args.file, **more)
    if args.preview:
        return told_preview(await api.preview_import(args.name, request))
    return await followed(api, await api.begin_import(args.name, request), args.name)


async def sent(api: ApiClient, file: Path, **more: Any) -> ImportRequest:
    """Send a file, with a bar."""
    from rich.progress import Progress

    from cti.schema_campaign_requests import ImportRequest

    size = _size(file)
    screen = console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        bar = progress.add_task(f"sending {file.name}", total=size)
        pieces = _pieces(file, lambda octets: progress.advance(bar, octets))
        upload = await api.upload(file.name, pieces)
    return ImportRequest(upload_id=upload.upload_id, **more)


def _size(file: Path) -> int:
    if file.is_dir():
        raise SystemExit(f"{file} is a folder; give the file")
    if not file.exists():
        raise SystemExit(f"{file}: no such file")
    return file.stat().st_size


async def _pieces(file: Path, read: Callable[[int], None]) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece
            read(len(piece))


async def followed(api: ApiClient, view: ImportView, campaign: str) -> int:
    """Wait for the end of an import, with a bar; tell what came of it."""
    import asyncio

    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    screen = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(f"importing {view.file}", total=1.0)
        while view.state == "running":
            words = f"importing {view.file}: {view.rows} rows, {view.refused} refused"
            bar.update(task, completed=view.share, description=words)
            await asyncio.sleep(_LOOK_S)
            view = _same(view, await api.imports(campaign))
    return told_import(view)


def _same(view: ImportView, all_of_them: list[ImportView]) -> ImportView:
    """The same import, as it is now."""
    for each in all_of_them:
        if each.import_id == view.import_id and view.import_id:
            return each
        if not view.import_id and each.at >= view.at and each.file == view.file:
            return each
    return view


def told_import(view: ImportView) -> int:
    """What came of an import. 0: all rows were taken; 1: some were refused, or it failed."""
    if view.state == "failed":
        print(f"The import failed: {view.note}", file=sys.stderr)
        return 1
    blocked = f", {view.blocked} blocked by a do-not-call list" if view.blocked else ""
    print(f"Import {view.import_id} of {view.file}: {_parts(view)}{blocked}.")
    if view.note:
        print(view.note[:1].upper() + view.note[1:] + ".")
    if view.errors_file:
        print(f"Rows that were not taken, with their reasons: {view.errors_file}", file=sys.stderr)
    return 1 if view.refused else 0


def _parts(view: ImportView) -> str:
    again = counted(view.duplicates, "duplicate")
    return f"{view.added} added, {again}, {view.refused} refused"


def told_preview(preview: ImportPreviewView) -> int:
    """How a file would be read. 0: it can be imported; 1: not so, as no column is one of numbers."""
    from rich.box import SIMPLE
    from rich.table import Table

    kind = " ".join(filter(None, (preview.format, preview.encoding, preview.sheet)))
    print(f"{preview.file} ({kind})")
    for column in preview.columns:
        how = "guessed" if column.guessed else "as told"
        print(f"  {column.header:24} {column.target:12} {how}")
    table = Table("Row", "Name", "Numbers", "Where", "Facts", box=SIMPLE, pad_edge=False)
    for row in preview.rows:
        facts = ", ".join(f"{key}={value}" for key, value in list(row.facts.items())[:4])
        table.add_row(f"{row.row}", row.name, "\n".join(row.numbers), "\n".join(row.places), facts)
    screen = console()
    screen.print(table)
    for problem in preview.problems:
        where = f"row {problem.row}: " if problem.row else ""
        screen.print(f"  {where}{problem.words}", markup=False)
    return 0 if any(column.target == "phone" for column in preview.columns) else 1


async def _imports(api: ApiClient, args: argparse.Namespace) -> int:
    found = await api.imports(args.name)
    if args.json:
        print_json(found)
        return 0
    for each in found:
        how = f"{each.file}: {_parts(each)}, by {each.by}"
        print(f"{each.import_id:4}  {at(each.at)}  {each.state:8} {how}")
        if each.note:
            print(f"      {each.note}")
    if not found:
        print("Nothing was imported.")
    return 0


async def _undo(api: ApiClient, args: argparse.Namespace) -> int:
    done = await api.undo_import(args.name, args.number)
    if not done.removed and not done.remained:
        print(f"Nothing is left of import {args.number} to be taken back.")
        return 0
    stay = f"; {done.remained} stay: {done.words}" if done.remained else ""
    print(f"Taken back: {counted(done.removed, 'record')}{stay}.")
    return 0


async def _recycle(api: ApiClient, args: argparse.Namespace) -> int:
    from cti.schema_campaign_requests import RecycleRequest

    request = RecycleRequest(
        outcomes=tuple(args.outcome),
        dispositions=tuple(args.disposition),
        fresh=args.fresh,
        dry=args.dry_run,
    )
    found = await api.recycle(args.name, request)
    print(
        f"Dialled again {'would be' if args.dry_run else 'from now on'}: {counted(found, 'record')}."
    )
    if not found and args.disposition:
        print(f"None of the list ended as {' or '.join(args.disposition)}.")
    return 0
