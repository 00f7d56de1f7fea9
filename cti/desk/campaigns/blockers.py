"""What is in the way of a campaign, and what ought to be better, in words."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from cti.desk import looks
from cti.desk.campaigns.panel import CampaignPanel
from cti.desk.text import Words, day_and_time, fit, wrapped
from cti.schema_campaigns import BlockerView


def in_words(blocker: BlockerView, words: Words, now: float) -> str:
    """The server's sentence in English; in another language the short words of its code."""
    text = blocker.words
    if words.language != "en":
        text = words.get(f"blocker.{blocker.code}", text)
    if blocker.count:
        text += f" ({words('campaign.records', count=blocker.count)})"
    if blocker.until is not None and blocker.until > now:
        text += f" · {words('campaign.until', time=day_and_time(blocker.until, now))}"
    return text


class BlockersPanel(CampaignPanel):
    """As many lines as there are, at least one each; the first is the one to do something about."""

    title_key = "campaign.blockers"

    def drawing(self, width: int, height: int) -> RenderableType:
        """The reasons, or that nothing is in the way."""
        campaign, words = self.campaign, self.words
        if campaign is None:
            return Text("")
        rows = []
        if campaign.unsettled > 5:
            text = words("campaign.unsettled", count=campaign.unsettled)
            rows.append(Text(fit(f"● {text}", width), looks.RED))
        colour = looks.AMBER if campaign.state == "running" else looks.DIM
        reasons = [(in_words(each, words, self.now()), colour) for each in campaign.blockers]
        rows += self._lines(reasons, width, height - len(rows) - len(campaign.warnings))
        if not rows and campaign.state == "running":
            rows.append(Text(words("campaign.nothing"), looks.GREEN))
        elif not rows:
            key = f"campaign.is_{campaign.state}"
            text = words.get(key, campaign.state)
            if campaign.reason:
                text += f" ({words.get(f'campaign.by_{campaign.reason}', campaign.reason)})"
            rows.append(Text(fit(text, width), looks.DIM))
        warnings = [
            (words("campaign.to_mend", words=in_words(each, words, self.now())), looks.DIM)
            for each in campaign.warnings
        ]
        rows += self._lines(warnings, width, height - len(rows))
        return Group(*rows[: max(1, height)])

    @staticmethod
    def _lines(texts: list[tuple[str, str]], width: int, height: int) -> list[Text]:
        """Texts, each behind a mark of its colour; each as long as leaves the others a line."""
        rows: list[Text] = []
        for index, (text, colour) in enumerate(texts):
            room = max(1, height - len(rows) - (len(texts) - index - 1))
            for line, part in enumerate(wrapped(text, max(1, width - 2), room)):
                mark = "  " if line else "● "
                rows.append(Text.assemble((mark, colour), (part, looks.TEXT)))
        return rows
