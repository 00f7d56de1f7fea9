"""What the agent is asked about records of campaigns, and the commands that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.app import App

from cti.client import ApiClient
from cti.desk.agent.call_back_dialog import CallBackDialog
from cti.desk.agent.call_back_time import there, zone_of
from cti.desk.agent.party_dialogs import Try
from cti.desk.outbound import SKIP_REASONS, person_of
from cti.desk.text import Words
from cti.desk.widgets.picker import Choice, Picker
from cti.schema import CampaignView, ScreenPop
from cti.schema_outbound import OutboundCard


class SkipPicker(Picker):
    """Why a record goes back. Closed by the desk when the record is gone by itself."""


async def ask_skip(app: App[Any], words: Words, api: ApiClient, attempt: Try) -> None:
    """Ask why, and give the record back; the server tells who it was."""
    choices = [Choice(each, words(f"skip.{each}")) for each in SKIP_REASONS]
    reason = await app.push_screen_wait(SkipPicker(words, words("outbound.why_skip"), choices))
    if reason is not None:
        await attempt(api.skip_preview(reason))


async def ask_campaign(
    app: App[Any], words: Words, campaigns: Sequence[CampaignView]
) -> str | None:
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
    picker = Picker(words, words("outbound.which_campaign"), choices)
    chosen: str | None = await app.push_screen_wait(picker)
    return chosen


async def ask_call_back(
    app: App[Any], words: Words, api: ApiClient, pop: ScreenPop, card: OutboundCard, attempt: Try
) -> str | None:
    """Ask when and by whom, and arrange it; gives what to say then.

    It stays with the person of `pop`, also when the next card comes meanwhile.
    """
    who = person_of(pop)
    request = await app.push_screen_wait(CallBackDialog(words, who, card, api.server_time()))
    if request is None or not await attempt(api.call_back(pop.interaction_id, request)):
        return None
    return words("notice.later", who=who, time=there(request.at, zone_of(card.zone)))
