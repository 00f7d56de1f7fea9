"""`switchroom customers`: add, list, show and import customers."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from cti.cli.db import add_database_options, database_url, existing
from cti.cli.options import site_from
from cti.settings import SettingsError

if TYPE_CHECKING:
    from crm_store.facts import CustomerFacts
    from crm_store.store import Store

_EPILOG = """examples:
  switchroom customers import customers.csv
  switchroom customers add "Margaret Hale" --phone "+1 202 555 0100" --tier gold
  switchroom customers list
  switchroom customers show "+1 202 555 0100"

The first line of a CSV file names its columns: name, company, kind, tier, language,
remarks, reference, phone, email. Lines with a known reference change that customer.
"""

_WIDE_COLUMNS: Final = 120
"""From this width on a list shows all that is known; below, what one looks for."""
_FILE_COLUMNS: Final = 200


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `customers` to the command line."""
    parser = subparsers.add_parser(
        "customers",
        help="add, list, show and import customers",
        description="Add, list, show and import customers.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    importing = actions.add_parser("import", help="add or change customers from a CSV file")
    importing.add_argument("file", type=Path, help="the file, UTF-8")
    adding = actions.add_parser("add", help="add one customer")
    adding.add_argument("name")
    adding.add_argument("--phone", action="append", default=[], help="may be given several times")
    adding.add_argument("--email", action="append", default=[], help="may be given several times")
    adding.add_argument("--company", default="")
    adding.add_argument("--tier", default="")
    adding.add_argument("--language", default="")
    adding.add_argument("--remarks", default="")
    listing = actions.add_parser("list", help="list customers by name")
    listing.add_argument("--limit", type=int, default=100, help="at most so many (default: 100)")
    showing = actions.add_parser("show", help="show a customer by id, number or name")
    showing.add_argument("who", help="an id, a telephone number, or words of the name")
    for action in (importing, adding, listing, showing):
        add_database_options(action)
        action.add_argument(
            "--region",
            default="",
            metavar="CC",
            help="country of numbers given without one (default: what the configuration says)",
        )


def run(args: argparse.Namespace) -> int:
    """Carry it out. 0: done; 1: some lines were refused or nobody was found; 2: not possible."""
    from crm_store.errors import StoreError

    try:
        settings = site_from(args)
        args.database = args.database or database_url(settings)
        if args.action in ("list", "show"):
            args.database = existing(args.database)
        args.region = args.region or settings.site.region
        return asyncio.run(_with_store(args, _ACTIONS[args.action]))
    except (StoreError, SettingsError, OSError) as error:
        print(f"switchroom customers: {error}", file=sys.stderr)
        return 2


async def _with_store(
    args: argparse.Namespace, action: Callable[[Store, argparse.Namespace], Awaitable[int]]
) -> int:
    from crm_store.store import Store

    # The journal of a running server is not ours: this store writes no history.
    store = await Store.open(args.database, data_dir=None, region=args.region)
    try:
        return await action(store, args)
    finally:
        await store.close()


async def _import(store: Store, args: argparse.Namespace) -> int:
    from crm_store.importer import import_customers

    added = changed = refused = 0
    with _list_file(args.file) as file:
        async for result in import_customers(store, file):
            if result.error:
                refused += 1
                who = f" ({result.name})" if result.name else ""
                print(f"{args.file}:{result.line}:{who} {result.error}", file=sys.stderr)
            elif result.added:
                added += 1
            else:
                changed += 1
    print(f"{added} added, {changed} changed, {refused} refused.")
    return 1 if refused else 0


@contextmanager
def _list_file(path: Path) -> Iterator[TextIO]:
    """Open a list that people wrote. Raises SettingsError, in words, where it is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        words = "no text in UTF-8; export it as CSV with that encoding"
        raise SettingsError(f"{path}: {words}") from None


async def _add(store: Store, args: argparse.Namespace) -> int:
    from crm_store.facts import CustomerDraft

    draft = CustomerDraft(
        name=args.name,
        company=args.company,
        tier=args.tier,
        language=args.language,
        remarks=args.remarks,
        phones=tuple(args.phone),
        emails=tuple(args.email),
    )
    for number in draft.phones:
        for known in await store.find_by_number(number):
            if known.name.casefold() == draft.name.strip().casefold():
                print(f"{known.name} with {number} is there already ({known.customer_id}).")
                return 0
    customer = await store.create_customer(draft)
    print(f"Added {customer.name} ({customer.customer_id}).")
    return 0


async def _list(store: Store, args: argparse.Namespace) -> int:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:  # a file or a pipe has no width that names would have to fit in
        console = Console(width=_FILE_COLUMNS)
    is_wide = console.width >= _WIDE_COLUMNS
    table = Table("Name", "Company", box=SIMPLE, pad_edge=False)
    if is_wide:
        table.add_column("Tier")
        table.add_column("Language")
    table.add_column("Number", no_wrap=True)
    table.add_column("Id", no_wrap=True, overflow="fold")  # it is there to be copied
    for customer in await store.list_customers(limit=max(1, args.limit)):
        numbers = [point.value for point in customer.contact_points if point.kind == "phone"]
        points = [point.value for point in customer.contact_points]
        more = f" +{len(points) - 1}" if len(points) > 1 else ""
        shown = ", ".join(points) if is_wide else (numbers or points or [""])[0] + more
        graded = (customer.tier, customer.language) if is_wide else ()
        table.add_row(customer.name, customer.company, *graded, shown, customer.customer_id)
    console.print(table)
    return 0


async def _show(store: Store, args: argparse.Namespace) -> int:
    by_id = await store.get_customer(args.who)
    found = [by_id] if by_id is not None else await store.find_by_number(args.who)
    found = found or await store.find_by_name(args.who)
    for customer in found:
        _print_card(customer)
    if not found:
        print(f"Nobody has this id, number or name: {args.who}", file=sys.stderr)
        return 1
    return 0


def _print_card(customer: CustomerFacts) -> None:
    head = " · ".join(filter(None, (customer.name, customer.company, customer.tier)))
    print(f"{head}  [{customer.customer_id}]")
    for point in customer.contact_points:
        print(f"  {point.kind}: {point.value}")
    if customer.remarks:
        print(f"  {customer.remarks}")
    for past in customer.recent:
        when = datetime.fromtimestamp(past.at).astimezone().strftime("%Y-%m-%d %H:%M")
        what = past.disposition or past.result or ""
        print(f"  {when}  {past.queue or past.channel}  {what}  {past.note}".rstrip())


_ACTIONS: Final[dict[str, Callable[[Store, argparse.Namespace], Awaitable[int]]]] = {
    "import": _import,
    "add": _add,
    "list": _list,
    "show": _show,
}
