"""The rows of the card that only records of campaigns have: the time to read, the list's facts."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cti.desk import looks
from cti.desk.agent.call_back_time import zone_clock
from cti.desk.text import Words, clock, day_and_time, fit, spaced_number
from cti.desk.widgets.gauge import share_bar
from cti.schema import PreviewView
from cti.schema_outbound import OutboundCard

_TIMER_CELLS = 12
_WHY_ROWS = 2
_WIDE = 64
"""Cells from which on facts stand in two columns."""


def headline(card: OutboundCard, words: Words) -> list[str]:
    """Campaign, and which attempt it is."""
    attempt = words("outbound.attempt", number=card.attempts + 1)
    return [card.campaign_title or card.campaign, attempt]


def promise(card: OutboundCard, words: Words, now: float) -> str:
    """For when the person asked to be called, and who arranged it; empty: this is no call-back."""
    if card.call_back_of is None:
        return ""
    time = day_and_time(card.call_back_of, now)
    if not card.call_back_by:
        return time
    return words("outbound.promised_by", time=time, agent=card.call_back_by)


def number_there(card: OutboundCard, words: Words, now: float) -> str:
    """The number, and what time it is where it rings."""
    number = spaced_number(card.number)
    if not card.zone:
        return number
    return f"{number}   {words('outbound.there', time=zone_clock(now, card.zone))}"


def reading_line(preview: PreviewView, words: Words, now: float, width: int) -> Text:
    """What the agent may press, and how long it may read."""
    keys = "outbound.click_keys" if preview.needs_click else "outbound.preview_keys"
    text = fit(words(keys, dial="F5", skip="F8"), max(10, width - 4))
    line = Text.assemble((f"  {text}  ", f"bold {looks.BACKGROUND} on {looks.AMBER}"))
    if preview.until is None:
        tail = Text(f"   {words('outbound.no_limit')}", looks.DIM)
    else:
        left = max(0.0, preview.until - now)
        whole = max(1.0, preview.until - preview.since)
        then = "outbound.then_dials" if preview.dials_itself else "outbound.then_back"
        tail = Text.assemble("   ", share_bar(left / whole, _TIMER_CELLS, looks.AMBER))
        tail.append(f" {clock(left + 0.999)}", f"bold {looks.AMBER}")
        tail.append(f" {words(then)}", looks.DIM)
    if line.cell_len + tail.cell_len <= width:
        line.append_text(tail)
        return line
    tail.truncate(width)
    return Text("\n").join((line, tail))


def under_way_line(preview: PreviewView, words: Words, now: float, width: int) -> Text:
    """How far the call is that comes of the record."""
    match preview.step:
        case "calling-agent":
            text, colour = words("outbound.calling_agent"), looks.AMBER
        case "ringing":
            text, colour = words("outbound.ringing"), looks.BLUE
        case _:
            number = spaced_number(preview.card.number)
            text, colour = words("outbound.dialling", number=number), looks.BLUE
    passed = clock(now - preview.since)
    return Text(fit(f"{text}  {passed}", width), f"bold {colour}")


def why(card: OutboundCard, words: Words, width: int, label_cells: int) -> list[Text]:
    """Why it may be dialled: the server's sentence, broken between its reasons."""
    lines = [""]
    for reason in filter(None, card.why.split("; ")):
        longer = f"{lines[-1]}; {reason}" if lines[-1] else reason
        if lines[-1] and cell_len(longer) > width - label_cells:
            lines.append(reason)
        else:
            lines[-1] = longer
    rows = []
    for index, line in enumerate(lines[:_WHY_ROWS]):
        row = Text.assemble((words("outbound.why") if index == 0 else "", looks.FAINT))
        row.append(" " * max(1, label_cells - row.cell_len))
        row.append(fit(line, max(1, width - row.cell_len)), looks.DIM)
        rows.append(row)
    return rows


def past_calls(
    card: OutboundCard, words: Words, now: float, titles: Mapping[str, str]
) -> list[list[str]]:
    """What came of the record before, a line each: when, outcome, note, who, how long.

    `titles` are the outcomes to choose from, in words, by code.
    """
    lines = []
    for each in card.recent:
        outcome = words.get(f"outcome.{each.outcome}", each.outcome)
        chosen = titles.get(each.disposition, each.disposition)
        note = each.note or (outcome if chosen else "")
        talked = clock(each.talked_s) if each.talked_s else ""
        lines.append([day_and_time(each.at, now), chosen or outcome, note, each.agent_name, talked])
    return lines


def facts(card: OutboundCard, words: Words, width: int, most: int) -> list[RenderableType]:
    """The list's columns, in two columns where there is room; at most `most` rows."""
    pairs = [(name, value) for name, value in card.facts.items() if value]
    if not pairs or most < 1:
        return []
    across = 2 if width >= _WIDE and len(pairs) > 2 else 1
    room = most * across
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for _ in range(across):
        table.add_column(no_wrap=True, style=looks.FAINT, max_width=18, overflow="ellipsis")
        table.add_column(no_wrap=True, style=looks.TEXT, ratio=1, overflow="ellipsis")
    shown = pairs[:room]
    cells = [(fit(name, 18), fit(value, width)) for name, value in shown]
    rows = -(-len(cells) // across)
    cells += [("", "")] * (rows * across - len(cells))
    for row in range(rows):
        table.add_row(*(text for column in range(across) for text in cells[row + column * rows]))
    return [table]
