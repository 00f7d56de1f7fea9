"""`switchroom campaigns records`: the list of a campaign, page by page."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from cti.cli.campaigns_server import add_action, add_name, at, console, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from cti.client import ApiClient
    from cti.schema_campaigns import CampaignRecordView, RecordNumberView

_PAGE: Final = 50


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand."""
    listing = add_action(
        subparsers,
        "records",
        "show who is on the list: numbers, state, attempts, what came of the last, when the next is due",
        _records,
        example="records spring --state blocked",
        more="In the order of the import, a page at a time.",
    )
    add_name(listing)
    listing.add_argument(
        "--state", default="", metavar="STATE", help="ready, claimed, done or blocked"
    )
    listing.add_argument(
        "--outcome", default="", metavar="OUTCOME", help="of the last attempt, such as no-answer"
    )
    listing.add_argument("--number", default="", help="of one person, in any notation")
    listing.add_argument(
        "--after", default="", metavar="RECORD", help="the record that the page before ended with"
    )
    listing.add_argument(
        "--limit", type=int, default=_PAGE, metavar="N", help=f"rows of a page (default: {_PAGE})"
    )
    listing.add_argument("--json", action="store_true", help="for programs")


async def _records(api: ApiClient, args: argparse.Namespace) -> int:
    limit = max(1, min(1000, args.limit))
    query = {
        key: value
        for key in ("state", "outcome", "number", "after")
        if (value := getattr(args, key))
    }
    found = await api.records(args.name, {**query, "limit": str(limit)})
    if args.json:
        print_json(found)
        return 0
    if not found:
        print("No more records." if args.after else "There are no such records.")
        return 0
    draw_records(found, console())
    if len(found) == limit:
        print(f"There may be more: --after {found[-1].record_id}")
    return 0


def draw_records(records: list[CampaignRecordView], screen: Console) -> None:
    """One row a record; the number that comes next is marked."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, pad_edge=False)
    for column in ("Record", "Name", "Numbers", "Where", "State", "Tried", "Last", "Next"):
        table.add_column(column, justify="right" if column == "Tried" else "left")
    for each in records:
        numbers = [_number(each, position) for position in range(len(each.numbers))]
        state = each.stage if each.stage == each.state else f"{each.state}: {each.stage}"
        if each.agent_id:
            state += f" ({each.agent_id})"
        last = " ".join(filter(None, (each.last_outcome, each.last_disposition)))
        when = at(each.last_at) if each.last_at is not None else ""
        cells = (
            each.record_id,
            each.name,
            "\n".join(numbers),
            "\n".join(map(_where, each.numbers)),
            state,
            f"{each.attempts}",
            "\n".join(filter(None, (last, when))),
            at(each.due_at) if each.due_at is not None else "",
        )
        table.add_row(*map(Text, cells))
    screen.print(table)


def _number(record: CampaignRecordView, position: int) -> str:
    number = record.numbers[position]
    mark = "*" if position == record.position and len(record.numbers) > 1 else ""
    return f"{number.number}{mark}{' dead' if number.dead else ''}"


def _where(number: RecordNumberView) -> str:
    zones = number.zones if len(number.zones) < 3 else (f"{len(number.zones)} zones",)
    return " ".join((number.regions or "unknown", *zones))
