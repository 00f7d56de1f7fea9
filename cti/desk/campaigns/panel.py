"""The base of panels that draw the campaign which is chosen."""

from __future__ import annotations

from cti.desk.outbound import TrackPoint
from cti.desk.state import DeskState
from cti.desk.text import Words
from cti.desk.widgets.panel import StatePanel
from cti.schema import CampaignView

_STATES = ("running", "paused", "draft", "finished")


def in_order(state: DeskState) -> list[CampaignView]:
    """Those that run first, then by title."""

    def place(each: CampaignView) -> tuple[int, str]:
        known = each.state in _STATES
        return (_STATES.index(each.state) if known else len(_STATES), each.title or each.name)

    return sorted(state.campaigns.values(), key=place)


def title_of(campaign: CampaignView) -> str:
    """What it is called."""
    return campaign.title or campaign.name


def stands(campaign: CampaignView, words: Words) -> str:
    """`Running`, `Paused`, … in words."""
    return words.get(f"campaign.state_{campaign.state}", campaign.state)


def mode_of(campaign: CampaignView, words: Words) -> str:
    """`Predictive`, … in words; with a mark where each dial needs a click, or while it learns."""
    text = words.get(f"campaign.mode_{campaign.mode}", campaign.mode)
    if campaign.human_initiated:
        text += f" · {words('campaign.by_click')}"
    if campaign.learning:
        text += f" · {words('campaign.learning')}"
    return text


class CampaignPanel(StatePanel):
    """Draws one campaign; nothing while there is none."""

    chosen = ""
    """Its name."""
    title_key = ""
    """Catalogue key of what stands in the frame."""

    def on_mount(self) -> None:
        """Put the title into the frame."""
        if self.title_key:
            self.border_title = self.words(self.title_key)

    @property
    def campaign(self) -> CampaignView | None:
        """The campaign that is chosen."""
        return self.state.campaigns.get(self.chosen)

    @property
    def track(self) -> tuple[TrackPoint, ...]:
        """How it did lately."""
        return self.state.tracks.get(self.chosen, ())

    def choose(self, name: str) -> None:
        """Draw this one from now on."""
        self.chosen = name
        self.tick()
