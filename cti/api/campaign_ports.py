"""What the API needs of campaigns; `cti.campaigns` provides it. All may raise the errors of `cti.errors`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cti.schema_campaign_requests import (
    AuditView,
    CallBackRequest,
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
    AttemptView,
    CampaignDetail,
    CampaignRecordView,
    CampaignView,
    DecisionView,
    PreviewView,
    ReplayView,
    WhyCampaignView,
)

if TYPE_CHECKING:
    from cti.api.ports import Account


class CampaignDesk(Protocol):
    """Campaigns as supervisors steer them, and what agents do for them."""

    def views(self, account: Account) -> tuple[CampaignView, ...]:
        """All campaigns; for an agent those of its queues."""

    async def listed(self, account: Account) -> tuple[CampaignView, ...]:
        """The same; after a start it waits until all are known."""

    def schema(self) -> dict[str, Any]:
        """The JSON schema of a campaign's settings."""

    async def detail(self, name: str) -> CampaignDetail:
        """A campaign with its settings."""

    async def create(self, request: CampaignRequest, actor: Account) -> CampaignDetail:
        """A new one, as a draft. `Invalid`, `Conflict`."""

    async def change(self, name: str, change: dict[str, Any], actor: Account) -> CampaignDetail:
        """Other settings from now on."""

    async def copy(self, name: str, request: CampaignCopyRequest, actor: Account) -> CampaignDetail:
        """A new one like this."""

    async def remove(self, name: str, actor: Account) -> None:
        """Delete one that does not run; its attempts are kept."""

    def move(self, name: str, step: str, actor: Account, reason: str = "") -> CampaignView:
        """`start`, `pause` or `finish`, at once."""

    async def panel(self, name: str) -> CampaignView:
        """It as it stands, with its list counted now."""

    async def why(self, name: str) -> WhyCampaignView:
        """Why it dials as it does."""

    async def audit(self, name: str) -> tuple[AuditView, ...]:
        """Who did what to it, newest first."""

    async def decisions(self, name: str, most: int) -> tuple[DecisionView, ...]:
        """The pacer's latest decisions, newest first."""

    async def replay(self, name: str, most: int) -> ReplayView:
        """The same, made again from what it knew then."""

    def click(self, name: str, actor: Account) -> None:
        """Let it dial one number; it is kept who did that."""

    async def take(self, name: str, agent_id: str, actor: Account) -> PreviewView:
        """Show an agent its next record."""

    def dial(self, agent_id: str, actor: Account) -> None:
        """Dial the record that the agent reads."""

    def skip(self, agent_id: str, reason: str, actor: Account) -> None:
        """Give it back."""

    async def call_back(
        self, interaction_id: str, request: CallBackRequest, actor: Account
    ) -> None:
        """The customer wants to be called then."""


class CampaignRecords(Protocol):
    """What is kept of campaigns: records, attempts, imports, do-not-call lists."""

    async def records(
        self, name: str, *, state: str, outcome: str, number: str, after: str, limit: int
    ) -> tuple[CampaignRecordView, ...]:
        """A page of a list, as imported."""

    async def attempts(
        self, name: str, *, since: float | None, until: float | None, outcome: str, limit: int
    ) -> tuple[AttemptView, ...]:
        """Attempts, newest first."""

    async def export(
        self,
        name: str,
        *,
        number: str,
        outcome: str,
        since: float | None,
        until: float | None,
        with_judged: bool,
    ) -> AsyncIterator[bytes]:
        """Who was called when and why it was allowed, as CSV in pieces, oldest first.

        `with_judged`: and what the classifier heard of it.
        """

    def upload(self, name: str, actor: Account) -> tuple[str, Path]:
        """An id and a path for a file that is sent."""

    def uploaded(self, upload_id: str, size: int) -> UploadView:
        """It is there."""

    async def preview(self, campaign: str, request: ImportRequest) -> ImportPreviewView:
        """What an import would make of the first rows. Nothing is kept."""

    async def begin_import(
        self, campaign: str, request: ImportRequest, actor: Account, *, national: bool = False
    ) -> ImportView:
        """Import a file, beside the calls. Without a campaign: into the centre's do-not-call list."""

    async def imports(self, campaign: str) -> tuple[ImportView, ...]:
        """All of a campaign, newest first; those that run say how far they are."""

    async def errors_file(self, campaign: str, import_id: int) -> Path:
        """The refused rows of an import. `NotFound` where there are none."""

    async def undo_import(self, campaign: str, import_id: int, actor: Account) -> UndoneView:
        """Take an import back, as far as nobody of it was dialled."""

    async def recycle(self, campaign: str, request: RecycleRequest, actor: Account) -> int:
        """Dial records again that are done; gives how many."""

    async def misjudged(self, campaign: str, attempt: str, actor: Account) -> int:
        """A person answered what ended as a machine's; gives how many are new as such: 1 or 0."""

    async def forbid(self, request: ForbidRequest, actor: Account) -> int:
        """Put numbers on a do-not-call list; gives how many are new."""

    async def allow(self, request: ForbidRequest, actor: Account) -> int:
        """Take numbers off a list; gives how many were on it."""

    async def forbidden(
        self,
        number: str,
        campaign: str,
        after: str,
        *,
        removed: bool = False,
        national: bool = False,
    ) -> tuple[ForbiddenView, ...]:
        """Entries for a number, or a page of a list."""
