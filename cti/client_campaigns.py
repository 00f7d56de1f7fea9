"""The client's commands about campaigns: watching and steering them, and the records before an agent."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from cti.client_requests import Requests
from cti.schema_campaign_requests import (
    AuditView,
    CallBackRequest,
    CampaignChangeRequest,
    CampaignStopRequest,
    SkipRequest,
)
from cti.schema_campaigns import CampaignDetail, CampaignView, WhyCampaignView


class CampaignCommands:
    """Part of `cti.client.ApiClient`. Raises `ApiError` and `ServerUnreachableError`."""

    _requests: Requests

    async def campaigns(self) -> tuple[CampaignView, ...]:
        """All campaigns as they stand."""
        return await self._requests.get("/api/v1/campaigns", tuple[CampaignView, ...])

    async def campaign(self, name: str) -> CampaignDetail:
        """A campaign with its settings."""
        return await self._requests.get(_path(name), CampaignDetail)

    async def why_campaign(self, name: str) -> WhyCampaignView:
        """Why it dials as it does."""
        return await self._requests.get(_path(name, "why"), WhyCampaignView)

    async def campaign_audit(self, name: str) -> tuple[AuditView, ...]:
        """Who did what to it, newest first."""
        return await self._requests.get(_path(name, "audit"), tuple[AuditView, ...])

    async def start_campaign(self, name: str) -> None:
        """Let it dial."""
        await self._requests.post(_path(name, "start"))

    async def pause_campaign(self, name: str, reason: str = "") -> None:
        """Dial no more for now; what is in flight goes on."""
        await self._requests.post(_path(name, "pause"), CampaignStopRequest(reason=reason))

    async def finish_campaign(self, name: str, reason: str = "") -> None:
        """End it."""
        await self._requests.post(_path(name, "finish"), CampaignStopRequest(reason=reason))

    async def change_campaign(self, name: str, settings: dict[str, Any]) -> None:
        """Change some settings, from now on."""
        body = CampaignChangeRequest(settings=settings)
        await self._requests.post(_path(name, "settings"), body)

    async def click(self, name: str) -> None:
        """Let a campaign dial one number that needs a person's click."""
        await self._requests.post(_path(name, "click"))

    async def take_record(self, name: str) -> None:
        """Take the next record of a campaign that is dialled by hand: it is shown as a preview."""
        await self._requests.post(_path(name, "take"))

    async def dial_preview(self) -> None:
        """Dial the record that one reads."""
        await self._requests.post("/api/v1/agents/me/preview/dial")

    async def skip_preview(self, reason: str = "") -> None:
        """Give the record back."""
        await self._requests.post("/api/v1/agents/me/preview/skip", SkipRequest(reason=reason))

    async def call_back(self, interaction_id: str, request: CallBackRequest) -> None:
        """The customer wants to be called again."""
        path = f"/api/v1/interactions/{quote(interaction_id, safe='')}/call-back"
        await self._requests.post(path, request)


def _path(name: str, what: str = "") -> str:
    path = f"/api/v1/campaigns/{quote(name, safe='')}"
    return f"{path}/{what}" if what else path
