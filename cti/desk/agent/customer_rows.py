"""What is known of a customer, in rows: for the card of a contact and for the window of a search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cti.desk import looks
from cti.desk.text import Words, clock, day_and_time, fit
from cti.schema import CustomerCard, Disposition, PastInteraction

LABEL_CELLS = 9
_WIDE = 60
"""Cells from which on the history also says who talked, and how long."""


def name_line(customer: CustomerCard, words: Words, width: int) -> Text:
    """Name, company, tier and language."""
    name = Text.assemble((fit(customer.name, width), f"bold {looks.TEXT}"))
    extras = [customer.company, customer.tier]
    if customer.language:
        extras.append(words("customer.language", language=customer.language))
    tail = "  ·  ".join(filter(None, extras))
    name.append(fit(f"   {tail}", max(0, width - name.cell_len)), looks.DIM)
    return name


def labelled(label: str, value: str, width: int, colour: str = looks.TEXT) -> Text:
    """A fact behind its name, on one line."""
    text = Text(label, looks.FAINT)
    text.append(" " * max(1, LABEL_CELLS - text.cell_len))
    text.append(fit(value, width - text.cell_len), colour)
    return text


def outcome_titles(dispositions: Iterable[Disposition], words: Words) -> dict[str, str]:
    """Outcomes in this screen's language, by code."""
    return {each.code: words.title(each.title, each.code) for each in dispositions}


def past_contacts(
    customer: CustomerCard, words: Words, now: float, titles: Mapping[str, str]
) -> list[list[str]]:
    """The customer's last contacts, a line each: when, outcome, note, who, how long.

    `titles` are the outcomes in words, by code.
    """
    return [_past(past, words, now, titles) for past in customer.recent]


def _past(past: PastInteraction, words: Words, now: float, titles: Mapping[str, str]) -> list[str]:
    outcome = past.disposition or ""
    return [
        day_and_time(past.at, now),
        titles.get(outcome, outcome),
        past.note or _what_happened(past, words),
        past.agent_name or past.queue or "",
        clock(past.talked_s) if past.talked_s else "",
    ]


def _what_happened(past: PastInteraction, words: Words) -> str:
    key = f"past.{past.result or 'open'}"
    if not words.get(key, ""):
        return past.summary
    return words(key, waited=clock(past.waited_s))


def history(head: str, lines: list[list[str]], width: int, room: int) -> list[RenderableType]:
    """A headline, and as many lines below it as there is room for."""
    rows: list[RenderableType] = [Text(""), Text(head, f"bold {looks.FAINT}")]
    if not lines or room < 3:
        return rows
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True, style=looks.DIM)
    table.add_column(no_wrap=True, style=looks.TEXT)
    table.add_column(no_wrap=True, ratio=1, style=looks.TEXT, overflow="ellipsis")
    if width >= _WIDE:
        table.add_column(no_wrap=True, style=looks.FAINT)
        table.add_column(no_wrap=True, style=looks.FAINT, justify="right")
    for cells in lines[: room - 2]:
        table.add_row(*(cells if width >= _WIDE else cells[:3]))
    return [*rows, table]
