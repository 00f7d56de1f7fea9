"""What the store offers for outbound, as `Store.outbound` has it.

All raise `StoreUnavailable` when the database is away, `NotStored` for what is not there, and
`BadRecord` with what is wrong and what to do. Times are seconds since 1970; `by` is a login.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from acd.dialer.model import CampaignName, CampaignState, Outcome, RecordId, RecordState
from acd.dialer.ports import ListStore
from acd.dialer.settings import CampaignSettings
from crm_store.outbound.history import CampaignHistory
from crm_store.outbound.views import (
    AttemptView,
    BatchView,
    Campaign,
    CampaignVersion,
    DoNotCallEntry,
    Penetration,
    Preview,
    Progress,
    RecordView,
    RemovedEntry,
    Target,
    Undone,
)


class Campaigns(Protocol):
    """Campaigns and their versions."""

    async def create(self, settings: CampaignSettings, *, at: float, by: str) -> Campaign:
        """Add a draft. `BadRecord`: the name is taken, or settings contradict each other."""

    async def get(self, name: CampaignName) -> Campaign:
        """One campaign. `NotStored`."""

    async def all(self) -> list[Campaign]:
        """All that were not deleted, by name."""

    async def update(
        self, settings: CampaignSettings, *, at: float, by: str, expected: int | None = None
    ) -> Campaign:
        """Replace the settings of the campaign with this name and keep the old ones as a version.

        `expected`: the version the change was made from; `BadRecord` if somebody was faster.
        """

    async def set_state(
        self, name: CampaignName, state: CampaignState, *, at: float, by: str
    ) -> Campaign:
        """Run, pause, finish (also back again)."""

    async def copy(
        self, name: CampaignName, new: CampaignName, *, at: float, by: str, with_list: bool = False
    ) -> Campaign:
        """A draft with the same settings; `with_list` with all records, as if none was dialled.

        Who was blocked stays blocked.
        """

    async def delete(self, name: CampaignName, *, at: float, by: str) -> None:
        """Remove campaign and list. Attempts and versions are kept. `BadRecord` while it runs."""

    async def versions(self, name: CampaignName) -> list[CampaignVersion]:
        """Every change, newest first."""

    async def history(
        self, name: CampaignName, *, since: float, midnight: float
    ) -> CampaignHistory:
        """What it did: counts ever and since `midnight`, live answers since `since`."""

    async def penetration(self, name: CampaignName) -> Penetration:
        """How far the list has been worked through."""


class Records(Protocol):
    """What stands on lists, and what was dialled."""

    async def get(self, record: RecordId) -> RecordView:
        """One record with its numbers. `NotStored`."""

    async def page(
        self,
        campaign: CampaignName,
        *,
        state: RecordState | None = None,
        outcome: Outcome | None = None,
        number: str = "",
        after: RecordId | None = None,
        limit: int = 100,
    ) -> list[RecordView]:
        """Records as imported; `after` is the last of the page before. `number` in any notation."""

    async def retry(
        self, records: Sequence[RecordId], *, at: float, by: str, fresh: bool = False
    ) -> int:
        """Make records that are done ready again (recycling); `fresh` forgets their attempts' count.

        Blocked ones stay blocked. Gives how many.
        """

    async def recycle(
        self,
        campaign: CampaignName,
        *,
        outcomes: Sequence[Outcome] = (),
        dispositions: Sequence[str] = (),
        fresh: bool = False,
        at: float,
        by: str,
        dry: bool = False,
    ) -> int:
        """As `retry`, for all that ended so; without any word: all that were not reached.

        Gives how many. `dry`: only counts. `NotStored`.
        """

    async def attempts_of(self, record: RecordId) -> list[AttemptView]:
        """Newest first."""

    async def attempts(
        self,
        *,
        campaign: CampaignName | None = None,
        number: str = "",
        outcome: Outcome | None = None,
        since: float | None = None,
        until: float | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[AttemptView]:
        """Newest first; `before` is `dialled_at` and `id` of the last of the page before.

        `outcome=Outcome.ABANDONED` is the list "answered, no agent".
        """

    def export(
        self,
        *,
        campaign: CampaignName | None = None,
        number: str = "",
        since: float | None = None,
        until: float | None = None,
    ) -> AsyncIterator[bytes]:
        """Who was called when and why it was allowed: CSV (UTF-8 with BOM) in pieces, oldest first."""


class Imports(Protocol):
    """Files that become lists."""

    async def preview(
        self,
        campaign: CampaignName | None,
        file: Path,
        *,
        name: str = "",
        mapping: Mapping[str, Target] | None = None,
        sheet: str = "",
        region: str = "",
        agents: Collection[str] | None = None,
        rows: int = 20,
    ) -> Preview:
        """The first rows as they would be read. Changes nothing.

        `mapping` is by header or by letter (`A`, `AB`) and overrides what is guessed. `region`: country
        of numbers without one; empty: the centre's. `agents` are those who may own a record (None:
        anybody may). `name` as people know the file. `BadRecord` for a file that cannot be read at all,
        with the reason.
        """

    async def run(
        self,
        campaign: CampaignName,
        file: Path,
        *,
        by: str,
        at: float,
        name: str = "",
        mapping: Mapping[str, Target] | None = None,
        sheet: str = "",
        region: str = "",
        agents: Collection[str] | None = None,
        errors: Path | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> BatchView:
        """Import. `errors`: where the file of refused rows goes (made only if there are any)."""

    async def undo(self, batch: int, *, at: float, by: str) -> Undone:
        """Take back an import: records that were never dialled and are not being dialled."""

    async def batches(self, campaign: CampaignName | None = None) -> list[BatchView]:
        """Newest first; None: all."""


class DoNotCall(Protocol):
    """Numbers that are not called."""

    async def add(
        self,
        numbers: Sequence[str],
        *,
        campaign: CampaignName | None,
        reason: str,
        source: str,
        by: str,
        at: float,
        until: float | None = None,
    ) -> int:
        """Put numbers (any notation) on the centre's list, or on a campaign's; records go at once.

        Gives how many are new. `BadRecord` names those that are no numbers; none is added then.
        """

    async def remove(
        self, number: str, *, campaign: CampaignName | None, by: str, at: float
    ) -> bool:
        """Take one off a list (None: the centre's). Records it blocked may be dialled again."""

    async def find(self, number: str, at: float) -> list[DoNotCallEntry]:
        """Every entry that counts now for a number."""

    async def removed(self, number: str) -> list[RemovedEntry]:
        """What was taken off lists for a number, newest first; the national list's file is its own proof."""

    async def page(
        self, *, campaign: CampaignName | None = None, after: str = "", limit: int = 100
    ) -> list[DoNotCallEntry]:
        """The entries of the centre's list, or of a campaign's, by number."""

    async def counts(self) -> Mapping[str, int]:
        """How many numbers each scope has: `centre`, `national`, `campaign:NAME`."""

    async def run(
        self,
        file: Path,
        *,
        by: str,
        at: float,
        national: bool = False,
        may_shrink: bool = False,
        name: str = "",
        region: str = "",
        errors: Path | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> BatchView:
        """Import a file of numbers (CSV, XLSX, or one number a line).

        `national` replaces the national list of before once all of the file was read; where a tenth of it
        would be lost only if it `may_shrink`: the note says what came of it.
        """


class Outbound(Protocol):
    """`Store.outbound`."""

    @property
    def lists(self) -> ListStore:
        """What the dialer asks of the store."""

    @property
    def campaigns(self) -> Campaigns:
        """Campaigns and their versions."""

    @property
    def records(self) -> Records:
        """What stands on lists, and what was dialled."""

    @property
    def imports(self) -> Imports:
        """Files that become lists."""

    @property
    def do_not_call(self) -> DoNotCall:
        """Numbers that are not called."""
