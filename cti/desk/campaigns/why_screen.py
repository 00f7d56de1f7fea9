"""Why a campaign dials nothing, or not more: what each filter leaves of the list, as bars."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from cti.desk import looks
from cti.desk.campaigns.blockers import in_words
from cti.desk.text import Words, day_and_time, fit
from cti.desk.widgets.gauge import share_bar
from cti.desk.widgets.window import Window
from cti.schema_campaigns import FunnelStepView, WhyCampaignView

_BAR: Final = 18
_WORDS: Final = 40
_IN_HAND: Final = "claimed"
"""The step of records that the dialer has: nothing holds these back."""


class WhyScreen(Window[None]):
    """Closes with Esc; asks the server again by `r`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f5,q", "close", "Close", id="why.close", tooltip="Back to the campaigns"),
        Binding("r", "again", "Again", id="why.again", tooltip="Count again"),
    ]
    HELP = "What each filter leaves of the list, and what else is in the way; r counts again."

    def __init__(self, words: Words, title: str, why: WhyCampaignView, now: float) -> None:
        super().__init__()
        self._words = words
        self._title = title
        self._why = why
        self._now = now
        self.again: Callable[[], object] = lambda: None
        """Asks the server, and calls `show`."""

    def compose(self) -> ComposeResult:
        """The answer in one sentence, the funnel, what else is in the way."""
        with VerticalScroll(classes="dialog wide high") as dialog:
            dialog.border_title = self._words("why.title", campaign=self._title)
            yield Static(draw(self._why, self._words, self._now), id="why")
            yield Static(self._words("why.hint"), classes="hint")

    def show(self, why: WhyCampaignView, now: float) -> None:
        """A newer answer."""
        self._why = why
        self.query_one("#why", Static).update(draw(why, self._words, now))

    def action_again(self) -> None:
        """Count again."""
        self.again()

    def action_close(self) -> None:
        """Back to the campaigns."""
        self.dismiss(None)


def draw(why: WhyCampaignView, words: Words, now: float) -> RenderableType:
    """The whole answer."""
    summary = why.summary if words.language == "en" else _summary(why, words)
    rows: list[RenderableType] = [Text(summary, f"bold {looks.TEXT}"), Text("")]
    rows += [_funnel(why, words, now), Text("")]
    if why.blockers:
        rows.append(Text(words("why.besides"), looks.DIM))
        for blocker in why.blockers:
            text = in_words(blocker, words, now)
            rows.append(Text.assemble(("● ", looks.AMBER), (text, looks.TEXT)))
    else:
        rows.append(Text(words("why.nothing_else"), looks.GREEN))
    return Group(*rows)


def _summary(why: WhyCampaignView, words: Words) -> str:
    return words("why.summary", callable=why.callable, total=why.total)


def _funnel(why: WhyCampaignView, words: Words, now: float) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, width=_BAR)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, justify="right")
    table.add_column(ratio=1, overflow="fold")
    whole = max(1, why.total)
    head = (share_bar(1.0, _BAR), Text(str(why.total), "bold"), Text(""), words("why.total"))
    table.add_row(*head)
    for step in why.steps:
        is_held = step.code != _IN_HAND
        colour = looks.BLUE if step.leaves or not is_held else looks.RED
        takes = Text(f"−{step.takes}" if step.takes else "", looks.AMBER)
        if not is_held:
            takes = Text(f"({step.takes})", looks.DIM)
        name = Text(_step(step, words, now), looks.TEXT if step.takes else looks.FAINT)
        bar = share_bar(step.leaves / whole, _BAR, colour)
        table.add_row(bar, Text(str(step.leaves)), takes, name)
    is_next = any(step.code == _IN_HAND and step.takes for step in why.steps)
    good = looks.GREEN if why.callable or is_next else looks.RED
    bar = share_bar(why.callable / whole, _BAR, good)
    count = Text(str(why.callable), f"bold {good}")
    table.add_row(bar, count, Text(""), Text(words("why.callable"), f"bold {good}"))
    return table


def _step(step: FunnelStepView, words: Words, now: float) -> str:
    text = step.words
    if words.language != "en":
        text = words.get(f"blocker.{step.code}", text)
    if step.until is not None and step.until > now:
        text += f" · {words('campaign.until', time=day_and_time(step.until, now))}"
    return fit(text, 200)
