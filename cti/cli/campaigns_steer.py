"""`switchroom campaigns create|list|show|set|copy|start|pause|finish|remove`: steer campaigns."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cti.cli.campaigns_server import add_action, add_name, at, console, print_json
from cti.cli.campaigns_values import coerced, put
from cti.counted import counted

if TYPE_CHECKING:
    from cti.client import ApiClient
    from cti.schema_campaigns import CampaignView


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommands."""
    creating = add_action(
        subparsers,
        "create",
        "make a new campaign, which dials nothing until it is started",
        _create,
        example="create spring queue=sales mode=predictive cap.percent=2.5 --file spring.toml",
    )
    add_name(creating)
    _add_settings(creating)
    listing = add_action(subparsers, "list", "list all campaigns", _list, example="list")
    showing = add_action(
        subparsers, "show", "show what a campaign was told", _show, example="show spring"
    )
    add_name(showing)
    for parser in (listing, showing):
        parser.add_argument("--json", action="store_true", help="for programs")
    explaining = subparsers.add_parser(
        "settings",
        help="explain every setting, with defaults and bounds",
        description="Every setting of a campaign as Markdown; with words, those that have them.",
        epilog="example:\n  switchroom campaigns settings retries\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    explaining.add_argument("words", nargs="*", metavar="WORD", help="such as limits or ring")
    explaining.set_defaults(act=_explain)
    setting = add_action(
        subparsers,
        "set",
        "change settings, also while the campaign runs",
        _set,
        example="set spring cap.percent=2 limits.calls=40 caller_ids=+12025550100,+12025550101",
        more="Tables are changed key by key, lists as a whole; null is the default.",
    )
    add_name(setting)
    _add_settings(setting)
    copying = add_action(
        subparsers, "copy", "make a campaign like another", _copy, example="copy spring summer"
    )
    add_name(copying)
    copying.add_argument("new", metavar="NEW", help="name of the new one")
    copying.add_argument(
        "--with-list", action="store_true", help="the list too, as if nobody was dialled"
    )
    for step, words in (
        ("start", "let a campaign dial; one that was paused or finished goes on"),
        ("pause", "dial no more; what is in flight goes on"),
        ("finish", "end a campaign; what is in flight goes on"),
    ):
        stepping = add_action(subparsers, step, words, _STEPS[step], example=f"{step} spring")
        add_name(stepping)
        if step != "start":
            stepping.add_argument("--reason", default="", help="kept with who did it")
    removing = add_action(
        subparsers,
        "remove",
        "delete a campaign and its list; who was called stays on record",
        remove,
        example="remove spring",
    )
    add_name(removing)
    removing.add_argument("--yes", action="store_true", help="do not ask first")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "settings", nargs="*", metavar="KEY=VALUE", help="a setting, such as limits.per_day=2"
    )
    parser.add_argument(
        "--file", type=Path, help="TOML file of settings; those given here go before"
    )


