"""`switchroom campaigns why|panel|attempts|misjudged|decisions`: what campaigns do, and why."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cti.cli.campaigns_server import add_action, add_name, at, console, print_json
from cti.cli.exports import add_force, is_in_the_way
from cti.counted import counted
from cti.desk.text import count_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from cti.client import ApiClient
    from cti.schema_campaigns import AbandonRateView, CampaignView, WhyCampaignView

_BAR = 30
_NO_ATTEMPT = ("congested", "agent-gone", "cancelled")
"""Outcomes that use up no attempt: nobody was rung, or not long enough."""
_IN_HAND = "claimed"
"""Records that the dialer has: a step of the funnel that holds nothing back."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommands."""
    asking = add_action(
        subparsers,
        "why",
        "say why a campaign dials, or does not: what each filter leaves, and what is in the way",
        _why,
        example="why spring",
    )
    showing = add_action(
        subparsers,
        "panel",
        "show how a campaign stands: rates against the cap, dials, agents, list",
        _panel,
        example="panel spring",
    )
    exporting = add_action(
        subparsers,
        "attempts",
        "export who was called when and why that was allowed, as CSV",
        attempts,
        example="attempts spring --since 2026-11-01 --to spring.csv",
        more="For a regulator, or for a customer who asks (--number).",
    )
    exporting.add_argument("name", nargs="?", default="", metavar="NAME", help="default: all")
    exporting.add_argument("--number", help="of one person, in any notation")
    exporting.add_argument(
        "--outcome",
        default="",
        help="such as no-answer; abandoned has all who found no agent, also who opted out then",
    )
    exporting.add_argument(
        "--since",
        default="",
        metavar="TIME",
        help="such as 2026-11-22T08:00, by the clock here, or with a zone: 2026-11-22T08:00+01:00",
    )
    exporting.add_argument("--until", default="", metavar="TIME")
    exporting.add_argument(
        "--judged",
        action="store_true",
        help="with what the classifier heard: JSON of some kilobytes for each attempt",
    )
    exporting.add_argument("--to", type=Path, metavar="FILE", help="default: standard output")
    add_force(exporting)
    correcting = add_action(
        subparsers,
        "misjudged",
        "say that a person answered attempts that ended as a machine's: they count as abandoned",
        _misjudged,
        example="misjudged spring call-4711",
        more="Attempts are named by their id, as the export has it. Saying it twice counts once.",
    )
    add_name(correcting)
    correcting.add_argument("attempts", nargs="+", metavar="ATTEMPT")
    deciding = add_action(
        subparsers,
        "decisions",
        "show what the pacer decided lately; with --replay, whether it would do so again",
        _decisions,
        example="decisions spring --last 20",
    )
    deciding.add_argument("--last", type=int, default=20, metavar="N", help="(default: 20)")
    deciding.add_argument("--replay", action="store_true", help="make them again, and compare")
    for parser in (asking, showing, deciding):
        add_name(parser)
        parser.add_argument("--json", action="store_true", help="for programs")


async def _misjudged(api: ApiClient, args: argparse.Namespace) -> int:
    counted = 0
    for attempt in args.attempts:
        counted += await api.misjudged(args.name, attempt)
    known = len(args.attempts) - counted
    print(f"{counted} count as abandoned now{f', {known} did before' if known else ''}.")
    return 0


# --- why ----------------------------------------------------------------------------------------


async def _why(api: ApiClient, args: argparse.Namespace) -> int:
    why = await api.why_campaign(args.name)
    if args.json:
        print_json(why)
        return 0
    draw_why(why, console())
    return 0


def draw_why(why: WhyCampaignView, screen: Console) -> None:
    """The answer, then the way to it."""
    from rich.box import SIMPLE
    from rich.table import Table

    screen.print(f"Campaign {why.name} ({why.state}): {why.summary}", markup=False)
    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("The list")
    table.add_column("takes away", justify="right")
    table.add_column("leaves", justify="right")
    table.add_column("until")
    table.add_row("all records", "", f"{why.total}", "")
    for step in why.steps:
        until = at(step.until) if step.until else ""
        takes = f"{step.takes}" if step.takes else "-"
        if step.code == _IN_HAND:
            takes = f"({takes})"
        table.add_row(step.words, takes, f"{step.leaves}", until)
    table.add_row("[bold]may be dialled now[/]", "", f"[bold]{why.callable}[/]", "")
    screen.print(table)
    if why.blockers:
        screen.print("In the way:")
    for blocker in why.blockers:
        until = f" (until {at(blocker.until)})" if blocker.until else ""
        count = f" ({counted(blocker.count, 'record')})" if blocker.count else ""
        screen.print(f"  {blocker.words}{count}{until}", markup=False)


# --- the panel ----------------------------------------------------------------------------------


async def _panel(api: ApiClient, args: argparse.Namespace) -> int:
    view = await api.campaign_panel(args.name)
    if args.json:
        print_json(view)
        return 0
    draw_panel(view, console())
    return 0


