"""All campaigns, one row each; the chosen one is marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cti.desk import looks
from cti.desk.campaigns.panel import CampaignPanel, in_order, mode_of, stands, title_of
from cti.desk.text import Words, clock, fit, percent
from cti.desk.widgets.gauge import cap_bar, cap_colour
from cti.schema import CampaignView
from cti.schema_campaigns import AbandonRateView

STATE_COLOURS: Final = {
    "running": looks.GREEN,
    "paused": looks.AMBER,
    "draft": looks.DIM,
    "finished": looks.FAINT,
}
_GAUGE_CELLS: Final = 10
_NAMED: Final = 112
"""Cells from which on names are shown beside titles."""
_Column = tuple[str, int, Callable[[CampaignView, Words], Text]]


def rate_text(value: float | None) -> str:
    """A percentage with one decimal; a dash where there is none."""
    return "–" if value is None else f"{value:.1f} %"


def worst(campaign: CampaignView) -> AbandonRateView | None:
    """Of the formulas that it is held to, the one that is nearest to the cap."""
    held = [each for each in campaign.rates if each.enforced and each.percent is not None]
    return max(held, key=lambda each: each.upper_percent or each.percent or 0.0, default=None)


def bound_of(rate: AbandonRateView, campaign: CampaignView) -> float:
    """What of the rate is held under the cap: with the guard its upper end, else itself."""
    value = rate.percent or 0.0
    return (rate.upper_percent or value) if campaign.guard == "statistical" else value


def _state(campaign: CampaignView, words: Words) -> Text:
    return Text(stands(campaign, words), STATE_COLOURS.get(campaign.state, looks.DIM))


def _level(campaign: CampaignView, _words: Words) -> Text:
    level = campaign.dial_level if campaign.state == "running" else None
    return Text("–" if level is None else f"{level:.1f}", looks.TEXT if level else looks.FAINT)


def _flight(campaign: CampaignView, _words: Words) -> Text:
    return Text(str(campaign.in_flight), looks.TEAL if campaign.in_flight else looks.FAINT)


def _talking(campaign: CampaignView, _words: Words) -> Text:
    text = Text(str(campaign.talking), looks.BLUE if campaign.talking else looks.FAINT)
    if campaign.waiting:
        text.append(f"+{campaign.waiting}", f"bold {looks.RED}")
    return text


def _free(campaign: CampaignView, _words: Words) -> Text:
    if campaign.state != "running":
        return Text("–", looks.FAINT)  # of others nobody tells what agents do now
    agents = campaign.agents
    colour = looks.GREEN if agents.available else looks.DIM
    return Text(f"{agents.available}/{agents.signed_on}", colour)


def _abandoned(campaign: CampaignView, _words: Words) -> Text:
    rate = worst(campaign)
    if rate is None or rate.percent is None:
        return Text("–", looks.FAINT)
    colour = cap_colour(rate.percent, bound_of(rate, campaign), campaign.cap_percent)
    return Text(rate_text(rate.percent), f"bold {colour}")


def _gauge(campaign: CampaignView, _words: Words) -> Text:
    rate = worst(campaign)
    if rate is None:
        return Text("·" * _GAUGE_CELLS, looks.FAINT)
    bound = bound_of(rate, campaign)
    return cap_bar(rate.percent or 0.0, bound, campaign.cap_percent, _GAUGE_CELLS)


def _wait(campaign: CampaignView, _words: Words) -> Text:
    wait = campaign.agents_wait_s
    return Text("–" if wait is None else clock(wait), looks.TEXT)


def _list(campaign: CampaignView, _words: Words) -> Text:
    return Text(percent(campaign.records.penetration if campaign.records.total else None))


def _answers(campaign: CampaignView, _words: Words) -> Text:
    return Text(percent(campaign.live_rate), looks.TEXT)


# Key of the heading, width of the screen from which on the column is shown, cell.
_COLUMNS: Final[tuple[_Column, ...]] = (
    ("campaign.state", 0, _state),
    ("campaign.mode", 112, lambda each, words: Text(mode_of(each, words), looks.DIM)),
    ("campaign.level", 0, _level),
    ("campaign.in_flight", 0, _flight),
    ("campaign.talking", 0, _talking),
    ("campaign.free", 0, _free),
    ("campaign.wait", 88, _wait),
    ("campaign.dialled", 96, lambda each, _words: Text(str(each.dialled), looks.TEXT)),
    ("campaign.answers", 76, _answers),
    ("campaign.abandoned", 0, _abandoned),
    ("", 100, _gauge),
    ("campaign.list", 76, _list),
)


class CampaignTable(CampaignPanel):
    """Rows around the chosen one; those that do not fit are counted."""

    title_key = "campaign.title"

    def drawing(self, width: int, height: int) -> RenderableType:
        """The table."""
        campaigns = in_order(self.state)
        if not campaigns:
            key = "campaign.loading" if self.state.are_campaigns_loading else "campaign.none"
            self.border_subtitle = ""
            return Text(self.words(key), looks.FAINT)
        columns = [column for column in _COLUMNS if width >= column[1]]
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(no_wrap=True, ratio=1, min_width=8, overflow="ellipsis")
        for _ in columns:
            table.add_column(no_wrap=True, justify="right")
        table.add_row(
            Text(self.words("campaign.campaign"), looks.FAINT),
            *(Text(self.words(key) if key else "", looks.FAINT) for key, _, _ in columns),
        )
        for each in self._shown(campaigns, max(1, height - 1)):
            marked = each.name == self.chosen
            title = fit(title_of(each), max(8, width // 3))
            named = f"  {each.name}" if each.name != title_of(each) and width >= _NAMED else ""
            mark = ("▸ " if marked else "  ", f"bold {looks.BLUE}")
            name = Text.assemble(mark, (title, f"bold {looks.TEXT}" if marked else looks.TEXT))
            name.append(named, looks.FAINT)  # what the command line calls it
            cells = (cell(each, self.words) for _, _, cell in columns)
            table.add_row(name, *cells, style=f"on {looks.PANEL}" if marked else "")
        return table

    def _shown(self, campaigns: list[CampaignView], room: int) -> list[CampaignView]:
        names = [each.name for each in campaigns]
        at = names.index(self.chosen) if self.chosen in names else 0
        first = min(max(0, at - room // 2), max(0, len(campaigns) - room))
        missing = len(campaigns) - room
        notes = [self.words("board.more", count=missing)] if missing > 0 else []
        if self.state.are_campaigns_loading:
            notes.append(self.words("campaign.loading"))
        self.border_subtitle = " · ".join(notes)
        return campaigns[first : first + room]
