"""The abandon rate of a campaign by every formula, with its bound, against the cap."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cti.desk import looks
from cti.desk.campaigns.panel import CampaignPanel
from cti.desk.campaigns.table import bound_of, rate_text, worst
from cti.desk.text import count_text
from cti.desk.widgets.gauge import cap_bar, cap_colour, spark
from cti.schema import CampaignView
from cti.schema_campaigns import AbandonRateView

_WIDE = 64


class RatesPanel(CampaignPanel):
    """One row a formula: those that the campaign is held to are marked; below, the last hour."""

    title_key = "campaign.rates"

    def drawing(self, width: int, height: int) -> RenderableType:
        """Rates, then their course."""
        campaign = self.campaign
        if campaign is None:
            return Text("")
        table = Table.grid(padding=(0, 1), expand=True)
        is_wide = width >= _WIDE
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        table.add_column(no_wrap=True)
        if is_wide:
            table.add_column(no_wrap=True, justify="right", style=looks.DIM)
        table.add_column(no_wrap=True, justify="right", style=looks.DIM)
        bar = max(8, min(60, width - (52 if is_wide else 40)))
        for rate in campaign.rates[: max(1, height - 1)]:
            table.add_row(*self._row(rate, campaign, bar, is_wide))
        cap = self._cap(campaign)
        rows: list[RenderableType] = [table]
        if height > len(campaign.rates):
            rows.append(self._course(campaign, width, cap))
        stack = Table.grid(expand=True)
        stack.add_column()
        for row in rows:
            stack.add_row(row)
        return stack

    def _row(
        self, rate: AbandonRateView, campaign: CampaignView, bar: int, is_wide: bool
    ) -> list[Text]:
        words = self.words
        mark = ("● ", looks.TEXT) if rate.enforced else ("○ ", looks.FAINT)
        days = words("campaign.days", days=f"{rate.days:g}")
        name = words.get(f"campaign.formula_{rate.formula}", rate.formula)
        label = Text.assemble(mark, (name, looks.TEXT), (f" {days}", looks.FAINT))
        value, bound = rate.percent, bound_of(rate, campaign)
        if value is None:
            none = [label, Text("–", looks.FAINT), Text("·" * bar, looks.FAINT)]
            return [*none, Text(""), Text("")] if is_wide else [*none, Text("")]
        colour = cap_colour(value, bound, campaign.cap_percent)
        if not rate.enforced and colour == looks.RED:
            colour = looks.AMBER  # nobody holds the campaign to it
        cells = [
            label,
            Text(rate_text(value), f"bold {colour}"),
            cap_bar(value, bound, campaign.cap_percent, bar),
        ]
        if is_wide and rate.upper_percent is not None:
            cells.append(Text(words("campaign.at_most", rate=rate_text(rate.upper_percent))))
        elif is_wide:
            cells.append(Text(""))
        abandoned, live = count_text(rate.abandoned), count_text(rate.live)
        counts = words("campaign.of", abandoned=abandoned, live=live)
        return [*cells, Text(counts if is_wide else f"{abandoned}/{live}")]

    def _cap(self, campaign: CampaignView) -> Text:
        words = self.words
        cap = words("campaign.cap", cap=rate_text(campaign.cap_percent))
        text = Text.assemble((cap, looks.TEXT))
        guard = words.get(f"campaign.guard_{campaign.guard}", campaign.guard)
        text.append(f" · {guard}", looks.DIM)
        return text

    def _course(self, campaign: CampaignView, width: int, cap: Text) -> Text:
        """`enforced ▁▂▃  level ▃▄▅  cap 3.0 % · upper bound`."""
        words, track = self.words, self.track
        pieces: list[Text] = []
        room = max(6, min(30, (width - cap.cell_len - 30) // 2))
        values = [point.enforced for point in track]
        colour = looks.DIM
        if campaign.enforced_percent is not None:
            rate = worst(campaign)
            itself = campaign.enforced_percent if rate is None else rate.percent or 0.0
            colour = cap_colour(itself, campaign.enforced_percent, campaign.cap_percent)
        now = Text.assemble((f"{words('campaign.enforced')} ", looks.FAINT))
        now.append(rate_text(campaign.enforced_percent), f"bold {colour}")
        now.append(f" {spark(values, room, campaign.cap_percent)}", colour)
        pieces.append(now)
        levels = [point.dial_level for point in track]
        level = Text.assemble((f"{words('campaign.level')} ", looks.FAINT))
        level.append(spark(levels, room, 2.0), looks.TEAL)
        pieces += [level, cap]
        line = Text()
        for piece in pieces:
            if line.cell_len + piece.cell_len + 3 > width:
                continue
            if line.cell_len:
                line.append("   ")
            line.append_text(piece)
        return line