async def _settings(api: ApiClient, args: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if args.file is not None:
        import tomllib

        try:
            found = tomllib.loads(args.file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SystemExit(f"{args.file}: {error}") from None
    if args.settings:
        schema = await api.campaign_schema()
        for each in args.settings:
            key, equals, text = each.partition("=")
            if not equals or not key:
                raise SystemExit(f"{each!r} is no KEY=VALUE, such as limits.per_day=2")
            put(found, key, coerced(schema, key, text))
    found.pop("name", None)
    return found


def _explain(args: argparse.Namespace) -> int:
    from cti.campaigns.settings_words import page

    lines = page().splitlines()
    if not args.words:
        print("\n".join(lines))
        return 0
    rows = [line for line in lines if line.startswith("| `")]
    found = [row for row in rows if any(word.casefold() in row.casefold() for word in args.words)]
    for row in found:
        print(" ".join(row.split()))
    return 0 if found else 1


async def _create(api: ApiClient, args: argparse.Namespace) -> int:
    await api.create_campaign(args.name, await _settings(api, args))
    print(f"Campaign {args.name} is there, as a draft. Import a list, then start it.")
    return 0


async def _list(api: ApiClient, args: argparse.Namespace) -> int:
    views = await api.campaigns()
    if args.json:
        print_json(views)
        return 0
    if not views:
        print("There are no campaigns.")
        return 0
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    for column in ("Name", "State", "Mode", "Queue"):
        table.add_column(column, no_wrap=column == "Name")
    for column in ("List", "Worked", "In flight", "Today", "Abandoned", "Cap"):
        table.add_column(column, justify="right")
    table.add_column("In the way")
    for view in views:
        table.add_row(*list_row(view))
    console().print(table)
    return 0


def list_row(view: CampaignView) -> tuple[str, ...]:
    """A line of the list; what was not counted yet is not shown as nothing."""
    is_counted = view.records.at is not None
    return (
        view.name,
        view.state,
        view.mode,
        view.queue,
        f"{view.records.total}" if is_counted else "…",
        f"{view.records.penetration:.0%}" if is_counted else "…",
        f"{view.in_flight}",
        f"{view.dialled}",
        abandoned(view),
        f"{view.cap_percent:g} %",
        in_the_way(view),
    )


def in_the_way(view: CampaignView) -> str:
    """The first reason in few words; that it does not run its state says."""
    from cti.desk.catalogue_blockers import BLOCKER_WORDS

    first = next((each.code for each in view.blockers), "not-running")
    if first == "not-running":
        return ""
    return BLOCKER_WORDS.get(f"blocker.{first}", (first.replace("-", " "), ""))[0]


def abandoned(view: CampaignView) -> str:
    """The worst rate of those that are held, and what is held of it where that is its upper end."""
    held = view.enforced_percent
    rates = [rate.percent for rate in view.rates if rate.enforced and rate.percent is not None]
    if held is None or not rates:
        return "-"
    return f"{max(rates):.2f} %" + (f" (to {held:.2f} %)" if view.guard == "statistical" else "")


async def _show(api: ApiClient, args: argparse.Namespace) -> int:
    detail = await api.campaign(args.name)
    if args.json:
        print_json(detail)
        return 0
    view = detail.campaign
    by = f" ({view.reason})" if view.reason else ""
    print(f"{view.name} is {view.state} since {at(view.since)}{by}.")
    for key, value in _flat(detail.settings):
        print(f"  {key} = {value}")
    for line in told_retries(detail.settings.get("retries", {})):
        print(line)
    return 0


def told_retries(given: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """When records are dialled again: what the campaign says, and what holds where it says nothing."""
    import msgspec

    from acd.dialer.settings import DEFAULT_RETRIES

    usual = {str(each): msgspec.to_builtins(rule) for each, rule in DEFAULT_RETRIES.items()}
    lines = ["  dialled again after (where retries says nothing: the default):"]
    for outcome, rule in {**usual, **given}.items():
        how = f"{rule['after_s']:g} s, {rule['times']} times, factor {rule['factor']:g}"
        number = "its next number" if rule["next_number"] else "the same number"
        default = "" if outcome in given else " (default)"
        lines.append(f"    {outcome}: {how}, {number}{default}")
    return lines


def _flat(settings: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Settings as they can be given to `set`."""
    import json

    found: list[tuple[str, str]] = []
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            found += _flat(value, f"{above}{key}.")
        else:
            found.append((above + key, json.dumps(value, ensure_ascii=False)))
    return found


async def _set(api: ApiClient, args: argparse.Namespace) -> int:
    change = await _settings(api, args)
    if not change:
        raise SystemExit("Nothing to change: give KEY=VALUE, or --file")
    await api.change_campaign(args.name, change)
    changed = counted(len(_flat(change)), "setting")
    print(f"Campaign {args.name} has {changed} changed from now on.")
    return 0


async def _copy(api: ApiClient, args: argparse.Namespace) -> int:
    await api.copy_campaign(args.name, args.new, with_list=args.with_list)
    print(f"Campaign {args.new} is there, as a draft.")
    return 0


async def _start(api: ApiClient, args: argparse.Namespace) -> int:
    await api.start_campaign(args.name)
    view = await api.campaign_panel(args.name)
    print(f"Campaign {args.name} runs.")
    for blocker in view.blockers:
        print(f"  In the way: {blocker.words}")
    for warning in view.warnings:
        print(f"  To mend: {warning.words}")
    return 0


async def _pause(api: ApiClient, args: argparse.Namespace) -> int:
    await api.pause_campaign(args.name, args.reason)
    print(f"Campaign {args.name} is paused; what is in flight goes on.")
    return 0


async def _finish(api: ApiClient, args: argparse.Namespace) -> int:
    await api.finish_campaign(args.name, args.reason)
    print(f"Campaign {args.name} is finished.")
    return 0


async def remove(api: ApiClient, args: argparse.Namespace) -> int:
    """Delete a campaign; a person at a terminal is asked first."""
    import asyncio

    if not args.yes and sys.stdin.isatty():
        total = sum(each.records.total for each in await api.campaigns() if each.name == args.name)
        question = f"Delete campaign {args.name} and its list of {counted(total, 'record')}?"
        answer = await asyncio.to_thread(input, f"{question} [y/N] ")
        if answer not in ("y", "Y"):
            print("It stays.")
            return 1
    await api.remove_campaign(args.name)
    print(f"Campaign {args.name} is gone; who was called stays on record.")
    return 0


_STEPS = {"start": _start, "pause": _pause, "finish": _finish}
