"""Contacts that are live now: who waits, who is in the menu, who talks."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cti.desk import looks
from cti.desk.attended import in_words
from cti.desk.state import DeskState, shown_since
from cti.desk.text import clock, spaced_number
from cti.desk.widgets.panel import StatePanel
from cti.schema import InteractionView, QueueView

_ORDER = ("waiting", "offered", "parked", "menu", "preview", "talking", "held", "wrap-up", "direct")


def shown_stage(view: InteractionView) -> str:
    """Its stage; of a record that an agent has before it that it is one: nobody calls or waits."""
    return "preview" if view.agent_first and view.stage != "wrap-up" else view.stage


def in_order(state: DeskState) -> list[InteractionView]:
    """Those that wait first, longest first."""

    def place(each: InteractionView) -> tuple[int, float]:
        stage = shown_stage(each)
        return (_ORDER.index(stage) if stage in _ORDER else len(_ORDER), shown_since(each))

    return sorted(state.interactions.values(), key=place)


class ContactList(StatePanel):
    """One row a contact."""

    def on_mount(self) -> None:
        """Put the title into the frame."""
        self.border_title = self.words("board.contacts")

    def drawing(self, width: int, height: int) -> RenderableType:
        """The table; contacts that do not fit are counted."""
        contacts = in_order(self.state)
        if not contacts:
            return Text(self.words("board.no_contacts"), looks.FAINT)
        shown = contacts if len(contacts) <= height else contacts[: max(0, height - 1)]
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
        table.add_column(no_wrap=True, style=looks.DIM)
        for each in shown:
            table.add_row(*self._row(each))
        if len(shown) < len(contacts):
            more = self.words("board.more", count=len(contacts) - len(shown))
            table.add_row(Text(more, looks.FAINT))
        return table

    def _row(self, each: InteractionView) -> tuple[Text, Text, Text, Text]:
        stage = shown_stage(each)
        colour = looks.STAGE_COLOURS.get(stage, looks.DIM)
        queue = self.state.queues.get(each.queue or "")
        elapsed = self.now() - shown_since(each)
        threshold = queue.service_level_s if queue is not None else 20.0
        waits = stage in ("waiting", "offered")
        caller = each.customer_name or spaced_number(each.caller_number)
        others = "".join(
            f"  + {party.name or spaced_number(party.number)}" for party in each.parties
        )
        attended = in_words(self.words, self.state.attended.get(each.interaction_id, ()))
        return (
            Text(self.words.get(f"stage.{stage}", stage), colour),
            Text(clock(elapsed), looks.wait_colour(elapsed, threshold) if waits else looks.TEXT),
            Text.assemble(
                (caller or self.words("contact.withheld"), looks.TEXT),
                (others, looks.BLUE),
                (f"  ◉ {attended}" if attended else "", looks.AMBER),
            ),
            Text(self._where(each, queue)),
        )

    def _where(self, each: InteractionView, queue: QueueView | None) -> str:
        """The place it is parked in, the campaign, the queue, or the number that was dialled."""
        for place in self.state.parked.values():
            if place.interaction_id == each.interaction_id:
                return place.slot
        if each.campaign:
            campaign = self.state.campaigns.get(each.campaign)
            return campaign.title if campaign is not None else each.campaign
        return queue.title if queue is not None else each.called