def draw_panel(view: CampaignView, screen: Console) -> None:
    """Rates against the cap, then what it does now."""
    by = f", by {view.reason}" if view.reason else ""
    title = f" ({view.title})" if view.title != view.name else ""
    head = f"{view.name}{title}: {view.mode}, {view.state} since {at(view.since)}{by}"
    screen.print(head, markup=False, style="bold")
    screen.print()
    how = "upper end of the 95 % interval" if view.guard == "statistical" else "rate"
    value = "nobody has answered yet" if view.enforced_percent is None else ""
    value = value or f"{view.enforced_percent:.2f} %"
    over = view.enforced_percent is not None and view.enforced_percent > view.cap_percent
    style = "bold red" if over else "bold green"
    screen.print(f"Abandoned: cap {view.cap_percent:g} %, held is the {how}: [{style}]{value}[/]")
    for rate in view.rates:
        screen.print(_rate(rate, view.cap_percent), markup=False)
    screen.print()
    level = "-" if view.dial_level is None else f"{view.dial_level:.2f}"
    learning = ", learning" if view.learning else ""
    screen.print(
        f"Now: {view.in_flight} in flight ({view.ringing} ring), {view.judging} being judged, "
        f"{view.waiting} wait for an agent, {view.talking} talk, {view.messages} hear a message; "
        f"level {level}{learning}, {view.ahead} records at hand"
    )
    agents = view.agents
    wait = "-" if view.agents_wait_s is None else f"{view.agents_wait_s:.0f} s"
    screen.print(
        f"Agents: {agents.available} free ({agents.share} for this campaign), {agents.talking} talk, "
        f"{agents.wrap_up} wrap up, {agents.signed_on} signed on; wait between talks {wait}"
    )
    screen.print(_today(view.dialled, view.today))
    records = view.records
    screen.print(
        f"List: {records.penetration:.0%} worked through; {records.total} records, "
        f"{records.ready} ready, {records.done} done, {records.blocked} blocked"
    )
    if view.goal:
        screen.print(f"Goal: {view.goal_reached} of {view.goal}")
    for each in view.caller_ids:
        share = "too few calls" if each.rate is None else f"{each.rate:.0%} answered"
        fallen = ": FALLEN, perhaps it is marked as unwanted" if each.fallen else ""
        screen.print(f"Shown: {each.number}  {share} of {each.dialled}{fallen}", markup=False)
    if view.pacing_words:
        screen.print(f"Pacer: {view.pacing_words}", markup=False)
    if view.unsettled:
        screen.print(f"Store: {view.unsettled} attempts wait to be kept")
    for blocker in view.blockers:
        screen.print(f"In the way: {blocker.words}", markup=False, style="yellow")
    for warning in view.warnings:
        screen.print(f"To mend: {warning.words}", markup=False)


def _today(dialled: int, outcomes: Mapping[str, int]) -> str:
    """What became of the dials; apart, those that rang nobody and count as no attempt."""
    told = {outcome: f"{count} {outcome}" for outcome, count in outcomes.items() if count}
    rang = [words for outcome, words in told.items() if outcome not in _NO_ATTEMPT]
    others = [words for outcome, words in told.items() if outcome in _NO_ATTEMPT]
    line = f"Today: {dialled} dialled" + (": " + ", ".join(rang) if rang else "")
    return line + (f"; no attempt: {', '.join(others)}" if others else "")


def _rate(rate: AbandonRateView, cap: float) -> str:
    """One formula, as a bar: # the rate, - up to the bound, | the cap."""
    mark = "*" if rate.enforced else " "
    name = f"{mark} {rate.formula:4}"
    if rate.percent is None:
        return f"  {name} {'':{_BAR}}  nobody has answered in {_days(rate.days)}"
    upper = rate.upper_percent if rate.upper_percent is not None else rate.percent
    scale = _BAR / max(2 * cap, upper, 0.1)
    bar = list(" " * _BAR)
    for column in range(_BAR):
        if column < rate.percent * scale:
            bar[column] = "#"
        elif column < upper * scale:
            bar[column] = "-"
    bar[min(_BAR - 1, int(cap * scale))] = "|"
    counts = f"{count_text(rate.abandoned)} of {count_text(rate.live)} in {_days(rate.days)}"
    return f"  {name} {''.join(bar)}  {rate.percent:.2f} % (to {upper:.2f} %), {counts}"


def _days(days: float) -> str:
    return f"{days:g} days" if days != 1 else "24 h"


# --- attempts and decisions ---------------------------------------------------------------------


async def attempts(api: ApiClient, args: argparse.Namespace) -> int:
    """Write who was called when, to a file or to standard output."""
    query = {}
    if args.number is not None:
        if not any(each.isdigit() for each in args.number):
            raise SystemExit(f"--number: {args.number!r} is no number; leave it out for all people")
        query["number"] = args.number
    if args.outcome:
        query["outcome"] = args.outcome
    if args.judged:
        query["judged"] = "true"
    for key in ("since", "until"):
        if text := getattr(args, key):
            try:
                query[key] = str(datetime.fromisoformat(text).astimezone().timestamp())
            except ValueError:
                raise SystemExit(
                    f"--{key}: {text!r} is no time, such as 2026-11-22T08:00"
                ) from None
    if {"since", "until"} <= query.keys() and float(query["since"]) >= float(query["until"]):
        raise SystemExit("--since is not before --until: nothing can be in between")
    if args.to is not None and is_in_the_way(args.to, force=args.force):
        return 1
    pieces = api.attempts_csv(args.name, query)
    if args.to is None:
        async for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return 0
    with args.to.open("wb") as file:
        async for piece in pieces:
            file.write(piece)
    print(f"Written to {args.to}.", file=sys.stderr)
    return 0


async def _decisions(api: ApiClient, args: argparse.Namespace) -> int:
    if args.replay:
        replay = await api.replay_decisions(args.name, max(1, args.last))
        if args.json:
            print_json(replay)
        else:
            print(f"{replay.same} of {replay.decisions} decisions come out the same again.")
            for each in replay.differ:
                print(f"  {each.number}: {each.dials} dials then, {each.replayed} now")
        return 1 if replay.differ else 0
    found = await api.decisions(args.name, max(1, args.last))
    if args.json:
        print_json(found)
        return 0
    for each in found:
        print(f"{each.number:7}  {at(each.at)}  {each.dials:3} dials  {each.reason}")
    if not found:
        print("The pacer has decided nothing yet.")
    return 0
