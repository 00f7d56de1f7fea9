"""What the agent is asked about records of campaigns, and the commands that come of it."""

from __future__ import annotations

from collections.abc import Sequence

from cti.client import ApiClient
from cti.desk.agent.call_back_dialog import CallBackDialog
from cti.desk.agent.call_back_time import there, zone_of
from cti.desk.agent.party_dialogs import Try
from cti.desk.agent.window_screen import Show
from cti.desk.outbound import SKIP_REASONS, person_of
from cti.desk.text import Words
from cti.desk.widgets.picker import Choice, Picker
from cti.schema import CampaignView, ScreenPop
from cti.schema_outbound import OutboundCard


async def ask_skip(show: Show, words: Words, api: ApiClient, attempt: Try) -> None:
    """Ask why, and give the record back; the server tells who it was."""
    choices = [Choice(each, words(f"skip.{each}")) for each in SKIP_REASONS]
    reason = await show(Picker(words, words("outbound.why_skip"), choices))
    if reason is not None:
        await attempt(api.skip_preview(reason))


async def ask_campaign(show: Show, words: Words, campaigns: Sequence[CampaignView]) -> str | None:
    """Which one; asked only where there are several."""
    if len(campaigns) <= 1:
        return campaigns[0].name if campaigns else None
    choices = [
        Choice(
            each.name,
            each.title or each.name,
            words("outbound.ahead", count=each.ahead),
        )
        for each in campaigns
    ]
    return await show(Picker(words, words("outbound.which_campaign"), choices))


async def ask_call_back(
    show: Show, words: Words, api: ApiClient, pop: ScreenPop, card: OutboundCard, attempt: Try
) -> str | None:
    """Ask when and by whom, and arrange it; gives what to say then.

    It stays with the person of `pop`, also when the next card comes meanwhile.
    """
    who = person_of(pop)
    request = await show(CallBackDialog(words, who, card, api.server_time()))
    if request is None or not await attempt(api.call_back(pop.interaction_id, request)):
        return None
    return words("notice.later", who=who, time=there(request.at, zone_of(card.zone)))
