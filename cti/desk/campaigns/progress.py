"""How far a campaign is: its list, its goal, its agents, and what became of today's dials."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from cti.desk import looks
from cti.desk.campaigns.panel import CampaignPanel
from cti.desk.text import clock, fit, percent
from cti.desk.widgets.gauge import share_bar
from cti.schema import CampaignView

_LABEL = 10
_BAR = 16
_GOOD = frozenset({"connected", "announced", "message-left"})
_BAD = frozenset({"abandoned", "opted-out", "hung-up"})


class ProgressPanel(CampaignPanel):
    """A row each; the least important are left out where there is no room."""

    title_key = "campaign.progress"

    def drawing(self, width: int, height: int) -> RenderableType:
        """List, goal, agents, outcomes, numbers shown."""
        campaign = self.campaign
        if campaign is None:
            return Text("")
        rows = [self._records(campaign, width), self._today(campaign, width)]
        if campaign.state == "running":  # of others nobody tells what agents do now
            rows.append(self._agents(campaign))
        if campaign.goal:
            rows.insert(1, self._goal(campaign))
        rows += self._caller_ids(campaign)
        if campaign.state == "running":
            rows += self._pacing(campaign)
        if campaign.begins or campaign.ends:
            rows.append(self._term(campaign))
        for row in rows:
            row.truncate(width, overflow="ellipsis")
        return Group(*rows[: max(1, height)])

    def _label(self, key: str) -> Text:
        text = Text.assemble((self.words(key), looks.FAINT))
        text.append(" " * max(1, _LABEL - text.cell_len))
        return text

    def _records(self, campaign: CampaignView, width: int) -> Text:
        words, records = self.words, campaign.records
        line = self._label("campaign.list")
        line.append_text(share_bar(records.penetration, _BAR))
        line.append(f" {percent(records.penetration)}", f"bold {looks.TEXT}")
        for name in ("ready", "claimed", "done", "blocked", "reached", "total"):
            count = getattr(records, name)
            piece = Text(f"  {words(f'campaign.list_{name}')} ", looks.FAINT)
            piece.append(str(count), looks.TEXT if count else looks.FAINT)
            if line.cell_len + piece.cell_len > width:
                break
            line.append_text(piece)
        return line

    def _goal(self, campaign: CampaignView) -> Text:
        share = campaign.goal_reached / campaign.goal
        line = self._label("campaign.goal")
        line.append_text(share_bar(share, _BAR, looks.GREEN))
        line.append(f" {campaign.goal_reached} / {campaign.goal}", f"bold {looks.TEXT}")
        return line

    def _agents(self, campaign: CampaignView) -> Text:
        words, agents = self.words, campaign.agents
        line = self._label("campaign.agents")
        parts = (
            ("available", agents.available),
            ("reserved", agents.reserved),
            ("talking", agents.talking),
            ("wrap-up", agents.wrap_up),
            ("not-ready", agents.not_ready),
        )
        for state, count in parts:
            if count:
                line.append(f"{words.state(state)} ", looks.FAINT)
                line.append(f"{count}  ", looks.STATE_COLOURS[state])
        line.append(words("campaign.share", count=agents.share), looks.DIM)
        if campaign.agents_wait_s is not None:
            wait = clock(campaign.agents_wait_s)
            line.append(f"  {words('campaign.wait_for', time=wait)}", looks.DIM)
        return line

    def _today(self, campaign: CampaignView, width: int) -> Text:
        """What became of today's dials, the most frequent first."""
        line = self._label("campaign.today")
        line.append(f"{campaign.dialled}", f"bold {looks.TEXT}")
        for outcome, count in sorted(campaign.today.items(), key=lambda item: -item[1]):
            colour = (
                looks.GREEN if outcome in _GOOD else looks.RED if outcome in _BAD else looks.TEXT
            )
            piece = Text(f"  {self._outcome(outcome)} ", looks.FAINT)
            piece.append(str(count), colour)
            if line.cell_len + piece.cell_len > width:
                break
            line.append_text(piece)
        return line

    def _outcome(self, outcome: str) -> str:
        return self.words.get(f"campaign.outcome_{outcome}", outcome.replace("-", " "))

    def _caller_ids(self, campaign: CampaignView) -> list[Text]:
        fallen = [each for each in campaign.caller_ids if each.fallen]
        rows = []
        for each in fallen:
            rate, usual = percent(each.rate), percent(each.usual)
            line = self._label("campaign.shown")
            text = self.words("campaign.fallen", number=each.number, rate=rate, usual=usual)
            line.append(text, looks.AMBER)
            rows.append(line)
        return rows

    def _pacing(self, campaign: CampaignView) -> list[Text]:
        if not campaign.pacing_words:
            return []
        line = self._label("campaign.pacing")
        line.append(fit(campaign.pacing_words, 200), looks.DIM)
        return [line]

    def _term(self, campaign: CampaignView) -> Text:
        line = self._label("campaign.term")
        line.append(f"{campaign.begins or '…'} – {campaign.ends or '…'}", looks.DIM)
        return line
