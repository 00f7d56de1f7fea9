"""The client's commands about what is kept of campaigns: lists, attempts, do-not-call lists, decisions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import msgspec

from cti.client_requests import Requests
from cti.schema_campaign_requests import (
    CampaignCopyRequest,
    CampaignRequest,
    ForbiddenView,
    ForbidRequest,
    ImportPreviewView,
    ImportRequest,
    ImportView,
    RecycleRequest,
    UndoneView,
    UploadView,
)
from cti.schema_campaigns import (
    CampaignDetail,
    CampaignRecordView,
    CampaignView,
    DecisionView,
    ReplayView,
)


class CampaignRecordCommands:
    """Part of `cti.client.ApiClient`. Raises `ApiError` and `ServerUnreachableError`."""

    _requests: Requests

    # --- campaigns ---

    async def create_campaign(self, name: str, settings: dict[str, Any]) -> CampaignDetail:
        """A new one, as a draft."""
        body = CampaignRequest(name=name, settings=settings)
        content = await self._requests.post("/api/v1/campaigns", body)
        return msgspec.json.decode(content, type=CampaignDetail)

    async def copy_campaign(self, name: str, new: str, *, with_list: bool) -> CampaignDetail:
        """A new one like another."""
        body = CampaignCopyRequest(name=new, with_list=with_list)
        content = await self._requests.post(_of(name, "copy"), body)
        return msgspec.json.decode(content, type=CampaignDetail)

    async def remove_campaign(self, name: str) -> None:
        """Delete one that does not run."""
        await self._requests.post(_of(name, "remove"))

    async def campaign_panel(self, name: str) -> CampaignView:
        """It as it stands, with its list counted now."""
        return await self._requests.get(_of(name, "panel"), CampaignView)

    async def campaign_schema(self) -> dict[str, Any]:
        """The JSON schema of settings."""
        return await self._requests.get("/api/v1/campaigns/schema", dict[str, Any])

    async def decisions(self, name: str, most: int) -> list[DecisionView]:
        """The pacer's latest decisions, newest first."""
        query = {"limit": str(most)}
        return await self._requests.get(_of(name, "decisions"), list[DecisionView], query)

    async def replay_decisions(self, name: str, most: int) -> ReplayView:
        """The same, made again."""
        query = {"limit": str(most)}
        return await self._requests.get(_of(name, "decisions/replay"), ReplayView, query)

    # --- lists ---

    async def upload(self, name: str, pieces: AsyncIterator[bytes]) -> UploadView:
        """Send a file."""
        content = await self._requests.send_file("/api/v1/uploads", pieces, {"name": name})
        return msgspec.json.decode(content, type=UploadView)

    async def preview_import(self, campaign: str, request: ImportRequest) -> ImportPreviewView:
        """What an import would make of a file."""
        content = await self._requests.post(_of(campaign, "imports/preview"), request)
        return msgspec.json.decode(content, type=ImportPreviewView)

    async def begin_import(self, campaign: str, request: ImportRequest) -> ImportView:
        """Import a file that was sent."""
        content = await self._requests.post(_of(campaign, "imports"), request)
        return msgspec.json.decode(content, type=ImportView)

    async def imports(self, campaign: str) -> list[ImportView]:
        """All of a campaign, newest first; without one those of do-not-call lists."""
        path = _of(campaign, "imports") if campaign else "/api/v1/do-not-call/imports"
        return await self._requests.get(path, list[ImportView])

    async def undo_import(self, campaign: str, import_id: int) -> UndoneView:
        """Take an import back."""
        content = await self._requests.post(_of(campaign, f"imports/{import_id}/undo"))
        return msgspec.json.decode(content, type=UndoneView)

    async def recycle(self, campaign: str, request: RecycleRequest) -> int:
        """Dial records again that are done; gives how many."""
        content = await self._requests.post(_of(campaign, "recycle"), request)
        return msgspec.json.decode(content, type=dict[str, int])["recycled"]

    # --- records and attempts ---

    async def records(self, campaign: str, query: dict[str, str]) -> list[CampaignRecordView]:
        """A page of a list; the query is that of `GET .../records`."""
        return await self._requests.get(_of(campaign, "records"), list[CampaignRecordView], query)

    async def misjudged(self, campaign: str, attempt: str) -> int:
        """Who was taken for a machine was a person; gives how many are new as such: 1 or 0."""
        path = _of(campaign, f"attempts/{quote(attempt, safe='')}/misjudged")
        content = await self._requests.post(path)
        return msgspec.json.decode(content, type=dict[str, int])["misjudged"]

    def attempts_csv(self, name: str, query: dict[str, str]) -> AsyncIterator[bytes]:
        """Who was called when, and why that was allowed, as CSV in pieces; without a name: all."""
        path = _of(name, "attempts.csv") if name else "/api/v1/attempts.csv"
        return self._requests.pieces(path, query)

    # --- who must not be called ---

    async def forbid(self, request: ForbidRequest) -> int:
        """Put numbers on a list; gives how many are new."""
        content = await self._requests.post("/api/v1/do-not-call", request)
        return msgspec.json.decode(content, type=dict[str, int])["added"]

    async def allow(self, request: ForbidRequest) -> int:
        """Take numbers off a list; gives how many were on it."""
        content = await self._requests.post("/api/v1/do-not-call/remove", request)
        return msgspec.json.decode(content, type=dict[str, int])["removed"]

    async def forbidden(self, query: dict[str, str]) -> list[ForbiddenView]:
        """Entries for a number, or a page of a list."""
        return await self._requests.get("/api/v1/do-not-call", list[ForbiddenView], query)

    async def forbid_file(self, request: ImportRequest, *, national: bool) -> ImportView:
        """Import a file of numbers."""
        path = f"/api/v1/do-not-call/imports?national={str(national).lower()}"
        content = await self._requests.post(path, request)
        return msgspec.json.decode(content, type=ImportView)


def _of(name: str, what: str) -> str:
    return f"/api/v1/campaigns/{quote(name, safe='')}/{what}"
